//! Checks the client's assumptions about Launchpad against the real service.
//!
//! An operator runs it before the first sync. It is anonymous and makes one request at a time. The report contains no names
//! of people, so that it can be attached to an issue.

mod identity;
mod record;
mod report;
mod roster;
mod run;

pub use report::{Check, Dates, PageReport, Report, TeamReport};
pub use run::{CheckPlan, examine};

/// The result of one check.
pub type Finding = crate::doctor::Finding<Check>;

#[cfg(test)]
mod tests;
