//! What DNS says of a domain: its proof, and what it says about its mail.

mod look;
mod resolver;
mod settings;

pub use look::{Look, look};
pub use resolver::{DnsError, Resolver};
pub use settings::{NameServers, NameServersError, Settings};
