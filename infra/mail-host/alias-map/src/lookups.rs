//! The maps: from a request of Postfix to a reply.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use membermail_core::address::DomainName;
use membermail_core::clock::Clock;
use membermail_core::email::EmailAddress;
use metrics::{Counter, Histogram, counter, histogram};
use strum::VariantNames;

use crate::cache::Cache;
use crate::protocol::{Map, Reply, ReplyKind, Request};
use crate::recipient::{Recipient, is_for_operators};
use crate::refusal;
use crate::return_paths::ReturnPaths;
use crate::settings::{CacheTtls, Settings};
use crate::source::{LookupResult, Query, Source, SourceError};

/// Deadline of every reply. Postfix waits up to 100 s, and the sender's server with it.
pub const REPLY_DEADLINE: Duration = Duration::from_millis(2_800);

/// How long a reply waits for a newer list of domains while an older one exists.
const LIST_TIMEOUT: Duration = Duration::from_millis(500);

/// The text of a temporary failure, which the sender's server logs.
const TEMPORARY_FAILURE: &str = "the addresses of this domain cannot be read just now";

/// The name of the restrictions in `main.cf` that let bounces through only.
const BOUNCES_ONLY: &str = "bounces_only";

/// Replies to the requests of Postfix.
pub struct Lookups {
    pub(crate) cache: Cache,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) return_paths: ReturnPaths,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) community: Vec<DomainName>,
    /// The host's name and the return-path domain.
    pub(crate) own_names: [DomainName; 2],
    host_name: DomainName,
    /// The last known domains of the table. They outlive the community file, and change so rarely that an old list is
    /// better than none.
    pub(crate) listed: ArcSwapOption<LookupResult>,
    ttls: Arc<ArcSwap<CacheTtls>>,
    pub(crate) subaddress_domains: ArcSwap<Vec<DomainName>>,
    operators: ArcSwap<EmailAddress>,
    metrics: Metrics,
}

/// Handles, resolved once: a look-up by name would cost more than a cache hit.
struct Metrics {
    /// By map, then by kind of reply.
    replies: [[Counter; ReplyKind::VARIANTS.len()]; Map::VARIANTS.len()],
    malformed: Counter,
    seconds: Histogram,
}

impl Metrics {
    fn new() -> Self {
        Self {
            replies: std::array::from_fn(|map| {
                std::array::from_fn(|kind| lookups(Map::VARIANTS[map], ReplyKind::VARIANTS[kind]))
            }),
            malformed: lookups("unknown", "perm"),
            seconds: histogram!("membermail_alias_map_lookup_seconds"),
        }
    }

    fn replies(&self, map: Map, reply: &Reply) -> &Counter {
        &self.replies[map as usize][ReplyKind::from(reply) as usize]
    }
}

fn lookups(map: &'static str, outcome: &'static str) -> Counter {
    counter!("membermail_alias_map_lookups_total", "map" => map, "outcome" => outcome)
}

/// The decision on mail to an address.
enum Route {
    Unknown,
    /// To these addresses, as Postfix reads them.
    Forward(String),
    /// With this reply, permanent or temporary.
    Reject(&'static str),
    /// A return-path address.
    Return,
}

impl Lookups {
    /// Serves the domains of the community and those that the table lists beside them. It registers its metrics with the
    /// recorder that is installed now.
    pub fn new(
        source: Arc<dyn Source>,
        community: Vec<DomainName>,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let ttls = Arc::new(ArcSwap::from_pointee(settings.ttls));
        Self {
            cache: Cache::new(Arc::clone(&source), settings.cache_megabytes, Arc::clone(&ttls)),
            source,
            return_paths: ReturnPaths::new(settings.return_path_domain.clone()),
            clock,
            community,
            own_names: settings.own_names(),
            host_name: settings.host_name.clone(),
            listed: ArcSwapOption::empty(),
            ttls,
            subaddress_domains: ArcSwap::from_pointee(settings.subaddress_domains.clone()),
            operators: ArcSwap::from_pointee(settings.operators.clone()),
            metrics: Metrics::new(),
        }
    }

    /// Applies the settings that need no restart. Lookups in progress finish with the old ones.
    pub fn reload(&self, settings: &Settings) {
        self.ttls.store(Arc::new(settings.ttls));
        self.subaddress_domains.store(Arc::new(settings.subaddress_domains.clone()));
        self.operators.store(Arc::new(settings.operators.clone()));
    }

    /// Replies to the data of one netstring within [`REPLY_DEADLINE`].
    pub async fn reply(&self, data: &[u8]) -> Reply {
        let start = Instant::now();
        let request = match Request::parse(data) {
            Ok(request) => request,
            Err(error) => {
                self.metrics.malformed.increment(1);
                return Reply::Perm(error);
            }
        };
        let lookup = self.look_up(request.map, request.key.unwrap_or_default());
        let reply = match tokio::time::timeout(REPLY_DEADLINE, lookup).await {
            Ok(Ok(reply)) => reply,
            // The cache has logged the error.
            Ok(Err(_)) | Err(_) => Reply::Temp(TEMPORARY_FAILURE),
        };
        self.metrics.replies(request.map, &reply).increment(1);
        let elapsed = start.elapsed();
        self.metrics.seconds.record(elapsed.as_secs_f64());
        let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
        tracing::debug!(map = request.map.as_ref(), outcome = reply.as_ref(), micros, "lookup finished");
        reply
    }

    /// The number of entries in the cache and their estimated size in bytes.
    pub async fn cache_size(&self) -> (u64, u64) {
        self.cache.size().await
    }

