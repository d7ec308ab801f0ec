//! A client of the Launchpad web service, for the one question of a sign-in: who is this, and in which teams?
//!
//! Launchpad is slow at times and down at others, so each request is repeated with growing, jittered pauses until
//! the [`Settings::patience`] of the whole look-up is used up. What it answers is never guessed at: a flag that is
//! missing, a list that changes while it is read or a link that leads elsewhere is an [`Error`], never a "no".

mod client;
mod collection;
mod error;
mod person;
mod retry;

pub use client::{Client, Settings};
pub use error::{Error, SettingsError};

#[cfg(test)]
mod tests;
