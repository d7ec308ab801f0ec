//! Runs of a domain's sync: one at a time by a lease that expires, each with an entry that tells what it did.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::{Cause, Change, Entry, RunChange};
use membermail_core::guard::HoldReason;
use membermail_core::plan::Counts;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, Written, encode, expires, number, text};

/// For how long a run that changed nothing is kept, and how long one that did.
const KEPT: [SignedDuration; 2] = [SignedDuration::from_hours(24 * 60), SignedDuration::from_hours(24 * 400)];
/// A checkpoint that is older is of a team as it was: the next run reads anew.
const RESUMABLE: SignedDuration = SignedDuration::from_hours(2);

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// It reads and compares, or hands its steps on.
    Running,
    /// There was nothing to do.
    Unchanged,
    /// Reading goes on in another invocation.
    Paused,
    /// Its steps were handed on.
    Applied,
    /// It takes too much: somebody looks first.
    Held,
    /// The same plan is held, or was decided on, in an earlier run: [`Run::waits_for`].
    Waiting,
    /// Somebody looked and said yes; its steps are being handed on.
    Released,
    /// Somebody looked and said no.
    Rejected,
    /// Something was not as it must be; nothing was changed.
    Failed,
    /// It ended without a word; another took its place.
    Died,
}

impl RunState {
    /// The word that is stored, logged and printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Unchanged => "unchanged",
            Self::Applied => "applied",
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Released => "released",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Died => "died",
        }
    }

    /// Whether the team was read and a plan was made, whatever became of that.
    pub fn is_finished(self) -> bool {
        match self {
            Self::Unchanged | Self::Applied | Self::Held | Self::Waiting | Self::Released | Self::Rejected => true,
            Self::Running | Self::Paused | Self::Failed | Self::Died => false,
        }
    }
}

/// The entry of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Sorts by time.
    pub id: Ulid,
    /// Of which domain.
    pub domain: DomainName,
    /// How far it is.
    pub state: RunState,
    /// When it began to read the team.
    pub started: Timestamp,
    /// When it came to its state, unless it still runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Rows that the source counted and did not show: private teams in the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<u64>,
    /// Entries that could not be read and were skipped.
    #[serde(default)]
    pub malformed: u64,
    /// When the roster that it compared with was read, where an earlier run read it: the team's total had not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_of: Option<Timestamp>,
    /// Items of its checkpoint.
    #[serde(default)]
    pub checkpoints: usize,
    /// When the last of them was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Timestamp>,
    /// Whether it was a part of the domain's first sync, whose grants are not guarded.
    #[serde(default)]
    pub first_sync: bool,
    /// What its plan counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// What makes two plans that take addresses the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The run that has the same plan and that somebody decides on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Ulid>,
    /// Why it is held. Empty where it is not, and for a run of before reasons were stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_for: Vec<HoldReason>,
    /// When its release was last sent again, since the message was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<Timestamp>,
    /// Who released or rejected it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The request that it began with.
    pub request_id: String,
}

impl Run {
    /// A run that begins.
    pub fn new(id: Ulid, domain: &DomainName, started: Timestamp, request_id: &str) -> Self {
        Self {
            id,
            domain: domain.clone(),
            state: RunState::Running,
            started,
            finished: None,
            hidden: None,
            malformed: 0,
            roster_of: None,
            checkpoints: 0,
            saved: None,
            first_sync: false,
            counts: None,
            digest: None,
            waits_for: None,
            held_for: Vec::new(),
            resent: None,
            decided_by: None,
            failure: None,
            request_id: request_id.to_owned(),
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.state, RunState::Running | RunState::Paused)
    }

    /// Whether another invocation may go on where it stopped.
    fn can_resume(&self, now: Timestamp) -> bool {
        self.saved.is_some_and(|saved| now.duration_since(saved) < RESUMABLE)
    }
}

/// Whether a run may go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It may.
    Started(Box<Run>),
    /// Another one is at it.
    Busy {
        /// Which.
        run: Ulid,
        /// Until when, at the latest.
        until: Timestamp,
    },
}

#[derive(Serialize, Deserialize)]
struct Lease {
    run: Ulid,
    until: Timestamp,
}

