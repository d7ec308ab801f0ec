//! The accounts that a member can sign in with: the page, and removing one.

use jiff::SignedDuration;
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_core::member::{Identity, MemberId, Subject};
use membermail_core::random::OsRandom;
use membermail_identity::link_token::{self, LinkTo};
use membermail_store::{AddIdentity, OwnIdentity};

use super::{Browser, World, identity, is_welcome};

/// An account at another provider.
pub(super) fn gitlab(id: &str) -> Identity {
    Identity { issuer: "https://gitlab.example.org".into(), subject: Subject::parse(id).unwrap() }
}

fn second() -> Identity {
    gitlab("1001")
}

impl World {
    pub(super) async fn add(&self, member: MemberId, identity: &Identity) {
        let member = self.member(member).await;
        let epoch = member.session_epoch;
        let added = self.store().add_identity(&member, identity, epoch, self.cause(), &OsRandom).await.unwrap();
        assert!(matches!(added, AddIdentity::Added(_)), "{added:?}");
    }

    async fn accounts(&self, member: MemberId) -> Vec<OwnIdentity> {
        self.store().identities_of(&self.member(member).await).await.unwrap()
    }

    pub(super) async fn handle(&self, member: MemberId, identity: &Identity) -> String {
        let own = self.accounts(member).await;
        own.iter().find(|own| own.identity == *identity).unwrap().handle()
    }
}

#[tokio::test]
async fn page_lists_own_accounts() {
    let world = World::new().await;
    let (browser, alice) = world.resident("alice").await;
    let (_, bob) = world.resident("bob").await;
    world.add(alice.id, &second()).await;
    let page = browser.get(&world, "/identities").await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("gitlab.example.org") && page.text().contains("1001"), "{}", page.text());
    assert!(!page.text().contains("+id/bob"), "{}", page.text());
    let token = link_token::token(browser.0.as_ref().unwrap(), LinkTo::Current);
    assert!(page.text().contains(&format!("/sign-in?link={token}\"")), "{}", page.text());
    assert_eq!(world.accounts(bob.id).await.len(), 1);
    assert!(browser.get(&world, "/").await.text().contains("/identities\""), "the account page leads there");
}

#[tokio::test]
async fn visitor_sees_no_accounts() {
    let world = World::new().await;
    assert_eq!(Browser::default().get(&world, "/identities").await.location(), "/");
}

#[tokio::test]
async fn stale_sign_in_gets_no_link() {
    let world = World::new().await;
    let (browser, _) = world.resident("alice").await;
    world.advance(FRESH_SIGN_IN);
    let page = browser.get(&world, "/identities").await;
    assert!(!page.text().contains("link=") && page.text().contains("Sign in again"), "{}", page.text());
}

#[tokio::test]
async fn removal_keeps_this_session() {
    let world = World::new().await;
    let (phone, alice) = world.resident("alice").await;
    world.advance(SignedDuration::from_secs(1));
    let (desk, _) = world.sign_in("alice").await;
    world.add(alice.id, &second()).await;
    world.messages();
    let handle = world.handle(alice.id, &second()).await;
    let page = desk.submit(&world, "/identities/remove", &[("identity", &handle)]).await;
    assert_eq!(page.location(), "/identities?removed");
    assert!(desk.get(&world, "/identities?removed").await.text().contains("The account was removed"));
    assert!(is_welcome(&phone.get(&world, "/").await), "the other session has ended");
    let left = world.accounts(alice.id).await;
    assert_eq!(left.iter().map(|own| &own.identity).collect::<Vec<_>>(), [&identity("alice")]);
    assert_eq!(world.messages().len(), 2, "a notice and a check");
    let again = desk.submit(&world, "/identities/remove", &[("identity", &handle)]).await;
    assert_eq!(again.location(), "/identities", "the form arrives twice");
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn last_account_stays() {
    let world = World::new().await;
    let (browser, alice) = world.resident("alice").await;
    let handle = world.handle(alice.id, &identity("alice")).await;
    let page = browser.submit(&world, "/identities/remove", &[("identity", &handle)]).await;
    assert!(page.is_refusal(409, "This account cannot be removed"), "{}", page.text());
    assert_eq!(world.accounts(alice.id).await.len(), 1);
}

#[tokio::test]
async fn account_of_another_stays() {
    let world = World::new().await;
    let (browser, alice) = world.resident("alice").await;
    let (_, bob) = world.resident("bob").await;
    world.add(alice.id, &second()).await;
    let before = world.everything(&alice).await;
    let handle = world.handle(bob.id, &identity("bob")).await;
    let page = browser.submit(&world, "/identities/remove", &[("identity", &handle)]).await;
    assert_eq!(page.location(), "/identities");
    assert_eq!(world.accounts(bob.id).await.len(), 1);
    for invalid in ["", "x", "https://gitlab.example.org"] {
        let page = browser.submit(&world, "/identities/remove", &[("identity", invalid)]).await;
        assert_eq!(page.status(), 400, "{invalid}");
    }
    assert_eq!(world.everything(&alice).await, before);
}

#[tokio::test]
async fn removal_needs_token_and_fresh_sign_in() {
    let world = World::new().await;
    let (browser, alice) = world.resident("alice").await;
    world.add(alice.id, &second()).await;
    let handle = world.handle(alice.id, &second()).await;
    let page = browser.submit_raw(&world, "/identities/remove", &[("identity", &handle)]).await;
    assert_eq!(page.status(), 403);
    let link = link_token::token(browser.0.as_ref().unwrap(), LinkTo::Current);
    let fields = [("csrf", link.as_str()), ("identity", handle.as_str())];
    assert_eq!(browser.submit_raw(&world, "/identities/remove", &fields).await.status(), 403, "a link's token");
    world.advance(FRESH_SIGN_IN);
    let page = browser.submit(&world, "/identities/remove", &[("identity", &handle)]).await;
    assert!(page.is_refusal(403, "Please sign in again first"), "{}", page.text());
    assert_eq!(world.accounts(alice.id).await.len(), 2);
}
