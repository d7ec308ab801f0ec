//! The runs of a domain that an operator retires. They read no team: the decision counts, and the table shows what is left
//! to do. Steps and lease are those of every run, so nothing else has to know.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Status};
use membermail_core::plan::Plan;
use membermail_core::retirement::Retirement;
use membermail_store::{Run, RunState};
use tracing::info;

use crate::{Engine, Outlet, Ran, SyncError};

impl Engine<'_> {
    /// An operator's decision to retire this domain, if there is one.
    pub async fn retirement(&self, domain: &DomainName) -> Result<Option<Retirement>, SyncError> {
        Ok(self.store.domain(domain).await?.retirement)
    }

    /// The steps that a run of this retirement would hand on now, and the number of addresses that are not retired yet.
    /// Reads only.
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

    /// Carries a retirement out, as far as it is due. Nothing is held: an operator decided on all of these removals.
    pub(crate) async fn retire(
        &self,
        mut run: Run,
        retirement: &Retirement,
        outlet: &dyn Outlet,
    ) -> Result<Ran, SyncError> {
        let (plan, left) = self.plan_retirement(&run.domain, retirement, run.started).await?;
        run.counts = Some(plan.counts);
        if plan.is_empty() {
            run.state = RunState::Unchanged;
            // Steps that are still on the queue would find the decision gone: it ends only when none are left to plan.
            let is_over = retirement.cancelled.is_some() || (left == 0 && retirement.ended.is_none());
            if is_over && self.store.end_retirement(&run.domain, retirement, self.clock.now()).await? {
                info!(domain = %run.domain, cancelled = retirement.cancelled.is_some(), "the retirement came to its end");
            }
        } else {
            self.store.keep_steps(&run, &plan.steps).await?;
            self.hand_on(&run, plan.read_at, &plan.steps, outlet).await?;
            run.state = RunState::Applied;
            // The guard of a later sync takes these removals as decided.
            run.decided_by = Some(retirement.by.clone().unwrap_or_else(|| "-".to_owned()));
        }
        self.finish(run, None, None).await
    }
}
