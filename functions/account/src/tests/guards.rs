//! What every form refuses, and that no page changes anything.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use lambda_http::Body;
use lambda_http::http::Method;
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_core::random::OsRandom;
use membermail_store::Member;
use ulid::Ulid;

use super::identities::gitlab;
use super::{Browser, World};

/// The paths of all forms of members, and whether each needs a fresh sign-in.
const FORMS: [(&str, bool); 12] = [
    ("/destinations", true),
    ("/destinations/resend", false),
    ("/destinations/remove", true),
    ("/confirm", false),
    ("/addresses/destinations", true),
    ("/addresses/pause", false),
    ("/addresses/delete", true),
    ("/addresses/restore", false),
    ("/addresses/test", false),
    ("/identities/remove", true),
    ("/sessions/end", false),
    ("/sessions/end-all", false),
];

type Fields = Vec<(&'static str, String)>;

/// A member for whom each form is possible.
struct House {
    world: World,
    browser: Browser,
    member: Member,
    /// Valid fields of each form.
    forms: BTreeMap<&'static str, Fields>,
}

impl House {
    async fn new() -> Self {
        let world = World::new().await;
        let (browser, member) = world.resident("alice").await;
        let forms = furnish(&world, &browser, &member, "alice").await;
        Self { world, browser, member, forms }
    }

    async fn submit(&self, path: &str, fields: &[(&str, String)]) -> super::Page {
        self.browser.submit(&self.world, path, &borrowed(fields)).await
    }

    async fn everything(&self) -> String {
        self.world.everything(&self.member).await
    }
}

fn borrowed<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// Gives a member a second mailbox, a pending one, a deleted address, another session and another account.
async fn furnish(world: &World, browser: &Browser, member: &Member, name: &str) -> BTreeMap<&'static str, Fields> {
    let second = world.add_mailbox(browser, member, &format!("{name}.second@mail.example")).await.id.to_string();
    let third = format!("{name}.third@mail.example");
    let page = browser.submit(world, "/destinations", &[("address", &third)]).await;
    assert_eq!(page.status(), 303, "{}", page.text());
    let code = world.code(member, &third).await;
    let third = world.mailbox(member, &third).await.id.to_string();
    let [address, deleted] = ["", "-old"].map(|suffix| format!("{name}{suffix}@ubuntu.com"));
    world.grant(member, &format!("{name}-old")).await;
    let page = browser.submit(world, "/addresses/delete", &[("address", &deleted)]).await;
    assert_eq!(page.status(), 303, "{}", page.text());
    let (other, _) = world.sign_in(name).await;
    let session = other.0.unwrap().hash().as_str().to_owned();
    let account = gitlab(name);
    world.add(member.id, &account).await;
    let account = world.handle(member.id, &account).await;
    let version = world.alias(&address).await.version.to_string();
    // After this, a new code is no repeated submission.
    world.advance(SignedDuration::from_mins(2));
    [
        ("/destinations", vec![("address", format!("{name}.new@mail.example")), ("replaces", "none".to_owned())]),
        ("/destinations/resend", vec![("id", third.clone())]),
        ("/destinations/remove", vec![("id", second.clone())]),
        ("/confirm", vec![("destination", third), ("code", code)]),
        ("/addresses/destinations", vec![("address", address.clone()), ("version", version), ("destination", second)]),
        ("/addresses/pause", vec![("address", address.clone()), ("mode", "temporary".to_owned())]),
        ("/addresses/delete", vec![("address", address.clone())]),
        ("/addresses/restore", vec![("address", deleted)]),
        ("/addresses/test", vec![("address", address), ("id", Ulid::from_parts(1, 2).to_string())]),
        ("/identities/remove", vec![("identity", account)]),
        ("/sessions/end", vec![("session", session)]),
        ("/sessions/end-all", Vec::new()),
    ]
    .into()
}

#[tokio::test]
async fn valid_form_changes_something() {
    for (path, _) in FORMS {
        let house = House::new().await;
        let before = house.everything().await;
        let page = house.submit(path, &house.forms[path]).await;
        assert_eq!(page.status(), 303, "{path}: {}", page.text());
        assert_ne!(house.everything().await, before, "{path}");
    }
}

#[tokio::test]
async fn form_needs_a_session() {
    let house = House::new().await;
    let before = house.everything().await;
    house.world.messages();
    for (path, _) in FORMS {
        let page = Browser::default().submit_raw(&house.world, path, &borrowed(&house.forms[path])).await;
        assert_eq!(page.location(), "/", "{path}");
    }
    assert_eq!((house.everything().await, house.world.messages()), (before, Vec::new()));
}

