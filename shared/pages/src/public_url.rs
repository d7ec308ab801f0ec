//! The site's URL as the browser sees it: configured, or derived from the stage prefix or custom domain of a request.

use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequestContext, ApiGatewayV2httpRequestContext};
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use url::Url;

use crate::configured_url::ConfiguredUrl;

/// The public URL of the site, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    url: Url,
}

/// The Lambda request id, which every message and log line of the request carries; empty outside Lambda.
pub fn request_id(request: &Request) -> &str {
    request.lambda_context_ref().map(|lambda| lambda.request_id.as_str()).unwrap_or_default()
}

impl PublicUrl {
    /// The configured URL; without one, the URL in the request context of API Gateway: of a REST API (payload format 1.0), or
    /// of an HTTP API or function URL (format 2.0). The `Host` header is not trusted, because the client controls it.
    pub fn for_request(configured: Option<&ConfiguredUrl>, request: &Request) -> Option<Self> {
        if let Some(configured) = configured {
            return Some(Self { url: configured.as_url().clone() });
        }
        match request.request_context_ref()? {
            RequestContext::ApiGatewayV1(context) => {
                Self::derive(context.domain_name.as_deref()?, context.path.as_deref()?, &route_path(request))
            }
            RequestContext::ApiGatewayV2(context) => Self::of_http_api(context),
            _ => None,
        }
    }

    /// The URL of an HTTP API or function URL. `cargo lambda watch` has no API id; its URL must be configured.
    fn of_http_api(context: &ApiGatewayV2httpRequestContext) -> Option<Self> {
        context.apiid.as_deref()?;
        let mut url = Url::parse(&format!("https://{}", context.domain_name.as_deref()?)).ok()?;
        url.path_segments_mut().ok()?.clear().extend(stage_in_path(context));
        Some(Self { url })
    }

    /// `full_path` includes the stage or the base path of a custom domain, `path` does not. Their escaping may differ, so
    /// segments are counted instead of compared.
    fn derive(host: &str, full_path: &str, path: &str) -> Option<Self> {
        let mut url = Url::parse(&format!("https://{host}")).ok()?;
        let base_length = segments(full_path).count().saturating_sub(segments(path).count());
        // Rebuilt from segments: a base path that starts with two slashes would turn links into links to another host.
        url.path_segments_mut().ok()?.clear().extend(segments(full_path).take(base_length));
        Some(Self { url })
    }

    /// The path prefix of all links: empty, or for example `/live`.
    pub fn base(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// The absolute URL of a path below the base; `path` starts with a slash.
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.base()));
        url
    }

    /// Whether the site uses HTTPS; only a local development stack does not.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

/// The requested path below the base. For a REST API it is the route of the template with its parameters filled in: the path
/// of the event does not work, because with a custom domain it includes the base path.
pub fn route_path(request: &Request) -> String {
    let path = request.raw_http_path();
    let route = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(ApiGatewayProxyRequestContext { resource_path: Some(route), .. })) => route,
        Some(RequestContext::ApiGatewayV2(context)) => return without_stage(context, path).to_owned(),
        _ => return path.to_owned(),
    };
    let parameters = request.path_parameters_ref();
    let filled = segments(route).map(|segment| match parameter_name(segment) {
        Some(name) => parameters.and_then(|parameters| parameters.first(name)).unwrap_or_default(),
        None => segment,
    });
    filled.map(|segment| format!("/{segment}")).collect::<String>() + if route == "/" { "/" } else { "" }
}

/// The name in `{file}` or `{proxy+}`.
fn parameter_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}').map(|name| name.trim_end_matches('+'))
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// The stage, if the path of the event starts with it: not for the default stage, and not with a custom domain.
fn stage_in_path(context: &ApiGatewayV2httpRequestContext) -> Option<&str> {
    let is_own_domain = context.apiid.is_some() && context.apiid == context.domain_prefix;
    context.stage.as_deref().filter(|stage| is_own_domain && *stage != "$default")
}

