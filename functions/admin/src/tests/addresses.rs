//! The addresses of a domain.

use jiff::SignedDuration;
use membermail_core::admin::Permission::{self, Ban, Decide, View};
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Change, SwitchChange};
use membermail_core::random::OsRandom;
use membermail_store::{ADDRESSES_PER_PAGE, Member};
use rstest::rstest;

use super::{Browser, KUBUNTU, UBUNTU, World};

const LIST: &str = "/admin/domains/ubuntu.com/addresses";

/// A world with an admin of ubuntu.com.
async fn world(permissions: &[Permission]) -> (World, Browser) {
    let world = World::new().await;
    let (browser, _) = world.admin("amy", UBUNTU, permissions).await;
    (world, browser)
}

impl World {
    /// A resident whose ban was lifted, so that their address waits for a check.
    async fn suspended(&self, name: &str) -> Member {
        let (_, member) = self.resident(name).await;
        self.store().ban_and_suspend(&member, None, self.cause(), &OsRandom).await.unwrap();
        self.advance(SignedDuration::from_secs(1));
        self.store().unban_and_lift(&member, self.cause(), &OsRandom).await.unwrap();
        self.advance(SignedDuration::from_secs(1));
        member
    }
}

#[tokio::test]
async fn list_shows_addresses_and_states() {
    let (world, admin) = world(&[View]).await;
    world.suspended("bob").await;
    let page = admin.get(&world, LIST).await;
    let text = page.text();
    assert!(page.status() == 200 && text.contains("amy@ubuntu.com") && text.contains("bob@ubuntu.com"), "{text}");
    assert!(text.contains("switched off: The ban was lifted."), "{text}");
    assert!(!text.contains("mail.example<") && !text.contains("bob@mail.example"), "{text}");
    let only = admin.get(&world, &format!("{LIST}?state=suspended")).await;
    assert!(only.text().contains("bob@ubuntu.com") && !only.text().contains("amy@ubuntu.com"), "{}", only.text());
    let only = admin.get(&world, &format!("{LIST}?prefix=AM")).await;
    assert!(only.text().contains("amy@ubuntu.com") && !only.text().contains("bob@ubuntu.com"), "{}", only.text());
}

#[tokio::test]
async fn pages_continue_after_cursor() {
    let (world, admin) = world(&[View]).await;
    let (_, member) = world.sign_in("many").await;
    for number in 0..=ADDRESSES_PER_PAGE {
        world.grant_many(&member, &format!("many{number:03}@ubuntu.com")).await;
    }
    let first = admin.get(&world, &format!("{LIST}?prefix=many")).await;
    let last = format!("many{:03}", ADDRESSES_PER_PAGE - 1);
    let next = format!("{LIST}?prefix=many&#38;after={last}");
    assert!(first.text().contains(&format!("{last}@ubuntu.com")) && first.text().contains(&next), "{}", first.text());
    let second = admin.get(&world, &next.replace("&#38;", "&")).await;
    assert!(second.text().contains(&format!("many{ADDRESSES_PER_PAGE:03}@ubuntu.com")), "{}", second.text());
    assert!(!second.text().contains("id=\"next\"") && second.text().contains("First page"), "{}", second.text());
}

#[tokio::test]
async fn cursor_stays_in_domain() {
    let (world, admin) = world(&[View]).await;
    let (_, member) = world.sign_in("kim").await;
    world.grant(&member, "kim@kubuntu.org").await;
    for query in ["", "?after=jim", "?after=kim", "?prefix=k", "?prefix=kim@", "?after=amy"] {
        let page = admin.get(&world, &format!("{LIST}{query}")).await;
        assert!(page.status() == 200 && !page.text().contains("kim@kubuntu.org"), "{query}: {}", page.text());
    }
}

#[rstest]
#[case("?state=gone", 400)]
#[case("?state=Active", 400)]
#[case("?after=..", 400)]
#[case("?after=DOMAIN%23kubuntu.org", 400)]
#[case("?after=%00", 400)]
#[case("?after=amy%2Bx", 400)]
#[case("?prefix=b&after=amy", 400)]
#[case("?prefix=a@kubuntu.org", 200)]
#[case("?prefix=%3Cscript%3E", 200)]
#[case("?prefix=a%00", 200)]
#[case("?prefix=a&prefix=b", 200)]
#[tokio::test]
async fn hostile_parameters_find_nothing(#[case] query: &str, #[case] status: u16) {
    let (world, admin) = world(&[View]).await;
    let page = admin.get(&world, &format!("{LIST}{query}")).await;
    assert_eq!(page.status(), status, "{}", page.text());
    assert!(!page.text().contains("<script>"), "{}", page.text());
}