#[tokio::test]
async fn form_needs_its_csrf_token() {
    let house = House::new().await;
    let (other, _) = house.world.sign_in("bob").await;
    let (own, foreign) = (house.browser.token(), other.token());
    let before = house.everything().await;
    for (path, _) in FORMS {
        let fields = borrowed(&house.forms[path]);
        for tokens in [&[][..], &[""], &[foreign.as_str()], &[own.as_str(), own.as_str()]] {
            let mut all: Vec<_> = tokens.iter().map(|token| ("csrf", *token)).collect();
            all.extend_from_slice(&fields);
            let page = house.browser.submit_raw(&house.world, path, &all).await;
            assert!(page.is_refusal(403, "Nothing has changed"), "{path} {tokens:?}: {}", page.text());
        }
    }
    assert_eq!(house.everything().await, before);
}

#[tokio::test]
async fn form_with_foreign_ids_is_refused() {
    for (path, _) in FORMS {
        if matches!(path, "/destinations" | "/sessions/end-all") {
            continue;
        }
        let house = House::new().await;
        let (bob, bobs) = house.world.resident("bob").await;
        let foreign = furnish(&house.world, &bob, &bobs, "bob").await;
        let own = &house.forms[path];
        let (alice_before, bob_before) = (house.everything().await, house.world.everything(&bobs).await);
        let page = house.submit(path, &foreign[path]).await;
        match path {
            // As for a session that has ended.
            "/sessions/end" => assert_eq!(page.location(), "/sessions"),
            "/identities/remove" => assert_eq!(page.location(), "/identities"),
            _ => assert!(page.is_refusal(404, "Nothing has changed"), "{path}: {}", page.text()),
        }
        // The own address with a mailbox of another member.
        if path == "/addresses/destinations" {
            let mixed = [own[0].clone(), own[1].clone(), foreign[path][2].clone()];
            let page = house.submit(path, &mixed).await;
            assert!(page.is_refusal(422, "one to five mailboxes"), "{}", page.text());
        }
        let after = (house.everything().await, house.world.everything(&bobs).await);
        assert_eq!(after, (alice_before, bob_before), "{path}");
    }
}

#[tokio::test]
async fn missing_and_foreign_ids_look_alike() {
    let house = House::new().await;
    let (bob, bobs) = house.world.resident("bob").await;
    let foreign = furnish(&house.world, &bob, &bobs, "bob").await;
    let missing_id = Ulid::from_parts(3, 3).to_string();
    for (path, name, missing) in [
        ("/destinations/resend", "id", missing_id.as_str()),
        ("/destinations/remove", "id", &missing_id),
        ("/confirm", "destination", &missing_id),
        ("/addresses/pause", "address", "nobody@ubuntu.com"),
        ("/addresses/delete", "address", "nobody@ubuntu.com"),
        ("/addresses/restore", "address", "nobody@ubuntu.com"),
        ("/addresses/test", "address", "nobody@ubuntu.com"),
    ] {
        let mut fields = foreign[path].clone();
        let one = house.submit(path, &fields).await;
        fields.iter_mut().filter(|(known, _)| *known == name).for_each(|(_, value)| *value = missing.to_owned());
        let other = house.submit(path, &fields).await;
        assert_eq!((one.status(), one.text()), (other.status(), other.text()), "{path}");
    }
}

#[tokio::test]
async fn ended_session_submits_nothing() {
    for banned in [false, true] {
        let house = House::new().await;
        let store = house.world.store();
        if banned {
            store.ban(house.member.id, house.world.cause(), &OsRandom).await.unwrap();
        } else {
            let member = house.world.member(house.member.id).await;
            assert!(store.end_all_sessions(&member, house.world.cause(), &OsRandom).await.unwrap());
        }
        let before = house.everything().await;
        for (path, _) in FORMS {
            assert_eq!(house.submit(path, &house.forms[path]).await.location(), "/", "{path}");
        }
        assert_eq!(house.everything().await, before);
    }
}

