//! An anonymous client of the Launchpad web service.
//!
//! People are looked up by identity (`getByOpenIDIdentifier`), because nothing else that an anonymous client sees of a person
//! survives a rename. Names, dates and flags are observations. Responses are parsed strictly: a missing, redacted or mistyped
//! field is an [`Error`](crate::Error), never a "no".
//!
//! Launchpad is sometimes slow or down. Transient failures are retried with the backoff of [`Settings::pauses`], within
//! [`Settings::lookup_timeout`] for a lookup and without a limit for a roster page.
//!
//! Requests are not conditional: lists have no `ETag`, and a lookup never reads the same object twice.

mod client;
pub mod doctor;
mod identifier;
mod pages;
mod response;
mod settings;
mod source;

pub use client::Client;
pub use settings::Settings;

#[cfg(test)]
mod tests;
