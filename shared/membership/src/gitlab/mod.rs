//! A client of a GitLab server's REST API.
//!
//! People are looked up by user id, which is the subject of the server's ID tokens and survives a rename. Groups are read by
//! id too: a path can pass to another group. Responses are parsed strictly: a missing or mistyped field is an
//! [`Error`](crate::Error), never a "no", and a token that the server refuses says nothing about a person.
//!
//! The requests need the token of an ordinary account with the scope `read_api`, even for public groups.

mod client;
pub mod doctor;
mod members;
mod response;
mod settings;
mod source;
mod token;

pub use client::Client;
pub use settings::Settings;
pub use token::{Token, Tokens};

#[cfg(test)]
mod tests;
