//! Runs that skip reading the team, because its total has not changed.

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::clock::Clock as _;
use membermail_core::eligibility::Account;
use membermail_core::member::Fingerprint;
use membermail_store::{Run, RunState};

use crate::source::{Fault, TEAM};
use crate::support::{Queue, World, domain};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

impl World {
    /// A world after a complete reading; while the total stays the same, the team is read every six hours.
    async fn with_full_read(name: &str, people: u32) -> Self {
        let mut world = Self::without_sync(name, people).await;
        world.limits.full_read = SignedDuration::from_hours(6);
        assert!(world.next_run_reads().await, "the first run reads the team");
        assert_eq!(world.latest_run().await.state, RunState::Unchanged);
        world
    }

    /// The next run, an hour later, and whether it read the team.
    async fn next_run(&self) -> (Run, bool) {
        self.clock.advance(HOUR);
        let run = self.sync_and_deliver().await;
        let pages = self.source.lock().pages;
        assert_eq!(run.roster_of.is_some(), pages == 0, "{run:?}");
        (run, pages > 0)
    }

    /// Whether the next run reads the team.
    async fn next_run_reads(&self) -> bool {
        self.next_run().await.1
    }
}

#[tokio::test]
async fn equal_total_skips_for_hours() {
    let world = World::with_full_read("total", 4).await;
    let mut reads = Vec::new();
    for _ in 0..13 {
        reads.push(world.next_run_reads().await);
        assert_eq!(
            world.source.lock().totals,
            u64::from(!reads[reads.len() - 1]),
            "a skipped reading costs one small request"
        );
    }
    let six_hours = [false, false, false, false, false, true];
    assert_eq!(reads[..12], [six_hours, six_hours].concat());
}

#[tokio::test]
async fn changed_total_reads_team() {
    let world = World::with_full_read("changed", 4).await;
    world.leave_team(3);
    let (run, reads) = world.next_run().await;
    assert!(reads && run.counts.unwrap().leave == 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::NotInTeam));
    assert!(!world.next_run_reads().await, "the new total is known");
}

#[tokio::test]
async fn skipped_reading_keeps_rolling_check() {
    let world = World::with_full_read("rolls", 3).await;
    let mut looked_up = Vec::new();
    for _ in 0..3 {
        assert!(!world.next_run_reads().await);
        looked_up.append(&mut world.source.lock().looked_up);
    }
    assert_eq!(looked_up, ["member02", "member03", "member01"]);
    assert_eq!(world.source.lock().groups, [""; 0], "an unchanged member costs one request");
}

/// One member leaves and another joins: the total stays the same, and only the pages would show it.
#[tokio::test]
async fn hidden_leaver_is_found_within_hours() {
    let world = World::with_full_read("swap", 30).await;
    world.leave_team(25);
    world.add_stranger(99, "stranger", "unknown");
    for _ in 0..5 {
        assert!(!world.next_run_reads().await);
    }
    assert_eq!(world.state("member25").await.0, Status::Active);
    assert!(world.next_run_reads().await);
    assert_eq!(world.state("member25").await, (Status::Leaving, Reason::NotInTeam));
}

/// A run reads the team before it removes an address because of a look-up.
#[tokio::test]
async fn removal_reads_team_first() {
    let world = World::with_full_read("lookup", 3).await;
    world.source.change(2, |profile| profile.account = Account::Suspended);
    let (run, reads) = world.next_run().await;
    assert!(reads && run.counts.unwrap().leave == 1, "{run:?}");
    assert_eq!(world.state("member02").await, (Status::Leaving, Reason::AccountSuspended));
}

#[tokio::test]
async fn failed_reading_removes_nothing() {
    let world = World::with_full_read("lookup-fails", 3).await;
    world.source.change(2, |profile| profile.account = Account::Suspended);
    world.clock.advance(HOUR);
    world.source.lock().fault = Some((0, Fault::Fails));
    let queue = Queue::default();
    world.sync(&queue).await.unwrap_err();
    assert!(queue.drain().is_empty());
}