    async fn look_up(&self, map: Map, key: &str) -> Result<Reply, SourceError> {
        match map {
            Map::Domain => self.domain(key).await,
            Map::Alias => Ok(match self.route(key).await? {
                Route::Forward(addresses) => Reply::Ok(addresses),
                _ => Reply::NotFound,
            }),
            Map::Reject => Ok(match self.route(key).await? {
                Route::Reject(text) => Reply::Ok(text.to_owned()),
                Route::Return => Reply::Ok(BOUNCES_ONLY.to_owned()),
                _ => Reply::NotFound,
            }),
            Map::ReturnPath => self.return_path(key).await,
            Map::Return => self.original_sender(key).await,
            Map::Sender => self.sender(key).await,
            Map::Destination => self.destination(key).await,
        }
    }

    async fn domain(&self, key: &str) -> Result<Reply, SourceError> {
        let Ok(domain) = DomainName::parse(&key.to_ascii_lowercase()) else { return Ok(Reply::NotFound) };
        // The return-path domain is a relay domain of Postfix, which must be in one list only.
        if domain == self.host_name {
            return Ok(Reply::Ok("OK".to_owned()));
        }
        if !self.is_ours(&domain).await? {
            return Ok(Reply::NotFound);
        }
        Ok(match *self.cache.lookup(&Query::Domain(domain)).await? {
            LookupResult::Verified => Reply::Ok("OK".to_owned()),
            _ => Reply::NotFound,
        })
    }

    /// Whether the domain is in the community file or still in the table: addresses of a removed domain forward until their
    /// grace period ends.
    ///
    /// Postfix looks up every domain of every mail. A cached list of all domains answers for foreign ones, so that they
    /// cause no query each.
    async fn is_ours(&self, domain: &DomainName) -> Result<bool, SourceError> {
        if self.community.contains(domain) {
            return Ok(true);
        }
        let listed = match self.listed.load_full() {
            // Mail to foreign domains must not wait for a slow table.
            Some(listed) => match tokio::time::timeout(LIST_TIMEOUT, self.list_domains()).await {
                Ok(Ok(listed)) => listed,
                Ok(Err(_)) | Err(_) => listed,
            },
            None => self.list_domains().await?,
        };
        Ok(matches!(&*listed, LookupResult::Domains(domains) if domains.contains(domain)))
    }

    /// Loads the list of domains and keeps it for `is_ours`. Called regularly from startup on, so that a
    /// list exists when the table fails.
    pub async fn list_domains(&self) -> Result<Arc<LookupResult>, SourceError> {
        let listed = self.cache.lookup(&Query::Domains).await?;
        self.listed.store(Some(Arc::clone(&listed)));
        Ok(listed)
    }

    /// Parses a key whose domain is ours.
    pub(crate) async fn recipient(&self, key: &str) -> Result<Option<Recipient>, SourceError> {
        let domain = key.rsplit_once('@').and_then(|(_, domain)| DomainName::parse(&domain.to_ascii_lowercase()).ok());
        let Some(domain) = domain else { return Ok(None) };
        let is_ours = self.is_ours(&domain).await?;
        Ok(is_ours.then(|| Recipient::parse(key, std::slice::from_ref(&domain))).flatten())
    }

    /// The decision on mail to a name of this host itself; none for other addresses.
    async fn own_route(&self, key: &str) -> Result<Option<Route>, SourceError> {
        let Some((local_part, domain)) = key.rsplit_once('@') else { return Ok(None) };
        let is_return_path = self.return_paths.has(key);
        if !is_return_path && !domain.eq_ignore_ascii_case(self.host_name.as_str()) {
            return Ok(None);
        }
        if is_for_operators(local_part) {
            return Ok(Some(Route::Forward(self.operators.load().expose().to_owned())));
        }
        let is_valid = is_return_path && self.open(key).await?.is_some();
        Ok(Some(if is_valid { Route::Return } else { Route::Unknown }))
    }

    async fn route(&self, key: &str) -> Result<Route, SourceError> {
        if let Some(route) = self.own_route(key).await? {
            return Ok(route);
        }
        match self.recipient(key).await? {
            None => Ok(Route::Unknown),
            Some(Recipient::Admins(domain)) => {
                let result = self.cache.lookup(&Query::Admins(domain)).await?;
                let admins = if let LookupResult::Admins(admins) = &*result { admins.as_slice() } else { &[] };
                let admins = admins.iter().map(EmailAddress::expose).filter(|admin| !self.is_loop(admin));
                let outside = admins.collect::<Vec<_>>().join(", ");
                // `postmaster` must accept mail (RFC 5321, 4.5.1), even if the domain has no admin.
                Ok(Route::Forward(if outside.is_empty() { self.operators.load().expose().to_owned() } else { outside }))
            }
            Some(Recipient::Member { alias, tag }) => Ok(match &*self.cache.lookup(&Query::Alias(alias)).await? {
                LookupResult::Forwards(destinations) => {
                    self.forward(destinations, tag.as_deref()).map_or(Route::Reject(refusal::LOOP), Route::Forward)
                }
                LookupResult::Rejects(status, reason) => Route::Reject(refusal::text(*status, *reason)),
                LookupResult::Paused { is_permanent: true } => Route::Reject(refusal::SUSPENDED),
                LookupResult::Paused { is_permanent: false } => Route::Reject(refusal::LATER),
                // By the clock now: the result can be in the cache since before that time.
                LookupResult::Unconfirmed { until } if self.clock.now() < *until => Route::Reject(refusal::LATER),
                LookupResult::Unconfirmed { .. } => Route::Reject(refusal::SUSPENDED),
                _ => Route::Unknown,
            }),
        }
    }
}
