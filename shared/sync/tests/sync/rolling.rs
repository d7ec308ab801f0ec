//! The rolling check: every run verifies some members by identity, independent of the pages.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::eligibility::Account;
use membermail_store::RunState;

use crate::source::{Profile, SHARED};
use crate::support::{Queue, World};

impl World {
    /// Does some runs and returns the identities that they looked up.
    async fn run_checks(&self, runs: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..runs {
            self.sync_and_deliver().await;
            all.append(&mut self.source.lock().looked_up);
        }
        all
    }
}

#[tokio::test]
async fn turn_continues_in_next_run() {
    let world = World::new("turn", 3).await;
    // The first sync checked the first member.
    assert_eq!(world.run_checks(5).await, ["member02", "member03", "member01", "member02", "member03"]);
}

#[tokio::test]
async fn weak_evidence_is_checked_first() {
    let world = World::without_sync("weak", 2).await;
    for (id, text) in [(3, "zelda"), (4, "zoe")] {
        world.add_member_with(id, text, SHARED).await;
    }
    assert_eq!(world.sync_counts().await.create, 2);
    let turn = ["zelda", "zoe", "member01", "member02"];
    let checks = world.run_checks(8).await;
    let first = checks.iter().position(|word| word == "zelda").unwrap();
    assert!(checks[first..].iter().zip(turn.iter().cycle()).all(|(one, other)| one == other), "{checks:?}");
}

#[tokio::test]
async fn shared_date_is_weak_evidence() {
    let world = World::without_sync("two-dates", 3).await;
    world.source.change(3, |profile| profile.fingerprint.0 = 77);
    world.source.lock().people.insert(9, Profile { words: vec![], ..Profile::new("stranger", 77) });
    world.sync_and_deliver().await;
    assert_eq!(
        world.source.lock().looked_up,
        ["member03", "member01"],
        "the member with the new date, then the first of the turn"
    );
    assert_eq!(world.run_checks(3).await, ["member02", "member03", "member01"]);
}

#[tokio::test]
async fn count_follows_period() {
    let mut world = World::new("period", 24).await;
    world.limits.period = SignedDuration::from_hours(6);
    assert_eq!(world.run_checks(4).await.len(), 24, "a day's turn with few members");
}

#[tokio::test]
async fn pace_separates_checks() {
    let mut world = World::new("pace", 12).await;
    (world.limits.period, world.limits.pace) = (SignedDuration::from_hours(12), Duration::from_millis(100));
    let start = Instant::now();
    assert_eq!(world.run_checks(1).await.len(), 6);
    assert!(start.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn turn_stops_at_deadline() {
    let mut world = World::new("turn-time", 12).await;
    world.limits.period = SignedDuration::from_hours(24);
    (world.limits.invocation, world.limits.pace) = (Duration::from_secs(4), Duration::from_millis(1_500));
    let checked = world.run_checks(1).await;
    assert!((1..=2).contains(&checked.len()), "{checked:?}");
    world.limits.pace = Duration::ZERO;
    let next = world.run_checks(1).await;
    let after = format!("member{:02}", checked.len() + 2);
    assert_eq!(next[0], after, "the next run continues after the last checked member");
}

#[tokio::test]
async fn rolling_check_finds_hidden_change() {
    let world = World::new("hidden-change", 3).await;
    world.source.change(3, |profile| profile.account = Account::Suspended);
    // The pages show outdated flags.
    world.source.lock().stale = true;
    assert_eq!(world.sync_counts().await.leave, 0);
    assert_eq!(world.sync_counts().await.leave, 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::AccountSuspended));
}

#[tokio::test]
async fn failed_check_continues_turn() {
    let world = World::new("failed-check", 3).await;
    world.source.lock().failing.insert("member02".into());
    assert_eq!(world.run_checks(4).await, ["member02", "member03", "member01", "member02"]);
    assert_eq!(world.run(&Queue::default()).await.state, RunState::Unchanged);
}

#[tokio::test]
async fn banned_members_are_skipped() {
    let world = World::new("banned-turn", 3).await;
    world.ban(world.alias("member02").await.member).await;
    assert_eq!(world.run_checks(4).await, ["member03", "member01", "member03", "member01"]);
}
