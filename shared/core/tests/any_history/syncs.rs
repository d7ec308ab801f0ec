//! Runs as the engine does them: with stale reads and a wrong clock, guarded, and released.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, ExpectedVersion};
use membermail_core::guard::{self, History, HoldReason, Outcome, PastRun, Verdict, WINDOW};
use membermail_core::lifecycle::{Action, ChangeKind, Step};
use membermail_core::member::MemberId;
use membermail_core::plan::Plan;

use crate::world::{Message, World};

/// The faults of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    /// Number of last steps that are lost because the run dies.
    pub(crate) lost: usize,
    /// A person who is missing from the pages.
    pub(crate) unseen: Option<usize>,
    /// Number of look-ups that fail.
    pub(crate) fails: usize,
    /// Whether the run saves the names.
    pub(crate) saves_names: bool,
    /// Number of latest writes that the run does not see.
    pub(crate) lag: usize,
}

/// A stored run.
#[derive(Clone, Debug)]
pub(crate) struct PastSync {
    pub(crate) started: Timestamp,
    pub(crate) past: PastRun,
    /// Its steps; a held run applied only the bans.
    steps: Vec<Step>,
    /// The reasons of a hold.
    reasons: Vec<HoldReason>,
}

impl World {
    /// The time on the sync's clock.
    pub(crate) fn sync_clock(&self) -> Timestamp {
        self.now + self.skew
    }

    /// The table without its latest writes.
    pub(crate) fn stale_table(&self, writes: usize) -> BTreeMap<Address, Alias> {
        let mut table = self.table.clone();
        for (address, before) in self.undo.iter().rev().take(writes) {
            match before {
                Some(before) => table.insert(address.clone(), before.clone()),
                None => table.remove(address),
            };
        }
        table
    }

    pub(crate) fn sync(&mut self, Faults { lost, unseen, fails, saves_names, lag }: Faults) {
        let (plan, mut names, cursor) = self.plan_with_lag(unseen, fails, true, lag);
        let history = self.history(plan.read_at);
        let verdict = guard::check(&plan, &history, &self.rules);
        let Plan { steps, read_at, counts, .. } = plan;
        let reasons = verdict.clone().reasons();
        let (mut to_enqueue, outcome) = match verdict {
            Verdict::Pass => {
                let outcome = Outcome::Unattended { steps: steps.clone(), first_sync: self.runs.is_empty() };
                (steps.clone(), outcome)
            }
            Verdict::Hold(_) => {
                let grants = steps.iter().filter(|step| step.action.kind() == Some(ChangeKind::Grants));
                let withheld: Vec<_> =
                    grants.filter_map(|step| step.known_as.as_ref()).map(|known_as| known_as.name.clone()).collect();
                names.forget(&withheld);
                self.held = Some(self.runs.len());
                (steps.iter().filter(|step| !step.action.is_guarded()).cloned().collect(), Outcome::Withheld)
            }
        };
        self.runs.push(PastSync { started: read_at, past: PastRun { counts: Some(counts), outcome }, steps, reasons });
        self.assert_removals_bounded();
        to_enqueue.truncate(to_enqueue.len().saturating_sub(lost));
        self.queue.extend(to_enqueue.into_iter().map(|step| Message { step, read_at }));
        if saves_names && lost == 0 {
            self.previous = names;
            self.cursor = cursor;
        }
    }

    fn history(&self, now: Timestamp) -> History {
        let since = now - WINDOW;
        let recent = self.runs.iter().rev().filter(|run| run.started >= since).map(|run| run.past.clone());
        History::of(recent, self.runs.is_empty())
    }

    /// Releases the held plan: the steps that a new plan has too are enqueued.
    pub(crate) fn release(&mut self) {
        let Some(held) = self.held.take() else { return };
        let run = &mut self.runs[held];
        run.past.outcome = Outcome::Released(run.reasons.clone());
        let held = run.steps.clone();
        let (Plan { steps, read_at, .. }, ..) = self.plan(None, 0, true);
        let held: BTreeSet<_> = held.iter().filter(|step| step.action.is_guarded()).map(approval).collect();
        let approved = steps.into_iter().filter(|step| held.contains(&approval(step)));
        self.queue.extend(approved.map(|step| Message { step, read_at }));
    }

    /// Asserts that the removals of a day without an operator's decision stay within the limits. Counts them independently of
    /// the guard.
    fn assert_removals_bounded(&self) {
        let Some(last) = self.runs.last() else { return };
        let mut removed = BTreeSet::new();
        let mut active = last.past.counts.map_or(0, |counts| counts.active);
        let mut is_removing = false;
        for run in self.runs.iter().rev().take_while(|run| !matches!(run.past.outcome, Outcome::Released(_))) {
            let age = last.started.duration_since(run.started);
            // A run whose clock was ahead has a negative age and counts.
            if age > WINDOW {
                continue;
            }
            active = active.max(run.past.counts.map_or(0, |counts| counts.active));
            if let Outcome::Unattended { steps, .. } = &run.past.outcome {
                let leaves = steps.iter().filter(|step| matches!(step.action, Action::Leave { .. }));
                removed.extend(leaves.map(|step| step.address.clone()));
                is_removing |= std::ptr::eq(run, last) && !removed.is_empty();
            }
        }
        let removed = removed.len() as u64;
        let exceeds_limit = removed > u64::from(self.rules.hold_above_count)
            && removed * 100 > active * u64::from(self.rules.hold_above_percent);
        assert!(!is_removing || !exceeds_limit, "{removed} of {active} were removed within a day");
    }
}

/// What an operator approves of a step.
fn approval(step: &Step) -> (Address, ExpectedVersion, MemberId, Option<ChangeKind>) {
    (step.address.clone(), step.expected, step.member, step.action.kind())
}
