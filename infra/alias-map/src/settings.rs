//! The settings: one TOML file, read at the start and again at SIGHUP.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::alias::is_loop;
use membermail_core::email::EmailAddress;
use serde::Deserialize;

use crate::endpoint::Endpoint;

/// What one server runs by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The community, as its file in `infra/communities` is named.
    pub community: String,
    /// Where Postfix finds the maps.
    pub listen: Vec<Endpoint>,
    /// Where Prometheus finds the metrics, on loopback.
    pub metrics: Option<SocketAddr>,
    /// The table.
    pub table: String,
    /// Where the master secret is.
    pub master_secret: MasterSecretAt,
    /// Megabytes of cached answers at most.
    pub cache_megabytes: u32,
    /// Connections at the same time at most.
    pub connections: usize,
    /// How long what is good for.
    pub patience: Patience,
    /// Domains whose servers take `name+tag` for `name`: mail for those keeps its tag.
    pub takes_tags: Vec<DomainName>,
    /// Where the operators read mail. Role mail of a domain goes there while no admin of it can act.
    pub operators: EmailAddress,
}

/// Where the master secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MasterSecretAt {
    /// AWS Secrets Manager.
    Arn(String),
    /// A file, as systemd hands credentials over.
    File(PathBuf),
}

/// How long what is good for. All of it can change while the server runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// An answer that there is something.
    pub hits: Duration,
    /// An answer that there is nothing.
    pub misses: Duration,
    /// An answer that there is something, while the table is out of reach.
    pub stale: Duration,
    /// One question to the table.
    pub table: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [hits, misses, stale, table] = [60, 10, 3600, 2].map(Duration::from_secs);
        Self { hits, misses, stale, table }
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
    #[serde(default)]
    takes_tags: Vec<DomainName>,
    operators: String,
}

fn cache_megabytes() -> u32 {
    64
}

fn connections() -> usize {
    1_000
}

impl Settings {
    /// Reads the file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let fault = |reason: String| SettingsError { file: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        Self::parse(&text).map_err(fault)
    }

    /// Reads the text of the file, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        // A mistake is shown with its line number and never with the line, which can hold the operators' address.
        let file: File = toml::from_str(text).map_err(|error| {
            let line =
                error.span().and_then(|span| text.get(..span.start)).map_or(1, |text| text.lines().count().max(1));
            format!("line {line}: {}", error.message())
        })?;
        let master_secret = match (file.master_secret_arn, file.master_secret_file) {
            (Some(arn), None) => MasterSecretAt::Arn(arn),
            (None, Some(path)) => MasterSecretAt::File(path),
            _ => return Err("one of master-secret-arn and master-secret-file is needed".to_owned()),
        };
        if file.listen.is_empty() {
            return Err("listen names no place".to_owned());
        }
        if file.metrics.is_some_and(|address| !address.ip().is_loopback()) {
            return Err("metrics is not on loopback".to_owned());
        }
        if !(1..=65_536).contains(&file.cache_megabytes) || file.connections == 0 {
            return Err("cache-megabytes and connections cannot be that".to_owned());
        }
        let operators = EmailAddress::parse(&file.operators).map_err(|error| format!("operators: {error}"))?;
        let standard = Patience::default();
        Ok(Self {
            community: file.community,
            listen: file.listen,
            metrics: file.metrics,
            table: file.table,
            master_secret,
            cache_megabytes: file.cache_megabytes,
            connections: file.connections,
            patience: Patience {
                hits: duration("hits", file.hits, standard.hits)?,
                misses: duration("misses", file.misses, standard.misses)?,
                stale: duration("stale", file.stale, standard.stale)?,
                table: standard.table,
            },
            takes_tags: file.takes_tags,
            operators,
        })
    }
}

impl Settings {
    /// Whether the operators read mail outside the community. Role mail that comes back to an address of ours would go
    /// round in a circle.
    pub fn check_operators(&self, community: &[DomainName]) -> Result<(), String> {
        if is_loop(&self.operators, community) {
            return Err("operators lies in a domain of the community".to_owned());
        }
        Ok(())
    }
}

fn duration(name: &str, set: Option<SignedDuration>, standard: Duration) -> Result<Duration, String> {
    let Some(set) = set else { return Ok(standard) };
    let longest = SignedDuration::from_hours(24);
    let fits = Duration::try_from(set).ok().filter(|_| set <= longest);
    fits.ok_or_else(|| format!("{name} is not a time between 0 s and 24 h"))
}

/// The file is not as it must be; the operator mends it.
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
    fn the_example_is_as_the_standard() {
        let settings = Settings::parse(EXAMPLE).unwrap();
        assert_eq!(settings.patience, Patience::default());
        assert_eq!(settings.cache_megabytes, cache_megabytes());
        assert_eq!(settings.connections, connections());
        assert_eq!(settings.community, "ubuntu");
    }

    #[rstest::rstest]
    #[case::unknown("hits = \"60s\"", "hitz = \"60s\"", "unknown field `hitz`")]
    #[case::no_unit("hits = \"60s\"", "hits = \"60\"", "line ")]
    #[case::negative("hits = \"60s\"", "hits = \"-60s\"", "hits is not a time")]
    #[case::too_long("stale = \"1h\"", "stale = \"25h\"", "stale is not a time")]
    #[case::open_to_all("listen = [\"inet:127.0.0.1:2527\"]", "listen = [\"inet:0.0.0.0:2527\"]", "LOOPBACK")]
    #[case::nowhere("listen = [\"inet:127.0.0.1:2527\"]", "listen = []", "listen names no place")]
    #[case::metrics_for_all("metrics = \"127.0.0.1:9527\"", "metrics = \"0.0.0.0:9527\"", "metrics is not on loopback")]
    #[case::no_secret("master-secret-arn", "#", "one of master-secret-arn and")]
    #[case::operators("operators = \"operators@example.org\"", "operators = \"secret\"", "operators: not an")]
    #[case::no_operators("operators = \"operators@example.org\"", "", "missing field `operators`")]
    fn a_mistake_is_told_and_no_address_with_it(#[case] good: &str, #[case] bad: &str, #[case] reason: &str) {
        assert!(EXAMPLE.contains(good));
        let told = Settings::parse(&EXAMPLE.replacen(good, bad, 1)).unwrap_err();
        assert!(told.contains(reason) && !told.contains("secret\""), "{told}");
    }

    #[test]
    fn operators_inside_community_are_refused() {
        let settings = Settings::parse(EXAMPLE).unwrap();
        assert_eq!(settings.check_operators(&["ubuntu.com".parse().unwrap()]), Ok(()));
        assert!(settings.check_operators(&["example.org".parse().unwrap()]).is_err());
    }
}
