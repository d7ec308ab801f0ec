//! The last dry run: its progress, then its plan.

use askama::Template;
use jiff::Timestamp;
use membermail_store::{DryRun, DryRunPhase};
use membermail_texts::FluentValue;

use super::steps::Steps;
use super::words::{basis_in_words, changes_in_words, reasons_in_words};
use super::{DRY_RUN, Fact, PLANS, REFRESH};
use crate::admin::Console;
use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/plans/dry-run.html")]
pub struct DryRunPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// Seconds until the page shows the progress again; none after the end.
    pub refresh: Option<u32>,
    /// The state in words.
    pub state: String,
    /// The class that colours the state.
    pub mood: &'static str,
    /// Whether there is a plan.
    pub is_done: bool,
    /// Whether some members were not looked up.
    pub is_partial: bool,
    /// What the plan was made from, and its changes.
    pub facts: Vec<Fact>,
    /// Why a run of this plan would be held.
    pub reasons: Vec<Fact>,
    /// The steps.
    pub steps: Steps,
}

impl<'a> DryRunPage<'a> {
    /// Describes a dry run.
    pub fn new(site: Site<'a>, console: Console<'a>, dry_run: &DryRun, steps: Steps, now: Timestamp) -> Self {
        let wording = site.wording;
        let phase = dry_run.phase(now);
        let (state, mood) = state(dry_run, phase, wording);
        let mut facts = Vec::new();
        if let Some(counts) = &dry_run.counts {
            facts = basis_in_words(counts, wording);
            facts.extend(changes_in_words(counts, wording));
        }
        let is_done = phase == DryRunPhase::Done;
        Self {
            refresh: phase.is_open().then_some(REFRESH),
            state,
            mood,
            is_done,
            is_partial: is_done && !dry_run.is_complete,
            facts,
            reasons: reasons_in_words(&dry_run.held_for, wording),
            steps,
            site,
            console,
        }
    }

    fn plans(&self) -> String {
        self.console.path(PLANS)
    }

    fn path(&self) -> String {
        self.console.path(DRY_RUN)
    }
}

/// The state of a dry run in words, and the class that colours it.
pub(super) fn state(dry_run: &DryRun, phase: DryRunPhase, wording: Wording<'_>) -> (String, &'static str) {
    let describe =
        |part, at: Timestamp| wording.part_with("plans-dry-run-states", part, &[("moment", wording.moment(at).into())]);
    match phase {
        DryRunPhase::Waiting => (describe("waiting", dry_run.requested_at), "wait"),
        DryRunPhase::Running if dry_run.read > 0 => (progress(dry_run, wording), "wait"),
        DryRunPhase::Running => (describe("running", dry_run.requested_at), "wait"),
        DryRunPhase::Done => (describe("done", dry_run.finished.unwrap_or(dry_run.requested_at)), "good"),
        DryRunPhase::Failed(why) => (wording.part("plans-dry-run-failures", why.as_ref()), "bad"),
        DryRunPhase::Lost => (describe("lost", dry_run.requested_at), "bad"),
    }
}

fn progress(dry_run: &DryRun, wording: Wording<'_>) -> String {
    let read = ("read", FluentValue::from(wording.number(dry_run.read)));
    match dry_run.total.filter(|total| *total > 0) {
        Some(total) => {
            let total = ("total", FluentValue::from(wording.number(total)));
            wording.part_with("plans-dry-run-states", "read-of", &[read, total])
        }
        None => wording.part_with("plans-dry-run-states", "read", &[read]),
    }
}
