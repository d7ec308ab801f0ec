//! A socketmap server for Postfix: the destinations of an alias, the reply to rejected mail, the domains that we accept mail
//! for, and return paths. It writes nothing to the table but senders of forwarded mail, for their bounces.

pub mod cache;
mod circuit_breaker;
pub mod client;
pub mod destinations;
pub mod endpoint;
mod forwarding;
pub mod lookups;
pub mod netstring;
pub mod protocol;
pub mod recipient;
pub mod refusal;
mod return_paths;
mod sender_maps;
pub mod server;
pub mod settings;
pub mod source;
pub mod table;
