//! An alias from its first day to its last.

use crate::support::{World, community, days, now, observed};
use jiff::Timestamp;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, MemberChange};
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_store::{Applied, Asked, Erasure, Grant};

fn cause(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Sync, by: Some("a run"), request_id: "request-1", now }
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
