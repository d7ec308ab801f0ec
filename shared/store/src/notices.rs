//! What makes a notice reach people once: who is at sending it, what was sent, and which errors were mailed.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::later;
use membermail_core::message::Failure;
use membermail_core::notice::{Heard, NoticeId, Repeats};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::table::{Item, Store, TRIES, encode, expires, number, pause, text};

/// Longer than any queue keeps a message, so that no repeat comes later.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Longer than a function may run: whoever sends a notice and has not said so by then has died over it.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// Whether a notice is to be sent now, by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is: nobody else will for a while.
    Mine,
    /// Another is at it: ask again later.
    Busy,
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good.
    Refused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Sending,
    Sent,
    Refused,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    state: State,
    /// In seconds since 1970, so that it can be compared.
    lease_until: i64,
}

/// A notice that ended, before the table knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub id: NoticeId,
    /// Whether the mail server took it; it refused it for good otherwise.
    pub is_sent: bool,
}

impl Store {
    /// Asks for a notice, before it is sent.
    pub async fn claim_notice(&self, id: &NoticeId, now: Timestamp) -> Result<Claim, StoreError> {
        let key = keys::notice(id);
        let mut item = encode(&key, &Stored { state: State::Sending, lease_until: later(now, LEASE).as_second() })?;
        item.insert("expires".into(), expires(later(now, KEPT)));
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(pk) OR (#state = :sending AND lease_until <= :now)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":sending", text("sending"))
            .expression_attribute_values(":now", number(now.as_second()));
        match put.send().await {
            Ok(_) => Ok(Claim::Mine),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(match self.get::<Stored>(&key).await?.map(|stored| stored.state) {
                    Some(State::Sent) => Claim::Sent,
                    Some(State::Refused) => Claim::Refused,
                    Some(State::Sending) | None => Claim::Busy,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Settles a notice: no repeat sends it again.
    pub async fn settle_notice(&self, ended: &Ended, now: Timestamp) -> Result<(), StoreError> {
        let item = settled(ended, now)?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// The same within a transaction.
    pub(crate) fn settle_write(&self, ended: &Ended, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&self.table).set_item(Some(settled(ended, now)?));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// The notice did not go: whoever tries next need not wait.
    pub async fn release_notice(&self, id: &NoticeId) -> Result<(), StoreError> {
        self.delete(&keys::notice(id)).await
    }

    /// Hears of a failure: whether it is to be mailed now.
    pub async fn hear(
        &self,
        failure: &Failure,
        can_mail: bool,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Heard, StoreError> {
        let (mut heard, id) = (Heard::Busy, failure.id.as_str());
        self.change_repeats(failure, now, random, |state| {
            let (next, said) = state.hear(id, can_mail, now, LEASE);
            heard = said;
            next
        })
        .await?;
        Ok(heard)
    }

    /// The failure was mailed, with that many others; quiet for so long. `None`: the mail did not go.
    pub async fn heard(
        &self,
        failure: &Failure,
        mailed: Option<(u64, SignedDuration)>,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let id = failure.id.as_str();
        self.change_repeats(failure, now, random, |state| match mailed {
            Some((counted, interval)) => state.mailed(id, counted, now, interval),
            None => state.given_up(),
        })
        .await
    }

    async fn change_repeats(
        &self,
        failure: &Failure,
        now: Timestamp,
        random: &dyn Random,
        mut change: impl FnMut(&Repeats) -> Repeats,
    ) -> Result<(), StoreError> {
        let key = keys::failure(&failure.step, &failure.error, failure.member);
        for tried in 0..TRIES {
            let state = self.get::<Repeats>(&key).await?.unwrap_or_default();
            let next = change(&state);
            let quiet = next.quiet_until.unwrap_or(now).max(now);
            let mut item = encode(&key, &next)?;
            item.insert("expires".into(), expires(later(quiet, KEPT)));
            let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
            let put = put
                .condition_expression("attribute_not_exists(pk) OR #version = :version")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":version", number(state.version));
            match put.send().await {
                Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                    pause(tried, random).await;
                }
                other => return other.map(drop).map_err(Into::into),
            }
        }
        Err(StoreError::Conflict)
    }
}

/// The item of a notice that ended.
fn settled(ended: &Ended, now: Timestamp) -> Result<Item, StoreError> {
    let state = if ended.is_sent { State::Sent } else { State::Refused };
    let mut item = encode(&keys::notice(&ended.id), &Stored { state, lease_until: now.as_second() })?;
    item.insert("expires".into(), expires(later(now, KEPT)));
    Ok(item)
}
