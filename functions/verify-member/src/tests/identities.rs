//! Identities that are added to a member, over the table in memory.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::Clock;
use membermail_core::clock::ManualClock;
use membermail_core::email::EmailAddress;
use membermail_core::member::{Identity, MemberId, Subject};
use membermail_core::message::{AddedIdentity, VerifyMember};
use membermail_core::random::OsRandom;
use membermail_runtime::testing::{FakeAws, Response, sqs_event};
use membermail_store::{FirstDestination, Member, NewSession, Sealer, SignIn, Store};
use serde_json::json;

use super::Foreign;
use crate::pins::PinCache;
use crate::{Context, handle};

struct World {
    context: Context,
    clock: ManualClock,
}

fn identity(word: &str) -> Identity {
    Identity { issuer: "https://gitlab.example".into(), subject: Subject::parse(word).unwrap() }
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at("2026-11-24T10:00:00Z".parse().unwrap());
        let aws = FakeAws::new(|_, _| Response::Ok(json!({ "MessageId": "1" })));
        let context = Context {
            community: super::community(),
            source: Box::new(Foreign),
            store: Store::in_memory(),
            pins: PinCache::default(),
            worker: aws.worker("verify", clock.clone()),
            write_queue: aws.queue("grant"),
        };
        Self { context, clock }
    }

    fn store(&self) -> &Store {
        &self.context.store
    }

    fn cause(&self) -> Cause<'static> {
        Cause { actor: Actor::Operator, by: None, request_id: "a-test", now: self.clock.now() }
    }

    /// Signs in a minute later than the one before.
    async fn sign_in(&self, word: &str) -> Member {
        self.clock.advance(SignedDuration::from_mins(1));
        let now = self.clock.now();
        let expires = now + SignedDuration::from_hours(1);
        let sign_in = SignIn {
            identity: &identity(word),
            address: &EmailAddress::parse("ada@mail.example").unwrap(),
            destination: FirstDestination::Confirmed,
            language: None,
            session: NewSession { hash: word, expires },
        };
        let sealer = Sealer::new(b"a master secret of a test, long enough");
        self.store().sign_in(&sealer, sign_in, now, &OsRandom).await.unwrap()
    }

    async fn deliver(&self, member: &Member, word: &str, requested_at: Timestamp) {
        let message = VerifyMember {
            member: member.id,
            identity: None,
            adds: Some(AddedIdentity { identity: identity(word), epoch: member.session_epoch }),
            requested_at,
            request_id: "a-test".into(),
        };
        let response = handle(&self.context, sqs_event(&message).unwrap()).await;
        assert!(response.batch_item_failures.is_empty());
    }

    /// The member that a sign-in with this identity leads to.
    async fn owner(&self, word: &str) -> Option<MemberId> {
        let owner = self.store().owner_of(&identity(word)).await.unwrap()?;
        Some(self.store().survivor(owner).await.unwrap()?.id)
    }
}

#[tokio::test]
async fn unknown_identity_leads_to_member() {
    let world = World::new();
    let member = world.sign_in("1001").await;
    for _ in 0..2 {
        world.deliver(&member, "2002", world.clock.now()).await;
        assert_eq!(world.owner("2002").await, Some(member.id));
    }
    let identities = world.store().identities_of(&member).await.unwrap();
    assert_eq!(identities.len(), 2);
}

/// No other message adds it, so a later request for a check does not drop it.
#[tokio::test]
async fn stale_message_still_adds_identity() {
    let world = World::new();
    let member = world.sign_in("1001").await;
    let before = world.clock.now() - SignedDuration::from_mins(5);
    world.deliver(&member, "2002", before).await;
    assert_eq!(world.owner("2002").await, Some(member.id));
}

/// Whichever of the two adds the other.
#[rstest::rstest]
#[case::newer_adds_older(true)]
#[case::older_adds_newer(false)]
#[tokio::test]
async fn older_member_remains(#[case] newer_adds: bool) {
    let world = World::new();
    let older = world.sign_in("1001").await;
    let newer = world.sign_in("2002").await;
    let (adding, added) = if newer_adds { (&newer, "1001") } else { (&older, "2002") };
    let requested_at = world.clock.now();
    for _ in 0..2 {
        world.deliver(adding, added, requested_at).await;
        assert_eq!((world.owner("1001").await, world.owner("2002").await), (Some(older.id), Some(older.id)));
        // The lease of the first check is on the member who joined.
        world.clock.advance(SignedDuration::from_mins(10));
    }
}

/// A second account evades no ban: the banned member remains, and the ban covers both.
#[rstest::rstest]
#[case::older_is_banned("1001")]
#[case::newer_is_banned("2002")]
#[tokio::test]
async fn banned_member_remains(#[case] banned: &str) {
    let world = World::new();
    let older = world.sign_in("1001").await;
    let newer = world.sign_in("2002").await;
    let (banned_member, adding) = if banned == "1001" { (&older, &newer) } else { (&newer, &older) };
    assert!(world.store().ban(banned_member.id, world.cause(), &OsRandom).await.unwrap());
    world.deliver(adding, banned, world.clock.now()).await;
    assert_eq!(world.owner("1001").await, Some(banned_member.id));
    assert_eq!(world.owner("2002").await, Some(banned_member.id));
    assert!(world.store().banned_members().await.unwrap().contains(&adding.id));
}

/// "Sign out everywhere" also voids an identity that is on its way; so does a ban.
#[rstest::rstest]
#[case::signed_out(false)]
#[case::banned(true)]
#[tokio::test]
async fn ended_sessions_add_nothing(#[case] is_banned: bool) {
    let world = World::new();
    let member = world.sign_in("1001").await;
    if is_banned {
        world.store().ban(member.id, world.cause(), &OsRandom).await.unwrap();
    } else {
        assert!(world.store().end_all_sessions(&member, world.cause(), &OsRandom).await.unwrap());
    }
    world.deliver(&member, "2002", world.clock.now()).await;
    assert_eq!(world.owner("2002").await, None);
}

/// The message arrives again after the member has removed the identity.
#[tokio::test]
async fn removed_identity_stays_removed() {
    let world = World::new();
    let member = world.sign_in("1001").await;
    world.deliver(&member, "2002", world.clock.now()).await;
    let now = world.store().member(member.id).await.unwrap().unwrap();
    world.store().remove_identity(&now, &identity("2002"), "1001", world.cause(), &OsRandom).await.unwrap();
    assert_eq!(world.owner("2002").await, None);
    world.deliver(&member, "2002", world.clock.now()).await;
    assert_eq!(world.owner("2002").await, None);
}

#[tokio::test]
async fn concurrent_messages_lose_no_identity() {
    let world = Arc::new(World::new());
    let member = world.sign_in("1001").await;
    let now = world.clock.now();
    tokio::join!(
        world.deliver(&member, "2002", now),
        world.deliver(&member, "3003", now),
        world.deliver(&member, "2002", now)
    );
    assert_eq!(world.store().identities_of(&member).await.unwrap().len(), 3);
}
