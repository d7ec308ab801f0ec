//! `GET …/plans/<run>`: a run with its plan.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::admin::Permission;
use membermail_pages::admin::Section;
use membermail_pages::admin::plans::Decider;
use membermail_pages::admin::plans::run::{RunPage, Shown};
use membermail_pages::response;
use membermail_store::{Run, RunState};
use ulid::Ulid;

use super::{load_steps, step_page};
use crate::access::Admin;
use crate::error::Error;
use crate::people;

/// The page of a run.
pub(crate) async fn show(admin: &Admin<'_>, run: Ulid) -> Result<Response<Body>, Error> {
    match admin.visit.context.store.run(&admin.domain.domain, run).await? {
        Some(run) => render(admin, &run, false).await,
        None => Ok(admin.not_found()),
    }
}

/// The same for an admin whose decision came after another one.
pub(crate) async fn show_decided(admin: &Admin<'_>, run: &Run) -> Result<Response<Body>, Error> {
    render(admin, run, true).await
}

async fn render(admin: &Admin<'_>, run: &Run, is_decided_before: bool) -> Result<Response<Body>, Error> {
    let Some(page) = step_page(admin) else { return Ok(admin.not_found()) };
    let Some(steps) = load_steps(admin, run.id, page, run.state == RunState::Held).await? else {
        return Ok(admin.not_found());
    };
    let can_decide = admin.permissions.has(Permission::Decide);
    let shown = Shown { decider: find_decider(admin, run).await?, can_decide, is_decided_before, steps };
    let page = RunPage::new(admin.visit.site.clone(), admin.console(Section::Plans), run, shown);
    Ok(response::page(StatusCode::OK, &page))
}

/// Who decided on a run.
async fn find_decider(admin: &Admin<'_>, run: &Run) -> Result<Option<Decider>, Error> {
    let Some(by) = &run.decided_by else { return Ok(None) };
    let actor = run.decided_as;
    let name = people::decider(&admin.visit.context.store, actor, by).await?;
    Ok(Some(Decider { actor, name }))
}
