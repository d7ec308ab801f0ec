//! The maps: from a key to a reply.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use membermail_core::address::DomainName;
use membermail_core::alias::is_loop;
use membermail_core::email::EmailAddress;
use metrics::{Counter, Histogram, counter, histogram};

use crate::cache::Cache;
use crate::protocol::{Map, Reply, Request};
use crate::recipient::{Recipient, with_tag};
use crate::refusal;
use crate::settings::{Patience, Settings};
use crate::source::{Answer, Question, Source, SourceError};

/// Every reply comes within this. Postfix itself would wait for 100 s, and the sender of the mail with it.
pub const LONGEST: Duration = Duration::from_millis(2_800);

/// How long a reply waits for a newer list of domains.
const LIST: Duration = Duration::from_millis(500);

/// Why mail waits, as the sender's server is told.
const TEMP: &str = "the addresses of this domain cannot be read just now";

/// Answers Postfix.
pub struct Lookups {
    cache: Cache,
    community: Vec<DomainName>,
    /// The domains of the table, as it last told them. They outlive the community file, and change so rarely that an old
    /// list is better than none.
    listed: ArcSwapOption<Answer>,
    patience: Arc<ArcSwap<Patience>>,
    takes_tags: ArcSwap<Vec<DomainName>>,
    operators: ArcSwap<EmailAddress>,
    counts: Counts,
}

/// Metrics, each found once.
struct Counts {
    /// By map, then by reply.
    outcomes: [[Counter; Reply::KINDS.len()]; Map::ALL.len()],
    malformed: Counter,
    seconds: Histogram,
}

impl Counts {
    fn new() -> Self {
        let count = |map: &'static str, outcome: &'static str| counter!("membermail_alias_map_lookups_total", "map" => map, "outcome" => outcome);
        Self {
            outcomes: Map::ALL.map(|map| Reply::KINDS.map(|kind| count(map.as_str(), kind))),
            malformed: count("unknown", "perm"),
            seconds: histogram!("membermail_alias_map_lookup_seconds"),
        }
    }

    fn of(&self, map: Map, reply: &Reply) -> &Counter {
        &self.outcomes[map as usize][reply.kind()]
    }
}

/// What an address comes to.
enum Found {
    Nobody,
    Forwards(Vec<EmailAddress>),
    Refused(String),
}

impl Lookups {
    /// Over this source, for these domains and those that the table has beside them. Its metrics go to the recorder of this moment.
    pub fn new(source: Arc<dyn Source>, community: Vec<DomainName>, settings: &Settings) -> Self {
        let patience = Arc::new(ArcSwap::from_pointee(settings.patience));
        let cache = Cache::new(source, settings.cache_megabytes, Arc::clone(&patience));
        let takes_tags = ArcSwap::from_pointee(settings.takes_tags.clone());
        let operators = ArcSwap::from_pointee(settings.operators.clone());
        let listed = ArcSwapOption::empty();
        Self { cache, community, listed, patience, takes_tags, operators, counts: Counts::new() }
    }

    /// Takes those settings over that need no restart; look-ups under way end by the old ones.
    pub fn reload(&self, settings: &Settings) {
        self.patience.store(Arc::new(settings.patience));
        self.takes_tags.store(Arc::new(settings.takes_tags.clone()));
        self.operators.store(Arc::new(settings.operators.clone()));
    }

