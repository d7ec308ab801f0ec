//! What the functions that talk to browsers share: where the site is, the frame of a page, the headers of an answer.

pub mod account;
pub mod answer;
pub mod assets;
pub mod layout;
pub mod place;
