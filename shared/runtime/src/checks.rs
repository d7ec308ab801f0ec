//! Requests checks of members from `verify-member`.

use jiff::Timestamp;
use membermail_core::member::MemberId;
use membermail_core::message::{AddedIdentity, VerifyMember};
use membermail_store::{Store, StoreError};
use tracing::info;

use crate::queue::{Queue, QueueError};

/// Why a check could not be requested.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The request was not recorded.
    #[error("accessing the table failed")]
    Store(#[from] StoreError),
    /// The request was recorded, but its message was not sent.
    #[error("sending the message failed")]
    Queue(#[from] QueueError),
}

/// Requests a check of a member. Recorded before it is enqueued: the page shows the check as pending, and earlier messages
/// become stale.
pub async fn request_check(
    store: &Store,
    queue: &Queue,
    member: MemberId,
    now: Timestamp,
    request_id: &str,
) -> Result<(), CheckError> {
    let request_id = request_id.to_owned();
    record_and_enqueue(
        store,
        queue,
        &VerifyMember { member, identity: None, adds: None, requested_at: now, request_id },
    )
    .await
}

/// Requests a check of a member after another identity of theirs was added.
pub async fn add_identity(
    store: &Store,
    queue: &Queue,
    member: MemberId,
    adds: AddedIdentity,
    now: Timestamp,
    request_id: &str,
) -> Result<(), CheckError> {
    let (adds, request_id) = (Some(adds), request_id.to_owned());
    record_and_enqueue(store, queue, &VerifyMember { member, identity: None, adds, requested_at: now, request_id })
        .await
}

async fn record_and_enqueue(store: &Store, queue: &Queue, check: &VerifyMember) -> Result<(), CheckError> {
    store.request_check(check.member, check.requested_at).await?;
    Ok(enqueue_check(queue, check).await?)
}

/// Enqueues a check that was recorded.
pub async fn enqueue_check(queue: &Queue, check: &VerifyMember) -> Result<(), QueueError> {
    queue.send(check).await?;
    info!(requested_at = %check.requested_at, "a check of member {} was enqueued", check.member);
    Ok(())
}
