//! `…/addresses`: the addresses of a domain, one address, and the check that restores it.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::address::{Address, LocalPart};
use membermail_core::address_search::LocalPartPrefix;
use membermail_core::admin::Permission;
use membermail_core::alias::Status;
use membermail_core::audit::{Change, Entry};
use membermail_core::eligibility::CheckState;
use membermail_core::restoring::can_restore;
use membermail_pages::admin::Section;
use membermail_pages::admin::addresses::{AddressPage, Addresses, RestoreStep};
use membermail_pages::layout::{Message, Next};
use membermail_pages::response;
use membermail_runtime::checks;
use membermail_store::{AddressSearch, Member, StoredAlias};
use strum::IntoEnumIterator as _;
use tracing::info;

use crate::access::Admin;
use crate::error::Error;
use crate::member_history;

/// A page of the addresses that begin with what was typed. The cursor is a local part, so it cannot lead out of the domain of
/// the path.
pub(crate) async fn list(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let site = admin.visit.site.clone();
    let console = admin.console(Section::Addresses);
    let typed = admin.parameter("prefix").unwrap_or_default();
    let Ok(prefix) = LocalPartPrefix::typed(&typed, &admin.domain.domain) else {
        return Ok(response::page(StatusCode::OK, &Addresses::invalid(site, console, &typed)));
    };
    let state = admin.parameter("state").filter(|state| !state.is_empty());
    let status = state.as_ref().and_then(|state| Status::iter().find(|status| status.as_ref() == state));
    let after = admin.parameter("after").filter(|after| !after.is_empty());
    let cursor = after.as_ref().and_then(|after| LocalPart::parse(after).ok()).filter(|after| prefix.is_of(after));
    if state.is_some() != status.is_some() || after.is_some() != cursor.is_some() {
        return Ok(admin.invalid());
    }
    let search = AddressSearch { prefix, status, after: cursor };
    let found = admin.visit.context.store.search_addresses(&admin.domain.domain, &search).await?;
    let page = Addresses::new(site, console, &search, &found.found, found.next.as_ref());
    Ok(response::page(StatusCode::OK, &page))
}

/// The state and history of an address.
pub(crate) async fn show(admin: &Admin<'_>, local_part: &LocalPart) -> Result<Response<Body>, Error> {
    let Some((stored, owner)) = find(admin, local_part).await? else { return Ok(admin.not_found()) };
    let address = &stored.alias.address;
    let is_about = |entry: &Entry| match &entry.change {
        Change::Alias { address: changed, .. } | Change::Switch { address: changed, .. } => changed == address,
        _ => false,
    };
    let history = member_history::load(admin, &[stored.alias.member], is_about).await?;
    let console = admin.console(Section::Addresses);
    let step = step(admin, &stored, &owner);
    let page = AddressPage::new(admin.visit.site.clone(), console, &stored, &owner, step, history);
    Ok(response::page(StatusCode::OK, &page))
}

/// Requests a check of the owner, which restores the address if they are eligible.
pub(crate) async fn restore(admin: &Admin<'_>, local_part: &LocalPart) -> Result<Response<Body>, Error> {
    let Some((stored, owner)) = find(admin, local_part).await? else { return Ok(admin.not_found()) };
    let path = format!("/addresses/{local_part}");
    let context = admin.visit.context;
    match step(admin, &stored, &owner) {
        RestoreStep::Request => {}
        // Another admin requested it.
        RestoreStep::Running => return Ok(admin.see(&path)),
        RestoreStep::NotPermitted | RestoreStep::NotPossible(_) => {
            let path = admin.console(Section::Addresses).path(&path);
            let next = Next { path: &path, label: "members-back-to-address" };
            let page = Message::new(admin.visit.site.clone(), "members-not-restorable", next);
            return Ok(response::page(StatusCode::OK, &page));
        }
    }
    let signature = admin.signature();
    let cause = admin.cause(&signature);
    context.store.note_restore_request(&stored.alias, cause, &*context.random).await?;
    checks::request_check(&context.store, &context.verify_queue, owner.id, cause.now, cause.request_id).await?;
    info!(domain = %admin.domain.domain, "admin {} requested a check of member {}", admin.visit.member.id, owner.id);
    Ok(admin.see(&path))
}

/// An address of the domain with its owner, or the member whom the owner was linked to.
async fn find(admin: &Admin<'_>, local_part: &LocalPart) -> Result<Option<(StoredAlias, Member)>, Error> {
    let store = &admin.visit.context.store;
    let address = Address { local_part: local_part.clone(), domain: admin.domain.domain.clone() };
    let Some(stored) = store.alias(&address).await? else { return Ok(None) };
    let owner = store.survivor(stored.alias.member).await?;
    Ok(owner.map(|owner| (stored, owner)))
}

fn step(admin: &Admin<'_>, stored: &StoredAlias, owner: &Member) -> RestoreStep {
    match can_restore(&stored.alias) {
        Err(why) => RestoreStep::NotPossible(why),
        Ok(()) if matches!(owner.check.state_at(admin.visit.now), CheckState::Pending | CheckState::Delayed) => {
            RestoreStep::Running
        }
        Ok(()) if admin.permissions.has(Permission::Decide) => RestoreStep::Request,
        Ok(()) => RestoreStep::NotPermitted,
    }
}
