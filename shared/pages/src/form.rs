//! The fields of a submitted form.

use lambda_http::Request;
use membermail_identity::csrf;
use membermail_identity::session::SessionId;
use url::Url;

use crate::public_url::PublicUrl;

/// The pages to which a form may return. Everything else could lead to another site.
const PAGES: [&str; 7] = ["/", "/sessions", "/history", "/confirm", "/undo", "/export", "/erase"];

/// The value of a field, if the form has it exactly once.
pub fn field(request: &Request, name: &str) -> Option<String> {
    let mut values = url::form_urlencoded::parse(request.body()).filter(|(known, _)| known == name);
    let value = values.next()?.1.into_owned();
    values.next().is_none().then_some(value)
}

/// All values of a field that a form can have several times, such as a group of checkboxes.
pub fn values(request: &Request, name: &str) -> Vec<String> {
    let pairs = url::form_urlencoded::parse(request.body());
    pairs.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
}

/// The value of a parameter in the URL, if it is there exactly once.
pub fn parameter(request: &Request, name: &str) -> Option<String> {
    let query = request.uri().query().unwrap_or_default();
    let mut values = url::form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
    let value = values.next()?.1.into_owned();
    values.next().is_none().then_some(value)
}

/// Whether the form carries the CSRF token of this session exactly once. Only a page of the session contains it.
pub fn has_csrf_token(request: &Request, session: &SessionId) -> bool {
    field(request, "csrf").is_some_and(|token| csrf::is_token_of(&token, session))
}

/// The page in the field `next`, or the start page if it is not one of ours.
pub fn next_url(request: &Request, public_url: &PublicUrl) -> Url {
    let next = field(request, "next").unwrap_or_default();
    let (path, query) = next.split_once('?').map_or((next.as_str(), None), |(path, query)| (path, Some(query)));
    if !PAGES.contains(&path) && !is_admin_page(path) {
        return public_url.join("/");
    }
    let mut url = public_url.join(path);
    url.set_query(query);
    url
}

/// Whether a path is one of the admin console: plain segments, none of which a browser would resolve.
fn is_admin_page(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("/admin") else { return false };
    let is_plain = |segment: &str| {
        let has_only_plain = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte));
        !segment.is_empty() && has_only_plain && !segment.bytes().all(|byte| byte == b'.')
    };
    rest.is_empty() || rest.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain))
}

#[cfg(test)]
mod tests {
    use lambda_http::Body;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::configured_url::ConfiguredUrl;

    fn form(body: &str) -> Request {
        Request::new(Body::Text(body.to_owned()))
    }

    fn next(value: &str) -> Url {
        let configured: ConfiguredUrl = "https://mail.example.org/live".parse().unwrap();
        let public_url = PublicUrl::for_request(Some(&configured), &Request::default()).unwrap();
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", value).finish();
        next_url(&form(&body), &public_url)
    }

    #[rstest]
    #[case("a=1&b=2", Some("1"))]
    #[case("a=", Some(""))]
    #[case("a=%2F%C3%A4+x", Some("/ä x"))]
    #[case("b=1", None)]
    #[case("a=1&a=1", None)]
    #[case("", None)]
    fn field_is_read_once(#[case] body: &str, #[case] value: Option<&str>) {
        assert_eq!(field(&form(body), "a").as_deref(), value);
    }

    #[rstest]
    #[case::start("/", "/live/")]
    #[case::query("/?x=1&y=%2F", "/live/?x=1&y=%2F")]
    #[case::missing("", "/live/")]
    #[case::relative("x", "/live/")]
    #[case::unknown("/sign-out", "/live/")]
    #[case::admin("/admin", "/live/admin")]
    #[case::admin_domain("/admin/domains/a-b.example/plans?x=1", "/live/admin/domains/a-b.example/plans?x=1")]
    #[case::like_admin("/administrator", "/live/")]
    #[case::admin_dots("/admin/../sign-out", "/live/")]
    #[case::admin_encoded("/admin/%2e%2e/sign-out", "/live/")]
    #[case::admin_slashes("/admin//evil.example", "/live/")]
    #[case::other_site("https://evil.example/", "/live/")]
    #[case::other_host("//evil.example/", "/live/")]
    #[case::backslash("/\\evil.example", "/live/")]
    #[case::dots("/../..//evil.example", "/live/")]
    #[case::script("javascript:alert(1)", "/live/")]
    #[case::url_as_query("/?//evil.example", "/live/?//evil.example")]
    #[case::line_break("/\r\nLocation: https://evil.example", "/live/")]
    #[case::line_break_in_query("/?\r\nSet-Cookie: a=b", "/live/?Set-Cookie:%20a=b")]
    fn form_returns_to_known_pages(#[case] value: &str, #[case] expected: &str) {
        assert_eq!(next(value).as_str(), format!("https://mail.example.org{expected}"));
    }

    proptest! {
        #[test]
        fn form_never_leaves_the_site(value in "[/?]{0,3}.{0,40}") {
            let url = next(&value);
            prop_assert_eq!(url.origin().ascii_serialization(), "https://mail.example.org");
            prop_assert!(url.path().starts_with("/live/") && !url.as_str().contains(['\r', '\n']), "{}", url);
        }
    }
}
