//! Runs that do not read the team, since its total has not changed.

use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::clock::Clock as _;
use membermail_core::eligibility::Account;
use membermail_core::member::Fingerprint;
use membermail_store::{Run, RunState};

use crate::source::{Fault, Profile, TEAM};
use crate::support::{Queue, World, domain};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

impl World {
    /// A world after a complete reading, where a team whose total stays the same is read every six hours.
    async fn settled(name: &str, people: u32) -> Self {
        let mut world = Self::without_sync(name, people).await;
        world.limits.full_read = SignedDuration::from_hours(6);
        assert!(world.reads().await, "the first run reads the team");
        assert_eq!(world.store().runs(&domain(), 1).await.unwrap()[0].state, RunState::Unchanged);
        world
    }

    /// The next run an hour later, and whether it read the team.
    async fn next(&self) -> (Run, bool) {
        self.clock.advance(HOUR);
        let run = self.synced().await;
        let pages = self.source.lock().pages;
        assert_eq!(run.roster_of.is_some(), pages == 0, "{run:?}");
        (run, pages > 0)
    }

    /// Whether the next run reads the team.
    async fn reads(&self) -> bool {
        self.next().await.1
    }

    fn departs(&self, id: u32) {
        self.source.change(id, |profile| profile.in_team = false);
    }

    /// An account in the team whose person never signed in.
    fn stranger_joins(&self, id: u32, name: &str) {
        self.source.lock().people.insert(id, Profile { words: Vec::new(), ..Profile::new(name, i64::from(id)) });
    }
}

#[tokio::test]
async fn equal_total_reads_every_few_hours() {
    let world = World::settled("total", 4).await;
    let mut reads = Vec::new();
    for _ in 0..13 {
        reads.push(world.reads().await);
        assert_eq!(world.source.lock().totals, u64::from(!reads[reads.len() - 1]), "one small request in its place");
    }
    let six_hours = [false, false, false, false, false, true];
    assert_eq!(reads[..12], [six_hours, six_hours].concat());
}

#[tokio::test]
async fn changed_total_reads_at_once() {
    let world = World::settled("changed", 4).await;
    world.departs(3);
    let (run, reads) = world.next().await;
    assert!(reads && run.counts.unwrap().leave == 1);
    assert_eq!(world.state("member03").await, (Status::Leaving, Reason::NotInTeam));
    assert!(!world.reads().await, "the new total is known");
}

#[tokio::test]
async fn rolling_check_goes_on_without_reading() {
    let world = World::settled("rolls", 3).await;
    let mut asked = Vec::new();
    for _ in 0..3 {
        assert!(!world.reads().await);
        asked.append(&mut world.source.lock().asked);
    }
    assert_eq!(asked, ["member02", "member03", "member01"]);
    assert_eq!(world.source.lock().groups, [""; 0], "an unchanged member costs one request");
}

/// One leaves and another one joins: the total is the same, and the pages are what would show it.
#[tokio::test]
async fn hidden_leaver_is_found_within_hours() {
    let world = World::settled("swap", 30).await;
    world.departs(25);
    world.stranger_joins(99, "stranger");
    for _ in 0..5 {
        assert!(!world.reads().await);
    }
    assert_eq!(world.state("member25").await.0, Status::Active);
    assert!(world.reads().await);
    assert_eq!(world.state("member25").await, (Status::Leaving, Reason::NotInTeam));
}

/// What a look-up finds without a roster removes nothing: the same run reads the team first.
#[tokio::test]
async fn removal_reads_team_before() {
    let world = World::settled("lookup", 3).await;
    world.source.change(2, |profile| profile.account = Account::Suspended);
    let (run, reads) = world.next().await;
    assert!(reads && run.counts.unwrap().leave == 1, "{run:?}");
    assert_eq!(world.state("member02").await, (Status::Leaving, Reason::AccountSuspended));
}

#[tokio::test]
async fn nothing_is_removed_when_reading_fails() {
    let world = World::settled("lookup-fails", 3).await;
    world.source.change(2, |profile| profile.account = Account::Suspended);
    world.clock.advance(HOUR);
    world.source.lock().fault = Some((0, Fault::Fails));
    let queue = Queue::default();
    world.sync(&queue).await.unwrap_err();
    assert!(queue.take().is_empty());
}

