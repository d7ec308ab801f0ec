//! The members of a domain.

use jiff::SignedDuration;
use membermail_core::admin::Permission::{Appoint, Ban, View};
use membermail_core::random::OsRandom;
use membermail_store::Linked;
use rstest::rstest;

use super::{KUBUNTU, UBUNTU, World};

const SEARCH: &str = "/admin/domains/ubuntu.com/members";

#[rstest]
#[case("bob")]
#[case("Bob")]
#[case("bob@ubuntu.com")]
#[case("bob%2Btag@ubuntu.com")]
#[case("bobby")]
#[tokio::test]
async fn member_is_found(#[case] typed: &str) {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[View]).await;
    let (_, bob) = world.resident("bob").await;
    world.grant_many(&bob, "bobby@ubuntu.com").await;
    let page = admin.get(&world, &format!("{SEARCH}?who={typed}")).await;
    let links = page.text().matches(&format!("{SEARCH}/{}", bob.id)).count();
    assert_eq!((page.status(), links), (200, 1), "{}", page.text());
    assert!(page.text().contains("bobby@ubuntu.com") && !page.text().contains("bob@mail.example"), "{}", page.text());
}

#[rstest]
#[case("kim")]
#[case("kim@kubuntu.org")]
#[case("missing")]
#[case("%3Cscript%3E")]
#[case("%00")]
#[case("bob@mail.example")]
#[tokio::test]
async fn others_are_not_found(#[case] typed: &str) {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[View]).await;
    world.resident("bob").await;
    let (_, kim) = world.sign_in("kim").await;
    world.grant(&kim, "kim@kubuntu.org").await;
    let page = admin.get(&world, &format!("{SEARCH}?who={typed}")).await;
    assert!(page.status() == 200 && page.text().contains("No member with an address"), "{}", page.text());
    assert!(!page.text().contains(&kim.id.to_string()) && !page.text().contains("<script>"), "{}", page.text());
}

#[tokio::test]
async fn foreign_and_missing_members_look_alike() {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[View, Ban]).await;
    let (_, kim) = world.sign_in("kim").await;
    world.grant(&kim, "kim@kubuntu.org").await;
    let missing = "01KATW4Y00ZZZZZZZZZZZZZZZZ";
    for id in [&kim.id.to_string(), missing, "..", "%2e%2e", "kim", "PROFILE", &"0".repeat(26), &"7".repeat(5000)] {
        for page in ["", "/ban"] {
            assert_eq!(admin.get(&world, &format!("{SEARCH}/{id}{page}")).await.status(), 404, "{id}{page}");
        }
        for form in ["/ban", "/unban"] {
            let answer = admin.submit(&world, &format!("{SEARCH}/{id}{form}"), &[("reason", "spam")]).await;
            assert_eq!(answer.status(), 404, "{id}{form}");
        }
    }
    let foreign = admin.get(&world, &format!("{SEARCH}/{}", kim.id)).await;
    let none = admin.get(&world, &format!("{SEARCH}/{missing}")).await;
    assert_eq!(foreign.text().replace(&kim.id.to_string(), missing), none.text());
    assert!(!world.member(kim.id).await.is_banned());
}

#[tokio::test]
async fn page_shows_own_domains_only() {
    let world = World::new().await;
    let (admin, amy) = world.admin("amy", UBUNTU, &[View]).await;
    let (_, bob) = world.resident("bob").await;
    world.grant(&bob, "bob@kubuntu.org").await;
    let path = format!("{SEARCH}/{}", bob.id);
    let page = admin.get(&world, &path).await;
    for expected in ["bob@ubuntu.com was created.", "eligible for ubuntu.com", "active", &bob.id.to_string()] {
        assert!(page.text().contains(expected), "{expected}: {}", page.text());
    }
    assert!(!page.text().contains("kubuntu.org") && !page.text().contains("mail.example<"), "{}", page.text());
    world
        .store()
        .bind_admin(&super::name(KUBUNTU), amy.id, [View].into_iter().collect(), world.cause(), &OsRandom)
        .await
        .unwrap();
    let page = admin.get(&world, &path).await;
    assert!(page.text().contains("bob@kubuntu.org was created."), "{}", page.text());
}

#[tokio::test]
async fn linked_member_leads_to_survivor() {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[Ban, Appoint]).await;
    let (_, bob) = world.resident("bob").await;
    let (_, robert) = world.sign_in("robert").await;
    world.advance(SignedDuration::from_secs(1));
    let linked = world.store().link(&robert, &bob, world.cause(), &OsRandom).await.unwrap();
    assert!(matches!(linked, Linked::Done(_)));
    let answer = admin.get(&world, &format!("{SEARCH}/{}", bob.id)).await;
    let path = format!("{SEARCH}/{}", robert.id);
    assert_eq!(answer.location(), path);
    let page = admin.get(&world, &path).await;
    assert!(page.text().contains("bob@ubuntu.com") && page.text().contains("robert"), "{}", page.text());
    let preview = admin.get(&world, &format!("{path}/ban")).await;
    assert!(preview.text().contains("They are banned too"), "{}", preview.text());
}
