//! Dry runs: what a run would do now, without a lease of the domain and without a write.

use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_core::guard::HoldReason;
use membermail_core::plan::Plan;
use tokio::time::Instant;

use crate::plan::{LookupScope, PlanResult};
use crate::reading::OnProgress;
use crate::{Engine, SyncError};

/// A day: the time of a dry run without a limit.
const UNLIMITED: Duration = Duration::from_secs(24 * 60 * 60);

/// What a run would do.
#[derive(Clone, Debug)]
pub struct DryRunResult {
    /// The plan.
    pub plan: Plan,
    /// Why a run would hold it; empty if a run would apply it.
    pub held_for: Vec<HoldReason>,
    /// Whether every member with a change in the roster was looked up.
    pub is_complete: bool,
}

impl Engine<'_> {
    /// Reads the team and looks members up, but writes nothing. With a `time`, it ends after that: without a result if the team
    /// is not read by then, and else with the look-ups so far. `on_progress` gets the number of people read so far and the
    /// number of rows, if the source counts them.
    pub async fn dry_run(
        &self,
        domain: &DomainName,
        time: Option<Duration>,
        on_progress: OnProgress<'_>,
    ) -> Result<DryRunResult, SyncError> {
        let deadline = Instant::now() + time.unwrap_or(UNLIMITED);
        // The plan of a retiring domain does not depend on its team.
        let (plan, is_complete) = match self.retirement(domain).await? {
            Some(retirement) => (self.plan_retirement(domain, &retirement, self.clock.now()).await?.0, true),
            None => {
                let PlanResult { plan, is_complete, .. } = self.plan(domain, deadline, on_progress).await?;
                (plan, is_complete)
            }
        };
        let held_for = self.verdict(domain, &plan).await?.reasons();
        Ok(DryRunResult { plan, held_for, is_complete })
    }

    async fn plan(
        &self,
        domain: &DomainName,
        deadline: Instant,
        on_progress: OnProgress<'_>,
    ) -> Result<PlanResult, SyncError> {
        let domain = self.domain(domain)?;
        let read_at = self.clock.now();
        let team = self.check_team(domain, false).await?;
        let state = self.store.sync_state(&domain.domain).await?;
        let reading = self.read_once(domain, team, &state, deadline, on_progress).await?;
        let scope = LookupScope { lookups: self.limits.lookups, everything: true, grants: &[] };
        self.build_plan(domain, &state, reading, None, read_at, scope, deadline.min(self.deadline())).await
    }
}
