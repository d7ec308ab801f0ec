//! Cookies of the site. By HTTPS they have the `__Host-` prefix: only this host sets them, and only by HTTPS. On plain
//! HTTP, which is for one's own machine alone, browsers refuse that prefix, so there the plain name is used.

use cookie::{Cookie, SameSite};

/// A cookie by name, with its rule of when other sites' requests carry it.
pub(crate) struct SiteCookie {
    pub(crate) name: &'static str,
    /// By HTTPS; on plain HTTP it is `Lax`, since `None` asks for `Secure`.
    pub(crate) same_site: SameSite,
    /// Seconds.
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

    /// The `Set-Cookie` header that takes it away.
    pub(crate) fn clear(&self, https: bool) -> String {
        self.build("", 0, https)
    }

    fn build(&self, value: &str, seconds: i64, https: bool) -> String {
        let same_site = if https { self.same_site } else { SameSite::Lax };
        let cookie = Cookie::build((self.name(https), value)).path("/").http_only(true).same_site(same_site);
        let cookie = cookie.max_age(cookie::time::Duration::seconds(seconds));
        if https { cookie.secure(true).to_string() } else { cookie.to_string() }
    }

    /// The value among the `Cookie` headers of a request.
    pub(crate) fn read<'a>(&self, headers: impl Iterator<Item = &'a str>, https: bool) -> Option<String> {
        let name = self.name(https);
        headers
            .flat_map(|header| Cookie::split_parse(header.to_owned()))
            .filter_map(Result::ok)
            .find(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned())
    }
}
