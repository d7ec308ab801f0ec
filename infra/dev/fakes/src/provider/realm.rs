//! Matches `return_to` URLs with the realm of a request (section 9.2).

use url::Url;

/// Whether `return_to` matches the realm. Without a realm, `return_to` is the realm itself.
pub(crate) fn matches(realm: Option<&str>, return_to: &Url) -> bool {
    if !is_http(return_to) || return_to.fragment().is_some() {
        return false;
    }
    let Some(realm) = realm else { return true };
    let Ok(realm) = Url::parse(realm) else { return false };
    let (Some(trusted), Some(host)) = (realm.host_str(), return_to.host_str()) else { return false };
    is_http(&realm)
        && realm.fragment().is_none()
        && realm.scheme() == return_to.scheme()
        && realm.port_or_known_default() == return_to.port_or_known_default()
        && host_matches(trusted, host)
        && path_matches(realm.path(), return_to.path())
}

fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.host_str().is_some()
}

fn host_matches(trusted: &str, host: &str) -> bool {
    match trusted.strip_prefix("*.") {
        // A wildcard for a top-level domain would include sites of other owners.
        Some(domain) if domain.contains('.') && !domain.contains('*') => {
            host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
        }
        Some(_) => false,
        None => trusted == host,
    }
}

/// The same path or one below it, by whole segments.
fn path_matches(realm: &str, path: &str) -> bool {
    path.strip_prefix(realm).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || realm.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::same("http://a.example/", "http://a.example/", true)]
    #[case::below("http://a.example/", "http://a.example/callback?state=1", true)]
    #[case::no_slash_at_its_end("http://a.example/mail", "http://a.example/mail/callback", true)]
    #[case::same_path("http://a.example/mail", "http://a.example/mail?x=1", true)]
    #[case::longer_name("http://a.example/mail", "http://a.example/mailing", false)]
    #[case::beside("http://a.example/mail/", "http://a.example/other", false)]
    #[case::above("http://a.example/mail/", "http://a.example/mail", false)]
    #[case::climbing("http://a.example/mail/", "http://a.example/mail/../other", false)]
    #[case::other_scheme("https://a.example/", "http://a.example/", false)]
    #[case::other_port("http://a.example/", "http://a.example:81/", false)]
    #[case::default_port("http://a.example:80/", "http://a.example/", true)]
    #[case::other_host("http://a.example/", "http://b.example/", false)]
    #[case::host_that_goes_on("http://a.example/", "http://a.example.org/", false)]
    #[case::below_a_wildcard("http://*.a.example/", "http://www.a.example/x", true)]
    #[case::far_below_a_wildcard("http://*.a.example/", "http://x.www.a.example/", true)]
    #[case::the_domain_itself("http://*.a.example/", "http://a.example/", true)]
    #[case::only_looks_below("http://*.a.example/", "http://evila.example/", false)]
    #[case::wildcard_over_too_much("http://*.example/", "http://a.example/", false)]
    #[case::wildcard_over_all("http://*/", "http://a.example/", false)]
    #[case::wildcard_within("http://www.*.example/", "http://www.a.example/", false)]
    #[case::fragment_of_the_realm("http://a.example/#x", "http://a.example/", false)]
    #[case::fragment("http://a.example/", "http://a.example/#x", false)]
    #[case::no_web_page("javascript:alert(1)", "javascript:alert(1)", false)]
    #[case::no_url("a.example", "http://a.example/", false)]
    #[case::user_in_front("http://a.example/", "http://a.example@evil.example/", false)]
    fn url_matches_its_realm(#[case] realm: &str, #[case] return_to: &str, #[case] expected: bool) {
        assert_eq!(matches(Some(realm), &return_to.parse().unwrap()), expected);
    }

    #[test]
    fn url_matches_without_realm() {
        assert!(matches(None, &"http://a.example/x".parse().unwrap()));
        assert!(!matches(None, &"http://a.example/x#y".parse().unwrap()));
    }
}
