//! The settings: one TOML file, read at startup and on SIGHUP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::alias::is_loop;
use membermail_core::email::EmailAddress;
use serde::Deserialize;

use crate::endpoint::Endpoint;

/// The settings of one server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the community's file in `shared/communities`.
    pub community: String,
    /// The endpoints that serve the maps to Postfix.
    pub listen: Vec<Endpoint>,
    /// The address of the Prometheus endpoint, on loopback.
    pub metrics: Option<SocketAddr>,
    /// The name of the DynamoDB table.
    pub table: String,
    /// The location of the master secret.
    pub master_secret: MasterSecretSource,
    /// Maximum size of the cache in megabytes.
    pub cache_megabytes: u32,
    /// Maximum number of concurrent connections.
    pub connections: usize,
    /// Cache lifetimes and the query timeout.
    pub ttls: CacheTtls,
    /// Destination domains that support subaddresses (RFC 5233): mail to them keeps its tag.
    pub subaddress_domains: Vec<DomainName>,
    /// The operators' address. It gets the role mail of the host, and that of a domain while none of its admins can act.
    pub operators: EmailAddress,
    /// The host's name in DNS and in reports.
    pub host_name: DomainName,
    /// The domain of return-path addresses.
    pub return_path_domain: DomainName,
}

/// The location of the master secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterSecretSource {
    /// The ARN of a secret in AWS Secrets Manager.
    Arn(String),
    /// A file, such as a systemd credential.
    File(PathBuf),
}

/// Cache lifetimes, the stale-if-error limit, and the query timeout. A reload changes the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheTtls {
    /// TTL of a positive result.
    pub hits: Duration,
    /// TTL of a `NotFound` result, and of an alias without a confirmed destination.
    pub misses: Duration,
    /// Maximum age of a positive result that is served while the table is unreachable.
    pub stale_if_error: Duration,
    /// Timeout of a query to the table.
    pub query_timeout: Duration,
}

impl Default for CacheTtls {
    fn default() -> Self {
        Self {
            hits: Duration::from_secs(60),
            misses: Duration::from_secs(10),
            stale_if_error: Duration::from_secs(3600),
            query_timeout: Duration::from_secs(2),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    community: String,
    listen: Vec<Endpoint>,
    metrics: Option<SocketAddr>,
    table: String,
    master_secret_arn: Option<String>,
    master_secret_file: Option<PathBuf>,
    #[serde(default = "cache_megabytes")]
    cache_megabytes: u32,
    #[serde(default = "connections")]
    connections: usize,
    hits: Option<SignedDuration>,
    misses: Option<SignedDuration>,
    stale: Option<SignedDuration>,
    #[serde(default, rename = "takes-tags")]
    subaddress_domains: Vec<DomainName>,
    operators: String,
    host_name: DomainName,
    return_path_domain: DomainName,
}

fn cache_megabytes() -> u32 {
    64
}

fn connections() -> usize {
    1_000
}

impl Settings {
    /// Reads and parses the file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        read_file(path, Self::parse)
    }

    /// Parses the text of the file; the error is for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        // An error contains the line number and never the line, which can hold the operators' address.
        let file: File = toml::from_str(text).map_err(|error| {
            let line =
                error.span().and_then(|span| text.get(..span.start)).map_or(1, |text| text.lines().count().max(1));
            format!("line {line}: {}", error.message())
        })?;
        let master_secret = match (file.master_secret_arn, file.master_secret_file) {
            (Some(arn), None) => MasterSecretSource::Arn(arn),
            (None, Some(path)) => MasterSecretSource::File(path),
            _ => return Err("set either master-secret-arn or master-secret-file".to_owned()),
        };
        if file.listen.is_empty() {
            return Err("listen is empty: name at least one endpoint".to_owned());
        }
        if file.metrics.is_some_and(|address| !address.ip().is_loopback()) {
            return Err("metrics must be a loopback address".to_owned());
        }
        if !(1..=65_536).contains(&file.cache_megabytes) {
            return Err("cache-megabytes must be between 1 and 65536".to_owned());
        }
        if file.connections == 0 {
            return Err("connections must be at least 1".to_owned());
        }
        let operators = EmailAddress::parse(&file.operators).map_err(|error| format!("operators: {error}"))?;
        let defaults = CacheTtls::default();
        Ok(Self {
            community: file.community,
            listen: file.listen,
            metrics: file.metrics,
            table: file.table,
            master_secret,
            cache_megabytes: file.cache_megabytes,
            connections: file.connections,
            ttls: CacheTtls {
                hits: duration("hits", file.hits, defaults.hits)?,
                misses: duration("misses", file.misses, defaults.misses)?,
                stale_if_error: duration("stale", file.stale, defaults.stale_if_error)?,
                query_timeout: defaults.query_timeout,
            },
            subaddress_domains: file.subaddress_domains,
            operators,
            host_name: file.host_name,
            return_path_domain: file.return_path_domain,
        })
    }
}

