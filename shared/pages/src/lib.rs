//! Code that the functions share which talk to browsers: where the site is, who is signed in, the frame of a page, the headers of an answer.

pub mod account;
pub mod answer;
pub mod assets;
pub mod layout;
pub mod place;
pub mod public_url;
pub mod signed_in;
