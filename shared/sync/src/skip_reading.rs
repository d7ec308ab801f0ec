//! Runs that skip reading the team, because its total is the same as in the last complete reading.
//!
//! Such a run uses the roster of that reading, continues the rolling check, and grants addresses. It removes nothing: if a
//! removal is due because of time, a ban or a look-up, the same run reads the team after all.

use membermail_core::community::Domain;
use membermail_core::eligibility::Group;
use membermail_core::member::Fingerprint;
use membermail_core::roster::Roster;
use membermail_store::{Run, RunState, SyncState};
use tokio::time::Instant;
use tracing::info;

use crate::guard::{Decision, is_first_sync};
use crate::plan::LookupScope;
use crate::reading::TeamReading;
use crate::{Engine, StepQueue, SyncError};

impl Engine<'_> {
    /// Runs on the roster of the last complete reading and returns the finished run; `None` if the team must be read.
    pub(crate) async fn run_without_reading(
        &self,
        run: &Run,
        domain: &Domain,
        state: &SyncState,
        team: Fingerprint,
        deadline: Instant,
        queue: &dyn StepQueue,
    ) -> Result<Option<Run>, SyncError> {
        // A run that was interrupted while reading resumes the reading.
        let recent = state
            .full_read
            .filter(|read| run.checkpoints == 0 && read.is_recent(team, run.started, self.limits.full_read));
        let Some(full_read) = recent else { return Ok(None) };
        // Only a run that reads the team handles undecided runs and lost releases.
        if is_first_sync(state) || !state.guard.announced.is_empty() {
            return Ok(None);
        }
        let group = Group { name: domain.team.clone(), fingerprint: team };
        let total = self.source.roster_total(&group).await?;
        if total != Some(full_read.total) {
            info!(domain = %domain.domain, total, before = full_read.total, "total of the team changed");
            return Ok(None);
        }
        let Some(names) = self.store.last_names(&domain.domain, state).await? else { return Ok(None) };
        let reading = TeamReading { roster: Roster::remembered(&names), total, hidden: state.hidden, malformed: 0 };
        let scope = LookupScope { lookups: self.limits.lookups, everything: true, grants: &[] };
        let result = self.build_plan(domain, state, reading, Some(run), run.started, scope, deadline).await?;
        let plan = result.plan;
        let passes = !plan.needs_reading() && matches!(self.decide(run, &plan, false, &[]).await?, Decision::Apply);
        if !passes {
            info!(run = %run.id, domain = %domain.domain, "reading the team although its total is the same");
            return Ok(None);
        }
        let mut skipped =
            Run { hidden: Some(state.hidden), counts: Some(plan.counts), roster_of: Some(full_read.at), ..run.clone() };
        self.apply_decision(&mut skipped, &plan, Decision::Apply, queue).await?;
        let full_read = state.full_read;
        self.store.save_sync_state(&run.domain, state, None, state.hidden, &result.rolling, full_read).await?;
        self.store.forget_expired_grants(&run.domain, &result.expired).await?;
        Ok(Some(skipped))
    }
}

/// Whether a run needs an operator's decision.
pub(crate) fn needs_decision(run: &Run) -> bool {
    !matches!(run.state, RunState::Unchanged | RunState::Applied)
}
