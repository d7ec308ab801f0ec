//! Links of two members who are one person, and unlinks.

use std::collections::BTreeSet;

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Change, LinkChange};
use membermail_core::lifecycle::Action;
use membermail_core::member::{Identity, MemberId};
use membermail_core::random::OsRandom;
use membermail_store::{GrantOutcome, Linked, Member, Recorded};

use crate::support::{World, days, identity, minutes, name, now, observation, operator};

impl World {
    async fn link(&self, member: &Member, other: &Member) -> Linked {
        self.store.link(member, other, operator(now()), &OsRandom).await.unwrap()
    }

    pub(crate) async fn link_ids(&self, member: MemberId, other: MemberId) {
        let linked = self.link(&self.read(member).await, &self.read(other).await).await;
        assert!(matches!(linked, Linked::Done(_)));
    }

    async fn unlink_ids(&self, member: MemberId, other: MemberId) {
        let member = self.read(member).await;
        let unlinked = self.store.unlink(&member, other, operator(now()), &OsRandom).await.unwrap();
        assert!(matches!(unlinked, Linked::Done(_)));
    }

    async fn survivor_of(&self, id: MemberId) -> MemberId {
        self.store.survivor(id).await.unwrap().unwrap().id
    }

    async fn identities(&self, id: MemberId) -> Vec<Identity> {
        let mut identities = self.store.member_to_look_up(id).await.unwrap().unwrap().1;
        identities.sort_by(|one, other| one.subject.cmp(&other.subject));
        identities
    }

    /// Three members called `one`, `two` and `three`, each by their own identity.
    async fn trio() -> (Self, [MemberId; 3]) {
        let world = Self::new().await;
        let one = world.named("one", "one").await.id;
        let two = world.named("two", "two").await.id;
        let three = world.named("three", "three").await.id;
        (world, [one, two, three])
    }

    async fn ban(&self, id: MemberId) {
        assert!(self.store.ban(id, operator(now()), &OsRandom).await.unwrap());
    }

    async fn banned(&self) -> BTreeSet<MemberId> {
        self.store.banned_members().await.unwrap()
    }
}

#[tokio::test]
async fn link_moves_identities_and_name() {
    let (world, [one, two, _]) = World::trio().await;
    world.link_ids(one, two).await;
    assert_eq!((world.survivor_of(two).await, world.survivor_of(one).await), (one, one));
    assert_eq!(world.identities(one).await, [identity("one"), identity("two")]);
    assert_eq!(world.identities(two).await, world.identities(one).await);
    assert_eq!(world.read(one).await.merged, [two]);
    assert_eq!(world.member("two", "two@mail.example").await.id, one, "the other sign-in finds the survivor");
    let found = world.store.members_by_names(&[name("two")]).await.unwrap();
    assert_eq!(found, [(name("two"), one)]);
    let entries = world.store.undelivered_before(minutes(1), 10).await.unwrap();
    let links = entries.iter().filter(|entry| matches!(entry.change, Change::Link { did: LinkChange::Linked, .. }));
    assert_eq!(links.count(), 1);
}

#[tokio::test]
async fn link_succeeds_after_name_moved() {
    let (world, [one, two, three]) = World::trio().await;
    world.claim_name(three, &observation("two", minutes(1)), Some(two)).await;
    world.link_ids(one, two).await;
    let found = world.store.members_by_names(&[name("two")]).await.unwrap();
    assert_eq!(found, [(name("two"), three)], "the name keeps its current member");
}

#[tokio::test]
async fn link_with_shared_name_keeps_claim() {
    let (world, [one, two, _]) = World::trio().await;
    world.claim_name(two, &observation("one", minutes(1)), Some(one)).await;
    world.link_ids(one, two).await;
    assert_eq!(world.store.member_by_name(&name("one")).await.unwrap().unwrap().id, one);
}

#[tokio::test]
async fn chain_of_links_is_flattened() {
    let (world, [one, two, three]) = World::trio().await;
    world.link_ids(two, three).await;
    world.link_ids(one, two).await;
    for id in [one, two, three] {
        assert_eq!(world.survivor_of(id).await, one);
    }
    assert_eq!(world.read(one).await.merged, [two, three]);
    assert!(world.read(two).await.merged.is_empty());
    assert_eq!(world.identities(one).await, [identity("one"), identity("three"), identity("two")]);
}

#[tokio::test]
async fn unlink_returns_identities_and_name() {
    let (world, [one, two, _]) = World::trio().await;
    world.link_ids(one, two).await;
    world.unlink_ids(one, two).await;
    assert_eq!((world.survivor_of(two).await, world.read(one).await.merged), (two, vec![]));
    assert_eq!(world.identities(one).await, [identity("one")]);
    assert_eq!(world.identities(two).await, [identity("two")]);
    assert_eq!(world.member("two", "two@mail.example").await.id, two);
    assert_eq!(world.store.member_by_name(&name("two")).await.unwrap().unwrap().id, two);
    world.link_ids(one, two).await;
    assert_eq!(world.survivor_of(two).await, one, "a link after an unlink");
}

