//! Where the site is, as the browser sees it: under a stage prefix, a custom domain, or a configured URL.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use url::Url;

/// The site's public URL, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    url: Url,
}

impl Place {
    /// The configured URL where there is one; otherwise what API Gateway says of this request. Never the `Host`
    /// header alone: that is the sender's word.
    pub fn of(configured: Option<&Url>, request: &Request) -> Option<Self> {
        if let Some(url) = configured {
            return Some(Self { url: url.clone() });
        }
        let RequestContext::ApiGatewayV1(context) = request.request_context_ref()? else { return None };
        Self::derive(context.domain_name.as_deref()?, context.path.as_deref()?, request.raw_http_path())
    }

    /// `whole` is the path with the stage or the base path of a custom domain, `path` the same without.
    fn derive(host: &str, whole: &str, path: &str) -> Option<Self> {
        let prefix = whole.strip_suffix(path).or_else(|| whole.strip_suffix(path.trim_end_matches('/')))?;
        Url::parse(&format!("https://{host}{prefix}")).ok().map(|url| Self { url })
    }

    /// What stands before a path of ours in a link: empty, or `/live`.
    pub fn base(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The full URL of a path of ours that begins with a slash.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.base()));
        url
    }

    /// Whether browsers come by HTTPS: everywhere but on a developer's machine.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::stage("x1.execute-api.eu-west-1.amazonaws.com", "/live/sign-in", "/sign-in", "/live")]
    #[case::stage_root("x1.execute-api.eu-west-1.amazonaws.com", "/live/", "/", "/live")]
    #[case::stage_without_slash("x1.execute-api.eu-west-1.amazonaws.com", "/live", "/", "/live")]
    #[case::custom_domain("mail.example.org", "/sign-in", "/sign-in", "")]
    #[case::base_path_mapping("example.org", "/mail/sign-in", "/sign-in", "/mail")]
    fn the_prefix_comes_from_the_request(
        #[case] host: &str,
        #[case] whole: &str,
        #[case] path: &str,
        #[case] base: &str,
    ) {
        let place = Place::derive(host, whole, path).unwrap();
        assert_eq!(place.base(), base);
        assert_eq!(place.join("/callback").as_str(), format!("https://{host}{base}/callback"));
        assert!(place.is_https());
    }

    #[test]
    fn a_configured_url_wins() {
        let url = Url::parse("http://localhost:8480/").unwrap();
        let place = Place::of(Some(&url), &Request::default()).unwrap();
        assert_eq!(place.join("/").as_str(), "http://localhost:8480/");
        assert_eq!(place.base(), "");
        assert!(!place.is_https());
    }
}
