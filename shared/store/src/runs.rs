//! Runs of a domain's sync: one at a time, by an in-flight lease, each with an entry of its result.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause, Change, Comment, Entry, RunChange};
use membermail_core::guard::HoldReason;
use membermail_core::plan::Counts;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use strum::{AsRefStr, Display, EnumIter};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::outbox;
use crate::table::{Condition, Store, Update, Write, item_not_exists, path};

/// TTL of a run that changed nothing.
const KEPT_UNCHANGED: SignedDuration = SignedDuration::from_hours(24 * 60);
/// TTL of a run that changed something.
const KEPT_CHANGED: SignedDuration = SignedDuration::from_hours(24 * 400);
/// An older checkpoint describes an outdated team: the next run reads it again.
const RESUMABLE: SignedDuration = SignedDuration::from_hours(2);

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr, Display, EnumIter)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum RunState {
    /// It reads and compares, or sends its steps.
    Running,
    /// There was nothing to do.
    Unchanged,
    /// Reading goes on in another invocation.
    Paused,
    /// Its steps were sent.
    Applied,
    /// Its plan exceeds the guard's limits: an operator decides.
    Held,
    /// The same plan is held, or was decided on, in an earlier run: [`Run::waits_for`].
    Waiting,
    /// An operator released it; its steps are being sent.
    Released,
    /// An operator rejected it.
    Rejected,
    /// It failed and changed nothing.
    Failed,
    /// It ended without a result; another run replaced it.
    Died,
}

impl RunState {
    /// Whether the team was read and a plan was made.
    pub fn is_finished(self) -> bool {
        match self {
            Self::Unchanged | Self::Applied | Self::Held | Self::Waiting | Self::Released | Self::Rejected => true,
            Self::Running | Self::Paused | Self::Failed | Self::Died => false,
        }
    }
}

/// A stored run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The id, which sorts by time.
    pub id: Ulid,
    /// The synced domain.
    pub domain: DomainName,
    /// The present state.
    pub state: RunState,
    /// When it started to read the team.
    pub started: Timestamp,
    /// When it ended, unless it still runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Rows that the source counted but did not show: private teams in the team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<u64>,
    /// Entries that could not be read and were skipped.
    pub malformed: u64,
    /// When an earlier run read the roster, if this run reused it because the team's total had not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster_of: Option<Timestamp>,
    /// Items of its checkpoint.
    pub checkpoints: usize,
    /// When the last checkpoint was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<Timestamp>,
    /// Whether it was a part of the domain's first sync, whose grants are not guarded.
    pub first_sync: bool,
    /// The counts of its plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// The digest of the removals in its plan: plans with the same digest are the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The held run with the same plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<Ulid>,
    /// Why it is held; empty if it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_for: Vec<HoldReason>,
    /// When the message of its release was last sent again after a loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resent: Option<Timestamp>,
    /// Who released or rejected it: the name of the operator, or the member id of the admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// Whether an operator or an admin decided; absent in runs that are older than the admin console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_as: Option<Actor>,
    /// When it was released or rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// What was written about the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Comment>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The id of the request that started it.
    pub request_id: String,
}

impl Run {
    /// A run that starts.
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
            decided_as: None,
            decided_at: None,
            comment: None,
            failure: None,
            request_id: request_id.to_owned(),
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.state, RunState::Running | RunState::Paused)
    }

    /// Whether another invocation can resume it.
    fn can_resume(&self, now: Timestamp) -> bool {
        self.saved.is_some_and(|saved| now.duration_since(saved) < RESUMABLE)
    }
}

/// The outcome of starting a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunStart {
    /// The run was started or resumed, and has the lease.
    Started(Box<Run>),
    /// Another run has the lease.
    Busy {
        /// The other run.
        run: Ulid,
        /// The end of its lease.
        until: Timestamp,
    },
}

#[derive(Serialize, Deserialize)]
struct Lease {
    run: Ulid,
    until: Timestamp,
}

