//! An alias from its first day to its last, the directory of people, the outbox, and runs, in a real DynamoDB.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says where it stopped")]

mod support;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, MemberChange, RunChange};
use membermail_core::eligibility::Outcome;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{self, LaunchpadId, LaunchpadName};
use membermail_core::random::OsRandom;
use membermail_store::{Asked, Begun, Decided, Grant, Member, Run, RunState, Taken};
use support::{World, address, community, now};
use ulid::Ulid;

fn cause(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Sync, by: Some("a run"), request_id: "request-1", now }
}

fn domain() -> DomainName {
    community()[0].clone()
}

impl World {
    /// A member who is this Launchpad person, with an address.
    async fn resident(&self, name: &str, id: u64) -> (Member, Alias) {
        let member = self.member(name, &format!("{name}@mail.example")).await;
        let launchpad_name = LaunchpadName::parse(name).unwrap();
        let outcome = Outcome::Eligible { domains: vec![domain()] };
        let person = Some((LaunchpadId(id), &launchpad_name));
        self.store.record_outcome(member.id, &outcome, person, now()).await.unwrap();
        let member = self.store.member(member.id).await.unwrap().unwrap();
        let address = address(&format!("{name}@ubuntu.com"));
        let asked = Asked { address: &address, eligible_at: now(), renamed_from: None };
        let grant = self.store.grant(&self.sealer, &member, asked, &community(), cause(now()), &OsRandom).await;
        let Grant::Created { alias, .. } = grant.unwrap() else { panic!("not created") };
        (member, alias)
    }

    async fn take(&self, alias: &Alias, action: Action) -> Taken {
        let Alias { address, member, person, version, .. } = alias.clone();
        let step = Step { address, member, person, version, action };
        self.store.take(&self.sealer, &step, &community(), cause(now()), &OsRandom).await.unwrap()
    }

    /// Takes a step that has to be taken.
    async fn taken(&self, alias: &Alias, action: Action) -> Alias {
        let Taken::Done { alias, .. } = self.take(alias, action).await else { panic!("stale") };
        alias
    }

    async fn begin(&self, from: Timestamp, seconds: i64) -> Begun {
        let until = from + SignedDuration::from_secs(seconds);
        let id = member::ulid(from, &OsRandom);
        self.store.begin_run(id, &domain(), from, until, "request-1").await.unwrap()
    }
}

#[tokio::test]
async fn an_alias_leaves_comes_back_and_is_retired_with_its_data_shredded() {
    let world = World::new("lives").await;
    let (member, alias) = world.resident("alice", 7).await;
    let leave = Action::Leave { reason: Reason::NotInTeam, until: now() };
    let leaving = world.taken(&alias, leave.clone()).await;
    assert_eq!(leaving.until, Some(now()));
    // The same message again, and one that was planned before it.
    assert_eq!(world.take(&alias, leave.clone()).await, Taken::Stale);
    assert_eq!(world.take(&alias, Action::Restore).await, Taken::Stale);

    let back = world.taken(&leaving, Action::Restore).await;
    assert_eq!((back.status, back.until), (Status::Active, None));
    let stored = world.store.alias(&back.address).await.unwrap().unwrap();
    let destination = stored.destination(&world.sealer, &member.salt).unwrap().unwrap();
    assert_eq!(destination.expose(), "alice@mail.example");

    let suspended = world.taken(&back, Action::Suspend { reason: Reason::NotInTeam }).await;
    assert!(!world.store.shred(member.id, cause(now()), &OsRandom).await.unwrap(), "an alias is not retired yet");
    let retired = world.taken(&suspended, Action::Retire).await;
    let stored = world.store.alias(&retired.address).await.unwrap().unwrap();
    assert_eq!(stored.destination(&world.sealer, &member.salt).unwrap(), None);

    assert!(world.store.shred(member.id, cause(now()), &OsRandom).await.unwrap());
    assert!(!world.store.shred(member.id, cause(now()), &OsRandom).await.unwrap(), "twice is as once");
    let shredded = world.store.member(member.id).await.unwrap().unwrap();
    assert_eq!(shredded.sign_in_address(&world.sealer).unwrap(), None);
    assert!(shredded.session_epoch > member.session_epoch);
    let left = format!("{:?}", world.client.scan().table_name(&world.table).send().await.unwrap());
    assert!(!left.contains("sign_in") && !left.contains("destination"), "{left}");
    let mut known = Vec::new();
    world.store.each_person(|person| known.push(person)).await.unwrap();
    assert!(known[0].shredded);
    let entries = world.store.audit(None, "2026-11").await.unwrap();
    assert!(matches!(entries[0].change, Change::Member { did: MemberChange::Shredded, .. }));

    // The name stays taken, and its owner can have it back by signing in.
    let (eve, _) = world.resident("eve", 8).await;
    let asked = Asked { address: &retired.address, eligible_at: now(), renamed_from: None };
    let grant = world.store.grant(&world.sealer, &eve, asked, &community(), cause(now()), &OsRandom).await.unwrap();
    assert!(matches!(grant, Grant::Refused(_)), "{grant:?}");
    let nothing = world.store.grant(&world.sealer, &shredded, asked, &community(), cause(now()), &OsRandom).await;
    assert_eq!(nothing.unwrap(), Grant::Shredded);
    let member = world.member("alice", "alice@new.example").await;
    let grant = world.store.grant(&world.sealer, &member, asked, &community(), cause(now()), &OsRandom).await.unwrap();
    let Grant::Changed { alias, .. } = grant else { panic!("{grant:?}") };
    let stored = world.store.alias(&alias.address).await.unwrap().unwrap();
    let destination = stored.destination(&world.sealer, &member.salt).unwrap().unwrap();
    assert_eq!(destination.expose(), "alice@new.example");
}

