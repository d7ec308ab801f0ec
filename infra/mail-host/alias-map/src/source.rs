//! The interface between the maps and the table, so that cache and maps do not depend on DynamoDB.

use async_trait::async_trait;
use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Reason, Status};
use membermail_core::email::EmailAddress;
use membermail_core::master::MasterKeys;
use membermail_return_path::{Sender, StoredToken};

use crate::destinations::Destinations;

/// A query to the table, and its key in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// The destinations or the state of an alias.
    Alias(Address),
    /// Whether the domain accepts mail.
    Domain(DomainName),
    /// The addresses of the domain's admins who can act.
    Admins(DomainName),
    /// All domains of the table.
    Domains,
    /// The sender that a return-path address was made for.
    ReturnSender(StoredToken),
    /// Stores that sender. A query, so that one write a day is enough for a sender, also for concurrent mail.
    StoreSender(StoredToken, Sender),
}

impl Query {
    /// Bytes on the heap, for the bound of the cache.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Alias(address) => address.local_part.as_str().len() + address.domain.as_str().len(),
            Self::Domain(domain) | Self::Admins(domain) => domain.as_str().len(),
            Self::Domains => 0,
            Self::ReturnSender(token) => token.as_str().len(),
            Self::StoreSender(token, sender) => token.as_str().len() + sender.expose().len(),
        }
    }
}

/// The result of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LookupResult {
    /// The table has no such item, or the domain accepts no mail.
    NotFound,
    /// The alias forwards to these destinations.
    Forwards(Destinations),
    /// The alias exists and rejects mail.
    Rejects(Status, Reason),
    /// The member has paused the alias.
    Paused {
        /// Whether mail is rejected for good instead of deferred.
        is_permanent: bool,
    },
    /// No destination of the alias is confirmed. Mail is deferred until this time, and rejected from then on.
    Unconfirmed {
        /// The end of the time that the member has to confirm one.
        until: Timestamp,
    },
    /// The domain accepts mail.
    Verified,
    /// Role mail of the domain goes to all of these.
    Admins(Vec<EmailAddress>),
    /// The domains of the table, including those that the community file no longer has.
    Domains(Vec<DomainName>),
    /// The table has this sender under the token.
    Sender(Sender),
    /// The sender is stored.
    Stored,
}

impl LookupResult {
    /// Whether the result stays the same as long as its key is of use: a token has one sender and one day.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::Sender(_) | Self::Stored)
    }

    /// Bytes on the heap, for the bound of the cache.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Forwards(destinations) => destinations.size(),
            Self::Admins(admins) => admins.iter().map(|admin| admin.expose().len() + size_of::<EmailAddress>()).sum(),
            Self::Domains(domains) => {
                domains.iter().map(|domain| domain.as_str().len() + size_of::<DomainName>()).sum()
            }
            Self::Sender(sender) => sender.expose().len(),
            Self::NotFound
            | Self::Rejects(..)
            | Self::Paused { .. }
            | Self::Unconfirmed { .. }
            | Self::Verified
            | Self::Stored => 0,
        }
    }
}

/// The backend of the maps.
#[async_trait]
pub trait Source: Send + Sync {
    /// Executes one query.
    async fn lookup(&self, query: &Query) -> Result<LookupResult, SourceError>;

    /// The master secrets, which authenticate return-path addresses.
    async fn keys(&self) -> Result<MasterKeys, SourceError>;

    /// Newer master secrets than these, after a key rotation.
    async fn newer_keys(&self, than: &MasterKeys) -> Result<Option<MasterKeys>, SourceError>;
}

/// A query failed. Postfix defers the mail in every case.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The table did not respond; a retry can succeed.
    #[error("the table is unreachable: {0}")]
    Unreachable(String),
    /// The table responded, but the master secret is not available to decrypt the item; a retry can succeed.
    #[error("the master secret is unavailable: {0}")]
    Secret(String),
    /// The item is invalid; an operator has to repair it.
    #[error("the item is invalid: {0}")]
    Broken(String),
}
