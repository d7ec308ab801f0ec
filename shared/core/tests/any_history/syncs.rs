//! Runs as the engine does them: from a table that may be behind, by a clock that may be wrong, guarded, and released.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::Alias;
use membermail_core::guard::{self, History, HoldReason, Kind, Outcome, PastRun, Verdict, WINDOW};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::plan::Plan;

use crate::world::{Message, World};

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adversity {
    /// Steps that are not handed on, since the run dies.
    pub(crate) lost: usize,
    /// A person whom the pages miss.
    pub(crate) unseen: Option<usize>,
    /// Members of all that are looked up who get no answer.
    pub(crate) fails: usize,
    /// Whether it stores the names before it dies.
    pub(crate) stores: bool,
    /// Writes by which the table is behind.
    pub(crate) behind: usize,
}

/// A run, as the table keeps it.
#[derive(Clone, Debug)]
pub(crate) struct PastSync {
    pub(crate) started: Timestamp,
    pub(crate) past: PastRun,
    /// Its steps, of which a held run handed on bans only.
    steps: Vec<Step>,
    /// Why it was held.
    reasons: Vec<HoldReason>,
}

impl World {
    /// The time as the sync has it.
    pub(crate) fn clock_of_sync(&self) -> Timestamp {
        self.now + self.skew
    }

    /// The table without the latest writes.
    pub(crate) fn behind(&self, writes: usize) -> BTreeMap<Address, Alias> {
        let mut table = self.table.clone();
        for (address, before) in self.undo.iter().rev().take(writes) {
            match before {
                Some(before) => table.insert(address.clone(), before.clone()),
                None => table.remove(address),
            };
        }
        table
    }

    pub(crate) fn sync(&mut self, Adversity { lost, unseen, fails, stores, behind }: Adversity) {
        let (plan, mut names, cursor) = self.plan_behind(unseen, fails, true, behind);
        let history = self.history(plan.read_at);
        let verdict = guard::check(&plan, &history, &self.rules);
        let Plan { steps, read_at, counts, .. } = plan;
        let reasons = verdict.clone().reasons();
        let (mut handed_on, outcome) = match verdict {
            Verdict::Pass => {
                let outcome = Outcome::Unattended { steps: steps.clone(), first_sync: self.runs.is_empty() };
                (steps.clone(), outcome)
            }
            Verdict::Hold(_) => {
                let grants = steps.iter().filter(|step| Kind::of(&step.action) == Some(Kind::Grants));
                let withheld: Vec<_> =
                    grants.filter_map(|step| step.known_as.as_ref()).map(|known_as| known_as.name.clone()).collect();
                names.forget(&withheld);
                self.held = Some(self.runs.len());
                (steps.iter().filter(|step| !step.action.can_wait()).cloned().collect(), Outcome::Withheld)
            }
        };
        self.runs.push(PastSync { started: read_at, past: PastRun { counts: Some(counts), outcome }, steps, reasons });
        self.stays_in_bounds();
        handed_on.truncate(handed_on.len().saturating_sub(lost));
        self.queue.extend(handed_on.into_iter().map(|step| Message { step, read_at }));
        if stores && lost == 0 {
            (self.previous, self.cursor) = (names, cursor);
        }
    }

    fn history(&self, now: Timestamp) -> History {
        let since = now - WINDOW;
        let recent = self.runs.iter().rev().filter(|run| run.started >= since).map(|run| run.past.clone());
        History::of(recent, self.runs.is_empty())
    }

    /// An operator releases the held plan, and what is still right goes on the queue.
    pub(crate) fn release(&mut self) {
        let Some(place) = self.held.take() else { return };
        let run = &mut self.runs[place];
        run.past.outcome = Outcome::Released(run.reasons.clone());
        let held = run.steps.clone();
        let (Plan { steps, read_at, .. }, ..) = self.plan(None, 0, true);
        let approval = |step: &Step| (step.address.clone(), step.version, step.member, Kind::of(&step.action));
        let held: BTreeSet<_> = held.iter().filter(|step| step.action.can_wait()).map(approval).collect();
        let approved = steps.into_iter().filter(|step| held.contains(&approval(step)));
        self.queue.extend(approved.map(|step| Message { step, read_at }));
    }

    /// What runs removed within a day and no operator saw stays within the rules: counted here in another way than by the
    /// guard.
    fn stays_in_bounds(&self) {
        let Some(last) = self.runs.last() else { return };
        let (mut gone, mut active) = (BTreeSet::new(), last.past.counts.map_or(0, |counts| counts.active));
        let mut is_removing = false;
        for run in self.runs.iter().rev().take_while(|run| !matches!(run.past.outcome, Outcome::Released(_))) {
            let age = last.started.duration_since(run.started);
            // A run by a clock that was ahead was not long ago.
            if age > WINDOW {
                continue;
            }
            active = active.max(run.past.counts.map_or(0, |counts| counts.active));
            if let Outcome::Unattended { steps, .. } = &run.past.outcome {
                let leaves = steps.iter().filter(|step| matches!(step.action, Action::Leave { .. }));
                gone.extend(leaves.map(|step| step.address.clone()));
                is_removing |= std::ptr::eq(run, last) && !gone.is_empty();
            }
        }
        let gone = gone.len() as u64;
        let is_much = gone > u64::from(self.rules.hold_above_count)
            && gone * 100 > active * u64::from(self.rules.hold_above_percent);
        assert!(!is_removing || !is_much, "{gone} of {active} were removed within a day");
    }
}
