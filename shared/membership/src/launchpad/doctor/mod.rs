//! Checks what the client believes of Launchpad against the real service.
//!
//! An operator runs it before the first sync, anonymously and with one request at a time. The report holds no name of a
//! person, so that it can go into an issue.

mod identity;
mod record;
mod report;
mod roster;
mod run;

pub use report::{Check, Dates, Finding, PageReport, Report, TeamReport, Verdict};
pub use run::{Questions, examine};

#[cfg(test)]
mod tests;
