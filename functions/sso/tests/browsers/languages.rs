//! The language of the error pages.

use membermail_identity::csrf;
use serde_json::json;

use crate::support::{Browser, World, site_url};

#[tokio::test]
async fn failed_sign_in_speaks_chosen_language() {
    let world = World::new().await;
    let mut browser = Browser::default();
    for (tag, html, heading, button) in [
        ("en", r#"<html lang="en" dir="ltr">"#, "This sign-in did not start in this browser", "Sign in again"),
        (
            "de",
            r#"<html lang="de" dir="ltr">"#,
            "Diese Anmeldung hat nicht in diesem Browser begonnen",
            "Erneut anmelden",
        ),
        ("ar", r#"<html lang="ar" dir="rtl">"#, "لم يبدأ تسجيل الدخول هذا في هذا المتصفّح", "سجّل الدخول مرة أخرى"),
    ] {
        browser.choose_language(tag);
        let assertion = world.start_sign_in(&mut Browser::default()).await;
        let page = browser.get(&world, &assertion.url()).await;
        assert_eq!(page.status(), 400);
        for text in [html, heading, button] {
            assert!(page.text().contains(text), "{text}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn reason_is_translated_too() {
    let (world, mut browser, assertion) = World::signing_in().await;
    browser.choose_language("de");
    let page = browser.get(&world, &assertion.with("sreg.email", "alice").url()).await;
    assert!(page.text().contains("Die E-Mail-Adresse von Ubuntu One hat kein @. Bitte wähle"), "{}", page.text());
}

#[tokio::test]
async fn sign_in_brings_the_members_choice() {
    let world = World::new().await;
    let mut browser = Browser::default();
    world.sign_in(&mut browser).await;
    assert_eq!(browser.language(), None);
    world.cloud.change("MEMBER#", "language", &json!({ "S": "de" }));
    world.sign_in(&mut browser).await;
    assert_eq!(browser.language(), None, "the provider's language is no choice");
    world.cloud.change("MEMBER#", "language_chosen", &json!({ "BOOL": true }));
    let mut other = Browser::default();
    world.sign_in(&mut other).await;
    assert_eq!(other.language(), Some("de"));
}

/// Without the token, the choice of a language on an error page would be refused.
#[tokio::test]
async fn error_page_carries_csrf_token() {
    let (world, mut browser, session) = World::signed_in().await;
    let page = browser.post(&world, "sign-out", "csrf=other").await;
    let token = format!(r#"<input type="hidden" name="csrf" value="{}">"#, csrf::token(&session));
    let form = page.text().split(r#"action="/language""#).nth(1).unwrap();
    assert_eq!((page.status(), form.contains(&token)), (403, true), "{}", page.text());
    let page = Browser::default().get(&world, &site_url("callback")).await;
    assert!(!page.text().contains("csrf"), "{}", page.text());
}