impl Store {
    /// Starts a run, or resumes the former one, unless another run of the domain has the lease.
    pub async fn begin_run(
        &self,
        id: Ulid,
        domain: &DomainName,
        now: Timestamp,
        until: Timestamp,
        request_id: &str,
    ) -> Result<RunStart, StoreError> {
        let key = keys::lease(domain);
        let held: Option<Lease> = self.get(&key).await?;
        if let Some(Lease { run, until }) = held.as_ref().filter(|lease| lease.until > now) {
            return Ok(RunStart::Busy { run: *run, until: *until });
        }
        let former = match &held {
            Some(former) => self.run(domain, former.run).await?.filter(|run| run.is_open()),
            None => None,
        };
        let run = match former.clone().filter(|run| run.can_resume(now)) {
            Some(resumed) => Run { state: RunState::Running, ..resumed },
            None => Run::new(id, domain, now, request_id),
        };
        let is_as_read = match &held {
            None => item_not_exists(),
            Some(former) => path("run").eq(former.run.to_string()).and(path("until").eq(former.until.to_string())),
        };
        let lease = Write::put(&key, &Lease { run: run.id, until })?.when(is_as_read);
        let mut writes = vec![lease, put_run(&run)?];
        // A former entry that was deleted or has ended stays as it is.
        if let Some(former) = former.filter(|former| former.id != run.id) {
            writes.push(mark_died(domain, former.id, now));
        }
        if self.commit(writes).await?.is_committed() {
            return Ok(RunStart::Started(Box::new(run)));
        }
        // A concurrent run got the lease first.
        match self.get::<Lease>(&key).await? {
            Some(Lease { run, until }) => Ok(RunStart::Busy { run, until }),
            None => Err(StoreError::Conflict),
        }
    }

    /// Ends an invocation of a run that another one continues, which any message for the domain can start.
    pub async fn pause_run(&self, run: &Run, now: Timestamp) -> Result<(), StoreError> {
        let paused = Run { state: RunState::Paused, ..run.clone() };
        let lease = Write::put(&keys::lease(&run.domain), &Lease { run: run.id, until: now })?;
        self.commit(vec![lease.when(has_lease(run)), put_run(&paused)?]).await?.committed()
    }

    /// Records that the run has saved its checkpoint, so that another invocation can resume it if it dies.
    pub async fn note_checkpoint(&self, run: &Run) -> Result<(), StoreError> {
        self.commit(vec![put_run(run)?]).await?.committed()
    }

    /// Records the result of a run and releases its lease. `announce` puts a held run into the audit log and the outbox, and
    /// returns the id of that entry.
    pub async fn finish_run(
        &self,
        run: &Run,
        announce: Option<(Cause<'_>, &dyn Random)>,
    ) -> Result<Option<Ulid>, StoreError> {
        let mut writes = vec![put_run(run)?];
        let mut notice = None;
        if let Some((cause, random)) = announce {
            let change = Change::Run { domain: run.domain.clone(), run: run.id, did: RunChange::Held };
            let entry = Entry::new(change, cause, random);
            writes.extend(outbox::announce(&entry)?);
            notice = Some(entry.id);
        }
        let mut with_lease = writes.clone();
        with_lease.push(Write::delete(&keys::lease(&run.domain)).when(has_lease(run)));
        if self.commit(with_lease).await?.is_committed() {
            return Ok(notice);
        }
        // Another run has the lease by now, or there was none (a released run needs none): the result counts all the same.
        self.commit(writes).await?.committed()?;
        Ok(notice)
    }

    /// The run of a domain that has the lease. A message for the domain needs no slot then.
    pub async fn run_in_progress(&self, domain: &DomainName, now: Timestamp) -> Result<Option<Ulid>, StoreError> {
        let lease: Option<Lease> = self.get(&keys::lease(domain)).await?;
        Ok(lease.filter(|lease| lease.until > now).map(|lease| lease.run))
    }
}

fn put_run(run: &Run) -> Result<Write, StoreError> {
    let has_changed = !matches!(run.state, RunState::Unchanged | RunState::Running | RunState::Paused);
    Ok(Write::put(&keys::run(&run.domain, run.id), run)?.expires(kept_until(run.started, has_changed)))
}

/// Marks a run without a result as died.
fn mark_died(domain: &DomainName, run: Ulid, now: Timestamp) -> Write {
    let update = Update::new()
        .set("state", RunState::Died.as_ref())
        .set("finished", now.to_string())
        .set("expires", kept_until(now, true).as_second());
    let is_open = path("state").is_in([RunState::Running.as_ref(), RunState::Paused.as_ref()]);
    Write::update(&keys::run(domain, run), update).when(is_open)
}

fn has_lease(run: &Run) -> Condition {
    path("run").eq(run.id.to_string())
}

pub(crate) fn kept_until(from: Timestamp, has_changed: bool) -> Timestamp {
    let kept = if has_changed { KEPT_CHANGED } else { KEPT_UNCHANGED };
    from.saturating_add(kept).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn stored_states_stay() {
        let states = RunState::iter().map(|state| {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_ref());
            state.to_string()
        });
        let expected = "running unchanged paused applied held waiting released rejected failed died";
        assert_eq!(states.collect::<Vec<_>>().join(" "), expected);
    }
}
