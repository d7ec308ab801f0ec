//! Bans of members: the preview, the rules, and two admins at once.

use jiff::SignedDuration;
use membermail_core::admin::Permission::{self, Appoint, Ban, View};
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Change, Comment, MemberChange};
use membermail_core::destination::FRESH_SIGN_IN;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use rstest::rstest;

use super::{Browser, KUBUNTU, Page, UBUNTU, World, name};

const ALL: [Permission; 3] = [View, Ban, Appoint];
const REASON: [(&str, &str); 1] = [("reason", "You sent <b>advertisements</b>.")];

fn path(member: MemberId, form: &str) -> String {
    format!("/admin/domains/ubuntu.com/members/{member}{form}")
}

impl World {
    async fn ban(&self, admin: &Browser, member: MemberId) -> Page {
        admin.submit(self, &path(member, "/ban"), &REASON).await
    }

    async fn state(&self, address: &str) -> (Status, Reason) {
        let alias = self.store().alias(&address.to_owned().try_into().unwrap()).await.unwrap().unwrap().alias;
        (alias.status, alias.reason)
    }
}

#[tokio::test]
async fn ban_and_its_end() {
    let world = World::new().await;
    let (admin, amy) = world.admin("amy", UBUNTU, &[Ban]).await;
    let (member, bob) = world.resident("bob").await;
    let preview = admin.get(&world, &path(bob.id, "/ban")).await;
    assert!(preview.text().contains("<bdi>bob@ubuntu.com</bdi>"), "{}", preview.text());
    assert!(!world.member(bob.id).await.is_banned(), "a preview changes nothing");
    world.messages();
    world.advance(SignedDuration::from_secs(1));

    assert_eq!(world.ban(&admin, bob.id).await.location(), path(bob.id, ""));
    let banned = world.member(bob.id).await;
    assert_eq!(banned.ban_reason.as_ref().map(Comment::as_str), Some(REASON[0].1));
    assert_eq!(world.state("bob@ubuntu.com").await, (Status::Suspended, Reason::Banned));
    assert_eq!(world.messages().len(), 1, "the mail about the address");
    assert_eq!(member.get(&world, "/admin").await.location(), "/", "the sessions have ended");
    let entries = world.store().history_of(bob.id, 2).await.unwrap();
    assert!(entries.iter().all(|entry| (entry.actor, entry.by.clone()) == (Actor::Admin, Some(amy.id.to_string()))));
    assert!(matches!(entries[1].change, Change::Member { did: MemberChange::Banned, .. }), "{entries:?}");
    let page = admin.get(&world, &path(bob.id, "")).await;
    let text = page.text();
    for expected in ["You sent &#60;b&#62;advertisements", "Lift the ban", "The member was banned.", "Admin amy"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }

    world.advance(SignedDuration::from_secs(1));
    assert_eq!(admin.submit(&world, &path(bob.id, "/unban"), &[]).await.location(), path(bob.id, ""));
    let lifted = world.member(bob.id).await;
    assert!(!lifted.is_banned() && lifted.ban_reason.is_none());
    assert_eq!(world.state("bob@ubuntu.com").await, (Status::Suspended, Reason::BanLifted));
}

#[tokio::test]
async fn second_admin_sees_first_decision() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Ban]).await;
    let (eve, _) = world.admin("eve", UBUNTU, &[Ban]).await;
    let (_, bob) = world.resident("bob").await;
    world.advance(SignedDuration::from_secs(1));
    world.ban(&amy, bob.id).await;
    world.messages();
    world.advance(SignedDuration::from_mins(1));
    let other = [("reason", "another")];
    for page in [eve.submit(&world, &path(bob.id, "/ban"), &other).await, eve.get(&world, &path(bob.id, "/ban")).await]
    {
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("Admin amy banned them on 24 November 2026"), "{}", page.text());
    }
    assert_eq!(world.member(bob.id).await.ban_reason.unwrap().as_str(), REASON[0].1);
    assert!(world.messages().is_empty(), "no second mail");
    eve.submit(&world, &path(bob.id, "/unban"), &[]).await;
    world.advance(SignedDuration::from_mins(1));
    let page = amy.submit(&world, &path(bob.id, "/unban"), &[]).await;
    assert!(page.status() == 200 && page.text().contains("Admin eve lifted the ban"), "{}", page.text());
}

