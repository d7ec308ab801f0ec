//! The server with fake sources, a fake AWS and hostile clients.

mod answers;
mod aws;
mod forwarding;
mod fuzz_seeds;
mod hostile;
mod octets;
mod quoted;
mod return_paths;
mod stored_destinations;
mod support;
mod table;
mod unit;

// The checks of the fuzz target find these at the root of their crate.
use membermail_alias_map::{netstring, protocol, recipient};