    /// The reply to the data of one netstring, within [`LONGEST`].
    pub async fn reply(&self, data: &[u8]) -> Reply {
        let begin = Instant::now();
        let request = match Request::parse(data) {
            Ok(request) => request,
            Err(fault) => {
                self.counts.malformed.increment(1);
                return Reply::Perm(fault);
            }
        };
        let found = tokio::time::timeout(LONGEST, self.look_up(request.map, request.key.unwrap_or_default())).await;
        let reply = match found {
            Ok(Ok(reply)) => reply,
            // The cache has said what was wrong with the table.
            Ok(Err(_)) | Err(_) => Reply::Temp(TEMP),
        };
        self.counts.of(request.map, &reply).increment(1);
        let (took, map, outcome) = (begin.elapsed(), request.map.as_str(), reply.as_str());
        self.counts.seconds.record(took.as_secs_f64());
        tracing::debug!(map, outcome, micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX), "looked up");
        reply
    }

    /// Entries of the cache and what they weigh in octets.
    pub async fn cache_size(&self) -> (u64, u64) {
        self.cache.size().await
    }

    async fn look_up(&self, map: Map, key: &str) -> Result<Reply, SourceError> {
        if map == Map::Domain {
            return self.domain(key).await;
        }
        Ok(match (map, self.find(key).await?) {
            (Map::Alias, Found::Forwards(to)) => {
                Reply::Ok(to.iter().map(EmailAddress::expose).collect::<Vec<_>>().join(", "))
            }
            (Map::Reject, Found::Refused(text)) => Reply::Ok(text),
            _ => Reply::NotFound,
        })
    }

    async fn domain(&self, key: &str) -> Result<Reply, SourceError> {
        let Ok(domain) = DomainName::parse(&key.to_ascii_lowercase()) else { return Ok(Reply::NotFound) };
        if !self.is_ours(&domain).await? {
            return Ok(Reply::NotFound);
        }
        Ok(match *self.cache.answer(&Question::Domain(domain)).await? {
            Answer::Verified => Reply::Ok("OK".to_owned()),
            _ => Reply::NotFound,
        })
    }

    /// Whether the domain is the community's, or was and is still in the table: its addresses forward to the end of their
    /// grace period, whatever the community file says meanwhile.
    ///
    /// Postfix asks for every domain of every mail. For one that is not in the file the list decides, which the table is
    /// asked for once in a while and not for each domain.
    async fn is_ours(&self, domain: &DomainName) -> Result<bool, SourceError> {
        if self.community.contains(domain) {
            return Ok(true);
        }
        let listed = match self.listed.load_full() {
            // Mail to other domains does not wait long for a table that is silent.
            Some(listed) => match tokio::time::timeout(LIST, self.list_domains()).await {
                Ok(Ok(listed)) => listed,
                Ok(Err(_)) | Err(_) => listed,
            },
            None => self.list_domains().await?,
        };
        Ok(matches!(&*listed, Answer::Domains(all) if all.contains(domain)))
    }

    /// Asks the table for the list of domains, unless the cache has it. Called from the start on, so that an outage of the
    /// table finds a list.
    pub async fn list_domains(&self) -> Result<Arc<Answer>, SourceError> {
        let listed = self.cache.answer(&Question::Domains).await?;
        self.listed.store(Some(Arc::clone(&listed)));
        Ok(listed)
    }

    /// What a key stands for, if its domain is ours.
    async fn recipient(&self, key: &str) -> Result<Option<Recipient>, SourceError> {
        let domain = key.rsplit_once('@').and_then(|(_, domain)| DomainName::parse(&domain.to_ascii_lowercase()).ok());
        let Some(domain) = domain else { return Ok(None) };
        let is_ours = self.is_ours(&domain).await?;
        Ok(is_ours.then(|| Recipient::parse(key, std::slice::from_ref(&domain))).flatten())
    }

    /// Whether mail to `destination` would come back to us.
    fn is_loop(&self, destination: &EmailAddress) -> bool {
        let listed = self.listed.load();
        let listed = match listed.as_deref() {
            Some(Answer::Domains(all)) => all.as_slice(),
            _ => &[],
        };
        is_loop(destination, &self.community) || is_loop(destination, listed)
    }

    async fn find(&self, key: &str) -> Result<Found, SourceError> {
        match self.recipient(key).await? {
            None => Ok(Found::Nobody),
            Some(Recipient::Admins(domain)) => {
                let answer = self.cache.answer(&Question::Admins(domain)).await?;
                let all = if let Answer::Admins(all) = &*answer { all.as_slice() } else { &[] };
                let outside: Vec<_> = all.iter().filter(|one| !self.is_loop(one)).cloned().collect();
                // RFC 5321, 4.5.1 wants mail for `postmaster` taken, whether a domain has admins or not.
                Ok(Found::Forwards(if outside.is_empty() { vec![(**self.operators.load()).clone()] } else { outside }))
            }
            Some(Recipient::Member { alias, tag }) => Ok(match &*self.cache.answer(&Question::Alias(alias)).await? {
                Answer::Forwards(to) if self.is_loop(to) => Found::Refused(refusal::LOOP.to_owned()),
                Answer::Forwards(to) => Found::Forwards(vec![with_tag(to, tag.as_deref(), &self.takes_tags.load())]),
                Answer::Refuses(status, reason) => Found::Refused(refusal::text(*status, *reason)),
                _ => Found::Nobody,
            }),
        }
    }
}
