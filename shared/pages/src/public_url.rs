//! The configured URL of the site.

use std::str::FromStr;

use url::{Host, Url};

/// The URL that browsers reach the site by: HTTPS, or plain HTTP on the developer's own machine.
///
/// Plain HTTP shows everyone on the path the session cookie and the answers of the sign-in provider, and cookies have
/// neither `Secure` nor the `__Host-` prefix. So such a URL is a configuration error wherever it leaves the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// The URL itself.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| PublicUrlError::Malformed)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(PublicUrlError::PlainHttp),
            _ => return Err(PublicUrlError::Malformed),
        }
        let has_more =
            !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some();
        if has_more { Err(PublicUrlError::Malformed) } else { Ok(Self(url)) }
    }
}

/// Whether requests for this URL stay on the machine that makes them.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Why a text is no URL of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// Not a URL of scheme, host, port and path alone.
    #[error("not an HTTPS URL of host and path")]
    Malformed,
    /// Plain HTTP to another machine.
    #[error("plain HTTP is for localhost only: use https")]
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
    #[case::ipv4_of_the_block("http://127.9.9.9/", Ok(()))]
    #[case::ipv4_in_short("http://127.1/", Ok(()))]
    #[case::ipv6("http://[::1]:8480/", Ok(()))]
    #[case::plain("http://mail.example.org", Err(PublicUrlError::PlainHttp))]
    #[case::private("http://192.168.1.2/", Err(PublicUrlError::PlainHttp))]
    #[case::any("http://0.0.0.0:8480/", Err(PublicUrlError::PlainHttp))]
    #[case::any_ipv6("http://[::]:8480/", Err(PublicUrlError::PlainHttp))]
    #[case::begins_alike("http://localhost.example.org/", Err(PublicUrlError::PlainHttp))]
    #[case::ends_alike("http://notlocalhost/", Err(PublicUrlError::PlainHttp))]
    #[case::begins_like_an_address("http://127.0.0.1.example.org/", Err(PublicUrlError::PlainHttp))]
    #[case::name_before("http://localhost@mail.example.org/", Err(PublicUrlError::PlainHttp))]
    #[case::user("https://eve@mail.example.org/", Err(PublicUrlError::Malformed))]
    #[case::query("https://mail.example.org/?x", Err(PublicUrlError::Malformed))]
    #[case::fragment("https://mail.example.org/#x", Err(PublicUrlError::Malformed))]
    #[case::no_scheme("mail.example.org", Err(PublicUrlError::Malformed))]
    #[case::other_scheme("ftp://localhost/", Err(PublicUrlError::Malformed))]
    #[case::opaque("data:text/html,x", Err(PublicUrlError::Malformed))]
    #[case::empty("", Err(PublicUrlError::Malformed))]
    fn plain_http_is_for_loopback_only(#[case] text: &str, #[case] expected: Result<(), PublicUrlError>) {
        assert_eq!(text.parse::<PublicUrl>().map(drop), expected);
    }
}
