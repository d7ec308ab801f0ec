//! People and a browser for tests of functions with pages. The browser sends requests as API Gateway does.

use jiff::Timestamp;
use lambda_http::http::{self, Method, header};
use lambda_http::{Body, Request, RequestExt as _, Response};
use membermail_core::eligibility::{Account, Observation, Person};
use membermail_core::member::{Fingerprint, Identity, PersonName, Subject};
use membermail_identity::csrf;
use membermail_identity::session::{self, SessionId};
use url::form_urlencoded::Serializer;

/// The identity of a person at the sign-in provider.
///
/// # Panics
/// If the name cannot be part of an identifier.
#[expect(clippy::expect_used, reason = "only tests use it")]
pub fn identity(name: &str) -> Identity {
    let subject = Subject::parse(&format!("https://login.example.org/+id/{name}")).expect("an identifier");
    Identity { issuer: "https://login.example.org/+openid".into(), subject }
}

/// What the membership source says about a person with a valid account.
///
/// # Panics
/// If the name is no name of a person.
#[expect(clippy::expect_used, reason = "only tests use it")]
pub fn observation(name: &str, observed_at: Timestamp) -> Observation {
    let person = Person {
        name: PersonName::parse(name).expect("a name"),
        fingerprint: Fingerprint(7),
        account: Account::Active,
        signed_code_of_conduct: true,
    };
    Observation { person, observed_at }
}

/// The public URL of the site, without a slash at the end.
pub const ORIGIN: &str = "https://mail.example.org";

/// A function that answers requests.
pub trait Site {
    /// Handles one request.
    fn respond(&self, request: &Request) -> impl Future<Output = Response<Body>>;
}

/// A browser with the cookie of a session, or without one.
#[derive(Clone, Default)]
pub struct Browser(pub Option<SessionId>);

impl Browser {
    /// Opens a page.
    pub async fn get(&self, site: &impl Site, path: &str) -> Page {
        self.send(site, Method::GET, path).await
    }

    /// Sends a request without a body.
    pub async fn send(&self, site: &impl Site, method: Method, path: &str) -> Page {
        self.send_body(site, method, path, Body::Empty).await
    }

    /// Submits a form of a page of this session.
    pub async fn submit(&self, site: &impl Site, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token();
        let all: Vec<_> = std::iter::once(("csrf", token.as_str())).chain(fields.iter().copied()).collect();
        self.submit_raw(site, path, &all).await
    }

    /// The same without a CSRF token.
    pub async fn submit_raw(&self, site: &impl Site, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send_body(site, Method::POST, path, Body::Text(body)).await
    }

    /// Sends a request; `url` is a path that can have a query.
    ///
    /// # Panics
    /// If `url` is no path.
    #[expect(clippy::expect_used, reason = "only tests use it")]
    pub async fn send_body(&self, site: &impl Site, method: Method, url: &str, body: Body) -> Page {
        let mut request = http::Request::builder().method(method).uri(format!("{ORIGIN}{url}"));
        if let Some(id) = &self.0 {
            let cookie = session::cookie(id, true);
            request = request.header(header::COOKIE, cookie.split(';').next().unwrap_or_default());
        }
        let path = url.split('?').next().unwrap_or_default();
        let request: Request = request.body(body).expect("a path").with_raw_http_path(path);
        Page(Box::pin(site.respond(&request)).await)
    }

    /// The CSRF token of the session.
    pub fn token(&self) -> String {
        self.0.as_ref().map(csrf::token).unwrap_or_default()
    }
}

/// A response.
#[derive(Debug)]
pub struct Page(pub Response<Body>);

impl Page {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// The body.
    pub fn text(&self) -> &str {
        match self.0.body() {
            Body::Text(text) => text,
            _ => "",
        }
    }

    /// The value of a header; empty without one.
    pub fn header(&self, name: &str) -> &str {
        self.0.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where a redirect leads, as a path of the site.
    ///
    /// # Panics
    /// If it is no redirect, or if it leads to another site.
    #[expect(clippy::expect_used, reason = "only tests use it")]
    pub fn location(&self) -> &str {
        assert_eq!(self.status(), 303, "{}", self.text());
        self.header("location").strip_prefix(ORIGIN).expect("a path of the site")
    }

    /// Whether it is a readable page of this status, which is not cached and runs no foreign script.
    pub fn is_refusal(&self, status: u16, text: &str) -> bool {
        self.status() == status
            && self.text().contains(text)
            && self.text().contains("<h1>")
            && self.header("cache-control") == "no-store"
            && self.header("content-security-policy").contains("default-src 'none'")
    }
}
