//! Which name servers are asked, and for how long.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// The port of DNS.
const PORT: u16 = 53;

/// How DNS is asked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name servers; without any, those of the system.
    pub servers: Option<NameServers>,
    /// How long one question may take, with all its tries.
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { servers: None, patience: Duration::from_secs(8) }
    }
}

/// Recursive name servers by address: `192.0.2.1`, `192.0.2.1:5353`, `[2001:db8::1]:5353`, with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServers(pub(crate) Vec<SocketAddr>);

impl FromStr for NameServers {
    type Err = NameServersError;
    fn from_str(text: &str) -> Result<Self, NameServersError> {
        let server = |text: &str| {
            let text = text.trim();
            let address = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
            let with_port = || text.parse().map_err(|_| NameServersError(text.to_owned()));
            address.map_or_else(|_| with_port(), |address| Ok(SocketAddr::new(address, PORT)))
        };
        text.split(',').map(server).collect::<Result<_, _>>().map(Self)
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
    fn lists_of_name_servers(#[case] text: &str, #[case] expected: &[&str]) {
        let expected = expected.iter().map(|server| server.parse().unwrap()).collect();
        assert_eq!(text.parse(), Ok(NameServers(expected)));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("ns.example.org")]
    #[case("192.0.2.1,")]
    #[case("192.0.2.1:many")]
    fn what_is_no_list(#[case] text: &str) {
        assert!(text.parse::<NameServers>().is_err());
    }
}
