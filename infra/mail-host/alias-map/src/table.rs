//! Queries against DynamoDB. Destinations are decrypted here and are kept in memory only.

use std::sync::Arc;

use async_trait::async_trait;
use membermail_core::address::{Address, DomainName};
use membermail_core::community::Community;
use membermail_core::destination::{Route, route};
use membermail_core::master::MasterKeys;
use membermail_core::random::Random;
use membermail_return_path::{Sender, StoredToken};
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_store::{Consistency, Forwarding, SealError, Sealer, Store, StoreError, StoredDestination};

use crate::destinations::Destinations;
use crate::source::{LookupResult, Query, Source, SourceError};

/// The source of the master keys.
pub enum KeySource {
    /// Secrets Manager, read on first use: the server must start during an AWS outage.
    SecretsManager(MasterSecret),
    /// Keys that were read from a file.
    File(MasterKeys),
}

/// The table behind the maps.
pub struct Table {
    store: Store,
    keys: KeySource,
    community: Community,
    random: Arc<dyn Random>,
}

impl Table {
    /// Reads `store` with eventual consistency, which costs half and stays available longer. `random` is for sealing.
    pub fn new(store: Store, keys: KeySource, community: Community, random: Arc<dyn Random>) -> Self {
        Self { store: store.with_consistency(Consistency::Eventual), keys, community, random }
    }

    /// Decrypts with the current keys, and after a key rotation with newer ones.
    async fn unseal<T>(&self, open: impl Fn(&Sealer) -> Result<T, SealError>) -> Result<T, SourceError> {
        let open_with = |keys: &MasterKeys| Ok(open(&Sealer::of(keys))?);
        let opened = match &self.keys {
            KeySource::File(keys) => open_with(keys),
            KeySource::SecretsManager(secret) => {
                secret.open_with_rotation(open_with, |error| matches!(error, UnsealError::Sealed(_))).await
            }
        };
        opened.map_err(|error| match error {
            UnsealError::Sealed(error) => SourceError::Broken(error.to_string()),
            UnsealError::Secret(error) => secret_error(error),
        })
    }

    async fn alias(&self, address: &Address) -> Result<LookupResult, SourceError> {
        let found = self.alias_in(&self.store, address).await?;
        if !matches!(found, LookupResult::Unconfirmed { .. }) {
            return Ok(found);
        }
        // The alias can be older than its destinations, and list one that the member has just replaced.
        self.alias_in(&self.store.clone().with_consistency(Consistency::Strong), address).await
    }

    async fn alias_in(&self, store: &Store, address: &Address) -> Result<LookupResult, SourceError> {
        let Some(stored) = store.alias(address).await.map_err(source_error)? else {
            return Ok(LookupResult::NotFound);
        };
        if !stored.alias.status.forwards() {
            return Ok(LookupResult::Rejects(stored.alias.status, stored.alias.reason));
        }
        let Forwarding { stored, key_context, destinations } =
            store.forwarding_of(stored).await.map_err(source_error)?;
        match route(stored.paused, destinations.iter().map(|stored| &stored.destination)) {
            Route::Paused { is_permanent } => Ok(LookupResult::Paused { is_permanent }),
            Route::Unconfirmed { until } => Ok(LookupResult::Unconfirmed { until }),
            Route::To(_) => {
                let key_context =
                    key_context.ok_or_else(|| SourceError::Broken("the alias has no member".to_owned()))?;
                let usable: Vec<_> = destinations.iter().filter(|stored| stored.destination.is_usable()).collect();
                // All or none: mail must not miss one of the member's destinations in silence.
                let open = |stored: &&StoredDestination, sealer: &Sealer| {
                    stored.address(sealer, &key_context).map(|address| (stored.destination.id, address))
                };
                let opened = self.unseal(|sealer| usable.iter().map(|stored| open(stored, sealer)).collect());
                let opened: Vec<_> = opened.await?;
                let destinations = Destinations::new(&opened).map(LookupResult::Forwards);
                destinations.ok_or_else(|| SourceError::Broken("the alias has no destination".to_owned()))
            }
        }
    }

    async fn domain(&self, domain: &DomainName) -> Result<LookupResult, SourceError> {
        // A domain that lost its verification gives no new addresses, but existing ones keep forwarding.
        let stored = self.store.domain(domain).await.map_err(source_error)?;
        Ok(if stored.accepts_mail() { LookupResult::Verified } else { LookupResult::NotFound })
    }

    /// The sign-in addresses of the admins. Names in the community file grant nothing; the store decides who can act.
    async fn admins(&self, domain: &DomainName) -> Result<LookupResult, SourceError> {
        let identities = self.community.domain(domain).map(|known| known.admin_identities.as_slice());
        let admins = self.store.admins_of(domain, identities.unwrap_or_default(), self.community.issuer());
        let admins = admins.await.map_err(source_error)?;
        let mut addresses = Vec::new();
        for admin in admins {
            addresses.extend(self.unseal(|sealer| admin.sign_in_address(sealer)).await?);
        }
        Ok(if addresses.is_empty() { LookupResult::NotFound } else { LookupResult::Admins(addresses) })
    }

    async fn store_sender(&self, token: &StoredToken, sender: &Sender) -> Result<LookupResult, SourceError> {
        let sealer = Sealer::of(&self.keys().await?);
        let put = self.store.put_return_sender(&sealer, token, sender, &*self.random);
        put.await.map_err(source_error)?;
        Ok(LookupResult::Stored)
    }

    async fn return_sender(&self, token: &StoredToken) -> Result<LookupResult, SourceError> {
        // Strongly consistent: a bounce can arrive at once, and one that is refused is lost.
        let store = self.store.clone().with_consistency(Consistency::Strong);
        match store.return_sender(token).await.map_err(source_error)? {
            Some(stored) => self.unseal(|sealer| stored.open(sealer, token)).await.map(LookupResult::Sender),
            None => Ok(LookupResult::NotFound),
        }
    }
}

#[async_trait]
impl Source for Table {
    async fn lookup(&self, query: &Query) -> Result<LookupResult, SourceError> {
        match query {
            Query::Alias(address) => self.alias(address).await,
            Query::Domain(domain) => self.domain(domain).await,
            Query::Admins(domain) => self.admins(domain).await,
            Query::Domains => {
                let listed = self.store.listed_domains().await.map_err(source_error)?;
                Ok(LookupResult::Domains(listed.into_iter().map(|listed| listed.domain).collect()))
            }
            Query::ReturnSender(token) => self.return_sender(token).await,
            Query::StoreSender(token, sender) => self.store_sender(token, sender).await,
        }
    }

    async fn keys(&self) -> Result<MasterKeys, SourceError> {
        match &self.keys {
            KeySource::File(keys) => Ok(keys.clone()),
            KeySource::SecretsManager(secret) => secret.keys().await.map_err(secret_error),
        }
    }

    async fn newer_keys(&self, than: &MasterKeys) -> Result<Option<MasterKeys>, SourceError> {
        match &self.keys {
            KeySource::File(_) => Ok(None),
            KeySource::SecretsManager(secret) => secret.fetch_newer_than(than).await.map_err(secret_error),
        }
    }
}

/// Decryption failed.
#[derive(Debug, thiserror::Error)]
enum UnsealError {
    #[error(transparent)]
    Sealed(#[from] SealError),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

fn secret_error(error: SecretError) -> SourceError {
    SourceError::Secret(error.to_string())
}

fn source_error(error: StoreError) -> SourceError {
    match error {
        StoreError::Corrupt { .. } => SourceError::Broken(error.to_string()),
        _ => SourceError::Unreachable(error.to_string()),
    }
}