impl Store {
    /// Begins a run, unless another of the same domain is at it and its lease has not expired.
    pub async fn begin_run(
        &self,
        id: Ulid,
        domain: &DomainName,
        now: Timestamp,
        until: Timestamp,
        request_id: &str,
    ) -> Result<Begun, StoreError> {
        let key = keys::lease(domain);
        let held: Option<Lease> = self.get(&key).await?;
        if let Some(Lease { run, until }) = held.as_ref().filter(|lease| lease.until > now) {
            return Ok(Begun::Busy { run: *run, until: *until });
        }
        let former = match &held {
            Some(former) => self.run(domain, former.run).await?.filter(|run| run.is_open()),
            None => None,
        };
        let resumed = former.as_ref().filter(|run| run.can_resume(now)).cloned();
        let run = match resumed {
            Some(resumed) => Run { state: RunState::Running, ..resumed },
            None => Run::new(id, domain, now, request_id),
        };
        let lease = self.put(&key, &Lease { run: run.id, until })?;
        let lease = match &held {
            None => lease.condition_expression("attribute_not_exists(pk)"),
            Some(former) => lease
                .condition_expression("#run = :former AND #until = :until")
                .expression_attribute_names("#run", "run")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":until", text(former.until.to_string()))
                .expression_attribute_values(":former", text(former.run.to_string())),
        };
        let mut writes = vec![TransactWriteItem::builder().put(lease.build()?).build(), self.run_write(&run)?];
        // An entry that is gone, or has its end, stays as it is.
        if let Some(former) = former.filter(|former| former.id != run.id) {
            writes.push(self.died_write(domain, former.id, now)?);
        }
        match self.transact(writes).await? {
            Written::All => Ok(Begun::Started(Box::new(run))),
            // Another was faster by a moment: it has the lease.
            Written::Failed(_) => match self.get::<Lease>(&key).await? {
                Some(Lease { run, until }) => Ok(Begun::Busy { run, until }),
                None => Err(StoreError::Conflict),
            },
        }
    }

    /// Ends an invocation of a run that goes on in another one, which any message for the domain can be.
    pub async fn pause_run(&self, run: &Run, now: Timestamp) -> Result<(), StoreError> {
        let paused = Run { state: RunState::Paused, ..run.clone() };
        let lease = self
            .put(&keys::lease(&run.domain), &Lease { run: run.id, until: now })?
            .condition_expression("#run = :me")
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":me", text(run.id.to_string()));
        let writes = vec![TransactWriteItem::builder().put(lease.build()?).build(), self.run_write(&paused)?];
        match self.transact(writes).await? {
            Written::All => Ok(()),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// Records that the run has saved its checkpoint, so that a run that dies after this is resumed.
    pub async fn note_checkpoint(&self, run: &Run) -> Result<(), StoreError> {
        match self.transact(vec![self.run_write(run)?]).await? {
            Written::All => Ok(()),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// Writes what a run came to, and gives its lease back. `announce` puts a held run into the audit log and the outbox;
    /// the id of that entry comes back.
    pub async fn finish_run(
        &self,
        run: &Run,
        announce: Option<(Cause<'_>, &dyn Random)>,
    ) -> Result<Option<Ulid>, StoreError> {
        let mut writes = vec![self.run_write(run)?];
        let mut told = None;
        if let Some((cause, random)) = announce {
            let change = Change::Run { domain: run.domain.clone(), run: run.id, did: RunChange::Held };
            let entry = Entry::new(change, cause, random);
            writes.extend([self.audit_write(&entry)?, self.outbox_write(&entry)?]);
            told = Some(entry.id);
        }
        let lease = keys::lease(&run.domain);
        let delete = aws_sdk_dynamodb::types::Delete::builder()
            .table_name(&self.table)
            .key("pk", text(lease.pk))
            .key("sk", text(lease.sk))
            .condition_expression("#run = :me")
            .expression_attribute_names("#run", "run")
            .expression_attribute_values(":me", text(run.id.to_string()));
        let mut with_lease = writes.clone();
        with_lease.push(TransactWriteItem::builder().delete(delete.build()?).build());
        if self.transact(with_lease).await? == Written::All {
            return Ok(told);
        }
        // The lease is another's by now, or there was none (a released run needs none): the entry counts all the same.
        match self.transact(writes).await? {
            Written::All => Ok(told),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    fn run_write(&self, run: &Run) -> Result<TransactWriteItem, StoreError> {
        let changed = !matches!(run.state, RunState::Unchanged | RunState::Running | RunState::Paused);
        let mut item = encode(&keys::run(&run.domain, run.id), run)?;
        item.insert("expires".into(), expires(kept_until(run.started, changed)));
        let put = aws_sdk_dynamodb::types::Put::builder().table_name(&self.table).set_item(Some(item));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    fn died_write(&self, domain: &DomainName, run: Ulid, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::run(domain, run))
            .update_expression("SET #state = :died, finished = :now, expires = :expires")
            .condition_expression("#state IN (:running, :paused)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":running", text(RunState::Running.as_str()))
            .expression_attribute_values(":paused", text(RunState::Paused.as_str()))
            .expression_attribute_values(":died", text(RunState::Died.as_str()))
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":expires", number(kept_until(now, true).as_second()));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }
}

pub(crate) fn kept_until(from: Timestamp, changed: bool) -> Timestamp {
    let kept = KEPT[usize::from(changed)];
    from.saturating_add(kept).unwrap_or(Timestamp::MAX)
}
