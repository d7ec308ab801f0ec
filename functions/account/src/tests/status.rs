//! The public status page.

use jiff::SignedDuration;
use lambda_http::http::{self, Method, header};
use lambda_http::{Body, Request, RequestExt};
use membermail_core::status::{Component, Sample};
use membermail_store::Store;
use serde_json::Value;

use super::{Browser, Page, World};
use crate::handle;

impl World {
    async fn sample(&self, component: Component, is_ok: bool) {
        let sample = Sample { component, is_ok, at: self.now() };
        assert!(self.store().record_sample(sample, self.now()).await.unwrap());
    }

    async fn status_in(&self, accepts: &str, cookie: &str, url: &str) -> Page {
        let request = http::Request::builder().uri(format!("https://mail.example.org{url}"));
        let request = request.header(header::ACCEPT_LANGUAGE, accepts).header(header::COOKIE, cookie);
        let request: Request = request.body(Body::Empty).unwrap().with_raw_http_path("/status");
        Page(handle(&self.context, &request).await)
    }
}

fn language(page: &Page) -> &str {
    page.text().split("<html lang=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap()
}

#[tokio::test]
async fn status_page_is_public() {
    let world = World::new().await;
    world.sample(Component::SignIn, true).await;
    world.sample(Component::Syncs, false).await;
    let page = Browser::default().get(&world, "/status").await;
    assert_eq!((page.status(), page.header("cache-control")), (200, "public, max-age=60"));
    assert_eq!((page.header("vary"), page.header("set-cookie")), ("Accept-Language", ""));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.text().contains("Some parts have problems."), "{}", page.text());
    // A member sees the very same page.
    let (member, _) = world.resident("alice").await;
    assert_eq!(member.get(&world, "/status").await.text(), page.text());
    assert!(!page.text().contains("alice") && !page.text().contains("csrf"), "{}", page.text());
}

#[rstest::rstest]
#[case::browser("de", "", "/status", "de")]
#[case::link("de", "", "/status?language=ar", "ar")]
#[case::cookie_is_ignored("de", "__Host-language=ar", "/status", "de")]
#[case::unknown("de", "", "/status?language=xx", "de")]
#[case::hostile("de", "", "/status?language=%22%3E%3Cscript%3E", "de")]
#[case::twice("de", "", "/status?language=ar&language=en", "de")]
#[tokio::test]
async fn language_follows_link_and_browser(
    #[case] accepts: &str,
    #[case] cookie: &str,
    #[case] url: &str,
    #[case] expected: &str,
) {
    let page = World::new().await.status_in(accepts, cookie, url).await;
    assert_eq!((page.status(), language(&page)), (200, expected));
    assert!(!page.text().contains("<script"), "{}", page.text());
}

#[tokio::test]
async fn status_is_read_once_a_minute() {
    let world = World::new().await;
    let browser = Browser::default();
    world.sample(Component::SignIn, true).await;
    let before = browser.get(&world, "/status").await;
    world.advance(SignedDuration::from_secs(59));
    world.sample(Component::Syncs, false).await;
    assert_eq!(browser.get(&world, "/status").await.text(), before.text());
    world.advance(SignedDuration::from_secs(1));
    assert!(browser.get(&world, "/status").await.text().contains("Some parts have problems."));
}

#[tokio::test]
async fn status_without_table_becomes_unknown() {
    let mut world = World::new().await;
    let browser = Browser::default();
    for component in [Component::SignIn, Component::Syncs, Component::DomainChecks, Component::Mail] {
        world.sample(component, true).await;
    }
    assert!(browser.get(&world, "/status").await.text().contains("Everything works."));
    world.context.store = Store::new(world.cloud.aws().dynamodb(), "no-table");
    world.advance(SignedDuration::from_mins(10));
    assert!(browser.get(&world, "/status").await.text().contains("Everything works."));
    world.advance(SignedDuration::from_mins(50));
    let page = browser.get(&world, "/status").await;
    assert!(page.status() == 200 && page.text().contains("Some parts were not checked recently."), "{}", page.text());
}

#[tokio::test]
async fn status_without_anything_is_unavailable() {
    let mut world = World::new().await;
    world.context.store = Store::new(world.cloud.aws().dynamodb(), "no-table");
    for path in ["/status", "/status.json"] {
        let page = Browser::default().get(&world, path).await;
        assert!(page.is_refusal(503, "Something went wrong"), "{} {}", page.status(), page.text());
        assert_eq!(page.header("vary"), "");
    }
}

#[tokio::test]
async fn status_is_json_for_programs() {
    let world = World::new().await;
    world.sample(Component::Mail, true).await;
    let page = Browser::default().get(&world, "/status.json").await;
    assert_eq!((page.status(), page.header("content-type")), (200, "application/json"));
    assert_eq!(page.header("cache-control"), "public, max-age=60");
    let report: Value = serde_json::from_str(page.text()).unwrap();
    assert_eq!((&report["state"], &report["components"][3]["state"]), (&"unknown".into(), &"operational".into()));
}

#[tokio::test]
async fn status_is_only_read() {
    let world = World::new().await;
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        let page = Browser::default().send(&world, method, "/status").await;
        assert_eq!((page.status(), page.header("allow")), (405, "GET, HEAD"));
    }
    let head = Browser::default().send(&world, Method::HEAD, "/status").await;
    assert_eq!((head.status(), head.text(), head.header("cache-control")), (200, "", "public, max-age=60"));
}
