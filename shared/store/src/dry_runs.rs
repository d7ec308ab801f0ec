//! The last dry run of each domain that an admin requested. A dry run has no lease of the domain: it writes this item and its
//! steps, and nothing else. Each change is a conditional write on the id and the state, so that a late or duplicate message
//! changes nothing.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::{later, micros};
use membermail_core::dry_run::{DryRunFailure, KEPT, MAX_TIME, MAX_WAIT};
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::Step;
use membermail_core::member::MemberId;
use membermail_core::plan::Counts;
use serde::{Deserialize, Serialize};
use strum::AsRefStr;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Condition, Store, Update, Write, item_not_exists, path};

/// A dry run that has not ended this long after [`MAX_TIME`] died.
const GRACE: SignedDuration = SignedDuration::from_mins(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
enum State {
    Waiting,
    Running,
    Done,
    Failed,
}

/// A dry run and its result. The steps of its plan are stored separately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DryRun {
    /// The id of the request.
    pub id: Ulid,
    /// The admin who requested it.
    pub by: MemberId,
    /// When it was requested.
    pub requested_at: Timestamp,
    state: State,
    /// While it waits or runs: the time after which it counts as lost.
    #[serde(with = "micros")]
    until: Timestamp,
    /// People read so far.
    #[serde(default)]
    pub read: u64,
    /// Rows of the team, if the source counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// The counts of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Counts>,
    /// Why a run of this plan would be held; empty if it would not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held_for: Vec<HoldReason>,
    /// Whether all members with a change in the team were looked up.
    #[serde(default)]
    pub is_complete: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<DryRunFailure>,
}

/// How far a dry run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DryRunPhase {
    /// Its message is in the queue.
    Waiting,
    /// The team is being read.
    Running,
    /// It has a plan.
    Done,
    /// It has none, for this reason.
    Failed(DryRunFailure),
    /// It was not started in time, or died.
    Lost,
}

impl DryRunPhase {
    /// Whether the result is still to come.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

impl DryRun {
    /// A request.
    pub fn new(id: Ulid, by: MemberId, now: Timestamp) -> Self {
        Self {
            id,
            by,
            requested_at: now,
            state: State::Waiting,
            until: later(now, MAX_WAIT),
            read: 0,
            total: None,
            finished: None,
            counts: None,
            held_for: Vec::new(),
            is_complete: false,
            failure: None,
        }
    }

    /// How far it is.
    pub fn phase(&self, now: Timestamp) -> DryRunPhase {
        match self.state {
            State::Waiting | State::Running if self.until <= now => DryRunPhase::Lost,
            State::Waiting => DryRunPhase::Waiting,
            State::Running => DryRunPhase::Running,
            State::Done => DryRunPhase::Done,
            State::Failed => DryRunPhase::Failed(self.failure.unwrap_or(DryRunFailure::Internal)),
        }
    }
}

/// The result of a dry run.
#[derive(Clone, Debug)]
pub struct DryRunPlan<'a> {
    /// The counts of the plan.
    pub counts: Counts,
    /// Its steps.
    pub steps: &'a [Step],
    /// Why a run of this plan would be held.
    pub held_for: &'a [HoldReason],
    /// Whether all members with a change in the team were looked up.
    pub is_complete: bool,
}

impl Store {
    /// Loads the last dry run of a domain, unless it is too old.
    pub async fn dry_run(&self, domain: &DomainName, now: Timestamp) -> Result<Option<DryRun>, StoreError> {
        let stored: Option<DryRun> = self.get(&keys::dry_run(domain)).await?;
        Ok(stored.filter(|dry_run| now < later(dry_run.requested_at, KEPT)))
    }

    /// Records a request, which replaces the former dry run. Returns false if that one still waits or runs.
    pub async fn request_dry_run(
        &self,
        domain: &DomainName,
        dry_run: &DryRun,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let has_ended = path("state").is_in([State::Done.as_ref(), State::Failed.as_ref()]);
        let is_lost = path("until").le(now.as_microsecond());
        let put = Write::put(&keys::dry_run(domain), dry_run)?.expires(later(now, KEPT));
        self.write(put.when(item_not_exists().or(has_ended).or(is_lost))).await
    }

    /// Withdraws a request whose message the queue did not take: it counts as lost from now on.
    pub async fn withdraw_dry_run(&self, domain: &DomainName, id: Ulid, now: Timestamp) -> Result<(), StoreError> {
        let update = Update::new().set("until", now.as_microsecond());
        let update = Write::update(&keys::dry_run(domain), update).when(is_in(id, State::Waiting));
        self.write(update).await.map(drop)
    }

    /// Starts a dry run, once. Returns false if it was started before, waited too long, or was replaced by a later one.
    pub async fn begin_dry_run(&self, domain: &DomainName, id: Ulid, now: Timestamp) -> Result<bool, StoreError> {
        let until = later(later(now, MAX_TIME), GRACE);
        let update = Update::new().set("state", State::Running.as_ref()).set("until", until.as_microsecond());
        let is_due = path("until").gt(now.as_microsecond());
        let update = Write::update(&keys::dry_run(domain), update);
        self.write(update.when(is_in(id, State::Waiting).and(is_due))).await
    }

    /// Records how many people were read so far.
    pub async fn note_dry_run_progress(
        &self,
        domain: &DomainName,
        id: Ulid,
        read: u64,
        total: Option<u64>,
    ) -> Result<(), StoreError> {
        let mut update = Update::new().set("read", read);
        if let Some(total) = total {
            update = update.set("total", total);
        }
        let update = Write::update(&keys::dry_run(domain), update).when(is_in(id, State::Running));
        self.write(update).await.map(drop)
    }

    /// Records the result of a dry run. Returns false if it is no longer the one that runs.
    pub async fn finish_dry_run(
        &self,
        domain: &DomainName,
        id: Ulid,
        result: Result<DryRunPlan<'_>, DryRunFailure>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some(running) = self.dry_run(domain, now).await?.filter(|dry_run| dry_run.id == id) else {
            return Ok(false);
        };
        let expires = later(running.requested_at, KEPT);
        let finished = Some(now);
        let ended = match result {
            Ok(DryRunPlan { counts, steps, held_for, is_complete }) => {
                self.put_steps(domain, id, steps, expires).await?;
                let held_for = held_for.to_vec();
                DryRun { state: State::Done, finished, counts: Some(counts), held_for, is_complete, ..running }
            }
            Err(failure) => DryRun { state: State::Failed, finished, failure: Some(failure), ..running },
        };
        let put = Write::put(&keys::dry_run(domain), &ended)?.expires(expires);
        self.write(put.when(is_in(id, State::Running))).await
    }
}

fn is_in(id: Ulid, state: State) -> Condition {
    path("id").eq(id.to_string()).and(path("state").eq(state.as_ref()))
}
