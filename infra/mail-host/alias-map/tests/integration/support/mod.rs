//! A fake source that can fail and hang, and a server on top of it.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use membermail_alias_map::destinations::Destinations;
use membermail_alias_map::endpoint::Endpoint;
use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::server::{Listener, Server};
use membermail_alias_map::settings::{CacheTtls, Settings};
use membermail_alias_map::source::{LookupResult, Query, Source, SourceError};
use membermail_core::address::DomainName;
use membermail_core::clock::ManualClock;
use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use membermail_core::master::MasterKeys;
use membermail_return_path::Sender;

/// Serves `ubuntu.com` from a map. `kubuntu.org` is unverified and has no admin.
#[derive(Default)]
pub(crate) struct FakeSource {
    pub(crate) queries: AtomicUsize,
    pub(crate) fails: AtomicBool,
    pub(crate) hangs: AtomicBool,
    /// Destinations cannot be decrypted.
    pub(crate) sealed: AtomicBool,
    pub(crate) delay: Duration,
    pub(crate) aliases: std::sync::Mutex<HashMap<String, LookupResult>>,
    /// Senders by the token of their return path.
    pub(crate) senders: std::sync::Mutex<HashMap<String, Sender>>,
    /// Another secret than [`SECRET`].
    pub(crate) secret: std::sync::Mutex<Option<&'static str>>,
    /// Domains of the table, beside those of the community file.
    pub(crate) listed: std::sync::Mutex<Vec<DomainName>>,
}

impl FakeSource {
    pub(crate) fn put(&self, address: &str, destination: &str) {
        self.put_all(address, &[destination]);
    }

    /// An alias with these destinations, whose ids are those of [`destination`].
    pub(crate) fn put_all(&self, address: &str, destinations: &[&str]) {
        let all: Vec<_> = destinations
            .iter()
            .enumerate()
            .map(|(number, address)| (destination(number), EmailAddress::parse(address).unwrap()))
            .collect();
        self.put_result(address, LookupResult::Forwards(Destinations::new(&all).unwrap()));
    }

    pub(crate) fn put_result(&self, address: &str, result: LookupResult) {
        self.aliases.lock().unwrap().insert(address.to_owned(), result);
    }

    pub(crate) fn list(&self, domain: &str) {
        self.listed.lock().unwrap().push(domain.parse().unwrap());
    }

    pub(crate) fn queries(&self) -> usize {
        self.queries.load(Ordering::SeqCst)
    }

    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }
}

#[async_trait]
impl Source for FakeSource {
    async fn lookup(&self, query: &Query) -> Result<LookupResult, SourceError> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.delay).await;
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(SourceError::Unreachable("a test".to_owned()));
        }
        Ok(match query {
            Query::Alias(address) => match self.aliases.lock().unwrap().get(&address.to_string()).cloned() {
                Some(LookupResult::Forwards(_)) if self.sealed.load(Ordering::SeqCst) => {
                    return Err(SourceError::Secret("a test".to_owned()));
                }
                result => result.unwrap_or(LookupResult::NotFound),
            },
            Query::Domain(domain) if domain.as_str() == "ubuntu.com" => LookupResult::Verified,
            Query::Domain(domain) if self.listed.lock().unwrap().contains(domain) => LookupResult::Verified,
            Query::Domain(_) => LookupResult::NotFound,
            Query::Domains => LookupResult::Domains(self.listed.lock().unwrap().clone()),
            Query::ReturnSender(token) => {
                let sender = self.senders.lock().unwrap().get(token.as_str()).cloned();
                sender.map_or(LookupResult::NotFound, LookupResult::Sender)
            }
            Query::StoreSender(token, sender) => {
                self.senders.lock().unwrap().insert(token.as_str().to_owned(), sender.clone());
                LookupResult::Stored
            }
            Query::Admins(domain) if domain.as_str() == "kubuntu.org" => LookupResult::NotFound,
            Query::Admins(_) => LookupResult::Admins(vec![
                EmailAddress::parse("one@ops.example").unwrap(),
                // An admin whose sign-in address is in the community: it must be left out.
                EmailAddress::parse("two@kubuntu.org").unwrap(),
                EmailAddress::parse("three@ops.example").unwrap(),
            ]),
        })
    }

    async fn keys(&self) -> Result<MasterKeys, SourceError> {
        if self.sealed.load(Ordering::SeqCst) {
            return Err(SourceError::Secret("a test".to_owned()));
        }
        Ok(keys(self.secret.lock().unwrap().unwrap_or(SECRET), None))
    }

    /// With the previous secret, if there is a new one.
    async fn newer_keys(&self, _: &MasterKeys) -> Result<Option<MasterKeys>, SourceError> {
        Ok(self.secret.lock().unwrap().map(|secret| keys(secret, Some(SECRET))))
    }
}

pub(crate) const SECRET: &str = "a master secret of these tests, long enough";

fn keys(current: &str, previous: Option<&str>) -> MasterKeys {
    let [current, previous] =
        [Some(current), previous].map(|secret| secret.map(|text| text.as_bytes().to_vec().into()));
    MasterKeys::new(current.unwrap_or_default(), previous)
}

/// The id of the destination with this number.
pub(crate) fn destination(number: usize) -> DestinationId {
    DestinationId::parse(&format!("0000000000000000000000000{number}")).unwrap()
}

/// The time of the maps.
pub(crate) fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at("2026-11-28T22:00:00Z".parse().unwrap()))
}

pub(crate) fn settings(ttls: CacheTtls) -> Settings {
    let text = "community = \"ubuntu\"\ntable = \"t\"\nmaster-secret-file = \"/none\"\nlisten = [\"inet:127.0.0.1:0\"]\n\
                operators = \"operators@ops.example\"\nhost-name = \"mx.forwards.example\"\n\
                return-path-domain = \"back.forwards.example\"";
    Settings { ttls, ..Settings::parse(text).unwrap() }
}

pub(crate) fn lookups(source: Arc<FakeSource>, ttls: CacheTtls) -> Lookups {
    lookups_with(source, &settings(ttls), clock())
}

pub(crate) fn lookups_with(source: Arc<FakeSource>, settings: &Settings, clock: Arc<ManualClock>) -> Lookups {
    let community = ["ubuntu.com", "kubuntu.org"].map(|name| DomainName::parse(name).unwrap()).to_vec();
    Lookups::new(source, community, settings, clock)
}

/// A server on an ephemeral port.
pub(crate) async fn server(source: Arc<FakeSource>, connections: usize) -> (Server, Endpoint) {
    let server = Server::new(Arc::new(lookups(source, CacheTtls::default())), connections);
    let listener = Listener::bind(&"inet:127.0.0.1:0".parse().unwrap()).await.unwrap();
    let endpoint = listener.endpoint().unwrap();
    server.listen(listener);
    (server, endpoint)
}
