//! `GET /admin`: the domains of an admin.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_pages::admin::overview::{DomainRow, Overview};
use membermail_pages::layout::{Message, Next};
use membermail_pages::response;
use membermail_store::FileAdmins;

use crate::access::Visit;
use crate::error::Error;

/// The domains in which the member is an admin.
pub(crate) async fn show(visit: Visit<'_>) -> Result<Response<Body>, Error> {
    let Visit { context, site, member, .. } = visit;
    let domains: Vec<_> = context.community.domains.iter().map(FileAdmins::from).collect();
    let permissions = context.store.permissions(&member, &domains, context.community.issuer()).await?;
    if permissions.is_empty() {
        let page = Message::new(site, "admin-nowhere", Next::START);
        return Ok(response::page(StatusCode::FORBIDDEN, &page));
    }
    let rows = permissions.iter().map(|(domain, permissions)| DomainRow::new(domain, *permissions, site.wording));
    let rows = rows.collect();
    Ok(response::page(StatusCode::OK, &Overview { site, rows }))
}
