//! What a member decides about an address: where it forwards to, pause, delete, restore, and a test message.

use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::address::Address;
use membermail_core::destination::{DestinationId, Route, route};
use membermail_core::message::{NotifyMessage, TestRequest};
use membermail_runtime::checks;
use membermail_store::{Choice, Forwarding, RateLimit, Redirected, Switched};
use tracing::info;
use ulid::Ulid;

use super::submission::Submission;
use crate::error::{Error, with_keys};

/// Test messages per member.
const TESTS: RateLimit = RateLimit { name: "tests", uses: 6, window: SignedDuration::from_hours(1) };

/// `POST /addresses/destinations`: chooses the mailboxes of an address.
pub(super) async fn choose_destinations(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let Some(address) = address(form) else { return Ok(missing(form)) };
    let Some(seen) = form.field("version").and_then(|version| version.parse().ok()) else {
        return Ok(form.invalid());
    };
    let chosen: Option<Vec<_>> = form.values("destination").iter().map(|id| DestinationId::parse(id)).collect();
    let unsuitable = || form.refuse(StatusCode::UNPROCESSABLE_ENTITY, "choice-unsuitable");
    let Some(chosen) = chosen else { return Ok(unsuitable()) };
    let random = &*form.context.random;
    let (store, member, cause) = (&form.context.store, &form.member, form.cause());
    let choice = Choice { address: &address, seen: Some(seen), destinations: &chosen };
    let redirected = with_keys(&form.context.secret, |sealer| async move {
        Ok(store.redirect(&sealer, member, choice, cause, random).await?)
    })
    .await?;
    match redirected {
        Redirected::Done { entry } => {
            info!(domain = %address.domain, "member {} chose other destinations of an address", form.member.id);
            form.announce(entry).await;
            Ok(form.see("/"))
        }
        Redirected::Unchanged => Ok(form.see("/")),
        Redirected::NotYours => Ok(missing(form)),
        Redirected::Stale => Ok(form.refuse(StatusCode::CONFLICT, "choice-stale")),
        Redirected::Unsuitable => Ok(unsuitable()),
    }
}

/// `POST /addresses/pause`: pauses or resumes.
pub(super) async fn pause(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let Some(address) = address(form) else { return Ok(missing(form)) };
    let is_permanent = match form.field("mode").as_deref() {
        Some("temporary") => Some(false),
        Some("permanent") => Some(true),
        Some("resume") => None,
        _ => return Ok(form.invalid()),
    };
    let store = &form.context.store;
    let switched = store.pause_alias(&form.member, &address, is_permanent, form.cause(), &*form.context.random).await?;
    match switched {
        // A pause has no mail.
        Switched::Done { .. } | Switched::Unchanged => Ok(form.see("/")),
        Switched::NotPossible => Ok(missing(form)),
    }
}

/// `POST /addresses/delete`: deletes an address, for 30 days.
pub(super) async fn delete(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let Some(address) = address(form) else { return Ok(missing(form)) };
    let store = &form.context.store;
    match store.delete_alias(&form.member, &address, form.cause(), &*form.context.random).await? {
        Switched::Done { entry } => {
            info!(domain = %address.domain, "member {} deleted an address", form.member.id);
            form.announce(entry).await;
            Ok(form.see("/"))
        }
        Switched::Unchanged => Ok(form.see("/")),
        Switched::NotPossible => Ok(missing(form)),
    }
}

/// `POST /addresses/restore`: restores a deleted address, once a check finds the member eligible.
pub(super) async fn restore(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let Some(address) = address(form) else { return Ok(missing(form)) };
    let store = &form.context.store;
    match store.restore_alias(&form.member, &address, form.cause(), &*form.context.random).await? {
        Switched::Done { entry } => {
            info!(domain = %address.domain, "member {} restored an address", form.member.id);
            form.announce(entry).await;
            let queue = &form.context.verify_queue;
            checks::request_check(store, queue, form.member.id, form.now, form.request_id()).await?;
            Ok(form.see("/"))
        }
        Switched::Unchanged => Ok(form.see("/")),
        Switched::NotPossible => Ok(missing(form)),
    }
}

/// `POST /addresses/test`: sends a test message to an address, once per id.
pub(super) async fn test(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let Some(address) = address(form) else { return Ok(missing(form)) };
    let Some(id) = form.field("id").and_then(|id| Ulid::from_string(&id).ok()) else { return Ok(form.invalid()) };
    let store = &form.context.store;
    let forwarding = store.forwarding(&address).await?;
    let Some(forwarding) = forwarding.filter(|forwarding| can_test(form, forwarding)) else {
        return Ok(missing(form));
    };
    let owner = forwarding.stored.alias.member;
    if store.test_message(owner, &address).await?.is_some_and(|last| last.id == id) {
        return Ok(form.see("/"));
    }
    if !store.count_use(TESTS, &form.member.id.to_string(), form.now).await? {
        return Ok(form.refuse(StatusCode::TOO_MANY_REQUESTS, "too-many-requests"));
    }
    if store.request_test(owner, &address, (id, form.now)).await? {
        let request_id = form.request_id().to_owned();
        let test = TestRequest { member: owner, address, id, request_id };
        form.context.notify_queue.send(&NotifyMessage::Test(test)).await?;
        info!("member {} requested a test message", form.member.id);
    }
    Ok(form.see("/"))
}

/// Whether the address is the member's and forwards.
fn can_test(form: &Submission<'_>, forwarding: &Forwarding) -> bool {
    let alias = &forwarding.stored.alias;
    let destinations = forwarding.destinations.iter().map(|stored| &stored.destination);
    form.member.ids().any(|id| id == alias.member)
        && alias.status.forwards()
        && matches!(route(forwarding.stored.paused, destinations), Route::To(_))
}

fn address(form: &Submission<'_>) -> Option<Address> {
    Address::try_from(form.field("address")?).ok()
}

/// The same answer for an address of another member, one that does not exist, and one whose state does not allow it.
fn missing(form: &Submission<'_>) -> Response<Body> {
    form.refuse(StatusCode::NOT_FOUND, "address-missing")
}
