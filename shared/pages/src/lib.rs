//! Shared by the functions that serve browsers: public URL, session lookup, forms, page templates and their language, response
//! headers.

pub mod account;
pub mod admin;
pub mod assets;
pub mod configured_url;
pub mod data;
pub mod form;
pub mod history;
pub mod identities;
pub mod language;
pub mod layout;
pub mod proofs;
pub mod public_url;
pub mod response;
pub mod serve;
pub mod sessions;
pub mod signed_in;
pub mod signed_out;
pub mod status;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wording;
