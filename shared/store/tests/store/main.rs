//! The table in a real DynamoDB, by topic.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says where it stopped"
)]

mod address_limit;
mod admins;
mod bans;
mod checks;
mod decisions;
mod digests;
mod domains;
mod edges;
mod erasure;
mod expiry;
mod gates;
mod late;
mod links;
mod lives;
mod members;
mod names;
mod notices;
mod outbox;
mod resealing;
mod restore;
mod retirement;
mod runs;
mod slots;
mod support;
mod sync_requests;
mod sync_state;
mod table;
mod teams;
