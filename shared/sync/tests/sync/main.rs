//! Syncs of a team at a source in memory, with a table in a real DynamoDB, by topic.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says where it stopped"
)]

mod called;
mod guard;
mod held;
mod joiners;
mod late;
mod leavers;
mod lookups;
mod merges;
mod observer;
mod reading;
mod remembered;
mod renames;
mod resumption;
mod retire;
mod rolling;
mod runs;
mod source;
mod support;
mod team;
