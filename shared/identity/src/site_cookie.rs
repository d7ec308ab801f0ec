//! Cookies of the site. With HTTPS they have the `__Host-` prefix, so that only this host can set them, and only over HTTPS.
//! With plain HTTP, which is for local development only, browsers reject the prefix, so the plain name is used.

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

/// Name and attributes of a cookie.
pub(crate) struct SiteCookie {
    pub(crate) name: &'static str,
    /// With HTTPS. With plain HTTP it is `Lax`, because `None` requires `Secure`.
    pub(crate) same_site: SameSite,
    /// In seconds.
    pub(crate) max_age: i64,
}

impl SiteCookie {
    fn name(&self, https: bool) -> String {
        if https { format!("__Host-{}", self.name) } else { self.name.to_owned() }
    }

    /// The `Set-Cookie` header that sets it.
    pub(crate) fn set(&self, value: &str, https: bool) -> String {
        self.build(value, self.max_age, https)
    }

    /// The `Set-Cookie` header that deletes it.
    pub(crate) fn clear(&self, https: bool) -> String {
        self.build("", 0, https)
    }

    fn build(&self, value: &str, seconds: i64, https: bool) -> String {
        let same_site = if https { self.same_site } else { SameSite::Lax };
        let cookie = Cookie::build((self.name(https), value)).path("/").http_only(true).same_site(same_site);
        let cookie = cookie.max_age(cookie::time::Duration::seconds(seconds));
        if https { cookie.secure(true).to_string() } else { cookie.to_string() }
    }

    /// The first value in the `Cookie` headers that `parse` accepts.
    ///
    /// Headers are read as bytes, so that a foreign cookie that is not ASCII does not hide ours. Names are compared byte for
    /// byte: a parser that trims Unicode whitespace or decodes escapes could mistake a cookie of another host for one with
    /// our prefix. Values that `parse` rejects are skipped, because a cookie of a parent path or of another program on a
    /// developer's machine can have the same name.
    pub(crate) fn read<T>(&self, headers: &HeaderMap, https: bool, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let name = self.name(https);
        let values = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).flat_map(pairs);
        values.filter(|(known, _)| *known == name.as_bytes()).find_map(|(_, value)| parse(str::from_utf8(value).ok()?))
    }
}

/// The names and values of a `Cookie` header (RFC 6265, 4.2.1); pairs are separated by a semicolon and one space.
fn pairs(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    header.split(|byte| *byte == b';').filter_map(|pair| {
        let pair = pair.strip_prefix(b" ").unwrap_or(pair);
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((&pair[..equals], &pair[equals + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const COOKIE: SiteCookie = SiteCookie { name: "session", same_site: SameSite::Lax, max_age: 60 };

    fn read(headers: &[&[u8]], https: bool) -> Option<String> {
        let values = headers.iter().map(|bytes| (header::COOKIE, HeaderValue::from_bytes(bytes).unwrap()));
        COOKIE.read(&values.collect(), https, |value| value.starts_with("good").then(|| value.to_owned()))
    }

    #[rstest::rstest]
    #[case::alone(&[b"__Host-session=good".as_slice()])]
    #[case::among_others(&[b"a=b; __Host-session=good; c=d".as_slice()])]
    #[case::without_space(&[b"a=b;__Host-session=good;c=d".as_slice()])]
    #[case::in_another_header(&[b"a=b".as_slice(), b"__Host-session=good"])]
    #[case::behind_non_ascii(&["theme=hübsch; __Host-session=good".as_bytes()])]
    #[case::behind_latin_1(&[b"theme=h\xfcbsch; __Host-session=good".as_slice()])]
    #[case::behind_binary_header(&[b"\xff\xfe".as_slice(), b"__Host-session=good"])]
    #[case::behind_malformed_pairs(&[b"x; ; ;; =y; __Host-session=good".as_slice()])]
    #[case::behind_a_broken_escape(&[b"x=%zz; __Host-session=good".as_slice()])]
    #[case::behind_a_quote(&[b"x=\"; __Host-session=good".as_slice()])]
    #[case::behind_rejected_value(&[b"__Host-session=other; __Host-session=good".as_slice()])]
    #[case::behind_binary_value(&[b"__Host-session=\xff; __Host-session=good".as_slice()])]
    fn cookie_is_found(#[case] headers: &[&[u8]]) {
        assert_eq!(read(headers, true).as_deref(), Some("good"));
    }

    #[rstest::rstest]
    #[case::no_break_space("\u{a0}__Host-session=good")]
    #[case::ideographic_space("a=b; \u{3000}__Host-session=good")]
    #[case::tab("a=b; \t__Host-session=good")]
    #[case::two_spaces("a=b;  __Host-session=good")]
    #[case::space_behind("__Host-session =good")]
    #[case::other_case("__host-session=good")]
    #[case::escaped("__Host%2Dsession=good")]
    #[case::without_prefix("session=good")]
    #[case::longer("__Host-session2=good")]
    #[case::value_of_another("a=__Host-session=good")]
    #[case::no_name("=__Host-session=good")]
    #[case::another_separator("a=b,__Host-session=good")]
    fn similar_name_is_another_cookie(#[case] header: &str) {
        assert_eq!(read(&[header.as_bytes()], true), None);
    }

    #[test]
    fn plain_http_uses_plain_name() {
        assert_eq!(read(&[b"session=good".as_slice()], false).as_deref(), Some("good"));
        assert_eq!(read(&[b"__Host-session=good".as_slice()], false), None);
    }

    proptest! {
        #[test]
        fn foreign_cookies_hide_nothing(before in "[^;\\x00-\\x1f\\x7f]{0,30}", after in "[^\\x00-\\x1f\\x7f]{0,30}") {
            let header = format!("{before}; __Host-session=good; {after}");
            let found = read(&[header.as_bytes()], true);
            prop_assert_eq!(found.as_deref(), Some("good"));
        }
    }
}
