//! An alias from its first day to its last, and the outbox.

use crate::support::{World, community, days, now, observed};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, MemberChange};
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_store::{Applied, Asked, Erasure, Grant};

fn cause(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Sync, by: Some("a run"), request_id: "request-1", now }
}

fn domain() -> DomainName {
    community()[0].clone()
}

#[tokio::test]
async fn alias_lives_through_all_states() {
    let world = World::new("lives").await;
    let (member, alias) = world.resident("alice").await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: now() };
    let leaving = world.applied(&alias, leave.clone(), now()).await;
    assert_eq!(leaving.until, Some(days(14)), "the whole grace period");
    // The same message again, and one that was planned before it.
    assert_eq!(world.apply(&alias, leave.clone(), now()).await, Applied::Stale);
    assert_eq!(world.apply(&alias, Action::Restore, now()).await, Applied::Stale);

    let back = world.applied(&leaving, Action::Restore, now()).await;
    assert_eq!((back.status, back.until), (Status::Active, None));
    let stored = world.store.alias(&back.address).await.unwrap().unwrap();
    let destination = stored.destination(&world.sealer, &member.salt).unwrap().unwrap();
    assert_eq!(destination.expose(), "alice@mail.example");

    let suspended = world.suspended(&back).await;
    let shred = async || world.store.shred(member.id, cause(days(195)), &OsRandom).await.unwrap();
    assert_eq!(shred().await, Erasure::NotDue, "an alias is not retired yet");
    assert_eq!(world.apply(&suspended, Action::Retire, days(193)).await, Applied::Early);
    let retired = world.applied(&suspended, Action::Retire, days(194)).await;
    let stored = world.store.alias(&retired.address).await.unwrap().unwrap();
    assert_eq!(stored.destination(&world.sealer, &member.salt).unwrap(), None);

    assert_eq!((shred().await, shred().await), (Erasure::Done, Erasure::NotDue), "twice is as once");
    let shredded = world.store.member(member.id).await.unwrap().unwrap();
    assert_eq!(shredded.sign_in_address(&world.sealer).unwrap(), None);
    assert!(shredded.session_epoch > member.session_epoch);
    let left = format!("{:?}", world.client.scan().table_name(&world.table).send().await.unwrap());
    assert!(!left.contains("sign_in") && !left.contains("destination"), "{left}");
    assert!(shredded.is_shredded());
    let entries = world.store.audit(None, "2027-06").await.unwrap();
    assert!(matches!(entries[0].change, Change::Member { did: MemberChange::Shredded, .. }));

    // The name stays taken, and its owner can have it back by signing in.
    let (eve, _) = world.resident("eve").await;
    let known_as = observed("alice", days(195));
    let asked = Asked { address: &retired.address, known_as: &known_as, renamed_from: None, limit: 3, existing: None };
    let grant = world.store.grant(&world.sealer, &eve, asked, &community(), cause(days(195)), &OsRandom).await.unwrap();
    assert!(matches!(grant, Grant::Refused(_)), "{grant:?}");
    let nothing = world.store.grant(&world.sealer, &shredded, asked, &community(), cause(days(195)), &OsRandom).await;
    assert_eq!(nothing.unwrap(), Grant::Shredded);
    let member = world.member("alice", "alice@new.example").await;
    let grant =
        world.store.grant(&world.sealer, &member, asked, &community(), cause(days(195)), &OsRandom).await.unwrap();
    let Grant::Changed { alias, .. } = grant else { panic!("{grant:?}") };
    let stored = world.store.alias(&alias.address).await.unwrap().unwrap();
    let destination = stored.destination(&world.sealer, &member.salt).unwrap().unwrap();
    assert_eq!(destination.expose(), "alice@new.example");
}

#[tokio::test]
async fn change_waits_in_outbox_until_delivered() {
    let world = World::new("outbox").await;
    let (_, alias) = world.resident("alice").await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: days(14) };
    let Applied::Done { entry, .. } = world.apply(&alias, leave, now()).await else { panic!("stale") };
    let later = now() + SignedDuration::from_mins(5);
    let waiting = world.store.undelivered_before(later, 10).await.unwrap();
    // That the domain was verified, that the alias was made, and that it is leaving.
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting, world.store.audit(Some(&domain()), "2026-11").await.unwrap());
    assert!(world.store.undelivered_before(now(), 10).await.unwrap().is_empty());
    let waiting = world.store.undelivered(entry).await.unwrap().unwrap();
    assert_eq!(waiting.id, entry);
    let deliver = || world.store.mark_delivered(&waiting, None, None, now(), &OsRandom);
    assert_eq!((deliver().await.unwrap(), deliver().await.unwrap()), (true, false));
    assert_eq!(world.store.undelivered(entry).await.unwrap(), None);
    assert_eq!(world.store.undelivered_before(later, 10).await.unwrap().len(), 2);
}
