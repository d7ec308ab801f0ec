//! The language of the pages, and its choice.

use lambda_http::http::{self, Method, header};
use lambda_http::{Body, Request, RequestExt};
use membermail_core::random::OsRandom;
use membermail_identity::csrf;
use membermail_identity::session::{self, SessionId};

use super::{Browser, Page, World};
use crate::handle;

const COOKIE: &str = "__Host-language=";

/// A browser with a preference, a session and the cookie of an earlier choice.
#[derive(Clone, Default)]
struct Visitor {
    accepts: &'static str,
    session: Option<SessionId>,
    cookie: String,
}

impl Visitor {
    fn accepting(accepts: &'static str) -> Self {
        Self { accepts, ..Self::default() }
    }

    fn signed_in(browser: Browser) -> Self {
        Self { session: browser.0, ..Self::default() }
    }

    fn token(&self) -> String {
        self.session.as_ref().map(csrf::token).unwrap_or_default()
    }

    async fn send(&self, world: &World, method: Method, path: &str, form: &str) -> Page {
        let mut request = http::Request::builder().method(method).uri(format!("https://mail.example.org{path}"));
        if let Some(id) = &self.session {
            request = request.header(header::COOKIE, session::cookie(id, true).split(';').next().unwrap());
        }
        if !self.cookie.is_empty() {
            request = request.header(header::COOKIE, &self.cookie);
        }
        let request = request.header(header::ACCEPT_LANGUAGE, self.accepts);
        let request: Request = request.body(Body::Text(form.to_owned())).unwrap().with_raw_http_path(path);
        Page(handle(&world.context, &request).await)
    }

    async fn language(&self, world: &World) -> String {
        let page = self.send(world, Method::GET, "/", "").await;
        let tag = page.text().split("<html lang=\"").nth(1).and_then(|rest| rest.split('"').next());
        tag.unwrap_or_else(|| panic!("{}", page.text())).to_owned()
    }

    /// Submits the form of the footer and keeps the cookie.
    async fn choose(&mut self, world: &World, form: &str) -> Page {
        let page = self.send(world, Method::POST, "/language", form).await;
        let cookie = page.header("set-cookie");
        if cookie.starts_with(COOKIE) {
            self.cookie = cookie.split(';').next().unwrap().to_owned();
        }
        page
    }
}

#[tokio::test]
async fn browser_language_is_used() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    for (accepts, language) in [("ar", "ar"), ("fr,de;q=0.5", "de"), ("fr", "en"), ("", "en")] {
        assert_eq!(Visitor::accepting(accepts).language(&world).await, language, "{accepts}");
        let member = Visitor { accepts, ..Visitor::signed_in(browser.clone()) };
        assert_eq!(member.language(&world).await, language, "{accepts}");
    }
    let page = Visitor::accepting("ar").send(&world, Method::GET, "/nothing", "").await;
    assert!(page.text().contains(r#"<html lang="ar" dir="rtl">"#), "{}", page.text());
}

#[tokio::test]
async fn visitor_chooses_in_cookie() {
    let world = World::new().await;
    let mut visitor = Visitor::accepting("de");
    let page = visitor.choose(&world, "language=ar&next=%2F").await;
    assert_eq!((page.status(), page.header("location")), (303, "https://mail.example.org/"));
    assert_eq!(visitor.cookie, "__Host-language=ar");
    assert_eq!(visitor.language(&world).await, "ar");
}

#[tokio::test]
async fn every_offered_language_can_be_chosen() {
    let world = World::new().await;
    let page = Visitor::default().send(&world, Method::GET, "/", "").await;
    let tags = page.text().split("<button class=\"quiet\" name=\"language\" value=\"").skip(1);
    let tags: Vec<_> = tags.map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(tags.len() > 2 && tags.iter().copied().eq(world.context.texts.each().map(|known| known.tag())), "{tags:?}");
    for tag in tags {
        let mut visitor = Visitor::default();
        visitor.choose(&world, &format!("language={tag}")).await;
        assert_eq!(visitor.language(&world).await, tag);
    }
}

#[tokio::test]
async fn member_choice_holds_in_other_browsers() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let mut first = Visitor::signed_in(browser);
    let page = first.choose(&world, &format!("language=de&next=%2F&csrf={}", first.token())).await;
    assert_eq!(page.status(), 303);
    let stored = world.member(member.id).await;
    assert_eq!(stored.chosen_language().map(ToString::to_string).as_deref(), Some("de"));
    // A later sign-in elsewhere, where the browser asks for another language.
    let (browser, _) = world.sign_in("alice").await;
    let second = Visitor { accepts: "ar", cookie: "__Host-language=en".into(), ..Visitor::signed_in(browser) };
    assert_eq!(second.language(&world).await, "de");
}

