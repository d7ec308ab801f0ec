//! A run that does not read the team, since its total is that of the last complete reading.
//!
//! Such a run compares with the roster of that reading, carries on with the rolling check, and gives what it finds to give.
//! It removes nothing: where a removal is due, by time, by a ban or by a look-up, the same run reads the team after all.

use membermail_core::community::Domain;
use membermail_core::member::Fingerprint;
use membermail_core::roster::Roster;
use membermail_store::{Run, RunState, SyncState};
use tokio::time::Instant;
use tracing::info;

use crate::guard::{Course, is_first_sync};
use crate::plan::Wanted;
use crate::reading::Read;
use crate::{Engine, Outlet, SyncError};

impl Engine<'_> {
    /// Carries the run out on the remembered roster, and returns it with the state that it comes to; nothing where the
    /// team has to be read.
    pub(crate) async fn without_reading(
        &self,
        run: &Run,
        domain: &Domain,
        state: &SyncState,
        team: Fingerprint,
        deadline: Instant,
        outlet: &dyn Outlet,
    ) -> Result<Option<Run>, SyncError> {
        // A run that was stopped while it read goes on reading.
        let recent = state
            .full_read
            .filter(|read| run.checkpoints == 0 && read.is_recent(team, run.started, self.limits.full_read));
        let Some(full_read) = recent else { return Ok(None) };
        // Runs that wait for a decision, or whose release may be lost, are looked after by a run that reads.
        if is_first_sync(state) || !state.guard.announced.is_empty() {
            return Ok(None);
        }
        let total = self.source.roster_total(&domain.team).await?;
        if total != full_read.total {
            info!(domain = %domain.domain, total, before = full_read.total, "the total of the team changed");
            return Ok(None);
        }
        let Some(names) = self.store.last_names(&domain.domain, state).await? else { return Ok(None) };
        let read = Read { roster: Roster::remembered(&names), total, hidden: state.hidden, malformed: 0 };
        let wanted = Wanted { lookups: self.limits.lookups, everything: true, grants: &[] };
        let planned = self.plan_of(domain, state, read, Some(run), run.started, wanted, deadline).await?;
        let plan = planned.plan;
        let course = match plan.needs_reading() {
            false => Some(self.course(run, &plan, false, &[]).await?).filter(|course| matches!(course, Course::Apply)),
            true => None,
        };
        let Some(course) = course else {
            info!(run = %run.id, domain = %domain.domain, "the team is read although its total is the same");
            return Ok(None);
        };
        let (hidden, counts, roster_of) = (Some(state.hidden), Some(plan.counts), Some(full_read.at));
        let mut skipped = Run { hidden, counts, roster_of, ..run.clone() };
        self.settle(&mut skipped, &plan, course, outlet).await?;
        let (rolling, full_read) = (&planned.rolling, state.full_read);
        self.store.leave_sync_state(&run.domain, state, None, state.hidden, rolling, full_read).await?;
        self.store.forget_expired_grants(&run.domain, &planned.expired).await?;
        Ok(Some(skipped))
    }
}

/// Whether a run leaves something to an operator's decision.
pub(crate) fn needs_decision(run: &Run) -> bool {
    !matches!(run.state, RunState::Unchanged | RunState::Applied)
}
