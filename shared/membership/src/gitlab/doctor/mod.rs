//! Checks the client's assumptions about a GitLab server against the real service.
//!
//! An operator runs it before the first sync. It makes one request at a time, and the report contains no names of people, so
//! that it can be attached to an issue.

mod report;
mod run;

pub use report::{Check, GroupReport, Report};
pub use run::{CheckPlan, examine};

/// The result of one check.
pub type Finding = crate::doctor::Finding<Check>;