#[tokio::test]
async fn sensitive_form_needs_fresh_sign_in() {
    for (path, is_sensitive) in FORMS {
        let house = House::new().await;
        // The code in the form is valid for longer.
        house.world.advance(FRESH_SIGN_IN - SignedDuration::from_mins(2));
        let before = house.everything().await;
        let page = house.submit(path, &house.forms[path]).await;
        if is_sensitive {
            assert!(page.is_refusal(403, "Please sign in again first"), "{path}: {}", page.text());
            assert!(page.text().contains("href=\"/sign-in\""), "{}", page.text());
            assert_eq!(house.everything().await, before);
        } else {
            assert_eq!(page.status(), 303, "{path}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn hostile_value_changes_nothing() {
    let hostile = [
        "a".repeat(10_000),
        "a".repeat(4_000),
        "x\r\nSet-Cookie: session=evil".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        "\u{0}\u{202e}".to_owned(),
        "../../sign-out".to_owned(),
        String::new(),
    ];
    for (path, _) in FORMS {
        let house = House::new().await;
        let before = house.everything().await;
        for index in 0..house.forms[path].len() {
            for value in &hostile {
                let mut fields = house.forms[path].clone();
                fields[index].1.clone_from(value);
                let page = house.submit(path, &fields).await;
                let is_refusal = [400, 404, 413, 422].iter().any(|status| page.is_refusal(*status, "<h1>"));
                assert!(is_refusal && !page.text().contains("<script>alert"), "{path} {fields:?}: {}", page.text());
            }
        }
        assert_eq!(house.everything().await, before, "{path}");
    }
}

#[tokio::test]
async fn repeated_field_changes_nothing() {
    for (path, _) in FORMS {
        let house = House::new().await;
        let before = house.everything().await;
        for (name, value) in &house.forms[path] {
            // A form can have several mailboxes.
            if (path, *name) == ("/addresses/destinations", "destination") {
                continue;
            }
            // Without this field, the form means the same.
            if *name == "replaces" {
                continue;
            }
            let mut fields = house.forms[path].clone();
            fields.push((name, value.clone()));
            let page = house.submit(path, &fields).await;
            assert!(matches!(page.status(), 400 | 404 | 422), "{path} {name}: {}", page.text());
        }
        assert_eq!(house.everything().await, before, "{path}");
    }
}

#[tokio::test]
async fn invalid_utf8_changes_nothing() {
    let house = House::new().await;
    let before = house.everything().await;
    for (path, _) in FORMS.into_iter().filter(|(path, _)| *path != "/sessions/end-all") {
        let mut body = format!("csrf={}", house.browser.token()).into_bytes();
        for (name, _) in &house.forms[path] {
            body.extend(format!("&{name}=%FF").bytes());
            body.extend(*b"\xfe\xed");
        }
        let page = house.browser.send_body(&house.world, Method::POST, path, Body::Binary(body)).await;
        assert!(matches!(page.status(), 400 | 404 | 422), "{path}: {}", page.text());
    }
    assert_eq!(house.everything().await, before);
}

#[tokio::test]
async fn member_submits_forms_within_limit() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    let (other, _) = world.resident("bob").await;
    let pause = [("address", "alice@ubuntu.com"), ("mode", "temporary")];
    for _ in 0..30 {
        assert_eq!(browser.submit(&world, "/addresses/pause", &pause).await.status(), 303);
    }
    let page = browser.submit(&world, "/addresses/pause", &pause).await;
    assert!(page.is_refusal(429, "Please wait a while"), "{}", page.text());
    // A limit is for one member, and ends.
    assert_eq!(other.submit(&world, "/addresses/pause", &pause).await.status(), 404);
    world.advance(SignedDuration::from_mins(10));
    assert_eq!(browser.submit(&world, "/addresses/pause", &pause).await.status(), 303);
}

#[tokio::test]
async fn form_page_wants_its_button() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    for (path, _) in FORMS.into_iter().filter(|(path, _)| *path != "/confirm") {
        for method in [Method::GET, Method::PUT] {
            let page = browser.send(&world, method, path).await;
            assert_eq!((page.status(), page.header("allow")), (405, "POST"), "{path}");
        }
    }
    for path in ["/confirm", "/undo"] {
        let page = browser.send(&world, Method::PUT, path).await;
        assert_eq!((page.status(), page.header("allow")), (405, "GET, HEAD, POST"), "{path}");
    }
}

#[tokio::test]
async fn opening_pages_changes_nothing() {
    let house = House::new().await;
    let (pending, code) = (&house.forms["/confirm"][0].1, &house.forms["/confirm"][1].1);
    let entry = house.world.store().history_of(house.member.id, 100).await.unwrap();
    let change = format!("{}.{}", house.member.id, entry.last().unwrap().id);
    let before = house.everything().await;
    house.world.messages();
    for url in [
        "/".to_owned(),
        "/sessions".to_owned(),
        "/history".to_owned(),
        format!("/confirm?destination={pending}&code={code}"),
        format!("/undo?change={change}"),
        "/undo".to_owned(),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let page = house.browser.send(&house.world, method, &url).await;
            assert!(matches!(page.status(), 200 | 404), "{url}: {}", page.text());
            assert_eq!(page.header("cache-control"), "no-store");
        }
        let page = Browser::default().get(&house.world, &url).await;
        assert!(!page.text().contains("alice"), "{url}: {}", page.text());
    }
    assert_eq!((house.everything().await, house.world.messages()), (before, Vec::new()));
}
