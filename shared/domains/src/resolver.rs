//! A DNS client. A query has three possible results: records, no records, or no answer.
//!
//! The protocol bounds the size of a response: a message has at most 65,535 octets, and at most eight CNAMEs are followed.
//! Nothing is cached here, so that every check sees the current records; the recursive name servers cache.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as Refusal, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use membermail_core::domain_proof::{DnsAnswer, Unanswered};
use tokio::time;
use tracing::debug;

use crate::settings::{NameServers, Settings};

/// Retries after the first attempt.
const RETRIES: usize = 1;

/// A DNS client. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    resolver: TokioResolver,
    timeout: Duration,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Resolver {
    /// Builds the client; sends no query yet.
    pub fn new(settings: &Settings) -> Result<Self, DnsError> {
        let config = match &settings.servers {
            Some(servers) => config(servers),
            None => {
                let (system, _) = read_system_conf().map_err(|cause| DnsError(cause.to_string()))?;
                // Without the system's search domains, which would resolve other names than the requested one.
                ResolverConfig::from_name_servers(system.name_servers)
            }
        };
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.attempts = RETRIES;
        // Both attempts together stay below the timeout, with some time left for the last response.
        options.timeout = settings.timeout * 9 / 20;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.edns0 = true;
        options.try_tcp_on_error = true;
        // Makes forged responses harder: they must match the case of each letter (0x20 encoding).
        options.case_randomization = true;
        let resolver = builder.build().map_err(|cause| DnsError(cause.to_string()))?;
        Ok(Self { resolver, timeout: settings.timeout })
    }

    /// The timeout of one query.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The TXT records of a name, each with its strings concatenated (RFC 7208, 3.3).
    pub async fn txt(&self, name: &str) -> DnsAnswer<String> {
        self.query(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        })
        .await
    }

    /// The hosts of the MX records of a name, without trailing dots: an empty name for a null MX (RFC 7505).
    pub async fn mx(&self, name: &str) -> DnsAnswer<String> {
        self.query(name, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(host_name(&mx.exchange)),
            _ => None,
        })
        .await
    }

    /// The IPv4 addresses of a name.
    pub async fn ipv4(&self, name: &str) -> DnsAnswer<IpAddr> {
        self.query(name, RecordType::A, |data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            _ => None,
        })
        .await
    }

    /// The IPv6 addresses of a name.
    pub async fn ipv6(&self, name: &str) -> DnsAnswer<IpAddr> {
        self.query(name, RecordType::AAAA, |data| match data {
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        })
        .await
    }

    /// The names of an address, without trailing dots.
    pub async fn names(&self, address: IpAddr) -> DnsAnswer<String> {
        self.look_up(Name::from(address), RecordType::PTR, |data| match data {
            RData::PTR(name) => Some(host_name(&name.0)),
            _ => None,
        })
        .await
    }

    async fn query<T>(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> DnsAnswer<T> {
        // The trailing dot makes the name fully qualified, so no search domain is appended.
        match Name::from_ascii(format!("{name}.")) {
            Ok(name) => self.look_up(name, kind, read).await,
            Err(_) => DnsAnswer::Unanswered(Unanswered::Unusable),
        }
    }

    async fn look_up<T>(&self, name: Name, kind: RecordType, read: impl Fn(&RData) -> Option<T>) -> DnsAnswer<T> {
        match time::timeout(self.timeout, self.resolver.lookup(name, kind)).await {
            Ok(Ok(lookup)) => {
                let records: Vec<_> = lookup.answers().iter().filter_map(|record| read(&record.data)).collect();
                if records.is_empty() { DnsAnswer::Missing } else { DnsAnswer::Records(records) }
            }
            Ok(Err(error)) => {
                debug!(%error, "no records");
                without_records(&error)
            }
            Err(_) => DnsAnswer::Unanswered(Unanswered::TimedOut),
        }
    }
}

/// A host name in lower case, without the trailing dot; empty for the root.
fn host_name(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

fn config(servers: &NameServers) -> ResolverConfig {
    let servers = servers.0.iter().map(|server| {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        connections.iter_mut().for_each(|connection| connection.port = server.port());
        NameServerConfig::new(server.ip(), true, connections)
    });
    ResolverConfig::from_name_servers(servers.collect())
}

/// The result of a response without records.
fn without_records<T>(error: &NetError) -> DnsAnswer<T> {
    let why = match error {
        NetError::Dns(Refusal::NoRecordsFound(none)) if is_negative(none) => return DnsAnswer::Missing,
        NetError::Dns(Refusal::NoRecordsFound(none)) => of_code(none.response_code),
        NetError::Dns(Refusal::ResponseCode(code)) => of_code(*code),
        NetError::Timeout => Unanswered::TimedOut,
        _ => Unanswered::Unusable,
    };
    DnsAnswer::Unanswered(why)
}

/// Whether the response is NXDOMAIN or NODATA (RFC 2308, 2). NS records without a SOA are a referral, which is no answer.
fn is_negative(none: &NoRecords) -> bool {
    let is_referral = none.ns.is_some() && none.soa.is_none();
    matches!(none.response_code, ResponseCode::NXDomain | ResponseCode::NoError) && !is_referral
}

fn of_code(code: ResponseCode) -> Unanswered {
    match code {
        ResponseCode::ServFail => Unanswered::ServerFailure,
        ResponseCode::Refused => Unanswered::Refused,
        _ => Unanswered::Unusable,
    }
}

/// The DNS client cannot be configured: the name servers of the setting or of the system are invalid.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the name servers: {0}")]
pub struct DnsError(String);
