//! One question to DNS, and its answer in three kinds: records, none, or no answer.
//!
//! What comes back is bounded by the protocol: a message has 65,535 octets at most, and no more than eight CNAMEs are
//! followed. Nothing is cached here, so that each look is one; the name servers that are asked do that.

use std::fmt;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as Refusal, NetError, NoRecords};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use membermail_core::domain_proof::{Answer, Unanswered};
use tokio::time::timeout;
use tracing::debug;

use crate::settings::{NameServers, Settings};

/// Tries after the first.
const RETRIES: usize = 1;

/// Asks DNS. Cheap to clone.
#[derive(Clone)]
pub struct Resolver {
    resolver: TokioResolver,
    patience: Duration,
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Resolver {
    /// Asks nobody yet.
    pub fn new(settings: &Settings) -> Result<Self, DnsError> {
        let config = match &settings.servers {
            Some(servers) => config(servers),
            None => {
                let (system, _) = read_system_conf().map_err(|cause| DnsError(cause.to_string()))?;
                // Without the system's search domains: they would answer for another name than was asked for.
                ResolverConfig::from_name_servers(system.name_servers)
            }
        };
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.attempts = RETRIES;
        // The tries share the patience, with a little left for the answer to the last one.
        options.timeout = settings.patience * 9 / 20;
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        options.edns0 = true;
        options.try_tcp_on_error = true;
        // A forged answer must guess the case of each letter too.
        options.case_randomization = true;
        let resolver = builder.build().map_err(|cause| DnsError(cause.to_string()))?;
        Ok(Self { resolver, patience: settings.patience })
    }

    /// How long one question may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// The TXT records at a name, each with its strings joined without anything between (as RFC 7208, 3.3).
    pub async fn txt(&self, name: &str) -> Answer<String> {
        self.ask(name, RecordType::TXT, |data| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        })
        .await
    }

    /// The hosts of the MX records at a name, without their last dots: of a null MX (RFC 7505), nothing.
    pub async fn mx(&self, name: &str) -> Answer<String> {
        self.ask(name, RecordType::MX, |data| match data {
            RData::MX(mx) => Some(mx.exchange.to_ascii().trim_end_matches('.').to_ascii_lowercase()),
            _ => None,
        })
        .await
    }

    async fn ask(&self, name: &str, kind: RecordType, read: impl Fn(&RData) -> Option<String>) -> Answer<String> {
        // With its last dot a name is whole: nothing is ever put behind it.
        let Ok(name) = Name::from_ascii(format!("{name}.")) else { return Answer::Unanswered(Unanswered::Unusable) };
        match timeout(self.patience, self.resolver.lookup(name, kind)).await {
            Ok(Ok(lookup)) => {
                let records: Vec<_> = lookup.answers().iter().filter_map(|record| read(&record.data)).collect();
                if records.is_empty() { Answer::Missing } else { Answer::Records(records) }
            }
            Ok(Err(error)) => {
                debug!(%error, "no records");
                without_records(&error)
            }
            Err(_) => Answer::Unanswered(Unanswered::TimedOut),
        }
    }
}

fn config(servers: &NameServers) -> ResolverConfig {
    let server = |server: &std::net::SocketAddr| {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        connections.iter_mut().for_each(|connection| connection.port = server.port());
        NameServerConfig::new(server.ip(), true, connections)
    };
    ResolverConfig::from_name_servers(servers.0.iter().map(server).collect())
}

/// What an answer without records says.
fn without_records(error: &NetError) -> Answer<String> {
    let why = match error {
        NetError::Dns(Refusal::NoRecordsFound(none)) if is_negative(none) => return Answer::Missing,
        NetError::Dns(Refusal::NoRecordsFound(none)) => of_code(none.response_code),
        NetError::Dns(Refusal::ResponseCode(code)) => of_code(*code),
        NetError::Timeout => Unanswered::TimedOut,
        _ => Unanswered::Unusable,
    };
    Answer::Unanswered(why)
}

/// NXDOMAIN and NODATA (RFC 2308, 2). Name servers without a SOA are a referral: whoever sends it does not know.
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

/// DNS cannot be asked at all: for the operator who set the name servers, or the system's.
#[derive(Debug, thiserror::Error)]
#[error("the name servers: {0}")]
pub struct DnsError(String);
