//! Requests of the crates on our own HTTP client: bounded bodies, no plain HTTP, errors that say what to do.

use std::future::Future;
use std::pin::Pin;

use membermail_core::community::Issuer;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::{Client, StatusCode};
use url::{Host, Url};

use super::ProviderError;

/// Maximum bytes of a response.
pub(super) const BODY_LIMIT: usize = 256 * 1024;

#[derive(Clone)]
pub(super) struct Http {
    client: Client,
    transport: Transport,
}

/// Which URLs are secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// Those with `https`.
    Https,
    /// Also loopback hosts without it, for development.
    HttpsOrLoopback,
}

impl Http {
    pub(super) fn new(client: Client, transport: Transport) -> Self {
        Self { client, transport }
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let request = reqwest::Request::try_from(request).map_err(|_| ProviderError::Malformed("endpoint"))?;
        if !self.transport.allows(request.url()) {
            return Err(ProviderError::Insecure("endpoint"));
        }
        let url = request.url().clone();
        let mut response = self.client.execute(request).await.map_err(unavailable)?;
        // With a client that follows redirects, the response could come from any server.
        if response.status().is_redirection() || *response.url() != url {
            return Err(ProviderError::Redirect);
        }
        let status = response.status();
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(ProviderError::Unavailable(status.to_string()));
        }
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unavailable)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(ProviderError::Oversized);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

fn unavailable(error: reqwest::Error) -> ProviderError {
    if error.is_timeout() {
        ProviderError::TimedOut
    } else {
        ProviderError::Unavailable(error.without_url().to_string())
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = ProviderError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, ProviderError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Transport {
    /// What a provider may name. Only one that is on a loopback host itself can name endpoints there: otherwise its metadata
    /// could send requests to local services, such as that of the Lambda runtime.
    pub(super) fn of(issuer: &Issuer) -> Self {
        if issuer.as_str().starts_with("https://") { Self::Https } else { Self::HttpsOrLoopback }
    }

    /// Whether the URL is secure.
    pub(super) fn allows(self, url: &Url) -> bool {
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" => true,
            "http" => self == Self::HttpsOrLoopback && is_loopback,
            _ => false,
        }
    }
}

/// Whether the body has this media type; a missing header is tolerated, as the crates do.
pub(super) fn is_json(response: &HttpResponse) -> bool {
    let Some(value) = response.headers().get(reqwest::header::CONTENT_TYPE) else { return true };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("https://login.example/", true, true)]
    #[case("https://localhost/", true, true)]
    #[case("http://localhost:8481/", false, true)]
    #[case("http://gitlab.localhost/", false, true)]
    #[case("http://127.0.0.1:1/", false, true)]
    #[case("http://[::1]/", false, true)]
    #[case("http://login.example/", false, false)]
    #[case("http://localhost.example/", false, false)]
    #[case("http://10.0.0.1/", false, false)]
    #[case("ftp://localhost/", false, false)]
    fn plain_http_is_for_development(#[case] url: &str, #[case] deployed: bool, #[case] development: bool) {
        let url = Url::parse(url).unwrap();
        for (issuer, expected) in [("https://login.example", deployed), ("http://localhost:1", development)] {
            assert_eq!(Transport::of(&Issuer::parse(issuer).unwrap()).allows(&url), expected, "{issuer}");
        }
    }
}
