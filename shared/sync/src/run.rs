//! A run of a sync: one at a time per domain, from the lease to the last enqueued step.

use std::collections::HashSet;

use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::later;
use membermail_core::full_read::FullRead;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::Step;
use membermail_core::member::{self, PersonName};
use membermail_core::message::ApplySteps;
use membermail_core::plan::Plan;
use membermail_runtime::batch::chain;
use membermail_store::{GuardState, Resent, Run, RunStart, RunState};
use tracing::{error, info, warn};

use crate::guard::{Decision, find_lost_release, is_first_sync, runs_to_keep};
use crate::outcome::SyncOutcome;
use crate::plan::{LookupScope, PlanResult, is_change};
use crate::plan_digest::is_grant;
use crate::reading::ReadOutcome;
use crate::release::{Approval, GuardedPlan};
use crate::skip_reading::needs_decision;
use crate::{Engine, StepQueue, SyncError};

impl Engine<'_> {
    /// Reads the team, plans, and enqueues the steps. The next message resumes a run that died from its checkpoint, or starts
    /// again. That is safe: the new plan has only the steps that are not applied yet.
    pub async fn run(
        &self,
        domain: &DomainName,
        request_id: &str,
        queue: &dyn StepQueue,
    ) -> Result<SyncOutcome, SyncError> {
        // A domain that is being retired may be missing from the community file.
        let retirement = self.retirement(domain).await?;
        if retirement.is_none() {
            self.domain(domain)?;
        }
        let now = self.clock.now();
        let id = member::ulid(now, self.random);
        let mut run = match self.store.begin_run(id, domain, now, later(now, self.lease), request_id).await? {
            RunStart::Started(run) => *run,
            RunStart::Busy { run, until } => return Ok(SyncOutcome::Busy { run, until }),
        };
        let outcome = match &retirement {
            Some(retirement) => self.retire(run.clone(), retirement, queue).await,
            None => self.sync_team(&mut run, queue).await,
        };
        match outcome {
            Ok(outcome) => Ok(outcome),
            // The retry resumes from the checkpoint.
            Err(error) if error.can_resume() && run.saved.is_some() => {
                self.store.pause_run(&run, self.clock.now()).await?;
                Err(error)
            }
            Err(error) => {
                let failure = Some(chain(&error));
                let failed = Run { state: RunState::Failed, finished: Some(self.clock.now()), failure, ..run };
                self.store.finish_run(&failed, None).await?;
                Err(error)
            }
        }
    }

    async fn sync_team(&self, run: &mut Run, queue: &dyn StepQueue) -> Result<SyncOutcome, SyncError> {
        let deadline = self.deadline();
        let domain = self.domain(&run.domain)?;
        let team = self.check_team(domain, true).await?;
        let state = self.store.sync_state(&run.domain).await?;
        if let Some(done) = self.run_without_reading(run, domain, &state, team, deadline, queue).await? {
            return self.finish(done, None, None).await;
        }
        let reading = match self.read_or_resume(run, domain, team, &state, deadline).await? {
            ReadOutcome::Complete(reading) => reading,
            ReadOutcome::Paused => {
                self.store.pause_run(run, self.clock.now()).await?;
                info!(run = %run.id, domain = %run.domain, "reading paused, another invocation resumes it");
                return Ok(SyncOutcome::Paused { run: run.id });
            }
        };
        run.hidden = Some(reading.hidden);
        run.malformed = reading.malformed;
        let hidden = reading.hidden;
        let total = reading.total;
        let scope = LookupScope { lookups: self.limits.lookups, everything: true, grants: &[] };
        let result = self.build_plan(domain, &state, reading, Some(run), run.started, scope, deadline).await?;
        let PlanResult { plan, mut names, rolling, is_complete, pending, expired } = result;
        let announced = self.announced(&run.domain, &state).await?;
        run.counts = Some(plan.counts);
        run.first_sync = is_first_sync(&state);
        let decision = self.decide(run, &plan, run.first_sync, &announced).await?;
        let withheld = self.apply_decision(run, &plan, decision, queue).await?;
        // Joiners without an address yet must be joiners of the next run again, so their names are not stored. For the same
        // reason the names are stored after the steps: a run may die in between.
        names.forget(&withheld);
        let is_new = self.store.last_names(&run.domain, &state).await?.as_ref() != Some(&names);
        let names = is_new.then_some((run.id, &names));
        let is_settled = is_complete && withheld.is_empty() && !needs_decision(run);
        // Without a total, no later run can skip the reading.
        let full_read = total.filter(|_| is_settled).map(|total| FullRead { at: run.started, total, team });
        self.store.save_sync_state(&run.domain, &state, names, hidden, &rolling, full_read).await?;
        self.store.forget_expired_grants(&run.domain, &expired).await?;
        let first_sync_is_open = run.first_sync && (pending > 0 || !withheld.is_empty());
        let guard = GuardState { announced: runs_to_keep(&announced, run), first_sync_is_open };
        if guard != state.guard {
            self.store.save_guard_state(&run.domain, &guard).await?;
        }
        let resent = self.resend_lost_release(run, &announced).await?;
        let id = run.id.to_string();
        let request_id = run.request_id.clone();
        let cause = Cause { actor: Actor::Sync, by: Some(&id), request_id: &request_id, now: self.clock.now() };
        let announce = (run.state == RunState::Held).then_some(cause);
        self.finish(run.clone(), announce, resent).await
    }

    /// Enqueues or holds a plan and records the decision in the run. Returns the names whose grants are withheld.
    pub(crate) async fn apply_decision(
        &self,
        run: &mut Run,
        plan: &Plan,
        decision: Decision,
        queue: &dyn StepQueue,
    ) -> Result<Vec<PersonName>, SyncError> {
        let (state, guarded) = match decision {
            Decision::Apply if plan.is_empty() => (RunState::Unchanged, GuardedPlan::passed(&plan.steps)),
            Decision::Apply => (RunState::Applied, GuardedPlan::passed(&plan.steps)),
            Decision::Announce(verdict, digest) => {
                run.held_for = verdict.reasons();
                run.digest = Some(digest);
                (RunState::Held, GuardedPlan::held(&plan.steps, &HashSet::new()))
            }
            Decision::WaitFor(verdict, digest, id) => {
                run.held_for = verdict.reasons();
                run.digest = Some(digest);
                run.waits_for = Some(id);
                (RunState::Waiting, GuardedPlan::held(&plan.steps, &HashSet::new()))
            }
            Decision::Repeat(same, digest) => {
                warn!(run = %run.id, domain = %run.domain, released = %same.id, "steps of a released run were lost, sending them again");
                let released = self.store.steps_of(&run.domain, same.id).await?;
                run.digest = Some(digest);
                run.waits_for = Some(same.id);
                run.held_for = same.held_for;
                run.decided_by = same.decided_by;
                run.decided_as = same.decided_as;
                run.decided_at = same.decided_at;
                run.comment = same.comment;
                let approved = released.iter().filter_map(Approval::of).collect();
                (RunState::Applied, GuardedPlan::held(&plan.steps, &approved))
            }
        };
        let GuardedPlan { to_apply, held_back } = guarded;
        // A waiting run has the steps of the run that it waits for, unless it applies something itself.
        let is_new = matches!(state, RunState::Applied | RunState::Held);
        if is_new || to_apply.iter().any(is_change) {
            let kept = if state == RunState::Applied { &to_apply } else { &plan.steps };
            self.store.save_steps(run, kept).await?;
        }
        self.enqueue_steps(run, plan.read_at, &to_apply, queue).await?;
        run.state = state;
        let grants = held_back.iter().filter(|step| is_grant(step));
        Ok(grants.filter_map(|step| Some(step.known_as.as_ref()?.name.clone())).collect())
    }

    /// Records that the lost message of a released run must be sent again.
    async fn resend_lost_release(&self, run: &Run, announced: &[Run]) -> Result<Option<Resent>, SyncError> {
        let now = self.clock.now();
        let Some(lost) = find_lost_release(announced, now) else { return Ok(None) };
        let id = run.id.to_string();
        let cause = Cause { actor: Actor::Sync, by: Some(&id), request_id: &run.request_id, now };
        let resent = self.store.resend_release(lost, cause, self.random).await?;
        if resent.is_some() {
            error!(domain = %run.domain, run = %lost.id, "message of a released run was lost, sending it again");
        }
        Ok(resent)
    }

    pub(crate) async fn finish(
        &self,
        run: Run,
        announce: Option<Cause<'_>>,
        resent: Option<Resent>,
    ) -> Result<SyncOutcome, SyncError> {
        let run = Run { finished: Some(self.clock.now()), ..run };
        let notice = self.store.finish_run(&run, announce.map(|cause| (cause, self.random))).await?;
        info!(
            request_id = run.request_id,
            run = %run.id,
            domain = %run.domain,
            state = %run.state,
            counts = run.counts.map(|counts| format!("{counts:?}")),
            hidden = run.hidden,
            malformed = run.malformed,
            held_for = (!run.held_for.is_empty()).then(|| format_reasons(&run.held_for)),
            "sync finished"
        );
        Ok(SyncOutcome::Done { run: Box::new(run), notice, resent })
    }

    pub(crate) async fn enqueue_steps(
        &self,
        run: &Run,
        read_at: jiff::Timestamp,
        steps: &[Step],
        queue: &dyn StepQueue,
    ) -> Result<(), SyncError> {
        let parts = steps.chunks(ApplySteps::MAX_STEPS).map(|steps| ApplySteps {
            run: run.id,
            read_at,
            steps: steps.to_vec(),
            request_id: run.request_id.clone(),
        });
        Ok(queue.enqueue(parts.collect()).await?)
    }
}

fn format_reasons(reasons: &[HoldReason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
