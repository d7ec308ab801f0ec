//! The preview and the form that release or reject a held run. If two admins act at once, the second one sees the decision of
//! the first one.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::audit::{Comment, RunChange};
use membermail_core::message::SyncTeam;
use membermail_pages::admin::Section;
use membermail_pages::admin::plans::PLANS;
use membermail_pages::admin::plans::decision::{Decision, DecisionPage};
use membermail_pages::{public_url, response};
use membermail_store::{Decided, Run, RunState};
use tracing::info;
use ulid::Ulid;

use super::run::show_decided;
use crate::access::Admin;
use crate::error::Error;

/// What the decision would do.
pub(crate) async fn preview(admin: &Admin<'_>, run: Ulid, decision: Decision) -> Result<Response<Body>, Error> {
    let Some(run) = load(admin, run).await? else { return Ok(admin.not_found()) };
    if run.state != RunState::Held {
        return show_decided(admin, &run).await;
    }
    let page = DecisionPage::new(admin.visit.site.clone(), admin.console(Section::Plans), &run, decision);
    Ok(response::page(StatusCode::OK, &page))
}

/// Records the decision, and has a released run applied.
pub(crate) async fn decide(admin: &Admin<'_>, run: Ulid, decision: Decision) -> Result<Response<Body>, Error> {
    let text = admin.field("comment").unwrap_or_default();
    let comment = match text.trim().is_empty() {
        true => None,
        false => match Comment::parse(&text) {
            Ok(comment) => Some(comment),
            Err(_) => return Ok(admin.refuse(StatusCode::BAD_REQUEST, "plans-comment-invalid")),
        },
    };
    let did = match decision {
        Decision::Release => RunChange::Released,
        Decision::Reject => RunChange::Rejected,
    };
    let context = admin.visit.context;
    let domain = &admin.domain.domain;
    let signature = admin.signature();
    let cause = admin.cause(&signature);
    match context.store.decide_run(domain, run, did, comment.as_ref(), cause, &*context.random).await? {
        Decided::Done => {
            info!(%domain, %run, decision = decision.as_ref(), "held run decided by admin {}", admin.visit.member.id);
            if decision == Decision::Release {
                send_release(admin, run).await?;
            }
            Ok(admin.see(&format!("{PLANS}/{run}")))
        }
        Decided::NotHeld(state) => {
            // The message is idempotent, and is sent again in case it was lost.
            if state == RunState::Released && decision == Decision::Release {
                send_release(admin, run).await?;
            }
            match load(admin, run).await? {
                Some(run) => show_decided(admin, &run).await,
                None => Ok(admin.not_found()),
            }
        }
        Decided::NoRun => Ok(admin.not_found()),
    }
}

async fn load(admin: &Admin<'_>, run: Ulid) -> Result<Option<Run>, Error> {
    Ok(admin.visit.context.store.run(&admin.domain.domain, run).await?)
}

async fn send_release(admin: &Admin<'_>, run: Ulid) -> Result<(), Error> {
    let message = SyncTeam::release_of(&admin.domain.domain, run, public_url::request_id(admin.visit.request));
    Ok(admin.visit.context.sync_queue.send(&message).await?)
}
