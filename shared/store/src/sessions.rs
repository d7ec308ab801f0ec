//! Sessions, by the hash of an id that only the browser has.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::member::MemberId;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, encode, expires, number, text};

/// A session as the table has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Whose.
    pub member: MemberId,
    /// Since when.
    pub created: Timestamp,
    /// When it was last used, to within a few minutes.
    pub last_seen: Timestamp,
    /// The member's session epoch when it began; a session of an earlier epoch is over.
    pub epoch: u64,
}

/// The session that a sign-in opens.
#[derive(Clone, Copy, Debug)]
pub struct NewSession<'a> {
    /// The hash of its id.
    pub hash: &'a str,
    /// When it ends at the latest.
    pub expires: Timestamp,
}

#[derive(Deserialize)]
struct Stored {
    #[serde(flatten)]
    session: Session,
    expires: i64,
}

impl Store {
    /// Opens a session, as part of the sign-in's transaction.
    pub(crate) fn session_write(
        &self,
        new: NewSession<'_>,
        session: &Session,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut item = encode(&keys::session(new.hash), session)?;
        // The by-member index holds aliases only: a session must not carry the index's sort key.
        item.insert("expires".into(), expires(new.expires));
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The session of that hash. DynamoDB deletes what has expired late, so the time is looked at here.
    pub async fn session(&self, hash: &str, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let stored: Option<Stored> = self.get(&keys::session(hash)).await?;
        Ok(stored.filter(|stored| stored.expires > now.as_second()).map(|stored| stored.session))
    }

    /// Notes that a session was used; one that has ended stays ended.
    pub async fn touch_session(&self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        let key = keys::session(hash);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(key.pk)).key("sk", text(key.sk));
        let touched = request
            .update_expression("SET last_seen = :now")
            .condition_expression("attribute_exists(pk) AND expires > :second")
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":second", number(now.as_second()))
            .send()
            .await;
        match touched {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            other => other.map(drop).map_err(Into::into),
        }
    }

    /// Ends a session.
    pub async fn end_session(&self, hash: &str) -> Result<(), StoreError> {
        self.delete(&keys::session(hash)).await
    }
}