#[tokio::test]
async fn steps_by_time_are_carried_out() {
    let world = World::settled("time", 3).await;
    world.departs(3);
    assert_eq!(world.next().await.0.counts.unwrap().leave, 1);
    let until = world.alias("member03").await.until.unwrap();
    while world.clock.now() + HOUR * 3 < until {
        world.clock.advance(HOUR * 5);
        world.synced().await;
    }
    while world.state("member03").await.0 == Status::Leaving {
        assert!(world.clock.now() <= until + HOUR * 2, "within an hour of its end");
        world.next().await;
    }
    assert_eq!(world.state("member03").await.0, Status::Suspended);
}

#[tokio::test]
async fn ban_reads_at_once() {
    let world = World::settled("ban", 3).await;
    let member = world.alias("member03").await.member;
    world.ban(member).await;
    assert!(world.reads().await);
    assert_eq!(world.state("member03").await, (Status::Suspended, Reason::Banned));
    assert!(!world.reads().await);
}

#[tokio::test]
async fn held_plan_reads_each_time() {
    let world = World::settled("held", 20).await;
    (1..=9).for_each(|id| world.departs(id));
    for expected in [RunState::Held, RunState::Waiting, RunState::Waiting] {
        let (run, reads) = world.next().await;
        assert!(reads && run.state == expected, "{run:?}");
    }
}

#[tokio::test]
async fn pending_joiner_reads_again() {
    let world = World::settled("pending", 3).await;
    let joiner = world.signs_in(9, "joiner").await;
    world.source.lock().failing.insert("joiner".into());
    assert!(world.reads().await && world.reads().await, "{}", joiner.id);
    world.source.lock().failing.clear();
    let (run, reads) = world.next().await;
    assert!(reads && run.counts.unwrap().create == 1);
    assert!(!world.reads().await);
}

/// The remembered roster shows the old name, so the word of `super_teams` counts.
#[tokio::test]
async fn rename_is_granted_by_groups() {
    let world = World::settled("rename", 3).await;
    world.source.change(2, |profile| profile.name = "newname".into());
    let (run, reads) = world.next().await;
    assert!(!reads && run.state == RunState::Applied && run.counts.unwrap().rename == 1, "{run:?}");
    assert_eq!(world.source.lock().groups, ["newname"]);
    assert!(world.has_address("newname").await);
}

/// The remembered entry of a member who left is no reason to restore an address.
#[tokio::test]
async fn restore_asks_groups_first() {
    let world = World::settled("restore", 3).await;
    world.source.change(2, |profile| profile.account = Account::Suspended);
    world.next().await;
    assert_eq!(world.state("member02").await.0, Status::Leaving);
    // Another one takes the place in the team as the account is active again.
    world.source.change(2, |profile| (profile.account, profile.in_team) = (Account::Active, false));
    world.stranger_joins(99, "stranger");
    let (_, reads) = world.next().await;
    assert!(!reads);
    assert_eq!(world.source.lock().groups, ["member02"]);
    assert_eq!(world.state("member02").await.0, Status::Leaving);
}

#[tokio::test]
async fn another_team_is_read() {
    let mut world = World::settled("team", 3).await;
    assert!(!world.reads().await);
    // The community file names another team, with as many people.
    world.source.lock().team = Some(Fingerprint(TEAM.0 + 1));
    let created = jiff::Timestamp::from_microsecond(TEAM.0 + 1).unwrap();
    world.community.domains.iter_mut().for_each(|one| one.team_created = Some(created));
    assert!(world.reads().await);
}

#[tokio::test]
async fn operator_run_reads() {
    let mut world = World::settled("operator", 3).await;
    assert!(!world.reads().await);
    // As `sync-team` does for a message that asks for it.
    world.limits.full_read = SignedDuration::ZERO;
    assert!(world.reads().await);
}

#[tokio::test]
async fn skipped_run_writes_no_roster() {
    let world = World::settled("writes", 40).await;
    let (state, items) = (world.store().sync_state(&domain()).await.unwrap(), world.items().await);
    assert!(!world.reads().await);
    let after = world.store().sync_state(&domain()).await.unwrap();
    assert_eq!((after.roster, after.full_read), (state.roster, state.full_read));
    let items_after = world.items().await;
    let changed = items_after.iter().filter(|(key, item)| items.get(*key) != Some(*item)).count();
    assert_eq!(changed, 1, "the observation of the rolling check");
}
