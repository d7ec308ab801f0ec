//! Syncs of a team at a fake membership source, by topic.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says where it stopped"
)]

mod foreign;
mod gitlab;
mod guard;
mod held;
mod joiners;
mod late;
mod leavers;
mod lookups;
mod merges;
mod name_lookup;
mod observer;
mod reading;
mod renames;
mod resumption;
mod retire;
mod rolling;
mod runs;
mod skip_reading;
mod source;
mod support;
mod team;
