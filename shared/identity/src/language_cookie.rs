//! The cookie with the language that a visitor chose. It holds only the language tag, so it cannot identify a visitor.

use cookie::SameSite;
use http::HeaderMap;
use membermail_core::language::Language;

use crate::site_cookie::SiteCookie;

/// A year.
const COOKIE: SiteCookie = SiteCookie { name: "language", same_site: SameSite::Lax, max_age: 365 * 24 * 3600 };

/// The `Set-Cookie` header that sets the language.
pub fn cookie(language: &Language, https: bool) -> String {
    COOKIE.set(language.as_str(), https)
}

/// The language in the `Cookie` headers of a request.
pub fn read(headers: &HeaderMap, https: bool) -> Option<Language> {
    COOKIE.read(headers, https, |text| Language::parse(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_holds_only_the_tag() {
        let language = Language::parse("pt-BR").unwrap();
        let header = cookie(&language, true);
        assert_eq!(header, "__Host-language=pt-br; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=31536000");
        let pair = header.split(';').next().unwrap();
        let sent = HeaderMap::from_iter([(http::header::COOKIE, pair.parse().unwrap())]);
        assert_eq!(read(&sent, true), Some(language));
        assert_eq!(read(&sent, false), None);
    }
}