#[tokio::test]
async fn unban_without_ban_changes_nothing() {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[Ban]).await;
    let (_, bob) = world.resident("bob").await;
    let page = admin.submit(&world, &path(bob.id, "/unban"), &[]).await;
    assert!(page.status() == 200 && page.text().contains("There is no ban to lift"), "{}", page.text());
}

#[rstest]
#[case::missing(&[])]
#[case::empty(&[("reason", "")])]
#[case::blank(&[("reason", " \n ")])]
#[case::twice(&[("reason", "a"), ("reason", "b")])]
#[case::control(&[("reason", "a\u{0}b")])]
#[tokio::test]
async fn ban_needs_reason(#[case] fields: &[(&str, &str)]) {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[Ban]).await;
    let (_, bob) = world.resident("bob").await;
    let page = admin.submit(&world, &path(bob.id, "/ban"), fields).await;
    assert!(page.status() == 400 && page.text().contains("Please give a reason"), "{}", page.text());
    assert!(!world.member(bob.id).await.is_banned());
}

#[tokio::test]
async fn long_reason_is_shown_again() {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[Ban]).await;
    let (_, bob) = world.resident("bob").await;
    let reason = "<b>".repeat(Comment::MAX_CHARACTERS);
    let page = admin.submit(&world, &path(bob.id, "/ban"), &[("reason", &reason)]).await;
    assert!(page.status() == 400 && page.text().contains(&"&#60;b&#62;".repeat(3)), "{}", page.text());
    assert!(!page.text().contains("<b>") && !world.member(bob.id).await.is_banned());
}

/// Where the member has another address, and of which domain they are an admin.
#[rstest]
#[case::plain(&[Ban], false, None, None)]
#[case::other_domain(&ALL, true, None, Some("in every domain where this member has an address"))]
#[case::fellow_admin(&[Ban], false, Some(UBUNTU), Some("in which you may not appoint admins"))]
#[case::appointed_admin(&ALL, false, Some(UBUNTU), None)]
#[case::admin_elsewhere(&ALL, false, Some(KUBUNTU), Some("in which you may not appoint admins"))]
#[tokio::test]
async fn ban_follows_rules(
    #[case] permissions: &[Permission],
    #[case] has_other_address: bool,
    #[case] admin_of: Option<&str>,
    #[case] refusal: Option<&str>,
) {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, permissions).await;
    let (_, bob) = world.resident("bob").await;
    if has_other_address {
        world.grant(&bob, "bob@kubuntu.org").await;
    }
    if let Some(domain) = admin_of {
        let view = [View].into_iter().collect();
        world.store().bind_admin(&name(domain), bob.id, view, world.cause(), &OsRandom).await.unwrap();
    }
    let page = admin.get(&world, &path(bob.id, "")).await;
    let preview = admin.get(&world, &path(bob.id, "/ban")).await;
    let answer = world.ban(&admin, bob.id).await;
    assert_eq!(world.member(bob.id).await.is_banned(), refusal.is_none());
    match refusal {
        Some(words) => {
            assert_eq!((preview.status(), answer.status()), (403, 403));
            assert!([page, preview, answer].iter().all(|page| page.text().contains(words)));
        }
        None => assert!(preview.status() == 200 && answer.status() == 303 && page.text().contains("id=\"ban\"")),
    }
    // The same rules hold for the end of a ban.
    world.store().ban(bob.id, world.cause(), &OsRandom).await.unwrap();
    let answer = admin.submit(&world, &path(bob.id, "/unban"), &[]).await;
    assert_eq!(
        (answer.status() == 403, world.member(bob.id).await.is_banned()),
        (refusal.is_some(), refusal.is_some())
    );
}

#[tokio::test]
async fn admins_cannot_ban_themselves() {
    let world = World::new().await;
    let (admin, amy) = world.admin("amy", UBUNTU, &ALL).await;
    let answer = world.ban(&admin, amy.id).await;
    assert!(answer.status() == 403 && answer.text().contains("You cannot ban yourself"), "{}", answer.text());
    assert!(!world.member(amy.id).await.is_banned());
}

#[tokio::test]
async fn stale_session_cannot_ban() {
    let world = World::new().await;
    let (admin, _) = world.admin("amy", UBUNTU, &[Ban]).await;
    let (_, bob) = world.resident("bob").await;
    world.advance(FRESH_SIGN_IN);
    let answer = world.ban(&admin, bob.id).await;
    assert!(answer.status() == 403 && answer.text().contains("Please sign in again"), "{}", answer.text());
    assert!(!world.member(bob.id).await.is_banned());
}
