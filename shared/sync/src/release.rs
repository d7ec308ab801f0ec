//! Handing on what a held run would change, once an operator has released it.

use std::collections::HashSet;

use membermail_core::address::{Address, DomainName};
use membermail_core::guard::Kind;
use membermail_core::lifecycle::Step;
use membermail_core::member::MemberId;
use membermail_core::plan::Plan;
use membermail_store::RunState;
use ulid::Ulid;

use crate::digest::is_grant;
use crate::plan::Wanted;
use crate::reading::Reading;
use crate::run::Ran;
use crate::{Engine, Outlet, SyncError};

/// What an operator approves with a step: this kind of change, to this version of the address, for this member. The reason
/// and the dates may be others by now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Approval {
    address: Address,
    version: u64,
    member: MemberId,
    kind: Kind,
}

impl Approval {
    /// For a step; none for one that needs no approval.
    pub(crate) fn of(step: &Step) -> Option<Self> {
        let kind = Kind::of(&step.action)?;
        Some(Self { address: step.address.clone(), version: step.version, member: step.member, kind })
    }
}

impl Engine<'_> {
    /// Hands on what a held run would change, once an operator has released it: the grants and removals that are in both
    /// plans. The team is read and the members are looked up again: one who is back stays, one who left gets nothing, and an
    /// address that changed since is not what the operator looked at. A reading that outlasts this invocation pauses; the
    /// same message continues it.
    pub async fn release(&self, domain: &DomainName, run: Ulid, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        // The decision to retire the domain came after the plan that was held.
        if self.retirement(domain).await?.is_some() {
            return Ok(Ran::NotReleased);
        }
        let mut run = match self.store.run(domain, run).await? {
            Some(run) if run.state == RunState::Released => run,
            _ => return Ok(Ran::NotReleased),
        };
        let held = self.store.steps_of(domain, run.id).await?;
        let approved: HashSet<_> = held.iter().filter_map(Approval::of).collect();
        let grants: Vec<_> = held.into_iter().filter(is_grant).collect();
        // A checkpoint from before the run was held is of an older reading.
        if run.saved < run.finished {
            (run.checkpoints, run.saved) = (0, None);
        }
        let (configured, deadline) = (self.domain(domain)?, self.deadline());
        let read_at = self.clock.now();
        self.check_team(configured, true).await?;
        let state = self.store.sync_state(domain).await?;
        let read = match self.read_for(&mut run, configured, &state, deadline).await? {
            Reading::Complete(read) => read,
            Reading::Paused => return Ok(Ran::Paused { run: run.id }),
        };
        let wanted = Wanted { lookups: self.limits.lookups, everything: false, grants: &grants };
        let planned = self.plan_of(configured, &state, read, Some(&run), read_at, wanted, deadline).await?;
        let Plan { mut steps, counts, .. } = planned.plan;
        // A plan with more leavers than one run looks up kept only the steps of those that it did.
        let was_partial = run.counts.is_some_and(|counts| counts.unverified > 0);
        steps.retain(|step| {
            Approval::of(step)
                .is_some_and(|approval| approved.contains(&approval) || (was_partial && approval.kind != Kind::Grants))
        });
        self.hand_on(&run, read_at, &steps, outlet).await?;
        if (was_partial && counts.unverified > 0) || planned.pending > 0 {
            return Ok(Ran::Paused { run: run.id });
        }
        run.state = RunState::Applied;
        self.finish(run, None, None).await
    }
}