/// The path of an event of payload format 2.0 without the stage.
fn without_stage<'a>(context: &ApiGatewayV2httpRequestContext, path: &'a str) -> &'a str {
    let rest = stage_in_path(context).and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    match rest {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::request::from_str;
    use serde_json::json;

    use super::*;

    const STAGE_HOST: &str = "x1.execute-api.eu-west-1.amazonaws.com";

    /// An event as API Gateway builds it.
    fn event(host: &str, full_path: &str, path: &str, route: &str, parameter: Option<&str>) -> Request {
        let event = json!({
            "resource": route, "path": path, "httpMethod": "GET", "headers": { "Host": "evil.example" },
            "multiValueHeaders": {}, "queryStringParameters": null, "multiValueQueryStringParameters": null,
            "pathParameters": parameter.map(|value| json!({ "proxy": value })), "stageVariables": null,
            "requestContext": {
                "resourcePath": route, "path": full_path, "stage": "live", "httpMethod": "GET", "domainName": host,
                "identity": {}, "apiId": "x1", "accountId": "1", "requestId": "r", "resourceId": "s",
            },
            "body": null, "isBase64Encoded": false,
        });
        from_str(&event.to_string()).unwrap()
    }

    // Observed in real events: the `path` of an event never includes the stage, but always the base path of a custom domain.
    #[rstest::rstest]
    #[case::stage(STAGE_HOST, "/live/sign-in", "/sign-in", "/sign-in", None, "/live", "/sign-in")]
    #[case::stage_root(STAGE_HOST, "/live/", "/", "/", None, "/live", "/")]
    #[case::stage_without_slash(STAGE_HOST, "/live", "/", "/", None, "/live", "/")]
    #[case::trailing_slash(STAGE_HOST, "/live/sign-in/", "/sign-in/", "/sign-in", None, "/live", "/sign-in")]
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
    fn base_and_path_come_from_request(
        #[case] host: &str,
        #[case] full_path: &str,
        #[case] event_path: &str,
        #[case] route: &str,
        #[case] parameter: Option<&str>,
        #[case] base: &str,
        #[case] expected: &str,
    ) {
        let request = event(host, full_path, event_path, route, parameter);
        let public_url = PublicUrl::for_request(None, &request).unwrap();
        assert_eq!((public_url.base(), route_path(&request).as_str()), (base, expected));
        assert_eq!(public_url.join("/callback").as_str(), format!("https://{host}{base}/callback"));
        assert!(public_url.is_https());
    }

    /// An event of payload format 2.0, as an HTTP API, a function URL or `cargo lambda watch` builds it.
    fn event_v2(api: Option<&str>, host: &str, stage: &str, path: &str) -> Request {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
            "headers": { "host": "evil.example" }, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "1", "apiId": api, "domainName": host, "domainPrefix": host.split('.').next(),
                "requestId": "r", "routeKey": "$default", "stage": stage, "timeEpoch": 0,
                "http": { "method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1" },
            },
        });
        from_str(&event.to_string()).unwrap()
    }

    const API: Option<&str> = Some("x1");

    #[rstest::rstest]
    #[case::default_stage(STAGE_HOST, "$default", "/sign-in", "", "/sign-in")]
    #[case::root(STAGE_HOST, "$default", "/", "", "/")]
    #[case::stage(STAGE_HOST, "live", "/live/sign-in", "/live", "/sign-in")]
    #[case::stage_root(STAGE_HOST, "live", "/live/", "/live", "/")]
    #[case::stage_without_slash(STAGE_HOST, "live", "/live", "/live", "/")]
    #[case::custom_domain("mail.example.org", "live", "/live/x", "", "/live/x")]
    #[case::function_url("x1.lambda-url.eu-west-1.on.aws", "$default", "/a/b", "", "/a/b")]
    fn payload_format_2_is_understood(
        #[case] host: &str,
        #[case] stage: &str,
        #[case] raw_path: &str,
        #[case] base: &str,
        #[case] expected: &str,
    ) {
        let request = event_v2(API, host, stage, raw_path);
        let public_url = PublicUrl::for_request(None, &request).unwrap();
        assert_eq!((public_url.base(), route_path(&request).as_str()), (base, expected));
        assert_eq!(public_url.join("/callback").as_str(), format!("https://{host}{base}/callback"));
    }

    #[test]
    fn local_event_needs_configured_url() {
        let request = event_v2(None, "localhost", "$default", "/sign-in");
        assert_eq!(PublicUrl::for_request(None, &request), None);
        let configured = "http://localhost:9000".parse().unwrap();
        let public_url = PublicUrl::for_request(Some(&configured), &request).unwrap();
        assert_eq!(
            (public_url.join("/").as_str(), route_path(&request).as_str()),
            ("http://localhost:9000/", "/sign-in")
        );
    }

    #[test]
    fn configured_url_wins() {
        let configured = "http://localhost:8480/".parse().unwrap();
        let public_url = PublicUrl::for_request(Some(&configured), &Request::default()).unwrap();
        assert_eq!(public_url.join("/").as_str(), "http://localhost:8480/");
        assert_eq!(public_url.base(), "");
        assert!(!public_url.is_https());
    }
}
