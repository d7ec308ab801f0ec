//! Members see and end their sessions, and rate limits count their requests.

use jiff::{SignedDuration, Timestamp};
use membermail_core::audit::{Change, MemberChange};
use membermail_core::email::EmailAddress;
use membermail_core::random::OsRandom;
use membermail_store::{FirstDestination, Member, NewSession, RateLimit, SignIn};

use crate::support::{World, identity, minutes, now, operator, seconds};

impl World {
    async fn sign_in_with(&self, word: &str, hash: &str, at: Timestamp) -> Member {
        let sign_in = SignIn {
            identity: &identity(word),
            address: &EmailAddress::parse("alice@mail.example").unwrap(),
            destination: FirstDestination::Confirmed,
            language: None,
            session: NewSession { hash, expires: minutes(60) },
        };
        self.store.sign_in(&self.sealer, sign_in, at, &OsRandom).await.unwrap()
    }

    async fn listed(&self, member: &Member, at: Timestamp) -> Vec<String> {
        let listed = self.store.sessions_of(member, at).await.unwrap();
        listed.into_iter().map(|listed| listed.hash).collect()
    }
}

#[tokio::test]
async fn one_session_is_ended() {
    let world = World::new().await;
    world.sign_in_with("alice", "first", now()).await;
    let alice = world.sign_in_with("alice", "second", minutes(1)).await;
    let bob = world.sign_in_with("bob", "third", now()).await;
    assert_eq!(world.listed(&alice, minutes(2)).await, ["second", "first"]);
    assert!(!world.store.end_session_of(&bob, "first").await.unwrap(), "of another member");
    assert!(world.store.end_session_of(&alice, "first").await.unwrap());
    assert!(!world.store.end_session_of(&alice, "first").await.unwrap());
    assert!(world.store.session("first", minutes(2)).await.unwrap().is_none());
    assert_eq!(world.listed(&alice, minutes(2)).await, ["second"]);
    assert!(world.listed(&alice, minutes(60)).await.is_empty(), "it has expired");
}

#[tokio::test]
async fn all_sessions_are_ended_once() {
    let world = World::new().await;
    let alice = world.sign_in_with("alice", "first", now()).await;
    let end = async || world.store.end_all_sessions(&alice, operator(minutes(1)), &OsRandom).await.unwrap();
    assert!(end().await);
    assert!(!end().await, "the same page again");
    let alice = world.read(alice.id).await;
    assert!(world.listed(&alice, minutes(2)).await.is_empty());
    world.sign_in_with("alice", "new", minutes(3)).await;
    assert_eq!(world.listed(&alice, minutes(4)).await, ["new"]);
    let history = world.store.history_of(alice.id, 10).await.unwrap();
    let ended = Change::Member { member: alice.id, did: MemberChange::SessionsEnded };
    assert_eq!(history.iter().map(|entry| &entry.change).collect::<Vec<_>>(), [&ended]);
}

#[tokio::test]
async fn history_shows_newest_entries_first() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    world.store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    let history = world.store.history_of(alice.id, 2).await.unwrap();
    let did: Vec<_> = history.iter().map(|entry| &entry.change).collect();
    let change = |did| Change::Member { member: alice.id, did };
    assert_eq!(did, [&change(MemberChange::Unbanned), &change(MemberChange::Banned)]);
    assert_eq!(history[0].by.as_deref(), Some("olivia"));
    let (bob, _) = world.resident("bob").await;
    assert_eq!(world.store.history_of(bob.id, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn rate_limit_counts_uses_in_window() {
    let world = World::new().await;
    let limit = RateLimit { name: "test", uses: 3, window: SignedDuration::from_mins(1) };
    let count = async |subject: &str, at| world.store.count_use(limit, subject, at).await.unwrap();
    let (a, b, c, d, e) = tokio::join!(
        count("alice", now()),
        count("alice", now()),
        count("alice", now()),
        count("alice", now()),
        count("alice", now())
    );
    assert_eq!([a, b, c, d, e].into_iter().filter(|is_allowed| *is_allowed).count(), 3);
    assert!(!count("alice", seconds(59)).await);
    assert!(count("bob", seconds(59)).await);
    assert!(count("alice", seconds(60)).await);
    let other = RateLimit { name: "other", ..limit };
    assert!(world.store.count_use(other, "alice", now()).await.unwrap());
    assert!(!world.dump().await.contains("alice"), "the subject is hashed");
}
