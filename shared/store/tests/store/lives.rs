//! The lifecycle of an alias.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Change, MemberChange};
use membermail_core::lifecycle::Action;
use membermail_core::random::OsRandom;
use membermail_store::{Applied, Erasure, GrantOutcome};

use crate::support::{World, days, now, sync};

const TEXT: &str = "alice@ubuntu.com";

#[tokio::test]
async fn alias_passes_all_states() {
    let world = World::new().await;
    let (member, alias) = world.resident("alice").await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: now() };
    let leaving = world.applied(&alias, leave.clone(), now()).await;
    assert_eq!(leaving.until, Some(days(14)), "the whole grace period");
    // The same message again, and an older one.
    assert_eq!(world.apply(&alias, leave.clone(), now()).await, Applied::Stale);
    assert_eq!(world.apply(&alias, Action::Restore, now()).await, Applied::Stale);

    let back = world.applied(&leaving, Action::Restore, now()).await;
    assert_eq!((back.status, back.until), (Status::Active, None));
    assert_eq!(world.destination(TEXT).await.as_deref(), Some("alice@mail.example"));

    let suspended = world.suspended(&back).await;
    let erase = async || world.store.erase(member.id, sync(days(195)), &OsRandom).await.unwrap();
    assert_eq!(erase().await, Erasure::NotDue, "an alias is not retired yet");
    assert_eq!(world.apply(&suspended, Action::Retire, days(193)).await, Applied::Early);
    world.applied(&suspended, Action::Retire, days(194)).await;
    assert_eq!(world.destination(TEXT).await, None);

    assert_eq!((erase().await, erase().await), (Erasure::Done, Erasure::NotDue), "the erasure is idempotent");
    let erased = world.read(member.id).await;
    assert_eq!(erased.sign_in_address(&world.sealer).unwrap(), None);
    assert!(erased.session_epoch > member.session_epoch);
    let left = world.dump().await;
    assert!(!left.contains("sign_in") && !left.contains("DESTINATION") && !left.contains("sealed"), "{left}");
    assert!(erased.is_erased());
    let entries = world.store.audit(None, "2027-06").await.unwrap();
    assert!(matches!(entries[0].change, Change::Member { did: MemberChange::Erased, .. }));

    // The name stays assigned: only its owner gets it back, after a sign-in.
    let (eve, _) = world.resident("eve").await;
    let grant = async |member| world.grant_at(member, TEXT, days(195), days(195)).await;
    let refused = grant(&eve).await;
    assert!(matches!(refused, GrantOutcome::Refused(_)), "{refused:?}");
    assert_eq!(grant(&erased).await, GrantOutcome::Erased);
    let granted = grant(&world.member("alice", "alice@new.example").await).await;
    assert!(matches!(granted, GrantOutcome::Changed { .. }), "{granted:?}");
    assert_eq!(world.destination(TEXT).await.as_deref(), Some("alice@new.example"));
}
