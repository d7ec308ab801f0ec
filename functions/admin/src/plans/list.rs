//! `GET …/plans`: the runs of a domain, newest first.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::admin::Permission;
use membermail_pages::admin::Section;
use membermail_pages::admin::plans::list::{Listed, Plans};
use membermail_pages::response;
use ulid::Ulid;

use crate::access::Admin;
use crate::error::Error;

/// Runs on a page.
const RUNS: i32 = 20;

/// The page with the newest runs, or those before a run.
pub(crate) async fn show(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let before = match admin.parameter("before").map(|before| Ulid::from_string(&before)) {
        Some(Ok(before)) => Some(before),
        Some(Err(_)) => return Ok(admin.not_found()),
        None => None,
    };
    let store = &admin.visit.context.store;
    let domain = &admin.domain.domain;
    let now = admin.visit.now;
    let (runs, has_older) = store.runs_before(domain, before, RUNS).await?;
    let dry_run = store.dry_run(domain, now).await?;
    let listed = Listed {
        runs: &runs,
        has_older,
        is_first: before.is_none(),
        dry_run: dry_run.as_ref(),
        waiting_since: store.sync_request(domain).await?.waiting_since(now),
        in_progress: store.run_in_progress(domain, now).await?,
        can_sync: admin.permissions.has(Permission::Decide),
    };
    let page = Plans::new(admin.visit.site.clone(), admin.console(Section::Plans), &listed, now);
    Ok(response::page(StatusCode::OK, &page))
}
