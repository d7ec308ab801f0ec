//! What the guard needs of earlier runs: what they changed, and which held plan is the same.

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::guard::{self, History, Outcome, PastRun, Verdict, WINDOW};
use membermail_core::plan::Plan;
use membermail_store::{Run, RunState, SyncState};
use ulid::Ulid;

use crate::digest::Digests;
use crate::{Engine, SyncError};

/// Runs, at least, in which an earlier plan that is the same is looked for.
const EARLIER: i32 = 100;
/// Announced runs that are remembered however many runs fail after them.
const ANNOUNCED: usize = 8;
/// The steps of a run that was released may still be on the queue of `write-aliases` for this time: 12 tries, 6 minutes
/// apart. If the same plan is made after that, they were lost.
const IN_FLIGHT: SignedDuration = SignedDuration::from_hours(2);
/// The message that releases a run may still be on the queue of syncs for this time: 6 tries, 90 minutes apart. If the run is
/// only released after that, it was lost.
const RELEASE_IN_FLIGHT: SignedDuration = SignedDuration::from_hours(10);

/// Earlier runs, newest first, and those that were announced as held.
pub(crate) struct Earlier {
    recent: Vec<Run>,
    announced: Vec<Run>,
}

/// What becomes of a plan.
#[derive(Debug)]
pub(crate) enum Course {
    /// All of its steps are handed on.
    Apply,
    /// It is held and announced.
    Announce(Verdict, String),
    /// It is held. This run announced the same plan and has no decision yet, a rejection, or a release that is on its way.
    WaitFor(Verdict, String, Ulid),
    /// An operator released the same plan with this run, and its steps were lost: they are handed on again.
    Repeat(Box<Run>, String),
}

