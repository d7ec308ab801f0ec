//! The rolling check: every run verifies some members by identity, whatever the pages say.

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::eligibility::Account;
use membermail_store::RunState;

use crate::source::{Profile, SHARED};
use crate::support::{Queue, World};

impl World {
    /// The words of the next runs' checks.
    async fn checks(&self, runs: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..runs {
            self.synced().await;
            all.append(&mut self.source.lock().asked);
        }
        all
    }
}

#[tokio::test]
async fn turn_goes_on_from_run_to_run() {
    let world = World::new("turn", 3).await;
    // The first sync checked the first one.
    assert_eq!(world.checks(5).await, ["member02", "member03", "member01", "member02", "member03"]);
}

#[tokio::test]
async fn weak_evidence_is_checked_first() {
    let world = World::without_sync("weak", 2).await;
    for (id, text) in [(3, "zelda"), (4, "zoe")] {
        world.source.lock().people.insert(id, Profile { fingerprint: SHARED, ..Profile::new(text, 0) });
        let member = world.table.member(text, &format!("{text}@mail.example")).await.id;
        world.looks_up(member, text).await;
    }
    assert_eq!(world.counted().await.create, 2);
    let turn = ["zelda", "zoe", "member01", "member02"];
    let checks = world.checks(8).await;
    let first = checks.iter().position(|word| word == "zelda").unwrap();
    assert!(checks[first..].iter().zip(turn.iter().cycle()).all(|(one, other)| one == other), "{checks:?}");
}

#[tokio::test]
async fn date_of_two_people_is_weak() {
    let world = World::without_sync("two-dates", 3).await;
    world.source.change(3, |profile| profile.fingerprint.0 = 77);
    world.source.lock().people.insert(9, Profile { words: vec![], ..Profile::new("stranger", 77) });
    world.synced().await;
    assert_eq!(world.source.lock().asked, ["member03", "member01"], "due by its new date, then the first of a turn");
    assert_eq!(world.checks(3).await, ["member02", "member03", "member01"]);
}

#[tokio::test]
async fn count_follows_the_period() {
    let mut world = World::new("period", 24).await;
    world.limits.period = SignedDuration::from_hours(6);
    assert_eq!(world.checks(4).await.len(), 24, "a day's turn at few members");
}

#[tokio::test]
async fn pace_separates_checks() {
    let mut world = World::new("pace", 12).await;
    (world.limits.period, world.limits.pace) = (SignedDuration::from_hours(12), Duration::from_millis(100));
    let begin = Instant::now();
    assert_eq!(world.checks(1).await.len(), 6);
    assert!(begin.elapsed() >= Duration::from_millis(600));
}

#[tokio::test]
async fn turn_stops_without_time() {
    let mut world = World::new("turn-time", 12).await;
    world.limits.period = SignedDuration::from_hours(24);
    (world.limits.invocation, world.limits.pace) = (Duration::from_secs(4), Duration::from_millis(1_500));
    let checked = world.checks(1).await;
    assert!((1..=2).contains(&checked.len()), "{checked:?}");
    world.limits.pace = Duration::ZERO;
    let next = world.checks(1).await;
    let after = format!("member{:02}", checked.len() + 2);
    assert_eq!(next[0], after, "the next run goes on behind the last one that was checked");
}

#[tokio::test]
async fn change_that_pages_hide_is_found() {
    let world = World::new("hidden-change", 3).await;
    world.source.change(3, |profile| profile.account = Account::Suspended);
    // The page still shows the old flags.
    world.source.lock().stale = true;
    assert_eq!(world.counted().await.leave, 0);
    assert_eq!(world.counted().await.leave, 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::AccountSuspended));
}

#[tokio::test]
async fn failed_check_does_not_stop_the_turn() {
    let world = World::new("failed-check", 3).await;
    world.source.lock().failing.insert("member02".into());
    assert_eq!(world.checks(4).await, ["member02", "member03", "member01", "member02"]);
    assert_eq!(world.run(&Queue::default()).await.state, RunState::Unchanged);
}

#[tokio::test]
async fn banned_members_are_left_out() {
    let world = World::new("banned-turn", 3).await;
    world.ban(world.alias("member02").await.member).await;
    assert_eq!(world.checks(4).await, ["member03", "member01", "member03", "member01"]);
}
