//! The list of runs, with the forms that start a dry run or a sync.

use askama::Template;
use jiff::{SignedDuration, Timestamp};
use membermail_store::{DryRun, DryRunPhase, Run};
use ulid::Ulid;

use super::words::{changes_in_line, state};
use super::{DRY_RUN, PLANS, REFRESH, run_path};
use crate::admin::Console;
use crate::layout::Site;

/// A sync that waits longer than this is not about to start, so the page does not refresh for it.
const SOON: SignedDuration = SignedDuration::from_mins(10);

/// The page.
#[derive(Template)]
#[template(path = "admin/plans/list.html")]
pub struct Plans<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The frame.
    pub console: Console<'a>,
    /// Seconds until the page shows the progress again; none if nothing is in progress.
    pub refresh: Option<u32>,
    /// The last dry run in words.
    pub dry_run: Option<String>,
    /// Whether a dry run may be requested.
    pub can_start: bool,
    /// Why no sync can be requested now, in words.
    pub sync: Option<String>,
    /// Whether the admin may request a sync.
    pub can_sync: bool,
    /// The runs.
    pub rows: Vec<RunRow>,
    /// The query of the page with older runs.
    pub older: Option<String>,
    /// Whether the page has the newest runs.
    pub is_first: bool,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// The path of its page.
    pub path: String,
    /// When it started.
    pub moment: String,
    /// Its state in words.
    pub state: String,
    /// The class that colours the state.
    pub mood: &'static str,
    /// What it changes or would change.
    pub changes: String,
}

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The runs, newest first.
    pub runs: &'a [Run],
    /// Whether there are older ones.
    pub has_older: bool,
    /// Whether these are the newest ones.
    pub is_first: bool,
    /// The last dry run.
    pub dry_run: Option<&'a DryRun>,
    /// Since when the message of a sync waits in the queue.
    pub waiting_since: Option<Timestamp>,
    /// The run that is in progress.
    pub in_progress: Option<Ulid>,
    /// Whether the admin may request a sync.
    pub can_sync: bool,
}

impl<'a> Plans<'a> {
    /// Describes the runs.
    pub fn new(site: Site<'a>, console: Console<'a>, listed: &Listed<'_>, now: Timestamp) -> Self {
        let Listed { runs, has_older, is_first, dry_run, waiting_since, in_progress, can_sync } = *listed;
        let wording = site.wording;
        let phase = dry_run.map(|dry_run| dry_run.phase(now));
        let is_dry_run_open = phase.is_some_and(DryRunPhase::is_open);
        let is_soon = waiting_since.is_some_and(|since| now.duration_since(since) < SOON);
        let is_in_progress = in_progress.is_some() || is_soon || is_dry_run_open;
        let sync = match (in_progress, waiting_since) {
            (Some(_), _) => Some(wording.text("plans-sync-running")),
            (None, Some(since)) => {
                Some(wording.text_with("plans-sync-waiting", &[("moment", wording.moment(since).into())]))
            }
            (None, None) => None,
        };
        let rows = runs.iter().map(|run| {
            let (state, mood) = state(run, wording);
            let changes = run.counts.as_ref().map(|counts| changes_in_line(counts, wording)).unwrap_or_default();
            RunRow { path: run_path(&console, run.id), moment: wording.moment(run.started), state, mood, changes }
        });
        Self {
            refresh: (is_in_progress && is_first).then_some(REFRESH),
            dry_run: dry_run.zip(phase).map(|(dry_run, phase)| super::dry_run::state(dry_run, phase, wording).0),
            can_start: !is_dry_run_open,
            sync,
            can_sync,
            rows: rows.collect(),
            older: runs.last().filter(|_| has_older).map(|run| format!("?before={}", run.id)),
            is_first,
            site,
            console,
        }
    }

    fn plans(&self) -> String {
        self.console.path(PLANS)
    }

    fn dry_run_path(&self) -> String {
        self.console.path(DRY_RUN)
    }
}
