//! `…/members/<id>/ban` and `…/unban`: the preview of a ban, the ban, and its end.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::audit::{Change, Comment, Entry, MemberChange};
use membermail_core::ban::{BanScope, may_ban};
use membermail_core::member::MemberId;
use membermail_pages::admin::Section;
use membermail_pages::admin::members::{BanPage, refusal_id};
use membermail_pages::layout::{Message, Next};
use membermail_pages::response;
use membermail_store::{BanChange, Member, StoreError};
use membermail_texts::Args;
use tracing::info;

use crate::access::Admin;
use crate::error::Error;
use crate::member_history;
use crate::members::{self, Found};

/// The outcome of the checks that a ban and its end share.
enum Decision {
    /// The admin may decide about this member.
    May(Box<Found>, BanScope),
    /// The answer to those who may not.
    Refused(Response<Body>),
}

/// What a ban would do, and the form for it.
pub(crate) async fn preview(admin: &Admin<'_>, id: MemberId) -> Result<Response<Body>, Error> {
    match check(admin, id).await? {
        Decision::Refused(response) => Ok(response),
        Decision::May(found, _) if found.member.is_banned() => already(admin, &found.member, true).await,
        Decision::May(found, scope) => Ok(response::page(StatusCode::OK, &page(admin, &found, &scope))),
    }
}

/// Bans a member.
pub(crate) async fn ban(admin: &Admin<'_>, id: MemberId) -> Result<Response<Body>, Error> {
    let (found, scope) = match check(admin, id).await? {
        Decision::May(found, scope) => (found, scope),
        Decision::Refused(response) => return Ok(response),
    };
    let typed = admin.field("reason").unwrap_or_default();
    let Ok(reason) = Comment::parse(&typed) else {
        let page = page(admin, &found, &scope).with_problem(typed);
        return Ok(response::page(StatusCode::BAD_REQUEST, &page));
    };
    let context = admin.visit.context;
    let (signature, member) = (admin.signature(), &found.member);
    let cause = admin.cause(&signature);
    let change = context.store.ban_and_suspend(member, Some(&reason), cause, &*context.random).await;
    finish(admin, member, change, true).await
}

/// Lifts a ban.
pub(crate) async fn unban(admin: &Admin<'_>, id: MemberId) -> Result<Response<Body>, Error> {
    let found = match check(admin, id).await? {
        Decision::May(found, _) => found,
        Decision::Refused(response) => return Ok(response),
    };
    let context = admin.visit.context;
    let (signature, member) = (admin.signature(), &found.member);
    let cause = admin.cause(&signature);
    let change = context.store.unban_and_lift(member, cause, &*context.random).await;
    finish(admin, member, change, false).await
}

async fn check(admin: &Admin<'_>, id: MemberId) -> Result<Decision, Error> {
    let Some(found) = members::find(admin, id).await? else { return Ok(Decision::Refused(admin.not_found())) };
    let scope = members::scope(admin, &found.member).await?;
    match may_ban(&scope, &members::own_permissions(admin).await?) {
        Ok(()) => Ok(Decision::May(Box::new(found), scope)),
        Err(refusal) => {
            info!("admin {} may not decide on a ban of member {}: {refusal:?}", admin.visit.member.id, found.member.id);
            Ok(Decision::Refused(say(admin, &found.member, StatusCode::FORBIDDEN, refusal_id(refusal), &[])))
        }
    }
}

fn page<'a>(admin: &Admin<'a>, found: &Found, scope: &BanScope) -> BanPage<'a> {
    let console = admin.console(Section::Members);
    BanPage::new(admin.visit.site.clone(), console, &found.member, &found.aliases, &scope.admin_of)
}

/// Has the mails about the changed addresses sent, and shows the member.
async fn finish(
    admin: &Admin<'_>,
    member: &Member,
    change: Result<BanChange, StoreError>,
    is_ban: bool,
) -> Result<Response<Body>, Error> {
    let BanChange { is_new, changed } = match change {
        // Somebody linked the member or decided otherwise since this request read them.
        Err(StoreError::Superseded | StoreError::Conflict) => {
            return Ok(say(admin, member, StatusCode::CONFLICT, "members-changed", &[]));
        }
        change => change?,
    };
    for (_, entry) in &changed {
        admin.announce(*entry).await;
    }
    if !is_new {
        return already(admin, member, is_ban).await;
    }
    let did = if is_ban { "banned" } else { "lifted the ban of" };
    info!(addresses = changed.len(), "admin {} {did} member {}", admin.visit.member.id, member.id);
    Ok(admin.see(&format!("/members/{}", member.id)))
}

/// Says that another admin or an operator has decided the same before, and when.
async fn already(admin: &Admin<'_>, member: &Member, is_ban: bool) -> Result<Response<Body>, Error> {
    let wanted = if is_ban { MemberChange::Banned } else { MemberChange::Unbanned };
    let is_decision = |entry: &Entry| matches!(&entry.change, Change::Member { did, .. } if *did == wanted);
    let decisions = member_history::load(admin, &[member.id], is_decision).await?;
    let id = if is_ban { "members-already-banned" } else { "members-not-banned" };
    let Some(decision) = decisions.first() else {
        let id = if is_ban { "members-was-banned" } else { "members-never-banned" };
        return Ok(say(admin, member, StatusCode::OK, id, &[]));
    };
    let args = [("who", decision.who.as_str().into()), ("moment", decision.moment.as_str().into())];
    Ok(say(admin, member, StatusCode::OK, id, &args))
}

fn say(admin: &Admin<'_>, member: &Member, status: StatusCode, id: &str, args: Args<'_>) -> Response<Body> {
    let path = admin.console(Section::Members).path(&format!("/members/{}", member.id));
    let next = Next { path: &path, label: "members-back" };
    response::page(status, &Message::with(admin.visit.site.clone(), id, args, next))
}