impl Engine<'_> {
    /// Whether a run would hold this plan, and why. Reads and writes nothing else.
    pub async fn verdict(&self, domain: &DomainName, plan: &Plan) -> Result<Verdict, SyncError> {
        let state = self.store.sync_state(domain).await?;
        let now = self.clock.now();
        let runs = self.store.runs_since(domain, before(now, WINDOW)).await?;
        let history = self.history(&runs, now, is_first_sync(&state)).await?;
        Ok(guard::check(plan, &history, &self.community.rules))
    }

    /// The runs that were announced as held and may still count.
    pub(crate) async fn announced(&self, domain: &DomainName, state: &SyncState) -> Result<Vec<Run>, SyncError> {
        let mut runs = Vec::new();
        for id in &state.guard.announced {
            runs.extend(self.store.run(domain, *id).await?);
        }
        Ok(runs)
    }

    /// Judges the plan of a run together with what earlier runs did and what an operator decided.
    pub(crate) async fn course(
        &self,
        run: &Run,
        plan: &Plan,
        is_first: bool,
        announced: &[Run],
    ) -> Result<Course, SyncError> {
        if plan.counts.unverified == 0 && !plan.steps.iter().any(|step| step.action.can_wait()) {
            return Ok(Course::Apply);
        }
        let now = run.started;
        let mut recent = self.store.runs(&run.domain, EARLIER).await?;
        // With a short period between two runs, a day has more of them.
        let since = before(now, WINDOW);
        if recent.last().is_some_and(|oldest| oldest.started > since) {
            recent = self.store.runs_since(&run.domain, since).await?;
        }
        recent.retain(|earlier| earlier.id != run.id);
        let history = self.history(&recent, now, is_first).await?;
        let verdict = guard::check(plan, &history, &self.community.rules);
        let earlier = Earlier { recent, announced: announced.to_vec() };
        self.decided(run, Digests::of(&plan.steps), verdict, &earlier).await
    }

    async fn decided(
        &self,
        run: &Run,
        digests: Digests,
        verdict: Verdict,
        earlier: &Earlier,
    ) -> Result<Course, SyncError> {
        let Digests { taken, granted, takes } = digests;
        let Verdict::Hold(reasons) = &verdict else {
            // Time alone does not decide: a plan that waits for an operator, or was rejected, still does when the changes
            // before it are no longer counted.
            for digest in takes.then_some(taken).into_iter().chain(granted) {
                let same = self.same_before(&run.domain, &digest, earlier).await?;
                if let Some(same) = same.filter(|same| matches!(same.state, RunState::Held | RunState::Rejected)) {
                    let reasons = Verdict::Hold(same.held_for.clone());
                    return Ok(Course::WaitFor(reasons, digest, same.id));
                }
            }
            return Ok(Course::Apply);
        };
        let digest =
            if reasons.iter().all(guard::HoldReason::is_for_grants) { granted.unwrap_or(taken) } else { taken };
        let Some(same) = self.same_before(&run.domain, &digest, earlier).await? else {
            return Ok(Course::Announce(verdict, digest));
        };
        let is_lost = same.state == RunState::Applied
            && same.finished.is_none_or(|at| run.started.duration_since(at) >= IN_FLIGHT);
        Ok(if is_lost { Course::Repeat(Box::new(same), digest) } else { Course::WaitFor(verdict, digest, same.id) })
    }

    /// The run that announced the same plan: it waits for a decision, or has one. A run that only waited for it leads back to
    /// it, and so does the list of announced runs, where an outage left nothing but failed runs since.
    async fn same_before(
        &self,
        domain: &DomainName,
        digest: &str,
        earlier: &Earlier,
    ) -> Result<Option<Run>, SyncError> {
        let is_same = |run: &&Run| run.digest.as_deref() == Some(digest);
        let counts = |run: &Run| match run.state {
            RunState::Held | RunState::Waiting | RunState::Released | RunState::Rejected => true,
            // Without a decision it is a run whose plan passed.
            RunState::Applied => run.decided_by.is_some(),
            _ => false,
        };
        let same = earlier.recent.iter().filter(is_same).find(|run| counts(run));
        let same = same.or_else(|| earlier.announced.iter().rev().filter(is_same).find(|run| counts(run)));
        match same {
            Some(Run { state: RunState::Waiting, waits_for, .. }) => {
                let Some(id) = waits_for else { return Ok(None) };
                Ok(self.store.run(domain, *id).await?.filter(counts))
            }
            same => Ok(same.cloned()),
        }
    }

    /// What the runs within the window changed.
    async fn history(&self, newest_first: &[Run], now: Timestamp, is_first: bool) -> Result<History, SyncError> {
        let since = before(now, WINDOW);
        let mut past = Vec::new();
        for run in newest_first.iter().filter(|run| run.started >= since) {
            let outcome = match run.state {
                RunState::Held | RunState::Waiting | RunState::Rejected | RunState::Unchanged => Outcome::Withheld,
                RunState::Released => Outcome::Released(run.held_for.clone()),
                _ if run.decided_by.is_some() => Outcome::Released(run.held_for.clone()),
                // Its plan was held before it failed.
                RunState::Failed if !run.held_for.is_empty() => Outcome::Withheld,
                RunState::Applied if run.counts.is_some_and(|counts| !counts.has_changes()) => Outcome::Withheld,
                // A run that died or failed may have handed on any of its steps.
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

/// Whether the domain's first sync has not granted everything yet.
pub(crate) fn is_first_sync(state: &SyncState) -> bool {
    state.roster.is_none() || state.guard.first_sync_is_open
}

/// The announced runs that may still count after this run: all while a plan is held, and otherwise those without an end.
pub(crate) fn still_announced(announced: &[Run], run: &Run) -> Vec<Ulid> {
    let is_held = matches!(run.state, RunState::Held | RunState::Waiting) || run.decided_by.is_some();
    let is_open = |earlier: &&Run| is_held || matches!(earlier.state, RunState::Held | RunState::Released);
    let mut ids: Vec<_> = announced.iter().filter(is_open).map(|earlier| earlier.id).collect();
    if run.state == RunState::Held {
        ids.push(run.id);
    }
    let excess = ids.len().saturating_sub(ANNOUNCED);
    ids.drain(..excess);
    ids
}

/// A released run whose message was lost: nothing has been heard of it for longer than the queue retries.
pub(crate) fn lost_release(announced: &[Run], now: Timestamp) -> Option<&Run> {
    announced.iter().find(|run| {
        let last = run.finished.max(run.saved).max(run.resent);
        run.state == RunState::Released && last.is_none_or(|at| now.duration_since(at) >= RELEASE_IN_FLIGHT)
    })
}

fn before(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_sub(by).unwrap_or(Timestamp::MIN)
}