#[tokio::test]
async fn every_change_lies_in_the_outbox_until_it_is_told() {
    let world = World::new("outbox").await;
    let (_, alias) = world.resident("alice", 7).await;
    let Taken::Done { entry, .. } = world.take(&alias, Action::Suspend { reason: Reason::Banned }).await else {
        panic!("stale")
    };
    let later = now() + SignedDuration::from_mins(5);
    let untold = world.store.undelivered_before(later, 10).await.unwrap();
    // That the domain was verified, that the alias was made, and that it is suspended.
    assert_eq!(untold.len(), 3);
    assert_eq!(untold, world.store.audit(Some(&domain()), "2026-11").await.unwrap());
    assert!(world.store.undelivered_before(now(), 10).await.unwrap().is_empty());
    assert_eq!(world.store.undelivered(entry).await.unwrap().unwrap().id, entry);
    let suspended = world.store.undelivered(entry).await.unwrap().unwrap();
    assert!(world.store.mark_delivered(&suspended, None, None, later, &OsRandom).await.unwrap());
    assert!(!world.store.mark_delivered(&suspended, None, None, later, &OsRandom).await.unwrap());
    assert_eq!(world.store.undelivered(entry).await.unwrap(), None);
    assert_eq!(world.store.undelivered_before(later, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_directory_is_in_the_order_of_launchpads_ids_and_knows_a_ban() {
    let world = World::new("directory").await;
    for (name, id) in [("carol", 1_000_000), ("alice", 9), ("bob", 10)] {
        world.resident(name, id).await;
    }
    let bob = LaunchpadName::parse("bob").unwrap();
    let member = world.store.member_by_name(&bob).await.unwrap().unwrap();
    assert!(world.store.ban(member.id, cause(now()), &OsRandom).await.unwrap());
    let mut known = Vec::new();
    world.store.each_person(|person| known.push((person.person.0, person.banned))).await.unwrap();
    assert_eq!(known, [(9, false), (10, true), (1_000_000, false)]);
    assert!(world.store.unban(member.id, cause(now()), &OsRandom).await.unwrap());
    let mut banned = 0;
    world.store.each_person(|person| banned += usize::from(person.banned)).await.unwrap();
    assert_eq!(banned, 0);

    let robert = LaunchpadName::parse("robert").unwrap();
    world.store.rename_member(member.id, &robert, now() + SignedDuration::from_secs(1)).await.unwrap();
    assert!(world.store.member_by_name(&bob).await.unwrap().is_none(), "the old name finds nobody");
    assert_eq!(world.store.member_by_name(&robert).await.unwrap().unwrap().id, member.id);

    let mut seen = Vec::new();
    world.store.each_alias(&domain(), |alias| seen.push(alias.address.local_part.to_string())).await.unwrap();
    assert_eq!(seen, ["alice", "bob", "carol"]);
}

#[tokio::test]
async fn a_domain_has_one_run_at_a_time_and_a_dead_one_gives_way() {
    let world = World::new("runs").await;
    let (one, two) = tokio::join!(world.begin(now(), 60), world.begin(now(), 60));
    let started: Vec<_> = [one, two].into_iter().filter(|begun| matches!(begun, Begun::Started(_))).collect();
    let [Begun::Started(run)] = &started[..] else { panic!("{started:?}") };
    assert!(matches!(world.begin(now(), 60).await, Begun::Busy { run: busy, .. } if busy == run.id));

    let later = now() + SignedDuration::from_secs(61);
    let Begun::Started(next) = world.begin(later, 60).await else { panic!("a dead run holds on") };
    assert_eq!(world.store.run(&domain(), run.id).await.unwrap().unwrap().state, RunState::Died);

    // The dead one was only slow: its end is noted, and the lease stays the other's.
    let late = Run { state: RunState::Applied, ..(**run).clone() };
    world.store.finish_run(&late, None).await.unwrap();
    assert!(matches!(world.begin(later, 60).await, Begun::Busy { run: busy, .. } if busy == next.id));
    let done = Run { state: RunState::Unchanged, ..*next };
    world.store.finish_run(&done, None).await.unwrap();
    let after = later + SignedDuration::from_secs(1);
    assert!(matches!(world.begin(after, 60).await, Begun::Started(_)));
    let states: Vec<_> = world.store.runs(&domain(), 10).await.unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Running, RunState::Unchanged, RunState::Applied]);
}

#[tokio::test]
async fn what_no_sync_has_ended_since_is_known() {
    let world = World::new("punctuality").await;
    let later = |minutes| now() + SignedDuration::from_mins(minutes);
    let last = async |minutes| world.store.last_sync(&domain(), later(minutes)).await.unwrap();
    // Where there never was one, it is waited for from the first look on.
    assert_eq!(last(0).await, now());
    assert_eq!(last(90).await, now());
    let run = async |minutes, state| {
        let Begun::Started(run) = world.begin(later(minutes), 60).await else { panic!("busy") };
        let finished = Some(later(minutes + 1));
        world.store.finish_run(&Run { state, finished, ..*run }, None).await.unwrap();
    };
    run(100, RunState::Failed).await;
    assert_eq!(last(110).await, now());
    run(120, RunState::Unchanged).await;
    run(130, RunState::Failed).await;
    assert_eq!(last(140).await, later(120));
    // One that is held was read and planned: whoever is to look at it was told.
    run(150, RunState::Held).await;
    let Begun::Started(_) = world.begin(later(160), 60).await else { panic!("busy") };
    assert_eq!(last(170).await, later(150));
}

#[tokio::test]
async fn a_held_run_is_decided_once_and_keeps_its_steps() {
    let world = World::new("held").await;
    let (_, alias) = world.resident("alice", 7).await;
    let Begun::Started(run) = world.begin(now(), 60).await else { panic!("busy") };
    let Alias { address: _, member, person, version, .. } = alias;
    let steps: Vec<_> = (0..600)
        .map(|number| {
            let address = address(&format!("alice{number}@ubuntu.com"));
            Step { address, member, person, version, action: Action::Retire }
        })
        .collect();
    world.store.keep_steps(&run, &steps).await.unwrap();
    assert_eq!(world.store.steps_of(&domain(), run.id).await.unwrap(), steps);
    let held = Run { state: RunState::Held, ..*run };
    let entry = world.store.finish_run(&held, Some((cause(now()), &OsRandom))).await.unwrap().unwrap();
    assert!(world.store.undelivered(entry).await.unwrap().is_some());

    let decide = async |did| world.store.decide_run(&domain(), held.id, did, cause(now()), &OsRandom).await;
    assert_eq!(decide(RunChange::Released).await.unwrap(), Decided::Done);
    assert_eq!(decide(RunChange::Rejected).await.unwrap(), Decided::NotHeld(RunState::Released));
    let nobody = world.store.decide_run(&domain(), Ulid::nil(), RunChange::Released, cause(now()), &OsRandom).await;
    assert_eq!(nobody.unwrap(), Decided::NoRun);
    let entries = world.store.audit(Some(&domain()), "2026-11").await.unwrap();
    let decisions = entries.iter().filter(|entry| matches!(entry.change, Change::Run { .. })).count();
    assert_eq!(decisions, 2, "one that it was held, one that it was released");
}