#[tokio::test]
async fn skipped_reading_applies_due_steps() {
    let world = World::with_full_read("time", 3).await;
    world.leave_team(3);
    assert_eq!(world.next_run().await.0.counts.unwrap().leave, 1);
    let until = world.alias("member03").await.until.unwrap();
    while world.clock.now() + HOUR * 3 < until {
        world.clock.advance(HOUR * 5);
        world.sync_and_deliver().await;
    }
    while world.state("member03").await.0 == Status::Leaving {
        assert!(world.clock.now() <= until + HOUR * 2, "suspended soon after the end of the grace period");
        world.next_run().await;
    }
    assert_eq!(world.state("member03").await.0, Status::Suspended);
}

#[tokio::test]
async fn ban_reads_team() {
    let world = World::with_full_read("ban", 3).await;
    let member = world.alias("member03").await.member;
    world.ban(member).await;
    assert!(world.next_run_reads().await);
    assert_eq!(world.state("member03").await, (Status::Suspended, Reason::Banned));
    assert!(!world.next_run_reads().await);
}

#[tokio::test]
async fn held_plan_reads_team() {
    let world = World::with_full_read("held", 20).await;
    world.leave_team_all(1..=9);
    for expected in [RunState::Held, RunState::Waiting, RunState::Waiting] {
        let (run, reads) = world.next_run().await;
        assert!(reads && run.state == expected, "{run:?}");
    }
}

#[tokio::test]
async fn pending_joiner_reads_team() {
    let world = World::with_full_read("pending", 3).await;
    let joiner = world.add_member(9, "joiner").await;
    world.source.lock().failing.insert("joiner".into());
    assert!(world.next_run_reads().await && world.next_run_reads().await, "{}", joiner.id);
    world.source.lock().failing.clear();
    let (run, reads) = world.next_run().await;
    assert!(reads && run.counts.unwrap().create == 1);
    assert!(!world.next_run_reads().await);
}

/// The stored roster shows the old name, so the groups of the source decide.
#[tokio::test]
async fn rename_is_granted_by_groups() {
    let world = World::with_full_read("rename", 3).await;
    world.source.change(2, |profile| profile.name = "newname".into());
    let (run, reads) = world.next_run().await;
    assert!(!reads && run.state == RunState::Applied && run.counts.unwrap().rename == 1, "{run:?}");
    assert_eq!(world.source.lock().groups, ["newname"]);
    assert!(world.has_address("newname").await);
}

/// The stored roster entry of a member who left does not restore an address.
#[tokio::test]
async fn restore_needs_groups() {
    let world = World::with_full_read("restore", 3).await;
    world.source.change(2, |profile| profile.account = Account::Suspended);
    world.next_run().await;
    assert_eq!(world.state("member02").await.0, Status::Leaving);
    // The account is active again, but it has left the team and another account has joined.
    world.source.change(2, |profile| (profile.account, profile.in_team) = (Account::Active, false));
    world.add_stranger(99, "stranger", "unknown");
    let (_, reads) = world.next_run().await;
    assert!(!reads);
    assert_eq!(world.source.lock().groups, ["member02"]);
    assert_eq!(world.state("member02").await.0, Status::Leaving);
}

#[tokio::test]
async fn new_team_is_read() {
    let mut world = World::with_full_read("team", 3).await;
    assert!(!world.next_run_reads().await);
    // The community file names another team of the same size.
    world.source.lock().team = Some(Fingerprint(TEAM.0 + 1));
    let created = jiff::Timestamp::from_microsecond(TEAM.0 + 1).unwrap();
    world.community.domains.iter_mut().for_each(|domain| domain.team_created = Some(created));
    assert!(world.next_run_reads().await);
}

#[tokio::test]
async fn operator_run_reads_team() {
    let mut world = World::with_full_read("operator", 3).await;
    assert!(!world.next_run_reads().await);
    // `sync-team` sets this for a message with `full`.
    world.limits.full_read = SignedDuration::ZERO;
    assert!(world.next_run_reads().await);
}

#[tokio::test]
async fn skipped_run_writes_no_roster() {
    let world = World::with_full_read("writes", 40).await;
    let state = world.store().sync_state(&domain()).await.unwrap();
    let items = world.items().await;
    assert!(!world.next_run_reads().await);
    let after = world.store().sync_state(&domain()).await.unwrap();
    assert_eq!((after.roster, after.full_read), (state.roster, state.full_read));
    let items_after = world.items().await;
    let changed = items_after.iter().filter(|(key, item)| items.get(*key) != Some(*item)).count();
    assert_eq!(changed, 1, "the observation of the rolling check");
}