impl Settings {
    /// The names of this host that mail can be sent to, beside the domains of the community.
    pub fn own_names(&self) -> [DomainName; 2] {
        [self.host_name.clone(), self.return_path_domain.clone()]
    }

    /// Rejects an operators' address at this host, because role mail would loop, and names of the host that are also a
    /// domain of the community or the same.
    pub fn check_names(&self, community: &[DomainName]) -> Result<(), String> {
        if is_loop(&self.operators, community) || is_loop(&self.operators, &self.own_names()) {
            return Err("operators must be an address outside the community's domains and this host".to_owned());
        }
        if self.host_name == self.return_path_domain || self.own_names().iter().any(|name| community.contains(name)) {
            return Err("host-name and return-path-domain must be two names outside the community".to_owned());
        }
        Ok(())
    }
}

fn duration(name: &str, value: Option<SignedDuration>, default: Duration) -> Result<Duration, String> {
    let Some(value) = value else { return Ok(default) };
    let valid = Duration::try_from(value).ok().filter(|_| value <= SignedDuration::from_hours(24));
    valid.ok_or_else(|| format!("{name} must be between 0 s and 24 h"))
}

/// Reads a settings file; `parse` returns an error for the operator.
pub fn read_file<T>(path: &Path, parse: fn(&str) -> Result<T, String>) -> Result<T, SettingsError> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    text.and_then(|text| parse(&text)).map_err(|reason| SettingsError { file: path.to_owned(), reason })
}

/// The settings file cannot be read or is invalid.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", file.display())]
pub struct SettingsError {
    file: PathBuf,
    reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../alias-map.example.toml");

    #[test]
    fn example_has_the_defaults() {
        let settings = Settings::parse(EXAMPLE).unwrap();
        assert_eq!(settings.ttls, CacheTtls::default());
        assert_eq!(settings.cache_megabytes, cache_megabytes());
        assert_eq!(settings.connections, connections());
        assert_eq!(settings.community, "ubuntu");
    }

    #[rstest::rstest]
    #[case::unknown("hits = \"60s\"", "hitz = \"60s\"", "unknown field `hitz`")]
    #[case::no_unit("hits = \"60s\"", "hits = \"60\"", "line ")]
    #[case::negative("hits = \"60s\"", "hits = \"-60s\"", "hits must be between")]
    #[case::too_long("stale = \"1h\"", "stale = \"25h\"", "stale must be between")]
    #[case::not_loopback("\"inet:127.0.0.1:2527\"", "\"inet:0.0.0.0:2527\"", "LOOPBACK")]
    #[case::no_endpoint(
        "listen = [\"unix:/run/membermail/alias-map\", \"inet:127.0.0.1:2527\"]",
        "listen = []",
        "listen is empty: name at least one endpoint"
    )]
    #[case::metrics_not_loopback(
        "metrics = \"127.0.0.1:9527\"",
        "metrics = \"0.0.0.0:9527\"",
        "metrics must be a loopback address"
    )]
    #[case::no_secret("master-secret-arn", "#", "set either master-secret-arn or")]
    #[case::operators("operators = \"operators@example.org\"", "operators = \"secret\"", "operators: not an")]
    #[case::no_host_name("host-name = \"mx.forwards.example\"", "", "missing field `host-name`")]
    #[case::no_operators("operators = \"operators@example.org\"", "", "missing field `operators`")]
    fn error_names_setting_without_address(#[case] good: &str, #[case] bad: &str, #[case] reason: &str) {
        assert!(EXAMPLE.contains(good));
        let error = Settings::parse(&EXAMPLE.replacen(good, bad, 1)).unwrap_err();
        assert!(error.contains(reason) && !error.contains("secret\""), "{error}");
    }

    #[rstest::rstest]
    #[case::example("hits = \"60s\"", "hits = \"60s\"", None)]
    #[case::operators_in_community("operators@example.org", "operators@ubuntu.com", Some("operators must be"))]
    #[case::operators_at_host("operators@example.org", "operators@mx.forwards.example", Some("operators must be"))]
    #[case::operators_in_return_path("operators@example.org", "a@back.forwards.example", Some("operators must be"))]
    #[case::host_in_community("mx.forwards.example", "ubuntu.com", Some("host-name and"))]
    #[case::return_path_in_community("back.forwards.example", "ubuntu.com", Some("host-name and"))]
    #[case::one_name("back.forwards.example", "mx.forwards.example", Some("host-name and"))]
    fn own_names_are_separate(#[case] good: &str, #[case] other: &str, #[case] reason: Option<&str>) {
        assert!(EXAMPLE.contains(good));
        let settings = Settings::parse(&EXAMPLE.replacen(good, other, 1)).unwrap();
        match (settings.check_names(&["ubuntu.com".parse().unwrap()]), reason) {
            (Ok(()), None) => {}
            (Err(error), Some(reason)) => assert!(error.starts_with(reason), "{error}"),
            (result, reason) => panic!("{result:?}, expected {reason:?}"),
        }
    }
}
