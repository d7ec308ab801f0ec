//! A run with its plan.

use askama::Template;
use membermail_store::{Run, RunState};

use super::steps::Steps;
use super::words::{Decider, basis_in_words, changes_in_words, decision_in_words, reasons_in_words, state};
use super::{Fact, PLANS, REFRESH, is_open, run_path};
use crate::admin::Console;
use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "admin/plans/run.html")]
pub struct RunPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// Seconds until the page shows the progress again; none after the end.
    pub refresh: Option<u32>,
    /// When it started.
    pub moment: String,
    /// The state in words.
    pub state: String,
    /// The class that colours the state.
    pub mood: &'static str,
    /// What the state means, and what to do next.
    pub advice: String,
    /// Whether the admin wanted to decide on it, but the decision was made before.
    pub is_decided_before: bool,
    /// Who decided, and when.
    pub decision: Option<String>,
    /// What they wrote about it.
    pub comment: Option<String>,
    /// The path of the run that this one waits for.
    pub waits_for: Option<String>,
    /// Whether the admin can decide on it now.
    pub can_decide: bool,
    /// Its numbers and changes.
    pub facts: Vec<Fact>,
    /// Why it is or was held.
    pub reasons: Vec<Fact>,
    /// The technical reason of a failure, in English.
    pub failure: Option<String>,
    /// The steps.
    pub steps: Steps,
    path: String,
}

/// What the page shows beside the run.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Who decided on the run.
    pub decider: Option<Decider>,
    /// Whether the admin may decide.
    pub can_decide: bool,
    /// Whether the admin wanted to decide on it, but the decision was made before.
    pub is_decided_before: bool,
    /// The steps.
    pub steps: Steps,
}

impl<'a> RunPage<'a> {
    /// Describes a run.
    pub fn new(site: Site<'a>, console: Console<'a>, run: &Run, shown: Shown) -> Self {
        let wording = site.wording;
        let (state, mood) = state(run, wording);
        Self {
            refresh: is_open(run).then_some(REFRESH),
            moment: wording.moment(run.started),
            state,
            mood,
            advice: wording.part("plans-advice", run.state.as_ref()),
            is_decided_before: shown.is_decided_before,
            decision: decision_in_words(run, shown.decider.as_ref(), wording),
            comment: run.comment.as_ref().map(ToString::to_string),
            waits_for: run.waits_for.map(|id| run_path(&console, id)),
            can_decide: shown.can_decide && run.state == RunState::Held,
            facts: facts(run, wording),
            reasons: reasons_in_words(&run.held_for, wording),
            failure: run.failure.clone(),
            steps: shown.steps,
            path: run_path(&console, run.id),
            site,
            console,
        }
    }

    fn plans(&self) -> String {
        self.console.path(PLANS)
    }
}

fn facts(run: &Run, wording: Wording<'_>) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(counts) = &run.counts {
        facts.extend(basis_in_words(counts, wording));
    }
    if let Some(hidden) = run.hidden.filter(|hidden| *hidden > 0) {
        facts.push(Fact { label: wording.part("plans-basis", "hidden"), value: wording.number(hidden) });
    }
    if let Some(counts) = &run.counts {
        facts.extend(changes_in_words(counts, wording));
    }
    facts
}
