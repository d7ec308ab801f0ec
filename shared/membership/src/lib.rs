//! Membership sources, which look up people and their groups by identity.

mod doctor;
mod error;
pub mod gitlab;
mod http;
pub mod launchpad;
mod retry;
mod source;

pub use doctor::{Finding, Verdict};
pub use error::{Error, SettingsError};
pub use http::Observer;
pub use source::{PageCursor, RosterPage, Source, WholeRoster, read_roster};
