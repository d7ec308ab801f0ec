//! Applies a held run after an operator released it.

use std::collections::HashSet;

use membermail_core::address::{Address, DomainName};
use membermail_core::alias::ExpectedVersion;
use membermail_core::lifecycle::ChangeKind;
use membermail_core::lifecycle::Step;
use membermail_core::member::MemberId;
use membermail_core::plan::Plan;
use membermail_store::RunState;
use ulid::Ulid;

use crate::outcome::SyncOutcome;
use crate::plan::LookupScope;
use crate::plan_digest::is_grant;
use crate::reading::ReadOutcome;
use crate::{Engine, StepQueue, SyncError};

/// What an operator approves with a step: a kind of change, to one version of an address, for one member. Reason and dates may
/// differ when the step is applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Approval {
    address: Address,
    expected: ExpectedVersion,
    member: MemberId,
    kind: ChangeKind,
}

impl Approval {
    /// The approval that a step needs; `None` if it needs none.
    pub(crate) fn of(step: &Step) -> Option<Self> {
        let kind = step.action.kind()?;
        Some(Self { address: step.address.clone(), expected: step.expected, member: step.member, kind })
    }
}

/// A plan after the guard: the steps to apply now, and those held back until an operator decides.
#[derive(Debug)]
pub(crate) struct GuardedPlan {
    pub(crate) to_apply: Vec<Step>,
    pub(crate) held_back: Vec<Step>,
}

impl GuardedPlan {
    /// A plan that passed.
    pub(crate) fn passed(steps: &[Step]) -> Self {
        Self { to_apply: steps.to_vec(), held_back: Vec::new() }
    }

    /// A held plan, of which an operator released the `approved` steps. Steps that need no approval are applied all the
    /// same: bans, which an operator decided, and observations, which change no state.
    pub(crate) fn held(steps: &[Step], approved: &HashSet<Approval>) -> Self {
        let (to_apply, held_back) = steps
            .iter()
            .cloned()
            .partition(|step| Approval::of(step).is_none_or(|approval| approved.contains(&approval)));
        Self { to_apply, held_back }
    }
}

impl Engine<'_> {
    /// Applies a held run that an operator released. Reads the team and looks the members up again, and enqueues only the
    /// grants and removals that are in both plans: a member who is back keeps the address, one who left gets none, and an
    /// address that changed since is skipped, because the operator did not review it. A reading that outlasts this invocation
    /// pauses; the same message resumes it.
    pub async fn release(
        &self,
        domain: &DomainName,
        run: Ulid,
        queue: &dyn StepQueue,
    ) -> Result<SyncOutcome, SyncError> {
        // The decision to retire the domain replaces the held plan.
        if self.retirement(domain).await?.is_some() {
            return Ok(SyncOutcome::NotReleased);
        }
        let mut run = match self.store.run(domain, run).await? {
            Some(run) if run.state == RunState::Released => run,
            _ => return Ok(SyncOutcome::NotReleased),
        };
        let held = self.store.steps_of(domain, run.id).await?;
        let approved: HashSet<_> = held.iter().filter_map(Approval::of).collect();
        let grants: Vec<_> = held.into_iter().filter(is_grant).collect();
        // A checkpoint from before the hold belongs to an older reading.
        if run.saved < run.finished {
            run.checkpoints = 0;
            run.saved = None;
        }
        let configured = self.domain(domain)?;
        let deadline = self.deadline();
        let read_at = self.clock.now();
        let team = self.check_team(configured, true).await?;
        let state = self.store.sync_state(domain).await?;
        let reading = match self.read_or_resume(&mut run, configured, team, &state, deadline).await? {
            ReadOutcome::Complete(reading) => reading,
            ReadOutcome::Paused => return Ok(SyncOutcome::Paused { run: run.id }),
        };
        let scope = LookupScope { lookups: self.limits.lookups, everything: false, grants: &grants };
        let result = self.build_plan(configured, &state, reading, Some(&run), read_at, scope, deadline).await?;
        let Plan { mut steps, counts, .. } = result.plan;
        // With more leavers than one run looks up, the held plan has only the steps of those that were looked up.
        let was_partial = run.counts.is_some_and(|counts| counts.unverified > 0);
        steps.retain(|step| {
            Approval::of(step).is_some_and(|approval| {
                approved.contains(&approval) || (was_partial && approval.kind != ChangeKind::Grants)
            })
        });
        self.enqueue_steps(&run, read_at, &steps, queue).await?;
        if (was_partial && counts.unverified > 0) || result.pending > 0 {
            return Ok(SyncOutcome::Paused { run: run.id });
        }
        run.state = RunState::Applied;
        self.finish(run, None, None).await
    }
}
