//! Listening endpoints in Postfix's syntax: `inet:127.0.0.1:2527` or `unix:/run/membermail/alias-map`.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;

/// A TCP port on loopback, or a UNIX socket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Endpoint {
    /// `inet:ADDRESS:PORT`
    Inet(SocketAddr),
    /// `unix:/PATH`
    Unix(PathBuf),
}

/// The endpoint is invalid. Only local endpoints are allowed, because the server has no authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected inet:LOOPBACK-ADDRESS:PORT or unix:/ABSOLUTE/PATH")]
pub struct EndpointError;

impl FromStr for Endpoint {
    type Err = EndpointError;
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        if let Some(address) = text.strip_prefix("inet:") {
            let address: SocketAddr = address.parse().map_err(|_| EndpointError)?;
            return if address.ip().is_loopback() { Ok(Self::Inet(address)) } else { Err(EndpointError) };
        }
        let path = text.strip_prefix("unix:").map(PathBuf::from).filter(|path| path.is_absolute());
        path.map(Self::Unix).ok_or(EndpointError)
    }
}

impl TryFrom<String> for Endpoint {
    type Error = EndpointError;
    fn try_from(text: String) -> Result<Self, EndpointError> {
        text.parse()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inet(address) => write!(f, "inet:{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("inet:127.0.0.1:2527", true)]
    #[case("inet:[::1]:2527", true)]
    #[case("unix:/run/membermail/alias-map", true)]
    #[case::all_interfaces("inet:0.0.0.0:2527", false)]
    #[case::public_address("inet:192.0.2.1:2527", false)]
    #[case::host_name("inet:localhost:2527", false)]
    #[case::relative("unix:alias-map", false)]
    #[case::no_scheme("127.0.0.1:2527", false)]
    fn endpoint_must_be_local(#[case] text: &str, #[case] valid: bool) {
        let endpoint = Endpoint::from_str(text);
        assert_eq!(endpoint.is_ok(), valid);
        assert!(endpoint.map_or(true, |endpoint| endpoint.to_string() == text));
    }
}
