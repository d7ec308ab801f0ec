//! What makes a notice reach people once: who is at sending it, what was sent, what is gathered for a digest, and which
//! errors were mailed.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use membermail_core::clock::later;
use membermail_core::message::Failure;
use membermail_core::notice::{Heard, NoticeId, Repeats};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Item, Store, TRIES, Written, encode, expires, number, pause, text};

/// Longer than any queue keeps a message, so that no repeat comes later.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Longer than a function may run: whoever sends a notice and has not said so by then has died over it.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// Changes in one digest at most, so that the list of them fits an item; the next mail has the others.
const NEWS: usize = 1000;
/// Writes of one transaction at most.
const WRITES: usize = 100;

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

/// What goes into one digest, the same at each try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Of the digest.
    pub id: Ulid,
    /// The changes, oldest first.
    pub news: Vec<Entry>,
    entries: Vec<Ulid>,
}

#[derive(Serialize, Deserialize)]
struct StoredBatch {
    id: Ulid,
    entries: Vec<Ulid>,
}

/// A message that will send a digest.
#[derive(Serialize, Deserialize)]
struct Due {
    /// In seconds since 1970, so that it can be compared.
    due_until: i64,
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

    /// Keeps a change for the next digest of its domain; twice is as once.
    pub async fn gather(&self, domain: &DomainName, entry: &Entry) -> Result<(), StoreError> {
        let item = encode(&keys::news(domain, entry.id), entry)?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// The same within a transaction.
    pub(crate) fn gather_write(&self, domain: &DomainName, entry: &Entry) -> Result<TransactWriteItem, StoreError> {
        let put = self.put(&keys::news(domain, entry.id), entry)?;
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Claims the sending of the message that will send the domain's digest, until it is due. Returns whether the caller
    /// sends it; otherwise one is on its way.
    pub async fn claim_digest(
        &self,
        domain: &DomainName,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let item = encode(&keys::digest_due(domain), &Due { due_until: until.as_second() })?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(due_until) OR due_until <= :now")
            .expression_attribute_values(":now", number(now.as_second()));
        match put.send().await {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            other => other.map(|_| true).map_err(Into::into),
        }
    }

    /// A message that will send the domain's digest is on its way until then.
    pub async fn digest_due(&self, domain: &DomainName, until: Timestamp) -> Result<(), StoreError> {
        let item = encode(&keys::digest_due(domain), &Due { due_until: until.as_second() })?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// No message for the domain's digest is on its way: it has come, or could not be sent. What is gathered from now on
    /// needs another.
    pub async fn release_digest(&self, domain: &DomainName) -> Result<(), StoreError> {
        self.delete(&keys::digest_due(domain)).await
    }

    /// Whether anything is gathered for the domain's digest.
    pub async fn has_news(&self, domain: &DomainName) -> Result<bool, StoreError> {
        let Key { pk, sk } = keys::news(domain, Ulid::nil());
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk >= :sk")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":sk", text(sk))
            .limit(1)
            .send()
            .await?;
        Ok(answer.count > 0)
    }

    /// What the domain's next digest tells: what an earlier try began with, or else all that is gathered by now.
    pub async fn digest(&self, domain: &DomainName, new: Ulid) -> Result<Option<Batch>, StoreError> {
        let (key, partition) = (keys::batch(domain), keys::news(domain, Ulid::nil()).pk);
        let stored: StoredBatch = match self.get(&key).await? {
            Some(stored) => stored,
            None => {
                let news: Vec<Entry> = self.list(&partition, keys::NEWS).await?;
                if news.is_empty() {
                    return Ok(None);
                }
                let batch = StoredBatch { id: new, entries: news.iter().take(NEWS).map(|entry| entry.id).collect() };
                let put = self.put(&key, &batch)?.condition_expression("attribute_not_exists(pk)");
                match self.transact(vec![TransactWriteItem::builder().put(put.build()?).build()]).await? {
                    Written::All => batch,
                    Written::Failed(_) => return Err(StoreError::Conflict),
                }
            }
        };
        // Read after the batch is there: from then on nobody tells of these but by this batch, and what another told
        // just before is gone.
        let mut news: Vec<Entry> = self.list(&partition, keys::NEWS).await?;
        news.retain(|entry| stored.entries.contains(&entry.id));
        Ok(Some(Batch { id: stored.id, news, entries: stored.entries }))
    }

    /// Everybody has been told what the digest tells.
    pub async fn digest_told(&self, domain: &DomainName, batch: &Batch) -> Result<(), StoreError> {
        for entries in batch.entries.chunks(WRITES) {
            let removals = entries.iter().map(|entry| self.removal(&keys::news(domain, *entry)));
            if self.transact(removals.collect::<Result<_, _>>()?).await? != Written::All {
                return Err(StoreError::Conflict);
            }
        }
        let Key { pk, sk } = keys::batch(domain);
        let request = self.client.delete_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let deleted = request
            .condition_expression("attribute_not_exists(pk) OR id = :id")
            .expression_attribute_values(":id", text(batch.id.to_string()))
            .send()
            .await;
        match deleted {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
            other => other.map(drop).map_err(Into::into),
        }
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
