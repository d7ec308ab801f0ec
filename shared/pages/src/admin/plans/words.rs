//! States, counts and reasons of runs in words.

use jiff::Timestamp;
use membermail_core::audit::Actor;
use membermail_core::guard::HoldReason;
use membermail_core::plan::Counts;
use membermail_store::{Run, RunState};
use membermail_texts::FluentValue;

use super::{Fact, changes};
use crate::wording::Wording;

/// Who decided on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decider {
    /// An operator or an admin; absent in runs that are older than the admin console.
    pub actor: Option<Actor>,
    /// The name: of the admin at the membership source, or of the operator.
    pub name: String,
}

impl Decider {
    fn in_words(&self, wording: Wording<'_>) -> String {
        let part = if self.actor == Some(Actor::Admin) { "admin" } else { "operator" };
        wording.part_with("plans-decider", part, &[("name", self.name.as_str().into())])
    }
}

/// The state of a run, and the class that colours it.
pub(super) fn state(run: &Run, wording: Wording<'_>) -> (String, &'static str) {
    let mood = match run.state {
        RunState::Unchanged | RunState::Applied => "good",
        RunState::Running | RunState::Paused | RunState::Released | RunState::Held | RunState::Waiting => "wait",
        RunState::Rejected | RunState::Failed | RunState::Died => "bad",
    };
    (wording.part("plans-states", run.state.as_ref()), mood)
}

/// The changes of a plan in one line; empty without changes.
pub(super) fn changes_in_line(counts: &Counts, wording: Wording<'_>) -> String {
    let facts = changes_in_words(counts, wording).into_iter();
    let lines = facts.map(|Fact { label, value }| {
        wording.text_with("plans-change", &[("label", label.into()), ("number", value.into())])
    });
    lines.collect::<Vec<_>>().join(&wording.text("admin-list-separator"))
}

/// The changes of a plan that there are.
pub(super) fn changes_in_words(counts: &Counts, wording: Wording<'_>) -> Vec<Fact> {
    let changes = changes(counts).into_iter().filter(|(_, count)| *count > 0);
    let facts =
        changes.map(|(part, count)| Fact { label: wording.part("plans-changes", part), value: wording.number(count) });
    facts.collect()
}

/// What a plan was made from.
pub(super) fn basis_in_words(counts: &Counts, wording: Wording<'_>) -> Vec<Fact> {
    let Counts { participants, active, looked_up, unverified, .. } = *counts;
    let unverified = (unverified > 0).then_some(("unverified", unverified));
    let basis = [("participants", participants), ("active", active), ("looked-up", looked_up)];
    let facts = basis
        .into_iter()
        .chain(unverified)
        .map(|(part, count)| Fact { label: wording.part("plans-basis", part), value: wording.number(count) });
    facts.collect()
}

/// Why a plan is held.
pub(super) fn reasons_in_words(reasons: &[HoldReason], wording: Wording<'_>) -> Vec<Fact> {
    let facts = reasons.iter().map(|reason| match reason {
        HoldReason::Bound { kind, count, earlier, of, .. } => {
            let args = [("count", FluentValue::from(*count)), ("of", (*of).into())];
            let mut value = wording.text_with("held-of", &args);
            if *earlier > 0 {
                let earlier = wording.text_with("plans-earlier", &[("number", wording.number(*earlier).into())]);
                value = format!("{value} {earlier}");
            }
            Fact { label: wording.text(&format!("held-many-{kind}")), value }
        }
        HoldReason::Unverified { count } => {
            Fact { label: wording.part("plans-basis", "unverified"), value: wording.number(*count) }
        }
    });
    facts.collect()
}

/// Who decided on a run, and when; none without a decision.
pub(super) fn decision_in_words(run: &Run, decider: Option<&Decider>, wording: Wording<'_>) -> Option<String> {
    let decider = decider?;
    let part = if run.state == RunState::Rejected { "rejected" } else { "released" };
    let at: Timestamp = run.decided_at.or(run.finished).unwrap_or(run.started);
    let args = [("who", decider.in_words(wording).into()), ("moment", wording.moment(at).into())];
    Some(wording.part_with("plans-decision", part, &args))
}
