//! Decides whether a plan is applied or held, given what earlier runs changed and what an operator decided on the same plan.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::earlier;
use membermail_core::guard::{self, History, Outcome, PastRun, Verdict, WINDOW};
use membermail_core::plan::Plan;
use membermail_store::{Run, RunState, SyncState};
use ulid::Ulid;

use crate::plan_digest::PlanDigests;
use crate::{Engine, SyncError};

/// Minimum number of recent runs that are searched for the same plan.
const SEARCHED_RUNS: i32 = 100;
/// Maximum announced runs that are kept, however many runs fail after them.
const MAX_ANNOUNCED: usize = 8;
/// Longest time that the steps of a released run can stay in the queue of `write-aliases`: 12 attempts, 6 minutes apart. If
/// the same plan is made after that, the steps were lost.
const STEPS_IN_FLIGHT: SignedDuration = SignedDuration::from_hours(2);
/// Longest time that a release message can stay in the queue of `sync-team`: 6 attempts, 90 minutes apart. If the run is
/// still only released after that, the message was lost.
const RELEASE_IN_FLIGHT: SignedDuration = SignedDuration::from_hours(10);

/// Earlier runs, newest first, and the runs that were announced as held.
struct EarlierRuns {
    recent: Vec<Run>,
    announced: Vec<Run>,
}

/// The decision on a plan.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Enqueue all steps.
    Apply,
    /// Hold the plan and notify the admins.
    Announce(Verdict, String),
    /// Hold the plan without another notice: the given run announced the same plan, and is undecided, rejected, or released
    /// with steps in flight.
    WaitFor(Verdict, String, Ulid),
    /// An operator released the same plan in the given run, but its steps were lost: enqueue them again.
    Repeat(Box<Run>, String),
}

