//! `GET …/plans/dry-run` and the form that requests a dry run. The request is a message to `sync-team`, because a page does not
//! wait for the membership source.

use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::member;
use membermail_core::message::SyncTeam;
use membermail_pages::admin::Section;
use membermail_pages::admin::plans::DRY_RUN;
use membermail_pages::admin::plans::dry_run::DryRunPage;
use membermail_pages::admin::plans::steps::Steps;
use membermail_pages::{public_url, response};
use membermail_store::{DryRun, DryRunPhase, RateLimit};

use super::{load_steps, step_page};
use crate::access::Admin;
use crate::error::Error;

/// Dry runs of one domain.
const PER_DOMAIN: RateLimit = RateLimit { name: "dry-runs", uses: 4, window: SignedDuration::from_hours(1) };
/// Dry runs of all domains together: the runs need the membership source, too.
const TOGETHER: RateLimit = RateLimit { name: "all-dry-runs", uses: 20, window: SignedDuration::from_hours(1) };

/// The last dry run: its progress, or its plan.
pub(crate) async fn show(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let now = admin.visit.now;
    let Some(dry_run) = admin.visit.context.store.dry_run(&admin.domain.domain, now).await? else {
        return Ok(admin.refuse(StatusCode::NOT_FOUND, "plans-no-dry-run"));
    };
    let Some(page) = step_page(admin) else { return Ok(admin.not_found()) };
    let steps = match dry_run.phase(now) {
        DryRunPhase::Done => load_steps(admin, dry_run.id, page, true).await?,
        _ => Some(Steps::default()),
    };
    let Some(steps) = steps else { return Ok(admin.not_found()) };
    let page = DryRunPage::new(admin.visit.site.clone(), admin.console(Section::Plans), &dry_run, steps, now);
    Ok(response::page(StatusCode::OK, &page))
}

/// Requests a dry run, unless one waits or runs: then its progress is shown.
pub(crate) async fn request(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let now = admin.visit.now;
    let context = admin.visit.context;
    let store = &context.store;
    let domain = &admin.domain.domain;
    if store.dry_run(domain, now).await?.is_some_and(|dry_run| dry_run.phase(now).is_open()) {
        return Ok(admin.see(DRY_RUN));
    }
    for (limit, subject) in [(PER_DOMAIN, domain.as_str()), (TOGETHER, "-")] {
        if !store.count_use(limit, subject, now).await? {
            return Ok(admin.refuse(StatusCode::TOO_MANY_REQUESTS, "plans-dry-run-too-many"));
        }
    }
    let id = member::ulid(now, &*context.random);
    if store.request_dry_run(domain, &DryRun::new(id, admin.visit.member.id, now), now).await? {
        let request_id = public_url::request_id(admin.visit.request);
        let message = SyncTeam::dry_run_of(domain, id, now, request_id);
        if let Err(cause) = context.sync_queue.send(&message).await {
            // Even if the message was sent, it finds no waiting request.
            store.withdraw_dry_run(domain, id, now).await?;
            return Err(cause.into());
        }
    }
    Ok(admin.see(DRY_RUN))
}
