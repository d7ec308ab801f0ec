//! Questions to the real table. Destinations are unsealed here, in memory, and go nowhere but into the cache.

use async_trait::async_trait;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::Status;
use membermail_core::community::Community;
use membermail_core::master::MasterKeys;
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_store::{SealError, Sealer, Store, StoreError};

use crate::source::{Answer, Question, Source, SourceError};

/// Where the master secret comes from.
pub enum Secret {
    /// Secrets Manager, asked when it is first needed: a start while AWS is out of reach is a start.
    Manager(MasterSecret),
    /// Read already.
    Keys(MasterKeys),
}

/// The table behind the maps.
pub struct Table {
    store: Store,
    secret: Secret,
    community: Community,
}

impl Table {
    /// Reads this table, as it was a moment ago, with this secret.
    pub fn new(store: Store, secret: Secret, community: Community) -> Self {
        Self { store: store.eventually(), secret, community }
    }

    /// Opens what is sealed, by newer keys where the master secret was changed meanwhile.
    async fn opening<T>(&self, open: impl Fn(&Sealer) -> Result<T, SealError>) -> Result<T, SourceError> {
        let with = |keys: &MasterKeys| Ok(open(&Sealer::of(keys))?);
        let opened = match &self.secret {
            Secret::Keys(keys) => with(keys),
            Secret::Manager(secret) => secret.opening(with, |cause| matches!(cause, OpenError::Sealed(_))).await,
        };
        opened.map_err(|error| match error {
            OpenError::Sealed(error) => SourceError::Broken(error.to_string()),
            OpenError::Secret(error) => SourceError::Secret(error.to_string()),
        })
    }

    async fn alias(&self, address: &Address) -> Result<Answer, SourceError> {
        let Some(stored) = self.store.alias(address).await.map_err(failed)? else {
            return Ok(Answer::Nothing);
        };
        match stored.alias.status {
            Status::Active | Status::Leaving => {}
            status => return Ok(Answer::Refuses(status, stored.alias.reason)),
        }
        let member = self.store.member(stored.alias.member).await.map_err(failed)?;
        let member = member.ok_or_else(|| SourceError::Broken("an alias without its member".to_owned()))?;
        let destination = self.opening(|sealer| stored.destination(sealer, &member.salt)).await?;
        destination
            .map(Answer::Forwards)
            .ok_or_else(|| SourceError::Broken("an alias without a destination".to_owned()))
    }

    async fn domain(&self, domain: &DomainName) -> Result<Answer, SourceError> {
        // A domain that lost its proof gives no new addresses; mail to those that are there goes on.
        let stored = self.store.domain(domain).await.map_err(failed)?;
        Ok(if stored.takes_mail() { Answer::Verified } else { Answer::Nothing })
    }

    /// Where the admins sign in from. Names of the community file grant nothing: the store knows who can act.
    async fn admins(&self, domain: &DomainName) -> Result<Answer, SourceError> {
        let identities = self.community.domain(domain).map(|known| known.admin_identities.as_slice());
        let admins = self.store.admins_of(domain, identities.unwrap_or_default(), self.community.issuer());
        let admins = admins.await.map_err(failed)?;
        let mut addresses = Vec::new();
        for admin in admins {
            addresses.extend(self.opening(|sealer| admin.sign_in_address(sealer)).await?);
        }
        Ok(if addresses.is_empty() { Answer::Nothing } else { Answer::Admins(addresses) })
    }
}

#[async_trait]
impl Source for Table {
    async fn answer(&self, question: &Question) -> Result<Answer, SourceError> {
        match question {
            Question::Alias(address) => self.alias(address).await,
            Question::Domain(domain) => self.domain(domain).await,
            Question::Admins(domain) => self.admins(domain).await,
            Question::Domains => {
                let listed = self.store.listed_domains().await.map_err(failed)?;
                Ok(Answer::Domains(listed.into_iter().map(|listed| listed.domain).collect()))
            }
        }
    }
}

/// Why something does not open.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Sealed(#[from] SealError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

fn failed(error: StoreError) -> SourceError {
    match error {
        StoreError::Corrupt { .. } => SourceError::Broken(error.to_string()),
        _ => SourceError::Unreachable(error.to_string()),
    }
}
