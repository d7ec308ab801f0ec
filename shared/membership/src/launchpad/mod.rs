//! A client of the Launchpad web service, for two questions: who is this and in which teams, and who is in a team?
//!
//! Launchpad is slow at times and down at others, so each request is repeated with growing, jittered pauses until
//! the [`Settings::patience`] of the whole look-up is used up. What it answers is never guessed at: a flag that is
//! missing, a list that changes while it is read or a link that leads elsewhere is an [`Error`], never a "no".
//!
//! No request is conditional: a list of lazr.restful has no `ETag`, and what one look-up reads no later one reads again.

mod client;
mod collection;
mod error;
mod person;
mod retry;
mod team;

pub use client::{Client, Observer, Settings};
pub use error::{Error, SettingsError};
pub use team::Named;

#[cfg(test)]
mod tests;
