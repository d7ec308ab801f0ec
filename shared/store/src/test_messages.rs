//! Test messages that members send to their addresses, and what became of them.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::Address;
use membermail_core::clock::later;
use membermail_core::member::MemberId;
use membermail_core::status_code::StatusCode;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, Update, Write, attribute, path};

/// Mail servers report a failure at once, or after a day of retries.
const REPORTED_WITHIN: SignedDuration = SignedDuration::from_hours(36);
/// How long the page shows the result.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The last test message to an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestMessage {
    /// The id of the request: a repeated request sends no second message.
    pub id: Ulid,
    /// The address.
    #[serde(rename = "tested")]
    pub address: Address,
    /// When the member requested it.
    pub requested: Timestamp,
    /// When the mail server accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Timestamp>,
    /// The status, if the mail server rejected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected: Option<StatusCode>,
}

impl TestMessage {
    /// Whether a failure at that time can be the result of this test.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.requested <= at && at <= later(self.requested, REPORTED_WITHIN)
    }
}

impl Store {
    /// Records the request of a test message. Returns false if it was recorded before.
    pub async fn request_test(
        &self,
        member: MemberId,
        address: &Address,
        (id, now): (Ulid, Timestamp),
    ) -> Result<bool, StoreError> {
        let test = TestMessage { id, address: address.clone(), requested: now, accepted: None, rejected: None };
        let is_new = path("id").ne(id.to_string());
        let put = Write::put(&keys::test_message(member, address), &test)?.expires(later(now, KEPT));
        self.write(put.when(path("pk").not_exists().or(is_new))).await
    }

    /// The last test message to an address.
    pub async fn test_message(&self, member: MemberId, address: &Address) -> Result<Option<TestMessage>, StoreError> {
        self.get(&keys::test_message(member, address)).await
    }

    /// All last test messages of a member.
    pub async fn test_messages_of(&self, member: MemberId) -> Result<Vec<TestMessage>, StoreError> {
        self.list(&keys::profile(member).pk, keys::TEST).await
    }

    /// Records what the mail server said to a test message, unless the member has requested another one since.
    pub async fn record_test(
        &self,
        member: MemberId,
        address: &Address,
        id: Ulid,
        result: Result<Timestamp, &StatusCode>,
    ) -> Result<(), StoreError> {
        let update = match result {
            Ok(accepted) => Update::new().set("accepted", accepted.to_string()).remove("rejected"),
            Err(reply) => Update::new().set("rejected", attribute(reply)?).remove("accepted"),
        };
        let is_same = path("id").eq(id.to_string());
        self.write(Write::update(&keys::test_message(member, address), update).when(is_same)).await.map(drop)
    }
}
