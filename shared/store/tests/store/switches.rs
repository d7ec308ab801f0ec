//! Members pause, resume, delete and restore their addresses.

use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::community::Rules;
use membermail_core::destination::RESTORE_PERIOD;
use membermail_core::lifecycle::{Action, next_action};
use membermail_core::random::OsRandom;
use membermail_store::{Applied, GrantOutcome, Member, Switched};

use crate::destinations::{ALICE, set};
use crate::support::{World, address, days, minutes, now, operator};

impl World {
    async fn pause(&self, member: &Member, text: &str, is_permanent: Option<bool>) -> Switched {
        self.store.pause_alias(member, &address(text), is_permanent, operator(minutes(1)), &OsRandom).await.unwrap()
    }

    async fn delete(&self, member: &Member, text: &str) -> Switched {
        self.store.delete_alias(member, &address(text), operator(now()), &OsRandom).await.unwrap()
    }

    async fn restore_at(&self, member: &Member, text: &str, day: i64) -> Switched {
        self.store.restore_alias(member, &address(text), operator(days(day)), &OsRandom).await.unwrap()
    }

    async fn paused(&self, text: &str) -> Option<bool> {
        self.store.alias(&address(text)).await.unwrap().unwrap().paused.map(|paused| paused.is_permanent)
    }
}

fn state(alias: &Alias) -> (Status, Reason) {
    (alias.status, alias.reason)
}

#[tokio::test]
async fn pause_and_resume_are_idempotent() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (bob, _) = world.resident("bob").await;
    for is_permanent in [Some(false), Some(true), None] {
        assert_eq!(world.pause(&bob, ALICE, is_permanent).await, Switched::NotPossible);
        assert!(matches!(world.pause(&alice, ALICE, is_permanent).await, Switched::Done { .. }));
        let version = world.alias(ALICE).await.version;
        assert_eq!(world.pause(&alice, ALICE, is_permanent).await, Switched::Unchanged);
        assert_eq!((world.paused(ALICE).await, world.alias(ALICE).await.version), (is_permanent, version));
    }
    assert_eq!(world.store.history_of(alice.id, 10).await.unwrap().len(), 4, "the grant, and each change once");
}

#[tokio::test]
async fn pause_outlasts_sync_and_choice() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    world.pause(&alice, ALICE, Some(true)).await;
    let alias = Alias { version: alias.version + 1, ..alias };
    let reason = Reason::NotInTeam;
    let leaving = world.applied(&alias, Action::Leave { reason, until: days(14) }, now()).await;
    world.applied(&leaving, Action::Restore, days(1)).await;
    let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
    world.choose(&alice, ALICE, &[id]).await;
    assert_eq!(world.paused(ALICE).await, Some(true));
}

#[tokio::test]
async fn only_member_restores_deleted_address() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    assert!(matches!(world.delete(&alice, ALICE).await, Switched::Done { .. }));
    assert_eq!(world.delete(&alice, ALICE).await, Switched::Unchanged);
    let deleted = world.alias(ALICE).await;
    assert_eq!((state(&deleted), deleted.until), ((Status::Suspended, Reason::Deleted), Some(now() + RESTORE_PERIOD)));
    // No sync, ban or grant changes it.
    for eligible in [Ok(()), Err(Reason::NotInTeam), Err(Reason::Banned)] {
        assert_eq!(next_action(&deleted, eligible, &Rules::default(), days(29)), None);
    }
    for action in [Action::Restore, Action::Suspend { reason: Reason::Banned }, Action::Retire] {
        assert!(!matches!(world.apply(&deleted, action, days(29)).await, Applied::Done { .. }));
    }
    let granted = world.grant_at(&alice, ALICE, days(2), days(2)).await;
    assert_eq!(granted, GrantOutcome::Unchanged);
    world.store.ban(alice.id, operator(days(3)), &OsRandom).await.unwrap();
    assert!(world.store.suspend_banned(&alice, operator(days(3)), &OsRandom).await.unwrap().is_empty());
    world.store.unban(alice.id, operator(days(4)), &OsRandom).await.unwrap();
    assert_eq!(world.pause(&alice, ALICE, Some(true)).await, Switched::NotPossible);
    assert_eq!(world.alias(ALICE).await, deleted);

    assert!(matches!(world.restore_at(&alice, ALICE, 5).await, Switched::Done { .. }));
    assert_eq!(world.restore_at(&alice, ALICE, 5).await, Switched::Unchanged);
    assert_eq!(state(&world.alias(ALICE).await), (Status::Suspended, Reason::Returning));
    // The check finds the member eligible.
    let granted = world.grant_at(&world.read(alice.id).await, ALICE, days(6), days(6)).await;
    assert!(matches!(granted, GrantOutcome::Changed { .. }), "{granted:?}");
    assert_eq!(world.alias(ALICE).await.status, Status::Active);
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example"]));
}

#[tokio::test]
async fn deleted_address_is_retired_for_good() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    world.delete(&alice, ALICE).await;
    assert_eq!(world.restore_at(&alice, ALICE, 31).await, Switched::NotPossible);
    let deleted = world.alias(ALICE).await;
    assert_eq!(next_action(&deleted, Ok(()), &Rules::default(), days(30)), Some(Action::Retire));
    let retired = world.applied(&deleted, Action::Retire, days(30)).await;
    assert_eq!(state(&retired), (Status::Retired, Reason::Deleted));
    assert_eq!(world.restore_at(&alice, ALICE, 1).await, Switched::NotPossible);
    assert_eq!(world.grant_at(&alice, ALICE, days(31), days(31)).await, GrantOutcome::Unchanged);
    assert_eq!(
        world.grant_at(&world.named("bob", "bob").await, ALICE, days(31), days(31)).await,
        GrantOutcome::Refused(membermail_core::alias::Refusal::Taken)
    );
    assert!(world.mailboxes(ALICE).await.is_empty());
}