#[tokio::test]
async fn unlink_splits_flattened_chain() {
    let (world, [one, two, three]) = World::trio().await;
    world.link_ids(two, three).await;
    world.link_ids(one, two).await;
    world.unlink_ids(one, three).await;
    assert_eq!(world.identities(three).await, [identity("three")]);
    assert_eq!(world.identities(one).await, [identity("one"), identity("two")]);
    world.unlink_ids(one, two).await;
    assert_eq!(world.identities(two).await, [identity("two")]);
}

#[tokio::test]
async fn unlink_of_stranger_changes_nothing() {
    let (world, [one, two, three]) = World::trio().await;
    world.link_ids(one, two).await;
    let member = world.read(one).await;
    let unlinked = world.store.unlink(&member, three, operator(now()), &OsRandom).await.unwrap();
    assert_eq!(unlinked, Linked::Changed);
    assert_eq!(world.survivor_of(two).await, one);
}

#[tokio::test]
async fn banned_member_is_not_linked() {
    let (world, [one, two, _]) = World::trio().await;
    let before = world.read(two).await;
    world.ban(two).await;
    let member = world.read(one).await;
    let banned = world.read(two).await;
    assert_eq!(world.link(&member, &banned).await, Linked::Changed);
    assert_eq!(world.link(&member, &before).await, Linked::Changed, "the ban came after the read");
    assert_eq!(world.survivor_of(two).await, two);
}

#[tokio::test]
async fn link_to_banned_survivor_bans() {
    let (world, [one, two, three]) = World::trio().await;
    let before = world.read(one).await;
    world.ban(one).await;
    assert_eq!(world.link(&before, &world.read(two).await).await, Linked::Changed, "the ban came after the read");
    world.link_ids(two, three).await;
    world.link_ids(one, two).await;
    assert_eq!(world.banned().await, BTreeSet::from([one, two, three]));
    assert!(world.store.unban(one, operator(now()), &OsRandom).await.unwrap());
    assert!(world.banned().await.is_empty());
}

#[tokio::test]
async fn unlink_lifts_survivors_ban() {
    let (world, [one, two, _]) = World::trio().await;
    world.link_ids(one, two).await;
    world.ban(one).await;
    assert_eq!(world.banned().await, BTreeSet::from([one, two]));
    world.unlink_ids(one, two).await;
    assert_eq!(world.banned().await, BTreeSet::from([one]));
}

#[tokio::test]
async fn concurrent_links_link_once() {
    let (world, [one, two, _]) = World::trio().await;
    let member = world.read(one).await;
    let other = world.read(two).await;
    let (there, back) = tokio::join!(world.link(&member, &other), world.link(&other, &member));
    let done = [there, back].into_iter().filter(|linked| matches!(linked, Linked::Done(_))).count();
    assert_eq!(done, 1, "{there:?} {back:?}");
    assert_eq!(world.survivor_of(one).await, world.survivor_of(two).await);
}

#[tokio::test]
async fn link_of_changed_member_fails() {
    let (world, [one, two, three]) = World::trio().await;
    let first = world.read(one).await;
    let stale = world.read(two).await;
    world.link_ids(two, three).await;
    assert_eq!(world.link(&first, &stale).await, Linked::Changed, "the link would create a chain");
    assert_eq!(world.link(&stale, &first).await, Linked::Changed, "the link to three would be lost");
    assert_eq!(world.read(two).await.merged, [three]);
    world.link_ids(one, two).await;
    assert_eq!(world.link(&world.read(two).await, &world.read(three).await).await, Linked::Changed);
}

#[tokio::test]
async fn survivor_restores_linked_address() {
    let world = World::new().await;
    let (other, alias) = world.resident("alice").await;
    let survivor = world.named("bob", "bob").await;
    world.link_ids(survivor.id, other.id).await;
    let survivor = world.read(survivor.id).await;
    assert_eq!(world.grant(&survivor, "alice@ubuntu.com").await, GrantOutcome::Unchanged);

    let leave = Action::Leave { reason: Reason::NotInTeam, until: days(14) };
    world.applied(&alias, leave, now()).await;
    let GrantOutcome::Changed { alias, .. } = world.grant(&survivor, "alice@ubuntu.com").await else {
        panic!("not changed")
    };
    assert_eq!((alias.member, alias.status), (other.id, Status::Active));
    let destination = world.destination("alice@ubuntu.com").await;
    assert_eq!(destination.as_deref(), Some("alice@mail.example"), "what the member chose stays");
}

#[tokio::test]
async fn survivor_gets_linked_members_name() {
    let (world, [one, two, _]) = World::trio().await;
    world.link_ids(one, two).await;
    assert_eq!(world.observe(one, &observation("two", minutes(1))).await, Recorded::Recorded);
    assert_eq!(world.store.member_by_name(&name("two")).await.unwrap().unwrap().id, one);
}

#[tokio::test]
async fn ban_ends_sessions_of_linked_members() {
    let (world, [one, two, three]) = World::trio().await;
    world.link_ids(one, two).await;
    let epochs = async || {
        [world.read(one).await, world.read(two).await, world.read(three).await].map(|member| member.session_epoch)
    };
    let before = epochs().await;
    world.ban(one).await;
    let after = epochs().await;
    assert_eq!(after, [before[0] + 1, before[1] + 1, before[2]]);
}
