//! The stories of a source like GitLab: fingerprints are account ids, no Code of Conduct, and no total of a large group.

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::RunChange;
use membermail_core::eligibility::Account;
use membermail_core::member::Fingerprint;
use membermail_runtime::batch::Retryable as _;
use membermail_store::{RunState, TeamProblem};
use membermail_sync::SyncError;

use crate::source::{Fault, Profile, TEAM};
use crate::support::{Queue, World, domain};

const ACTIVE: (Status, Reason) = (Status::Active, Reason::Eligible);

impl World {
    /// A group that the source does not count.
    async fn uncounted(name: &str, people: u32) -> Self {
        let mut world = Self::without_sync(name, people).await;
        world.source.lock().is_uncounted = true;
        world.limits.full_read = SignedDuration::from_hours(6);
        assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
        world
    }
}

/// Without a total, no run can know that nothing changed.
#[tokio::test]
async fn uncounted_group_is_always_read() {
    let world = World::uncounted("gl-read", 4).await;
    for _ in 0..3 {
        world.clock.advance(SignedDuration::from_hours(1));
        let run = world.sync_and_deliver().await;
        assert_eq!((run.state, run.roster_of, run.hidden), (RunState::Unchanged, None, Some(0)));
        assert_eq!(world.source.lock().pages, 1, "one reading is enough");
    }
    assert_eq!(world.store().sync_state(&domain()).await.unwrap().full_read, None);
    // The group shrinks below 10,000 members.
    world.source.lock().is_uncounted = false;
    world.sync_and_deliver().await;
    assert!(world.sync_and_deliver().await.roster_of.is_some());
    // It grows again: an unknown total is not the known one.
    world.source.lock().is_uncounted = true;
    assert!(world.sync_and_deliver().await.roster_of.is_none());
}

#[rstest::rstest]
#[case::left("gl-left", |profile: &mut Profile| profile.in_team = false, Reason::NotInTeam)]
#[case::blocked("gl-blocked", |profile: &mut Profile| (profile.account, profile.in_team) = (Account::Suspended, false), Reason::AccountSuspended)]
#[case::deactivated("gl-off", |profile: &mut Profile| (profile.account, profile.in_team) = (Account::Deactivated, false), Reason::Deactivated)]
#[case::deleted("gl-deleted", |profile: &mut Profile| (profile.words, profile.in_team) = (vec![], false), Reason::AccountClosed)]
#[tokio::test]
async fn leaver_gets_matching_reason(#[case] name: &str, #[case] change: fn(&mut Profile), #[case] reason: Reason) {
    let world = World::uncounted(name, 5).await;
    world.source.change(3, change);
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, reason));
    assert_eq!(world.state("member02").await, ACTIVE);
}

/// Demoted below the minimum level, and promoted again: the source shows the member on no page meanwhile.
#[tokio::test]
async fn demoted_member_returns() {
    let world = World::uncounted("gl-demoted", 5).await;
    world.source.change(3, |profile| profile.in_team = false);
    assert_eq!(world.sync_counts().await.leave, 1);
    world.source.change(3, |profile| profile.in_team = true);
    assert_eq!(world.sync_counts().await.restore, 1);
    assert_eq!(world.state("member03").await, ACTIVE);
}

#[tokio::test]
async fn shifted_page_removes_no_member() {
    let world = World::uncounted("gl-shifted", 5).await;
    world.source.lock().shifted.insert("member03".into());
    assert_eq!(world.sync_and_deliver().await.state, RunState::Unchanged);
    assert_eq!((world.looked_up(), world.state("member03").await), (vec!["member03".to_owned()], ACTIVE));
}

#[tokio::test]
async fn rename_gives_second_address() {
    let world = World::uncounted("gl-rename", 5).await;
    let member = world.alias("member03").await.member;
    world.source.change(3, |profile| profile.name = "renamed".into());
    assert_eq!(world.sync_counts().await.rename, 1);
    assert_eq!(world.alias("renamed").await.member, member);
}

/// Another account takes the name of one that left: the id tells them apart.
#[tokio::test]
async fn reused_name_keeps_no_address() {
    let world = World::uncounted("gl-reused", 5).await;
    let member = world.alias("member03").await.member;
    world.source.change(3, |profile| (profile.name, profile.in_team) = ("former".into(), false));
    world.add_stranger(99, "member03", "eve");
    assert_eq!(world.sync_counts().await.leave, 1);
    let alias = world.alias("member03").await;
    assert_eq!((alias.member, alias.status, alias.reason), (member, Status::Leaving, Reason::NotInTeam));
}

#[tokio::test]
async fn recreated_group_changes_nothing() {
    let world = World::uncounted("gl-recreated", 5).await;
    world.leave_team_all(2..=4);
    world.source.lock().team = Some(Fingerprint(TEAM.0 + 1));
    let queue = Queue::default();
    let error = world.sync(&queue).await.unwrap_err();
    assert!(matches!(error, SyncError::TeamReplaced { .. }) && !error.is_retryable(), "{error}");
    assert!(!error.to_string().contains("Launchpad"));
    assert!(queue.drain().is_empty());
    let problem = world.store().domain(&domain()).await.unwrap().team_problem;
    assert_eq!((problem, world.source.lock().pages), (Some(TeamProblem::Replaced), 0));
}

#[tokio::test]
async fn mass_removal_is_held() {
    let world = World::uncounted("gl-held", 20).await;
    world.leave_team_all(1..=9);
    let queue = Queue::default();
    let held = world.run(&queue).await;
    assert_eq!((held.state, held.counts.unwrap().leave, queue.drain().len()), (RunState::Held, 9, 0));
    let waiting = world.run(&queue).await;
    assert_eq!((waiting.state, waiting.waits_for), (RunState::Waiting, Some(held.id)));
    world.decide(&held, RunChange::Released).await;
    world.engine().release(&domain(), held.id, &queue).await.unwrap();
    world.deliver(&queue.drain()).await;
    assert_eq!(world.state("member09").await, (Status::Leaving, Reason::NotInTeam));
}

/// 10,000 people in the group, on pages of 100, one of which fails once.
#[tokio::test]
async fn large_group_is_read_page_by_page() {
    let world = World::uncounted("gl-large", 5).await;
    {
        let mut source = world.source.lock();
        source.page_size = 100;
        for id in 1_000..11_000 {
            let name = format!("stranger{id}");
            source.people.insert(id, Profile::new(&name, id.into()));
        }
    }
    world.leave_team(3);
    world.source.lock().fault = Some((57, Fault::Fails));
    let queue = Queue::default();
    world.sync(&queue).await.unwrap_err();
    assert!(queue.drain().is_empty());
    let run = world.sync_and_deliver().await;
    let counts = run.counts.unwrap();
    assert_eq!((run.state, counts.participants, counts.leave), (RunState::Applied, 10_004, 1));
    assert_eq!(world.source.lock().pages, 101 - 57, "the reading resumes");
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::NotInTeam));
}

/// A look-up limit that is smaller than the change of a group: each run makes progress, and none fails.
#[tokio::test]
async fn throttled_lookups_continue_later() {
    let world = World::uncounted("gl-throttled", 20).await;
    world.leave_team_all(2..=5);
    world.source.lock().throttles_after = Some(1);
    for _ in 0..4 {
        let run = world.sync_and_deliver().await;
        assert_eq!((run.state, run.counts.unwrap().leave), (RunState::Applied, 1));
    }
    for text in ["member02", "member03", "member04", "member05"] {
        assert_eq!(world.state(text).await, (Status::Leaving, Reason::NotInTeam));
    }
    assert_eq!(world.state("member06").await, ACTIVE);
}
