//! The public URL in the configuration (`PUBLIC_URL`).

use std::str::FromStr;

use url::{Host, Url};

/// A configured public URL: HTTPS, or plain HTTP on the loopback interface.
///
/// Plain HTTP would expose the session cookie and the provider's assertions on the network, and cookies would have neither
/// `Secure` nor the `__Host-` prefix. It is therefore a configuration error for any other host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredUrl(Url);

impl ConfiguredUrl {
    /// The parsed URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for ConfiguredUrl {
    type Err = ConfiguredUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| ConfiguredUrlError::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(ConfiguredUrlError::PlainHttp),
            _ => return Err(ConfiguredUrlError::Malformed),
        }
        let has_more =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        if has_more { Err(ConfiguredUrlError::Malformed) } else { Ok(Self(url)) }
    }
}

/// Whether requests to this URL stay on the local machine.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why a text is not accepted as the public URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfiguredUrlError {
    /// Not a URL, or one with parts besides scheme, host, port and path.
    #[error("not an HTTPS URL with only a host and a path")]
    Malformed,
    /// Plain HTTP to another host.
    #[error("plain HTTP is allowed for localhost only; use https")]
    PlainHttp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::https("https://mail.example.org", Ok(()))]
    #[case::https_with_a_path("https://example.org/mail/", Ok(()))]
    #[case::https_at_loopback("https://localhost:8443/", Ok(()))]
    #[case::dev("http://localhost:8480", Ok(()))]
    #[case::capitals("HTTP://LOCALHOST:8480/", Ok(()))]
    #[case::ipv4("http://127.0.0.1:8480/", Ok(()))]
    #[case::ipv4_in_loopback_block("http://127.9.9.9/", Ok(()))]
    #[case::ipv4_short_form("http://127.1/", Ok(()))]
    #[case::ipv6("http://[::1]:8480/", Ok(()))]
    #[case::plain("http://mail.example.org", Err(ConfiguredUrlError::PlainHttp))]
    #[case::private("http://192.168.1.2/", Err(ConfiguredUrlError::PlainHttp))]
    #[case::any("http://0.0.0.0:8480/", Err(ConfiguredUrlError::PlainHttp))]
    #[case::any_ipv6("http://[::]:8480/", Err(ConfiguredUrlError::PlainHttp))]
    #[case::localhost_prefix("http://localhost.example.org/", Err(ConfiguredUrlError::PlainHttp))]
    #[case::localhost_suffix("http://notlocalhost/", Err(ConfiguredUrlError::PlainHttp))]
    #[case::address_prefix("http://127.0.0.1.example.org/", Err(ConfiguredUrlError::PlainHttp))]
    #[case::localhost_as_user("http://localhost@mail.example.org/", Err(ConfiguredUrlError::PlainHttp))]
    #[case::user("https://eve@mail.example.org/", Err(ConfiguredUrlError::Malformed))]
    #[case::query("https://mail.example.org/?x", Err(ConfiguredUrlError::Malformed))]
    #[case::fragment("https://mail.example.org/#x", Err(ConfiguredUrlError::Malformed))]
    #[case::no_scheme("mail.example.org", Err(ConfiguredUrlError::Malformed))]
    #[case::other_scheme("ftp://localhost/", Err(ConfiguredUrlError::Malformed))]
    #[case::opaque("data:text/html,x", Err(ConfiguredUrlError::Malformed))]
    #[case::empty("", Err(ConfiguredUrlError::Malformed))]
    fn plain_http_needs_loopback(#[case] text: &str, #[case] expected: Result<(), ConfiguredUrlError>) {
        assert_eq!(text.parse::<ConfiguredUrl>().map(drop), expected);
    }
}
