//! Where the site is, as the browser sees it: under a stage prefix, a custom domain, or a configured URL.

use lambda_http::aws_lambda_events::apigw::ApiGatewayProxyRequestContext;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use url::Url;

use crate::public_url::PublicUrl;

/// The site's public URL, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    url: Url,
}

/// The id of a request, which goes with all that follows from it; empty where Lambda gave none.
pub fn request_id(request: &Request) -> &str {
    request.lambda_context_ref().map(|lambda| lambda.request_id.as_str()).unwrap_or_default()
}

impl Place {
    /// The configured URL where there is one; otherwise what API Gateway says of this request. Never the `Host`
    /// header alone: that is the sender's word.
    pub fn of(configured: Option<&PublicUrl>, request: &Request) -> Option<Self> {
        if let Some(configured) = configured {
            return Some(Self { url: configured.as_url().clone() });
        }
        let context = context(request)?;
        Self::derive(context.domain_name.as_deref()?, context.path.as_deref()?, &path(request))
    }

    /// `whole` is the path with the stage or the base path of a custom domain, `path` the same without. They may be
    /// escaped differently, so segments are counted, not compared.
    fn derive(host: &str, whole: &str, path: &str) -> Option<Self> {
        let mut url = Url::parse(&format!("https://{host}")).ok()?;
        let before = segments(whole).count().saturating_sub(segments(path).count());
        // Segment by segment: no base begins with two slashes, which a link would take for another host.
        url.path_segments_mut().ok()?.clear().extend(segments(whole).take(before));
        Some(Self { url })
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

/// Which of our paths a request asks for, whatever stands before it. The path of the event will not do: under a
/// custom domain API Gateway leaves the base path in it. So it is the route of the template, filled in.
pub fn path(request: &Request) -> String {
    let Some(route) = context(request).and_then(|context| context.resource_path.as_deref()) else {
        return request.raw_http_path().to_owned();
    };
    let parameters = request.path_parameters_ref();
    let fill = |segment| match name_of_parameter(segment) {
        Some(name) => parameters.and_then(|parameters| parameters.first(name)).unwrap_or_default(),
        None => segment,
    };
    segments(route).map(|segment| format!("/{}", fill(segment))).collect::<String>()
        + if route == "/" { "/" } else { "" }
}

/// `{file}` and `{proxy+}` are filled in by API Gateway.
fn name_of_parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}').map(|name| name.trim_end_matches('+'))
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

fn context(request: &Request) -> Option<&ApiGatewayProxyRequestContext> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => Some(context),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::request::from_str;
    use serde_json::json;

    use super::*;

    const STAGE_HOST: &str = "x1.execute-api.eu-west-1.amazonaws.com";

    /// An event as API Gateway makes it of one request.
    fn event(host: &str, whole: &str, path: &str, route: &str, parameter: Option<&str>) -> Request {
        let event = json!({
            "resource": route, "path": path, "httpMethod": "GET", "headers": { "Host": "evil.example" },
            "multiValueHeaders": {}, "queryStringParameters": null, "multiValueQueryStringParameters": null,
            "pathParameters": parameter.map(|value| json!({ "proxy": value })), "stageVariables": null,
            "requestContext": {
                "resourcePath": route, "path": whole, "stage": "live", "httpMethod": "GET", "domainName": host,
                "identity": {}, "apiId": "x1", "accountId": "1", "requestId": "r", "resourceId": "s",
            },
            "body": null, "isBase64Encoded": false,
        });
        from_str(&event.to_string()).unwrap()
    }

    // What stands in `path` of the event for each was read off real ones: the stage is never in it, the base path
    // of a custom domain always.
    #[rstest::rstest]
    #[case::stage(STAGE_HOST, "/live/sign-in", "/sign-in", "/sign-in", None, "/live", "/sign-in")]
    #[case::stage_root(STAGE_HOST, "/live/", "/", "/", None, "/live", "/")]
    #[case::stage_without_slash(STAGE_HOST, "/live", "/", "/", None, "/live", "/")]
    #[case::slash_at_the_end(STAGE_HOST, "/live/sign-in/", "/sign-in/", "/sign-in", None, "/live", "/sign-in")]
    #[case::greedy(
        STAGE_HOST,
        "/live/assets/a.css",
        "/assets/a.css",
        "/{proxy+}",
        Some("assets/a.css"),
        "/live",
        "/assets/a.css"
    )]
    #[case::escaped(STAGE_HOST, "/live/%61/b%20c", "/a/b c", "/{proxy+}", Some("a/b c"), "/live", "/a/b c")]
    #[case::custom_domain("mail.example.org", "/sign-in", "/sign-in", "/sign-in", None, "", "/sign-in")]
    #[case::custom_domain_root("mail.example.org", "/", "/", "/", None, "", "/")]
    #[case::base_path("example.org", "/mail/sign-in", "/mail/sign-in", "/sign-in", None, "/mail", "/sign-in")]
    #[case::base_path_root("example.org", "/mail", "/mail", "/", None, "/mail", "/")]
    #[case::base_paths("example.org", "/a/mail/x", "/a/mail/x", "/{proxy+}", Some("x"), "/a/mail", "/x")]
    #[case::two_slashes(
        "example.org",
        "//evil.example/x",
        "//evil.example/x",
        "/{proxy+}",
        Some("x"),
        "/evil.example",
        "/x"
    )]
    #[case::backslash(
        "example.org",
        "/\\evil.example/x",
        "/\\evil.example/x",
        "/{proxy+}",
        Some("x"),
        "/%5Cevil.example",
        "/x"
    )]
    fn prefix_and_path_come_from_the_request(
        #[case] host: &str,
        #[case] whole: &str,
        #[case] event_path: &str,
        #[case] route: &str,
        #[case] parameter: Option<&str>,
        #[case] base: &str,
        #[case] ours: &str,
    ) {
        let request = event(host, whole, event_path, route, parameter);
        let place = Place::of(None, &request).unwrap();
        assert_eq!((place.base(), path(&request).as_str()), (base, ours));
        assert_eq!(place.join("/callback").as_str(), format!("https://{host}{base}/callback"));
        assert!(place.is_https());
    }

    #[test]
    fn a_configured_url_wins() {
        let url = "http://localhost:8480/".parse().unwrap();
        let place = Place::of(Some(&url), &Request::default()).unwrap();
        assert_eq!(place.join("/").as_str(), "http://localhost:8480/");
        assert_eq!(place.base(), "");
        assert!(!place.is_https());
    }
}
