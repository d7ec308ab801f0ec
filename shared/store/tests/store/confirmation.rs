//! Confirmation codes of destinations.

use membermail_core::code::Code;
use membermail_core::destination::{CODE_LIFETIME, MAX_ATTEMPTS};
use membermail_core::master::MasterKeys;
use membermail_core::random::OsRandom;
use membermail_store::{Confirmed, FirstDestination, Requested, Sealer, SignIn};
use zeroize::Zeroizing;

use crate::destinations::email;
use crate::support::{MASTER, World, identity, minutes, now, observation, operator, session};

fn wrong() -> Code {
    Code::parse("BBBB-BBBB").unwrap()
}

#[tokio::test]
async fn wrong_codes_use_attempts_up() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let id = world.requested(&alice, "new@mail.example").await;
    let code = world.code(&alice, id).await;
    for left in (0..MAX_ATTEMPTS).rev() {
        let typed = if left % 2 == 0 { Some(wrong()) } else { None };
        assert_eq!(world.enter(&alice, id, typed.as_ref()).await, Confirmed::Wrong(left));
    }
    assert_eq!(world.enter(&alice, id, Some(&code)).await, Confirmed::Expired);
    // A new request has new attempts and a new code.
    let again = world.request(&alice, "new@mail.example", false).await;
    assert!(matches!(again, Requested::Sent { .. }));
    assert_eq!(world.enter(&alice, id, Some(&code)).await, Confirmed::Wrong(MAX_ATTEMPTS - 1));
    let code = world.code(&alice, id).await;
    assert!(matches!(world.enter(&alice, id, Some(&code)).await, Confirmed::Done { replaces: false, .. }));
    assert_eq!(world.enter(&alice, id, Some(&code)).await, Confirmed::Already);
}

#[tokio::test]
async fn concurrent_guesses_share_attempts() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let id = world.requested(&alice, "new@mail.example").await;
    let guess = wrong();
    let cause = operator(minutes(1));
    let guesses =
        (0..40).map(|_| world.store.confirm_destination(&world.sealer, &alice, (id, Some(&guess)), cause, &OsRandom));
    let outcomes = futures_util::future::join_all(guesses).await;
    let compared = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Confirmed::Wrong(_)))).count();
    assert!((1..=5).contains(&compared), "{outcomes:?}");
    let mut left: Vec<_> = outcomes
        .iter()
        .filter_map(|one| one.as_ref().ok())
        .filter_map(|one| match one {
            Confirmed::Wrong(left) => Some(*left),
            _ => None,
        })
        .collect();
    left.sort_unstable();
    left.dedup();
    assert_eq!(left.len(), compared, "each attempt is counted once");
}

#[tokio::test]
async fn right_code_wins_over_concurrent_guess() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let id = world.requested(&alice, "new@mail.example").await;
    let (code, guess) = (world.code(&alice, id).await, wrong());
    let cause = operator(minutes(1));
    let confirm = async |code| {
        world.store.confirm_destination(&world.sealer, &alice, (id, Some(code)), cause, &OsRandom).await.unwrap()
    };
    let (one, _, other) = tokio::join!(confirm(&code), confirm(&guess), confirm(&code));
    let done = [one, other].iter().filter(|outcome| matches!(outcome, Confirmed::Done { .. })).count();
    assert_eq!((done, [one, other].contains(&Confirmed::Already)), (1, true), "{one:?} {other:?}");
}

#[tokio::test]
async fn code_is_for_its_request_only() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (bob, _) = world.resident("bob").await;
    let id = world.requested(&alice, "new@mail.example").await;
    let code = world.code(&alice, id).await;
    let theirs = world.requested(&bob, "new@mail.example").await;
    assert_eq!(world.enter(&bob, id, Some(&code)).await, Confirmed::Missing);
    assert!(matches!(world.enter(&bob, theirs, Some(&code)).await, Confirmed::Wrong(_)));
    let late = operator(now() + CODE_LIFETIME);
    let expired = world.store.confirm_destination(&world.sealer, &alice, (id, Some(&code)), late, &OsRandom).await;
    assert_eq!(expired.unwrap(), Confirmed::Expired);
    // A ban ends the sessions: the code of before is void.
    world.store.ban(alice.id, operator(minutes(1)), &OsRandom).await.unwrap();
    world.store.unban(alice.id, operator(minutes(2)), &OsRandom).await.unwrap();
    assert_eq!(world.enter(&world.read(alice.id).await, id, Some(&code)).await, Confirmed::Expired);
    let stale =
        world.store.confirm_destination(&world.sealer, &alice, (id, Some(&code)), operator(now()), &OsRandom).await;
    assert!(stale.is_err(), "the member as read before the ban: {stale:?}");
    assert_eq!(world.mailboxes("alice@ubuntu.com").await.len(), 1);
}

#[tokio::test]
async fn code_survives_key_rotation() {
    let mut world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let id = world.requested(&alice, "new@mail.example").await;
    let code = world.code(&alice, id).await;
    let secret = |text: &[u8]| Zeroizing::new(text.to_vec());
    world.sealer =
        Sealer::of(&MasterKeys::new(secret(b"the next master secret, long enough too"), Some(secret(MASTER))));
    assert!(matches!(world.enter(&alice, id, Some(&code)).await, Confirmed::Done { .. }));
}

/// After a link, the destination of the linked member with the same address needs no code of its own.
#[tokio::test]
async fn confirmation_covers_linked_destination() {
    let world = World::new().await;
    let same = email("same@mail.example");
    for word in ["alice", "alex"] {
        let identity = identity(word);
        let destination = FirstDestination::Unconfirmed;
        let sign_in =
            SignIn { identity: &identity, address: &same, destination, language: None, session: session(word) };
        let member = world.store.sign_in(&world.sealer, sign_in, now(), &OsRandom).await.unwrap();
        let name = format!("{word}@ubuntu.com");
        world.observe(member.id, &observation(word, now())).await;
        world.grant(&world.read(member.id).await, &name).await;
        assert!(world.mailboxes(&name).await.is_empty(), "not confirmed yet");
    }
    let [alice, alex] = [world.alias("alice@ubuntu.com").await.member, world.alias("alex@ubuntu.com").await.member];
    world.link_ids(alice, alex).await;
    let alice = world.read(alice).await;
    let id = world.first(&alice).await;
    let requested = world.store.request_confirmation(&alice, id, operator(now()), &OsRandom).await.unwrap();
    assert!(matches!(requested, Requested::Sent { .. }));
    let code = world.code(&alice, id).await;
    assert!(matches!(world.enter(&alice, id, Some(&code)).await, Confirmed::Done { .. }));
    for name in ["alice@ubuntu.com", "alex@ubuntu.com"] {
        assert_eq!(world.mailboxes(name).await.len(), 1, "{name}");
    }
}