impl Engine<'_> {
    /// Whether a run would hold this plan, and why. Writes nothing.
    pub(crate) async fn verdict(&self, domain: &DomainName, plan: &Plan) -> Result<Verdict, SyncError> {
        let state = self.store.sync_state(domain).await?;
        let now = self.clock.now();
        let runs = self.store.runs_since(domain, earlier(now, WINDOW)).await?;
        let history = self.history(&runs, now, is_first_sync(&state)).await?;
        Ok(guard::check(plan, &history, &self.community.rules))
    }

    /// The announced runs that may still need a decision.
    pub(crate) async fn announced(&self, domain: &DomainName, state: &SyncState) -> Result<Vec<Run>, SyncError> {
        let mut runs = Vec::new();
        for id in &state.guard.announced {
            runs.extend(self.store.run(domain, *id).await?);
        }
        Ok(runs)
    }

    /// Decides on the plan of a run, given the changes of earlier runs and the decisions of operators.
    pub(crate) async fn decide(
        &self,
        run: &Run,
        plan: &Plan,
        is_first: bool,
        announced: &[Run],
    ) -> Result<Decision, SyncError> {
        if plan.counts.unverified == 0 && !plan.steps.iter().any(|step| step.action.is_guarded()) {
            return Ok(Decision::Apply);
        }
        let now = run.started;
        let mut recent = self.store.runs(&run.domain, SEARCHED_RUNS).await?;
        // With a short sync interval, the window has more runs than that.
        let since = earlier(now, WINDOW);
        if recent.last().is_some_and(|oldest| oldest.started > since) {
            recent = self.store.runs_since(&run.domain, since).await?;
        }
        recent.retain(|earlier| earlier.id != run.id);
        let history = self.history(&recent, now, is_first).await?;
        let verdict = guard::check(plan, &history, &self.community.rules);
        let earlier = EarlierRuns { recent, announced: announced.to_vec() };
        self.compare_with_earlier(run, PlanDigests::of(&plan.steps), verdict, &earlier).await
    }

    /// Turns the guard's verdict into a decision by looking for an earlier run with the same plan.
    async fn compare_with_earlier(
        &self,
        run: &Run,
        digests: PlanDigests,
        verdict: Verdict,
        earlier: &EarlierRuns,
    ) -> Result<Decision, SyncError> {
        let PlanDigests { removals, grants, has_removals } = digests;
        let Verdict::Hold(reasons) = &verdict else {
            // A held or rejected plan stays held even when the earlier changes that exceeded the limit leave the window.
            for digest in has_removals.then_some(removals).into_iter().chain(grants) {
                let same = self.find_same_plan(&run.domain, &digest, earlier).await?;
                if let Some(same) = same.filter(|same| matches!(same.state, RunState::Held | RunState::Rejected)) {
                    let reasons = Verdict::Hold(same.held_for.clone());
                    return Ok(Decision::WaitFor(reasons, digest, same.id));
                }
            }
            return Ok(Decision::Apply);
        };
        let concerns_grants = reasons.iter().all(guard::HoldReason::is_for_grants);
        let digest = if concerns_grants { grants.unwrap_or(removals) } else { removals };
        let Some(same) = self.find_same_plan(&run.domain, &digest, earlier).await? else {
            return Ok(Decision::Announce(verdict, digest));
        };
        let is_lost = same.state == RunState::Applied
            && same.finished.is_none_or(|at| run.started.duration_since(at) >= STEPS_IN_FLIGHT);
        Ok(if is_lost { Decision::Repeat(Box::new(same), digest) } else { Decision::WaitFor(verdict, digest, same.id) })
    }

    /// The run that announced the same plan, decided or not. A run that waits for it points to it. The list of announced runs
    /// finds it even if all recent runs failed in an outage.
    async fn find_same_plan(
        &self,
        domain: &DomainName,
        digest: &str,
        earlier: &EarlierRuns,
    ) -> Result<Option<Run>, SyncError> {
        let mut newest_first = earlier.recent.iter().chain(earlier.announced.iter().rev());
        match newest_first.find(|run| run.digest.as_deref() == Some(digest) && was_held(run)) {
            Some(Run { state: RunState::Waiting, waits_for, .. }) => {
                let Some(id) = waits_for else { return Ok(None) };
                Ok(self.store.run(domain, *id).await?.filter(was_held))
            }
            same => Ok(same.cloned()),
        }
    }

    /// The changes of the runs within the guard's window.
    async fn history(&self, newest_first: &[Run], now: Timestamp, is_first: bool) -> Result<History, SyncError> {
        let since = earlier(now, WINDOW);
        let mut past = Vec::new();
        for run in newest_first.iter().filter(|run| run.started >= since) {
            let outcome = match run.state {
                RunState::Held | RunState::Waiting | RunState::Rejected | RunState::Unchanged => Outcome::Withheld,
                RunState::Released => Outcome::Released(run.held_for.clone()),
                _ if run.decided_by.is_some() => Outcome::Released(run.held_for.clone()),
                // The plan was held before the run failed.
                RunState::Failed if !run.held_for.is_empty() => Outcome::Withheld,
                RunState::Applied if run.counts.is_some_and(|counts| !counts.has_changes()) => Outcome::Withheld,
                // A run that died or failed may have enqueued any of its steps.
                RunState::Applied | RunState::Running | RunState::Paused | RunState::Failed | RunState::Died => {
                    let steps = self.store.steps_of(&run.domain, run.id).await?;
                    Outcome::Unattended { steps, first_sync: run.first_sync }
                }
            };
            past.push(PastRun { counts: run.counts, outcome });
        }
        Ok(History::of(past, is_first))
    }
}

/// Whether the plan of a run was held. Without a decision, an applied plan passed the guard.
fn was_held(run: &Run) -> bool {
    match run.state {
        RunState::Held | RunState::Waiting | RunState::Released | RunState::Rejected => true,
        RunState::Applied => run.decided_by.is_some(),
        _ => false,
    }
}

/// Whether the domain's first sync still has grants to make.
pub(crate) fn is_first_sync(state: &SyncState) -> bool {
    state.roster.is_none() || state.guard.first_sync_is_open
}

/// The announced runs to keep after this run: all of them while a plan is held, otherwise only those that are undecided or
/// released.
pub(crate) fn runs_to_keep(announced: &[Run], run: &Run) -> Vec<Ulid> {
    let is_held = matches!(run.state, RunState::Held | RunState::Waiting) || run.decided_by.is_some();
    let kept =
        announced.iter().filter(|earlier| is_held || matches!(earlier.state, RunState::Held | RunState::Released));
    let mut ids: Vec<_> = kept.map(|earlier| earlier.id).collect();
    if run.state == RunState::Held {
        ids.push(run.id);
    }
    let excess = ids.len().saturating_sub(MAX_ANNOUNCED);
    ids.drain(..excess);
    ids
}

/// A released run whose message was lost: it made no progress for longer than a message can be in flight.
pub(crate) fn find_lost_release(announced: &[Run], now: Timestamp) -> Option<&Run> {
    announced.iter().find(|run| {
        let last = run.finished.max(run.saved).max(run.resent);
        run.state == RunState::Released && last.is_none_or(|at| now.duration_since(at) >= RELEASE_IN_FLIGHT)
    })
}
