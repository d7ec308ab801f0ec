//! The preview of a decision on a held run, with its form.

use askama::Template;
use membermail_core::audit::Comment;
use membermail_store::Run;

use super::words::{changes_in_words, reasons_in_words};
use super::{Fact, run_path};
use crate::admin::Console;
use crate::layout::Site;

/// What an admin decides on a held run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::AsRefStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Decision {
    /// Its changes are applied, as far as they are still right.
    Release,
    /// Its changes are not applied, and the same plan is not announced again.
    Reject,
}

/// The page.
#[derive(Template)]
#[template(path = "admin/plans/decision.html")]
pub struct DecisionPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// The decision.
    pub decision: Decision,
    /// When the run started.
    pub moment: String,
    /// What the plan would change.
    pub changes: Vec<Fact>,
    /// Why the run is held.
    pub reasons: Vec<Fact>,
    /// The path of the run's page.
    pub run: String,
}

impl<'a> DecisionPage<'a> {
    /// Previews a decision.
    pub fn new(site: Site<'a>, console: Console<'a>, run: &Run, decision: Decision) -> Self {
        let wording = site.wording;
        Self {
            decision,
            moment: wording.moment(run.started),
            changes: run.counts.as_ref().map(|counts| changes_in_words(counts, wording)).unwrap_or_default(),
            reasons: reasons_in_words(&run.held_for, wording),
            run: run_path(&console, run.id),
            site,
            console,
        }
    }

    /// A text about this decision.
    fn part(&self, part: &str) -> String {
        let id = format!("plans-{}", self.decision.as_ref());
        self.site.wording.part_with(&id, part, &[("moment", self.moment.as_str().into())])
    }

    fn action(&self) -> String {
        format!("{}/{}", self.run, self.decision.as_ref())
    }

    fn longest(&self) -> usize {
        Comment::MAX_CHARACTERS
    }
}
