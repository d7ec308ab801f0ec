//! `GET …` and `POST …/check`: the state of a domain, and a check of its DNS records.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::address::LocalPart;
use membermail_domains::{Outcome, Resolver, check_one};
use membermail_pages::admin::Section;
use membermail_pages::admin::domain::{DomainPage, DomainState};
use membermail_pages::admin::failing::{FailingPage, FailingRow};
use membermail_pages::response;
use membermail_runtime::batch::chain;
use tracing::error;
use url::form_urlencoded::Serializer;

use crate::access::Admin;
use crate::error::Error;

/// The page of the domain.
pub(crate) async fn show(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let context = admin.visit.context;
    let domain = &admin.domain.domain;
    let token = context.store.ensure_domain_token(domain, &*context.random).await?;
    let (stored, runs, failing) = tokio::try_join!(
        context.store.domain(domain),
        context.store.runs(domain, 1),
        context.store.count_failing(domain, admin.visit.now),
    )?;
    let state = DomainState {
        configured: admin.domain,
        stored: &stored,
        token: &token,
        grace: context.community.rules.domain_grace(),
        last_run: runs.first(),
        failing,
    };
    let page = DomainPage::new(admin.visit.site.clone(), admin.console(Section::Domain), state);
    Ok(response::page(StatusCode::OK, &page))
}

/// Checks the DNS records now. All queries together end before the browser's patience does; see [`Context::dns`].
///
/// [`Context::dns`]: crate::Context::dns
pub(crate) async fn check(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let context = admin.visit.context;
    let failed = || admin.refuse(StatusCode::SERVICE_UNAVAILABLE, "domains-check-failed");
    let resolver = match Resolver::new(&context.dns) {
        Ok(resolver) => resolver,
        Err(cause) => {
            error!(cause = chain(&cause), "the DNS client cannot be configured");
            return Ok(failed());
        }
    };
    let signature = admin.signature();
    let grace = context.community.rules.domain_grace();
    let cause = admin.cause(&signature);
    let report = check_one(&resolver, &context.store, admin.domain, grace, cause, &*context.random).await;
    Ok(match report.outcome {
        // A check at the same moment is as good as this one.
        Outcome::Checked { .. } | Outcome::Superseded => admin.see(""),
        Outcome::NoAdmin => admin.refuse(StatusCode::CONFLICT, "domains-no-admin"),
        Outcome::Failed { reason, .. } => {
            error!(cause = reason, "check of domain {} failed", admin.domain.domain);
            failed()
        }
    })
}

/// `GET …/failing`: the addresses whose mail was not delivered.
pub(crate) async fn failing(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let after = match admin.parameter("after").map(|after| LocalPart::parse(&after)).transpose() {
        Ok(after) => after,
        Err(_) => return Ok(admin.invalid()),
    };
    let store = &admin.visit.context.store;
    let page = store.failing_in(&admin.domain.domain, after.as_ref(), admin.visit.now).await?;
    let wording = admin.visit.site.wording;
    let next = page.next.map(|next| Serializer::new(String::new()).append_pair("after", next.as_str()).finish());
    let page = FailingPage {
        site: admin.visit.site.clone(),
        console: admin.console(Section::Domain),
        rows: page.addresses.iter().map(|address| FailingRow::new(address, wording)).collect(),
        next,
    };
    Ok(response::page(StatusCode::OK, &page))
}
