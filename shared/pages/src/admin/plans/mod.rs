//! The pages about the syncs of a domain: runs and dry runs with their plans, and the decision on a held run.

pub mod decision;
pub mod dry_run;
pub mod list;
pub mod run;
pub mod steps;
mod words;

pub use words::Decider;

use membermail_core::plan::Counts;
use membermail_store::{Run, RunState};

use crate::admin::Console;

/// Seconds between two refreshes of a page that shows progress.
const REFRESH: u32 = 4;

/// A label and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The label.
    pub label: String,
    /// The value.
    pub value: String,
}

/// The page of the runs, below the domain.
pub const PLANS: &str = "/plans";
/// The page of the last dry run, below the domain.
pub const DRY_RUN: &str = "/plans/dry-run";

fn run_path(console: &Console<'_>, run: ulid::Ulid) -> String {
    console.path(&format!("{PLANS}/{run}"))
}

fn is_open(run: &Run) -> bool {
    matches!(run.state, RunState::Running | RunState::Paused | RunState::Released)
}

/// The changes of a plan by kind, with the names of their texts. The first ones grant, the others remove.
fn changes(counts: &Counts) -> [(&'static str, u64); 6] {
    let Counts { create, rename, restore, leave, suspend, retire, .. } = *counts;
    [
        ("create", create),
        ("rename", rename),
        ("restore", restore),
        ("leave", leave),
        ("suspend", suspend),
        ("retire", retire),
    ]
}

#[cfg(test)]
#[path = "../plans_tests.rs"]
mod tests;
