//! Members who leave the team, or whose account is no longer valid.

use membermail_core::alias::{Reason, Status};
use membermail_core::eligibility::Account;
use membermail_store::RunState;

use crate::source::Profile;
use crate::support::{Queue, World};

#[rstest::rstest]
#[case::left("left", |profile: &mut Profile| profile.in_team = false, Reason::NotInTeam)]
#[case::deactivated_in_team("deactivated-in", |profile: &mut Profile| profile.account = Account::Deactivated, Reason::Deactivated)]
#[case::deactivated_by_user(
    "deactivated-out",
    |profile: &mut Profile| {
        (profile.name, profile.in_team) = ("member03-deactivatedaccount".into(), false);
        profile.account = Account::Deactivated;
    },
    Reason::Deactivated
)]
#[case::suspended("suspended", |profile: &mut Profile| profile.account = Account::Suspended, Reason::AccountSuspended)]
#[case::no_address("no-preferred", |profile: &mut Profile| profile.account = Account::NoPreferredAddress, Reason::NoPreferredAddress)]
#[case::deceased("deceased", |profile: &mut Profile| profile.account = Account::Inactive, Reason::NotValid)]
#[case::unsigned("unsigned", |profile: &mut Profile| profile.signed = false, Reason::CodeOfConductWithdrawn)]
#[case::closed(
    "closed",
    |profile: &mut Profile| (profile.name, profile.in_team, profile.words) = ("removed1".into(), false, vec![]),
    Reason::AccountClosed
)]
#[tokio::test]
async fn leaver_gets_matching_reason(#[case] name: &str, #[case] change: fn(&mut Profile), #[case] reason: Reason) {
    let world = World::new(name, 4).await;
    world.source.change(3, change);
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(
        (world.state("member03").await, world.looked_up()),
        ((Status::Leaving, reason), vec!["member03".to_owned()])
    );
    let needs_groups = reason == Reason::NotInTeam;
    assert_eq!(world.source.lock().groups.is_empty(), !needs_groups);
    assert_eq!(world.addresses().await.iter().filter(|(_, status, ..)| *status == Status::Active).count(), 3);

    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged, "the grace period goes on");
    world.clock.advance(world.community.rules.leaving());
    assert_eq!(world.sync_counts().await.suspend, 1);
    assert_eq!(world.state("member03").await, (Status::Suspended, reason));
}

#[tokio::test]
async fn returner_is_restored() {
    let world = World::new("returner", 4).await;
    world.leave_team(3);
    world.sync_and_deliver().await;
    world.source.change(3, |profile| profile.in_team = true);
    assert_eq!(world.sync_counts().await.restore, 1);
    assert_eq!((world.state("member03").await.0, world.looked_up()), (Status::Active, vec!["member03".to_owned()]));
}

#[tokio::test]
async fn shifted_page_removes_no_member() {
    let world = World::new("shift", 4).await;
    world.source.lock().shifted.insert("member03".into());
    let run = world.sync_and_deliver().await;
    assert_eq!((run.state, run.counts.unwrap().unverified), (RunState::Unchanged, 0));
    assert_eq!(
        (world.looked_up(), world.source.lock().groups.clone()),
        (vec!["member03".into()], vec!["member03".into()])
    );
    assert_eq!(world.state("member03").await.0, Status::Active);
}

#[tokio::test]
async fn banned_member_needs_no_look_up() {
    let world = World::new("banned", 4).await;
    let member = world.alias("member03").await.member;
    world.leave_team(3);
    world.leave_team(2);
    world.ban(member).await;
    let counts = world.sync_counts().await;
    assert_eq!((counts.suspend, counts.leave), (1, 1));
    assert_eq!(world.state("member03").await, (Status::Suspended, Reason::Banned));
    assert_eq!(world.looked_up(), ["member02"]);
    for _ in 0..4 {
        world.sync_and_deliver().await;
        assert!(!world.source.lock().looked_up.contains(&"member03".to_owned()));
    }
}

#[tokio::test]
async fn unlisted_member_is_not_removed_unverified() {
    let world = World::new("unverified", 4).await;
    world.source.lock().failing.insert("member03".into());
    world.leave_team(3);
    let queue = Queue::default();
    let run = world.run(&queue).await;
    assert_eq!((run.state, queue.drain().len()), (RunState::Unchanged, 0));
    world.source.lock().failing.clear();
    assert_eq!(world.sync_counts().await.leave, 1);
}

#[tokio::test]
async fn suspended_alias_is_retired_when_due() {
    let world = World::new("retired", 4).await;
    world.leave_team(3);
    world.sync_and_deliver().await;
    world.clock.advance(world.community.rules.leaving());
    world.sync_and_deliver().await;
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert!(world.looked_up().is_empty());
    world.clock.advance(world.community.rules.retire_after());
    assert_eq!(world.sync_counts().await.retire, 1);
    assert_eq!(world.looked_up(), ["member03"], "the last step needs evidence too");
}
