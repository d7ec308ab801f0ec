//! What the server asks of the table, as questions and answers, so that cache and maps know nothing of DynamoDB.

use async_trait::async_trait;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Reason, Status};
use membermail_core::email::EmailAddress;

/// What the maps need to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// What becomes of mail to this address.
    Alias(Address),
    /// Whether the domain has proven that it is the community's.
    Domain(DomainName),
    /// Where those of its admins who can act read mail.
    Admins(DomainName),
    /// Which domains the table has.
    Domains,
}

impl Question {
    /// Octets of its names, for the bound on the cache.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Alias(address) => address.local_part.as_str().len() + address.domain.as_str().len(),
            Self::Domain(domain) | Self::Admins(domain) => domain.as_str().len(),
            Self::Domains => 0,
        }
    }
}

/// What the table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is no such thing.
    Nothing,
    /// Mail goes there.
    Forwards(EmailAddress),
    /// Mail is refused.
    Refuses(Status, Reason),
    /// The domain is the community's.
    Verified,
    /// Mail goes to all of these.
    Admins(Vec<EmailAddress>),
    /// The table has these domains, whether the community file still has them or not.
    Domains(Vec<DomainName>),
}

impl Answer {
    /// Octets of its addresses, for the bound on the cache.
    pub(crate) fn octets(&self) -> usize {
        match self {
            Self::Forwards(address) => address.expose().len(),
            Self::Admins(all) => all.iter().map(|one| one.expose().len() + size_of::<EmailAddress>()).sum(),
            Self::Domains(all) => all.iter().map(|one| one.as_str().len() + size_of::<DomainName>()).sum(),
            Self::Nothing | Self::Refuses(..) | Self::Verified => 0,
        }
    }
}

/// Where answers come from.
#[async_trait]
pub trait Source: Send + Sync {
    /// Answers one question.
    async fn answer(&self, question: &Question) -> Result<Answer, SourceError>;
}

/// Why there is no answer. Mail waits in all cases.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Nothing can be answered just now: ask again in a moment.
    #[error("the table is out of reach: {0}")]
    Unreachable(String),
    /// The table answers, and what it holds cannot be opened just now: ask again in a moment.
    #[error("the master secret is out of reach: {0}")]
    Secret(String),
    /// This cannot be answered: an operator looks at it.
    #[error("an item cannot be used: {0}")]
    Broken(String),
}