#[tokio::test]
async fn linked_member_chooses_for_all() {
    let world = World::new().await;
    let (_, survivor) = world.resident("alice").await;
    let (browser, linked) = world.resident("bob").await;
    world.store().link(&survivor, &linked, world.cause(), &OsRandom).await.unwrap();
    let mut visitor = Visitor::signed_in(browser);
    visitor.choose(&world, &format!("language=ar&csrf={}", visitor.token())).await;
    assert_eq!(visitor.language(&world).await, "ar");
    for id in [survivor.id, linked.id] {
        assert!(world.member(id).await.chosen_language().is_some());
    }
}

#[tokio::test]
async fn member_choice_needs_csrf_token() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let (other, _) = world.resident("bob").await;
    let mut visitor = Visitor::signed_in(browser);
    let foreign = Visitor::signed_in(other).token();
    let own = visitor.token();
    for form in [
        "language=de".to_owned(),
        "language=de&csrf=".to_owned(),
        format!("language=de&csrf={foreign}"),
        format!("language=de&csrf={own}&csrf={own}"),
    ] {
        let page = visitor.choose(&world, &form).await;
        assert_eq!((page.status(), page.header("set-cookie")), (403, ""), "{form}");
        assert!(page.text().contains("The language was not changed"), "{}", page.text());
    }
    assert_eq!(world.member(member.id).await.chosen_language(), None);
}

#[tokio::test]
async fn ended_session_chooses_as_visitor() {
    let world = World::new().await;
    let (browser, member) = world.resident("alice").await;
    let mut visitor = Visitor::signed_in(browser);
    world.store().ban(member.id, world.cause(), &OsRandom).await.unwrap();
    let page = visitor.choose(&world, "language=de").await;
    assert_eq!((page.status(), visitor.language(&world).await.as_str()), (303, "de"));
    assert_eq!(world.member(member.id).await.chosen_language(), None);
}

#[tokio::test]
async fn unknown_language_is_refused() {
    let world = World::new().await;
    let long = format!("language={}", "a".repeat(5000));
    for form in ["", "language=", "language=fr", "language=DE", "language=de&language=ar", "language=de%0D%0Aa", &long]
    {
        let page = Visitor::default().choose(&world, form).await;
        assert_eq!((page.status(), page.header("set-cookie")), (400, ""), "{form}");
    }
}

#[tokio::test]
async fn choice_never_leaves_the_site() {
    let world = World::new().await;
    for next in ["https://evil.example/", "//evil.example/", "/%5Cevil.example", "/sign-out", "javascript:alert(1)"] {
        let page = Visitor::default().choose(&world, &format!("language=de&next={next}")).await;
        assert_eq!((page.status(), page.header("location")), (303, "https://mail.example.org/"), "{next}");
    }
}

#[tokio::test]
async fn language_page_wants_its_button() {
    let world = World::new().await;
    for method in [Method::GET, Method::PUT] {
        let page = Visitor::default().send(&world, method, "/language", "language=de").await;
        assert_eq!((page.status(), page.header("allow"), page.header("set-cookie")), (405, "POST", ""));
    }
}
