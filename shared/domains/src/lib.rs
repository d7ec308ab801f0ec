//! Checks a domain in DNS: its proof of ownership and its mail records (MX, SPF, DMARC). Records the result in the table. The
//! function `check-domains` and the operator's command share this crate.

mod check;
mod records;
mod resolver;
mod settings;

pub use check::{Checker, DomainReport, Outcome, Report, check, check_one};
pub use records::{DomainRecords, fetch_records};
pub use resolver::{DnsError, Resolver};
pub use settings::{NameServers, NameServersError, Settings};
