//! The settings: one TOML file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use membermail_alias_map::endpoint::Endpoint;
use membermail_alias_map::settings::{SettingsError, read_file};
use membermail_core::address::DomainName;
use serde::Deserialize;

/// The settings of the program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The name of this host, as in `Received` fields.
    pub host_name: DomainName,
    /// The endpoint of alias-map.
    pub alias_map: Endpoint,
    /// The address of the Postfix service that accepts reports.
    pub submit: SocketAddr,
    /// The URL of the queue of failed deliveries; without it nothing is reported.
    pub queue_url: Option<String>,
    /// An AWS configuration file with region and credentials; without it the host's role is used.
    pub aws_profile: Option<PathBuf>,
}

impl Settings {
    /// Reads and parses the file.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        read_file(path, Self::parse)
    }

    /// Parses the text of the file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        if !settings.submit.ip().is_loopback() {
            return Err("submit must be a loopback address".to_owned());
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../bounce.example.toml");

    #[test]
    fn example_is_valid() {
        let settings = Settings::parse(EXAMPLE).unwrap();
        assert_eq!(settings.host_name.as_str(), "mx.forwards.example");
        assert!(settings.queue_url.is_some() && settings.aws_profile.is_some());
    }

    #[rstest::rstest]
    #[case::public("submit = \"127.0.0.1:", "submit = \"192.0.2.1:", "submit must be a loopback address")]
    #[case::unknown("queue-url", "queue-uri", "unknown field `queue-uri`")]
    #[case::no_host("host-name", "# host-name", "missing field `host-name`")]
    fn error_names_the_setting(#[case] good: &str, #[case] bad: &str, #[case] reason: &str) {
        assert!(EXAMPLE.contains(good));
        let error = Settings::parse(&EXAMPLE.replacen(good, bad, 1)).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}
