//! The form that requests a sync. It claims the message as the schedule does, so that at most one waits per domain.

use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::clock::later;
use membermail_core::member;
use membermail_core::message::SyncTeam;
use membermail_pages::admin::plans::PLANS;
use membermail_pages::public_url;
use membermail_runtime::batch::chain;
use membermail_store::{RateLimit, SyncRequest};
use tracing::warn;

use crate::access::Admin;
use crate::error::Error;

/// Requested syncs of one domain.
const SYNCS: RateLimit = RateLimit { name: "admin-syncs", uses: 6, window: SignedDuration::from_hours(1) };

/// Requests a sync that reads the whole team. While a run is in progress or a message waits, nothing is sent: the page of the
/// syncs says so.
pub(crate) async fn request(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let now = admin.visit.now;
    let context = admin.visit.context;
    let store = &context.store;
    let domain = &admin.domain.domain;
    let is_in_progress = store.run_in_progress(domain, now).await?.is_some();
    if is_in_progress || store.sync_request(domain).await?.waiting_since(now).is_some() {
        return Ok(admin.see(PLANS));
    }
    if !store.count_use(SYNCS, domain.as_str(), now).await? {
        return Ok(admin.refuse(StatusCode::TOO_MANY_REQUESTS, "plans-sync-too-many"));
    }
    let event = format!("admin-{}", member::ulid(now, &*context.random));
    if !store.claim_sync(domain, &event, now, later(now, SyncRequest::CLAIM_TTL)).await? {
        return Ok(admin.see(PLANS));
    }
    let request_id = public_url::request_id(admin.visit.request);
    let message = SyncTeam { full: true, requested_at: Some(now), ..SyncTeam::of(domain, request_id) };
    if let Err(cause) = context.sync_queue.send(&message).await {
        // If the message may have been sent, the claim stays until it expires.
        if cause.is_refused() {
            store.release_sync_claim(domain, &event).await?;
        }
        return Err(cause.into());
    }
    if let Err(cause) = store.confirm_sync(domain, &event, later(now, SyncRequest::RETENTION)).await {
        warn!(%domain, cause = chain(&cause), "sent message could not be confirmed");
    }
    Ok(admin.see(PLANS))
}