#[tokio::test]
async fn foreign_and_missing_addresses_look_alike() {
    let (world, admin) = world(&[View, Decide]).await;
    let (_, member) = world.sign_in("kim").await;
    world.grant(&member, "kim@kubuntu.org").await;
    let missing = admin.get(&world, &format!("{LIST}/missing")).await;
    assert_eq!(missing.status(), 404);
    for name in ["kim", "kim@kubuntu.org", "..", "%2e%2e", "kim%2f..%2fkim", "KIM", "postmaster", &"a".repeat(5000)] {
        let page = admin.get(&world, &format!("{LIST}/{name}")).await;
        assert_eq!(page.status(), 404, "{name}");
        let form = admin.submit(&world, &format!("{LIST}/{name}/restore"), &[]).await;
        assert_eq!(form.status(), 404, "{name}");
    }
    let foreign = admin.get(&world, &format!("{LIST}/kim")).await;
    assert_eq!(foreign.text().replace("/kim", "/missing"), missing.text());
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn address_page_has_state_and_history() {
    let (world, admin) = world(&[View]).await;
    world.suspended("bob").await;
    let page = admin.get(&world, &format!("{LIST}/bob")).await;
    let text = page.text();
    for expected in
        ["bob@ubuntu.com", "switched off", "The ban was lifted.", "bob@ubuntu.com was created.", "Operator olivia"]
    {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    assert!(!text.contains("mail.example<") && !text.contains("/restore\""), "{text}");
}

#[tokio::test]
async fn restore_requests_one_check() {
    let (world, admin) = world(&[Decide]).await;
    let bob = world.suspended("bob").await;
    let path = format!("{LIST}/bob");
    assert!(admin.get(&world, &path).await.text().contains("Check the member now"));
    world.messages();
    for _ in 0..2 {
        let answer = admin.submit(&world, &format!("{path}/restore"), &[]).await;
        assert_eq!(answer.location(), path);
    }
    let [message] = &world.messages()[..] else { panic!("not one message") };
    assert_eq!(message["member"], bob.id.to_string());
    let page = admin.get(&world, &path).await;
    assert!(page.text().contains("A check of the member is running"), "{}", page.text());
    let history = world.store().history_of(bob.id, 1).await.unwrap();
    let requested = Change::Switch {
        member: bob.id,
        address: "bob@ubuntu.com".to_owned().try_into().unwrap(),
        did: SwitchChange::RestoreRequested,
    };
    assert_eq!((history[0].actor, &history[0].change), (Actor::Admin, &requested));
    let alias = world.store().alias(&"bob@ubuntu.com".to_owned().try_into().unwrap()).await.unwrap().unwrap().alias;
    assert_eq!((alias.status, alias.reason), (Status::Suspended, Reason::BanLifted), "the source decides");
}

#[tokio::test]
async fn unrestorable_address_is_explained() {
    let (world, admin) = world(&[Decide]).await;
    let (_, bob) = world.resident("bob").await;
    let address = "bob@ubuntu.com".to_owned().try_into().unwrap();
    world.store().delete_alias(&bob, &address, world.cause(), &OsRandom).await.unwrap();
    let page = admin.get(&world, &format!("{LIST}/bob")).await;
    assert!(page.text().contains("Only they can restore it") && !page.text().contains("/restore\""), "{}", page.text());
    let answer = admin.submit(&world, &format!("{LIST}/bob/restore"), &[]).await;
    assert!(answer.text().contains("Nothing has changed"), "{}", answer.text());
    let answer = admin.submit(&world, &format!("{LIST}/amy/restore"), &[]).await;
    assert!(answer.text().contains("Nothing has changed"), "an active one: {}", answer.text());
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn other_permissions_cannot_restore() {
    let (world, admin) = world(&[Ban]).await;
    world.suspended("bob").await;
    world.messages();
    let answer = admin.submit(&world, &format!("{LIST}/bob/restore"), &[]).await;
    assert_eq!((answer.status(), world.messages().len()), (403, 0));
    let (other, _) = world.admin("other", KUBUNTU, &[Decide]).await;
    assert_eq!(other.submit(&world, &format!("{LIST}/bob/restore"), &[]).await.status(), 403);
    let elsewhere = LIST.replace(UBUNTU, KUBUNTU);
    assert_eq!(other.submit(&world, &format!("{elsewhere}/bob/restore"), &[]).await.status(), 404);
    assert!(world.messages().is_empty());
}
