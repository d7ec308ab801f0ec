//! Membership sources: who a person is and in which groups, asked by identity.

pub mod launchpad;
mod source;

pub use launchpad::Error;
pub use source::{PageCursor, RosterPage, Source, WholeRoster, read_roster};
