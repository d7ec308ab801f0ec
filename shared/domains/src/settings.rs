//! Settings of the DNS client.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// The port of DNS.
const PORT: u16 = 53;

/// The name servers and the timeout.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name servers; `None` uses those of the system.
    pub servers: Option<NameServers>,
    /// Timeout of one query, including retries.
    pub timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { servers: None, timeout: Duration::from_secs(8) }
    }
}

/// Recursive name servers by address: `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`, with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServers(pub(crate) Vec<SocketAddr>);

impl FromStr for NameServers {
    type Err = NameServersError;
    fn from_str(text: &str) -> Result<Self, NameServersError> {
        text.split(',').map(|server| parse_server(server.trim())).collect::<Result<_, _>>().map(Self)
    }
}

fn parse_server(text: &str) -> Result<SocketAddr, NameServersError> {
    match text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => Ok(SocketAddr::new(address, PORT)),
        Err(_) => text.parse().map_err(|_| NameServersError(text.to_owned())),
    }
}

impl From<SocketAddr> for NameServers {
    fn from(server: SocketAddr) -> Self {
        Self(vec![server])
    }
}

/// A text that is no list of name servers: for the operator who set it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the address of a name server: give an IP address, and a port behind a colon if it is not 53")]
pub struct NameServersError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("192.0.2.1", &["192.0.2.1:53"])]
    #[case("192.0.2.1:5353, 2001:db8::1", &["192.0.2.1:5353", "[2001:db8::1]:53"])]
    #[case("[2001:db8::1]:5353,[2001:db8::2]", &["[2001:db8::1]:5353", "[2001:db8::2]:53"])]
    fn name_servers_are_parsed(#[case] text: &str, #[case] expected: &[&str]) {
        let expected = expected.iter().map(|server| server.parse().unwrap()).collect();
        assert_eq!(text.parse(), Ok(NameServers(expected)));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("ns.example.org")]
    #[case("192.0.2.1,")]
    #[case("192.0.2.1:many")]
    fn invalid_name_server_is_rejected(#[case] text: &str) {
        assert!(text.parse::<NameServers>().is_err());
    }
}
