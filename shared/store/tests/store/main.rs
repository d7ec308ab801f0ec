//! The store on a table in memory, or in DynamoDB where `MEMBERMAIL_STACK` is set, by topic.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where it stopped")]

mod address_limit;
mod admins;
mod audit_page;
mod bans;
mod checks;
mod confirmation;
mod conflicts;
mod decisions;
mod destinations;
mod digests;
mod domains;
mod dry_runs;
mod edges;
mod erase_request;
mod erasure;
mod expiry;
mod export;
mod failing;
mod gates;
mod identities;
mod interceptor;
mod links;
mod lives;
mod members;
mod names;
mod notices;
mod outbox;
mod resealing;
mod reserved_names;
mod restore;
mod retirement;
mod return_senders;
mod runs;
mod session_list;
mod slots;
mod status;
mod support;
mod switches;
mod sync_requests;
mod sync_state;
mod table;
mod teams;
mod undo;
