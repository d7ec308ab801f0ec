//! Runs of a domain that an operator retires. They read no team: the steps follow from the decision and the table. Steps and
//! lease are the same as in other runs.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Status};
use membermail_core::plan::Plan;
use membermail_core::retirement::Retirement;
use membermail_store::{Run, RunState};
use tracing::info;

use crate::{Engine, StepQueue, SyncError, SyncOutcome};

impl Engine<'_> {
    /// The operator's decision to retire this domain, if any.
    pub async fn retirement(&self, domain: &DomainName) -> Result<Option<Retirement>, SyncError> {
        Ok(self.store.domain(domain).await?.retirement)
    }

    /// The plan that a run of this retirement would apply now, and the number of addresses that are not retired yet. Writes
    /// nothing.
    pub async fn plan_retirement(
        &self,
        domain: &DomainName,
        retirement: &Retirement,
        now: Timestamp,
    ) -> Result<(Plan, u64), SyncError> {
        let banned = self.store.banned_members().await?;
        let mut aliases: Vec<Alias> = Vec::new();
        self.store.each_alias(domain, |alias| aliases.push(alias)).await?;
        let left = aliases.iter().filter(|alias| alias.status != Status::Retired).count() as u64;
        Ok((retirement.plan(domain, aliases, &banned, &self.community.rules, now), left))
    }

    /// Applies the steps of a retirement that are due. The guard is not consulted, because an operator decided on all of them.
    pub(crate) async fn retire(
        &self,
        mut run: Run,
        retirement: &Retirement,
        queue: &dyn StepQueue,
    ) -> Result<SyncOutcome, SyncError> {
        let (plan, left) = self.plan_retirement(&run.domain, retirement, run.started).await?;
        run.counts = Some(plan.counts);
        if plan.is_empty() {
            run.state = RunState::Unchanged;
            // Steps in the queue need the decision, so it ends only when no steps are left to plan.
            let has_ended = retirement.cancelled.is_some() || (left == 0 && retirement.ended.is_none());
            if has_ended && self.store.end_retirement(&run.domain, retirement, self.clock.now()).await? {
                info!(domain = %run.domain, cancelled = retirement.cancelled.is_some(), "retirement ended");
            }
        } else {
            self.store.save_steps(&run, &plan.steps).await?;
            self.enqueue_steps(&run, plan.read_at, &plan.steps, queue).await?;
            run.state = RunState::Applied;
            // Marks the removals as decided for the guard of a later sync.
            run.decided_by = Some(retirement.by.clone().unwrap_or_else(|| "-".to_owned()));
        }
        self.finish(run, None, None).await
    }
}
