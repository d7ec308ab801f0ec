//! The steps of a plan as a list that can be read like a diff.

use std::collections::BTreeMap;

use membermail_core::address::{Address, LocalPart};
use membermail_core::alias::{Alias, ExpectedVersion};
use membermail_core::lifecycle::{Action, Step};
use membermail_texts::FluentValue;

use crate::admin::reason_in_words;
use crate::wording::Wording;

/// A page of the steps of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// The steps.
    pub rows: Vec<StepRow>,
    /// The query of the page before this one.
    pub previous: Option<String>,
    /// The query of the page after this one.
    pub next: Option<String>,
    /// Which page this is, of how many; empty if there is only one.
    pub position: String,
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// The class that colours it.
    pub mood: &'static str,
    /// A sign, as in a diff.
    pub sign: &'static str,
    /// The address.
    pub address: String,
    /// The path of its page below the domain, once it exists.
    pub path: Option<String>,
    /// The member's name at the membership source.
    pub name: Option<String>,
    /// What happens, in words.
    pub what: String,
    /// Whether the address has changed since the plan was made, so that the step is skipped.
    pub is_stale: bool,
}

impl Steps {
    /// Describes a page. `aliases` has the addresses as they are now; `compares` says whether a step is still due.
    pub fn new(
        steps: &[Step],
        page: usize,
        last: usize,
        aliases: &BTreeMap<LocalPart, Alias>,
        compares: bool,
        wording: Wording<'_>,
    ) -> Self {
        let rows = steps.iter().map(|step| {
            let alias = aliases.get(&step.address.local_part);
            // Steps that no plan holds back were applied before.
            let is_stale = compares && step.action.is_guarded() && ExpectedVersion::of(alias) != step.expected;
            StepRow { is_stale, ..StepRow::new(step, alias, wording) }
        });
        let query = |page: usize| format!("?page={}", page + 1);
        let number = |page: usize| FluentValue::from(wording.number(page as u64 + 1));
        let position = [("page", number(page)), ("last", number(last))];
        Self {
            rows: rows.collect(),
            previous: page.checked_sub(1).map(query),
            next: (page < last).then(|| query(page + 1)),
            position: if last == 0 { String::new() } else { wording.text_with("plans-position", &position) },
        }
    }
}

impl StepRow {
    fn new(step: &Step, alias: Option<&Alias>, wording: Wording<'_>) -> Self {
        let (sign, mood) = match step.action {
            Action::Create | Action::Rename { .. } | Action::Restore => ("+", "good"),
            Action::Leave { .. } => ("~", "wait"),
            Action::Suspend { .. } | Action::Retire => ("−", "bad"),
            Action::Observe => ("=", ""),
        };
        let known_as = step.known_as.as_ref().or(alias.map(|alias| &alias.known_as));
        Self {
            mood,
            sign,
            address: step.address.to_string(),
            path: alias.map(|alias| format!("/addresses/{}", alias.address.local_part)),
            name: known_as.map(|known_as| known_as.name.to_string()),
            what: describe(step, wording),
            is_stale: false,
        }
    }
}

fn describe(step: &Step, wording: Wording<'_>) -> String {
    let describe = |part, args: &[_]| wording.part_with("plans-steps", part, args);
    match &step.action {
        Action::Create => describe("create", &[]),
        Action::Rename { from } => {
            let former = Address { local_part: from.clone(), domain: step.address.domain.clone() };
            describe("rename", &[("former", former.to_string().into())])
        }
        Action::Restore => describe("restore", &[]),
        Action::Leave { reason, until } => {
            let date = FluentValue::from(wording.date(*until));
            describe("leave", &[("date", date), ("reason", reason_in_words(*reason, wording).into())])
        }
        Action::Suspend { reason } => describe("suspend", &[("reason", reason_in_words(*reason, wording).into())]),
        Action::Retire => describe("retire", &[]),
        Action::Observe => describe("observe", &[]),
    }
}
