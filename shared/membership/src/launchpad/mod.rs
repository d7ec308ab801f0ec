//! A client of the Launchpad web service, as an anonymous client sees it.
//!
//! People are asked for by identity (`getByOpenIDIdentifier`), because nothing else that an anonymous client sees of a
//! person survives a rename. Names, dates and flags are observations. Every answer is read strictly: a field that is
//! missing, redacted or of another type is an [`Error`], never a "no".
//!
//! Launchpad is slow at times and down at others. A failure that may pass is retried after the pauses of
//! [`Settings::pauses`], within [`Settings::lookup_timeout`] for a look-up; a page of a roster has all attempts.
//!
//! No request is conditional: a list has no `ETag`, and one look-up never reads the same object twice.

mod answer;
mod client;
pub mod doctor;
mod error;
mod identifier;
mod pages;
mod retry;
mod settings;
mod source;

pub use client::{Client, Observer};
pub use error::{Error, SettingsError};
pub use settings::Settings;

#[cfg(test)]
mod tests;
