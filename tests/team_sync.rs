//! Addresses follow the teams: what members see as they come and go, and what no failure on the way can do to them.
//! Each story has a domain of its own, since a domain has one run at a time.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Change, RunChange};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::lifecycle::Step;
use membermail_core::member;
use membermail_core::message::TakeSteps;
use membermail_core::random::OsRandom;
use membermail_membership::launchpad::{Client as Launchpad, Settings};
use membermail_runtime::queue::Queue;
use membermail_store::{Decided, Run, RunState, Store};
use membermail_sync::{Engine, Limits, Ran};
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::until;
use serde_json::{Value, json};

const LONG_AGO: &str = "2020-01-01T00:00:00Z";
const PATIENCE: u64 = 120;

/// Adds people to a team, signs them in, and waits for their addresses.
async fn residents(stack: &Stack, team: &str, domain: &str, names: &[String]) -> Result<()> {
    let mut browsers = Vec::new();
    for name in names {
        stack.add(json!({ "name": name, "teams": [team] })).await?;
        browsers.push(stack.sign_in(name).await?.0);
    }
    for (name, browser) in names.iter().zip(&browsers) {
        stack.page_with(browser, &format!("{name}@{domain} now forwards to"), PATIENCE).await?;
    }
    Ok(())
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}{number:02}")).collect()
}

#[tokio::test]
async fn addresses_follow_the_team() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (domain, team) = ("lubuntu.me", "lubuntu-members");

    // Somebody signed in before they joined; they need not come back.
    stack.add(json!({ "name": "lu-later" })).await?;
    let (later, _) = stack.sign_in("lu-later").await?;
    stack.page_with(&later, "You are in none of the teams yet", PATIENCE).await?;
    let all = ["lu-leaver", "lu-renamed", "lu-banned", "lu-unsigned", "lu-expired", "lu-gone"].map(str::to_owned);
    residents(&stack, team, domain, &all).await?;
    // The others stay: a team that loses half of its members at once is held.
    residents(&stack, team, domain, &names("lu-stays-", 4)).await?;
    stack.sync_without_change(domain, "lu-").await?;

    // Joins, leaves, is renamed, unsigned, expired, deactivated, banned: one sync.
    stack.change("lu-later", json!({ "join": [team] })).await?;
    stack.change("lu-leaver", json!({ "leave": [team] })).await?;
    stack.change("lu-renamed", json!({ "name": "lu-newname" })).await?;
    stack.change("lu-unsigned", json!({ "signed": false })).await?;
    stack.change("lu-expired", json!({ "expire": [team] })).await?;
    stack.event("lu-gone", json!("deactivate")).await?;
    let banned = stack.owner_of("lu-banned@lubuntu.me").await?;
    stack.store().await.ban(banned, operator(SystemClock.now()), &OsRandom).await?;
    let run = stack.sync(domain).await?;
    ensure!(run.state == RunState::Applied, "{run:?}");
    stack.page_with(&later, "lu-later@lubuntu.me now forwards to lu-later@mail.example", PATIENCE).await?;
    let leaving = stack.alias_that_is("lu-leaver@lubuntu.me", Status::Leaving, Reason::NotInTeam).await?;
    let grace = leaving.until.context("no end")?.duration_since(run.started);
    ensure!(grace >= SignedDuration::from_hours(14 * 24) && grace < SignedDuration::from_hours(15 * 24), "{grace}");
    stack.alias_that_is("lu-unsigned@lubuntu.me", Status::Leaving, Reason::CodeOfConductWithdrawn).await?;
    stack.alias_that_is("lu-expired@lubuntu.me", Status::Leaving, Reason::NotInTeam).await?;
    stack.alias_that_is("lu-gone@lubuntu.me", Status::Leaving, Reason::Deactivated).await?;
    stack.alias_that_is("lu-banned@lubuntu.me", Status::Suspended, Reason::Banned).await?;
    stack.alias_that_is("lu-newname@lubuntu.me", Status::Active, Reason::Eligible).await?;
    stack.alias_that_is("lu-renamed@lubuntu.me", Status::Active, Reason::Eligible).await?;
    stack.sync_without_change(domain, "lu-").await?;

    // The member sees the end coming, and comes back as if nothing was.
    let (leaver, _) = stack.sign_in("lu-expired").await?;
    stack.page_with(&leaver, "lu-expired@lubuntu.me still forwards to", PATIENCE).await?;
    stack.change("lu-leaver", json!({ "join": [team] })).await?;
    stack.sync(domain).await?;
    stack.alias_that_is("lu-leaver@lubuntu.me", Status::Active, Reason::Eligible).await?;

    // The name that was given up is taken by somebody else, who gets another's address never.
    stack.add(json!({ "name": "lu-other", "teams": [team] })).await?;
    stack.change("lu-other", json!({ "name": "lu-renamed" })).await?;
    let (other, _) = stack.sign_in("lu-other").await?;
    stack.page_with(&other, "This address belongs to someone else", PATIENCE).await?;
    stack.sync_without_change(domain, "lu-").await?;
    let owner = stack.owner_of("lu-newname@lubuntu.me").await?;
    ensure!(stack.owner_of("lu-renamed@lubuntu.me").await? == owner, "an address passed to somebody else");

    // The grace ends, half a year passes, and the name stays taken.
    stack.set_time("lu-expired@lubuntu.me", "until", LONG_AGO).await?;
    stack.sync(domain).await?;
    stack.alias_that_is("lu-expired@lubuntu.me", Status::Suspended, Reason::NotInTeam).await?;
    stack.set_time("lu-expired@lubuntu.me", "since", LONG_AGO).await?;
    stack.sync(domain).await?;
    stack.alias_that_is("lu-expired@lubuntu.me", Status::Retired, Reason::NotInTeam).await?;
    let member = stack.owner_of("lu-expired@lubuntu.me").await?;
    // They signed in a moment ago, so that their data stays; a later sync plans its erasure again.
    ensure!(!stack.store().await.member(member).await?.context("no member")?.is_shredded(), "erased too early");
    stack.set_request_time(member, LONG_AGO).await?;
    stack.sync(domain).await?;
    until("the data of a retired member to be shredded", Duration::from_secs(30), async || {
        let member = stack.store().await.member(member).await?.context("no member")?;
        Ok(member.is_shredded().then_some(()))
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn who_is_in_a_team_within_the_team_stays() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (browser, _) = stack.sign_in("bob").await?;
    stack.page_with(&browser, "bob@ubuntu.com now forwards to", PATIENCE).await?;
    let run = stack.sync("ubuntu.com").await?;
    // Other stories have people of their own here; what is to be done about those is theirs.
    ensure!(run.counts.is_some() && run.state != RunState::Failed, "{run:?}");
    let steps = stack.steps_of(&run).await?;
    ensure!(steps.iter().all(|step| step.address.local_part.as_str() != "bob"), "{steps:?}");
    let bob = stack.alias("bob@ubuntu.com").await?.context("no address")?.alias;
    ensure!((bob.status, bob.version) == (Status::Active, 1), "{bob:?}");
    Ok(())
}

#[tokio::test]
async fn no_lie_of_launchpad_takes_an_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (domain, team) = ("edubuntu.org", "edubuntu-members");
    let all = names("ed-", 3);
    residents(&stack, team, domain, &all).await?;
    // More than one page of them, so that something can go wrong in the middle.
    for number in 1..=320 {
        stack.add(json!({ "name": format!("ed-crowd-{number}"), "teams": [team] })).await?;
    }
    // What cannot be right fails the run; pages that only miss people cost look-ups, and no address.
    let lies: [(&str, Value, bool); 8] = [
        ("an empty team", json!({ "kind": "empty-team" }), false),
        ("a short page", json!({ "kind": "short-page", "missing": 3 }), true),
        ("a repeated link", json!({ "kind": "repeated-link" }), false),
        ("a changing total", json!({ "kind": "changing-total" }), true),
        ("a wrong total", json!({ "kind": "wrong-total" }), true),
        ("a foreign link", json!({ "kind": "foreign-link" }), false),
        ("a malformed entry", json!({ "kind": "malformed-entry" }), true),
        ("an answer cut short", json!({ "kind": "cut-short" }), false),
    ];
    let mut failed = Vec::new();
    for (what, lie, may_end) in lies {
        stack.fault(team, lie).await?;
        let run = stack.sync(domain).await?;
        stack.mend(team).await?;
        ensure!(may_end || (run.state == RunState::Failed && run.counts.is_none()), "{what}: {run:?}");
        if run.state == RunState::Failed {
            failed.push(run.request_id);
        }
        for name in &all {
            let alias = stack.alias(&format!("{name}@{domain}")).await?.context("an address is gone")?.alias;
            ensure!((alias.status, alias.version) == (Status::Active, 1), "{what}: {alias:?}");
        }
    }
    // They are tried again, and now it is the truth that comes.
    until("a run that failed to be retried", Duration::from_secs(PATIENCE), async || {
        let runs = stack.store().await.runs(&domain.parse()?, 100).await?;
        let good = |run: &Run| run.state.is_finished() && failed.contains(&run.request_id);
        Ok(runs.into_iter().any(|run| good(&run)).then_some(()))
    })
    .await?;
    // Launchpad runs out of time in the middle, for longer than the retries: the run pauses, and continues.
    stack.fault(team, json!({ "kind": "timeout", "skip": 2 })).await?;
    stack.ask_for_sync(domain).await?;
    // Messages that failed before come back too, and each can begin or continue the run.
    let (store, name) = (stack.store().await, domain.parse()?);
    let paused = until("a run that is paused", Duration::from_secs(PATIENCE), async || {
        Ok(store.runs(&name, 1).await?.pop().filter(|run| run.state == RunState::Paused))
    })
    .await?;
    stack.mend(team).await?;
    until("the paused run to end", Duration::from_secs(PATIENCE), async || {
        Ok(store.run(&name, paused.id).await?.filter(|run| run.state == RunState::Unchanged))
    })
    .await?;
    // A failure in the middle that passes is no failure, and a total is only wrong if it is so twice.
    for passing in [json!({ "kind": "timeout", "count": 1 }), json!({ "kind": "wrong-total", "count": 1 })] {
        stack.fault(team, passing).await?;
        stack.sync_without_change(domain, "ed-").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_run_that_dies_or_meets_another_or_comes_twice_does_no_harm() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (domain, team) = ("ubuntustudio.com", "ubuntustudio-core");
    // Three of eight leave in all: half of a team within a day would be held.
    let all = names("us-", 8);
    residents(&stack, team, domain, &all).await?;
    stack.sync_without_change(domain, "us-").await?;

    // Killed while it reads: the next run takes over once the lease is over.
    stack.change("us-01", json!({ "leave": [team] })).await?;
    stack.fault(team, json!({ "kind": "slow", "millis": 4000 })).await?;
    let dead = stack.ask_for_sync(domain).await?;
    until("the run to begin", Duration::from_secs(60), async || stack.run_of(domain, &dead).await).await?;
    ensure!(stack.kill("SyncTeam")? > 0, "no process to kill");
    stack.mend(team).await?;
    let run = until("the lease of the dead run to be over", Duration::from_secs(90), async || {
        let request_id = stack.ask_for_sync(domain).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let run = stack.run_of(domain, &request_id).await?;
        Ok(run.filter(|run| run.state == RunState::Applied))
    })
    .await?;
    stack.alias_that_is("us-01@ubuntustudio.com", Status::Leaving, Reason::NotInTeam).await?;
    let former = stack.run_of(domain, &dead).await?.context("no entry of the dead run")?;
    ensure!(former.state == RunState::Died, "{former:?}");

    // Its steps come again, all and one by one, last first: nothing is done twice.
    let steps = stack.steps_of(&run).await?;
    ensure!(steps.len() == 1, "{steps:?}");
    for _ in 0..2 {
        stack.deliver(&run, steps.clone()).await?;
    }
    stack.change("us-01", json!({ "join": [team] })).await?;
    let back = stack.sync(domain).await?;
    stack.alias_that_is("us-01@ubuntustudio.com", Status::Active, Reason::Eligible).await?;
    for (run, steps) in [(&back, stack.steps_of(&back).await?), (&run, steps)] {
        stack.deliver(run, steps).await?;
    }

    // Two at once: one of them runs, and what it does is done once. Of messages the emulator takes one after the other, so
    // that the second is a run of our own, with the same table and queue.
    stack.change("us-02", json!({ "leave": [team] })).await?;
    stack.fault(team, json!({ "kind": "slow", "millis": 4000 })).await?;
    let asked = stack.ask_for_sync(domain).await?;
    let begun = until("the run to begin", Duration::from_secs(60), async || stack.run_of(domain, &asked).await).await?;
    let (second, queue) = (Second::of(&stack).await?, Queue::new(stack.sqs().await, &stack.write_queue_url));
    let met = second.engine().run(&domain.parse()?, "meets-another", &queue).await?;
    ensure!(matches!(met, Ran::Busy { run, .. } if run == begun.id), "{met:?} and {begun:?}");
    stack.alias_that_is("us-02@ubuntustudio.com", Status::Leaving, Reason::NotInTeam).await?;
    stack.mend(team).await?;
    let run = until("the run to end", Duration::from_secs(30), async || {
        Ok(stack.run_of(domain, &asked).await?.filter(|run| run.finished.is_some()))
    })
    .await?;
    ensure!(run.state == RunState::Applied && stack.run_of(domain, "meets-another").await?.is_none(), "{run:?}");

    let now = stack.alias("us-01@ubuntustudio.com").await?.context("an address is gone")?.alias;
    ensure!((now.status, now.version) == (Status::Active, 3), "{now:?}");
    for (name, entries) in [("us-01", 3), ("us-02", 2), ("us-03", 1), ("us-04", 1)] {
        let audit = stack.audit_of(&format!("{name}@{domain}")).await?;
        ensure!(audit.len() == entries, "{name}: {audit:?}");
    }
    twice_and_out_of_order(&stack, domain, team).await
}

/// A plan in two messages, of which the second comes first, and each twice.
async fn twice_and_out_of_order(stack: &Stack, domain: &str, team: &str) -> Result<()> {
    stack.add(json!({ "name": "us-later" })).await?;
    let (later, _) = stack.sign_in("us-later").await?;
    stack.page_with(&later, "You are in none of the teams yet", PATIENCE).await?;
    stack.change("us-later", json!({ "join": [team] })).await?;
    stack.change("us-03", json!({ "name": "us-03-new" })).await?;
    stack.change("us-04", json!({ "leave": [team] })).await?;
    let plan = Second::of(stack).await?.engine().plan(&domain.parse()?, &|_, _| {}).await?;
    let mut ours: Vec<_> =
        plan.steps.into_iter().filter(|step| step.address.local_part.as_str().starts_with("us-")).collect();
    ensure!(ours.iter().map(|step| step.action.as_str()).eq(["rename", "create", "leave"]), "{ours:?}");
    let (second, read_at, request_id) = (ours.split_off(2), plan.read_at, "out-of-order".to_owned());
    let run = member::ulid(SystemClock.now(), &OsRandom);
    let message = |steps: &[Step]| TakeSteps { run, read_at, steps: steps.to_vec(), request_id: request_id.clone() };
    let states = [
        ("us-04", Status::Leaving, Reason::NotInTeam, 2),
        ("us-03", Status::Active, Reason::Eligible, 1),
        ("us-03-new", Status::Active, Reason::Eligible, 1),
        ("us-later", Status::Active, Reason::Eligible, 1),
    ];
    for (steps, done) in [(&second, &states[..1]), (&ours, &states[..])] {
        stack.hand_on(message(steps)).await?;
        stack.hand_on(message(steps)).await?;
        for (name, status, reason, _) in done {
            stack.alias_that_is(&format!("{name}@{domain}"), *status, *reason).await?;
        }
    }
    stack.hand_on(message(&second)).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    for (name, status, _, version) in states {
        let address = format!("{name}@{domain}");
        let alias = stack.alias(&address).await?.context("an address is gone")?.alias;
        ensure!((alias.status, alias.version) == (status, version), "{alias:?}");
        let audit = stack.audit_of(&address).await?;
        ensure!(u64::try_from(audit.len())? == version, "{name}: {audit:?}");
    }
    let owner = stack.owner_of("us-03@ubuntustudio.com").await?;
    ensure!(stack.owner_of("us-03-new@ubuntustudio.com").await? == owner, "the new address is another's");
    stack.sync_without_change(domain, "us-").await
}

#[tokio::test]
async fn a_plan_that_takes_too_much_waits_for_somebody_to_look() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (domain, team) = ("kubuntu.org", "kubuntu-members");
    let all = names("ku-", 8);
    residents(&stack, team, domain, &all).await?;
    let active = async |expected: usize| -> Result<()> {
        let mut found = 0;
        for name in &all {
            let alias = stack.alias(&format!("{name}@{domain}")).await?.context("an address is gone")?;
            found += usize::from(alias.alias.status == Status::Active);
        }
        ensure!(found == expected, "{found} are active, not {expected}");
        Ok(())
    };
    stack.add(json!({ "name": "ku-joiner" })).await?;
    let (joiner, _) = stack.sign_in("ku-joiner").await?;
    stack.page_with(&joiner, "You are in none of the teams yet", PATIENCE).await?;
    stack.change("ku-joiner", json!({ "join": [team] })).await?;
    for name in &all[..6] {
        stack.change(name, json!({ "leave": [team] })).await?;
    }
    let held = stack.sync(domain).await?;
    ensure!(held.state == RunState::Held, "{held:?}");
    ensure!(held.counts.is_some_and(|counts| counts.taken == 6), "{held:?}");
    // Nor does it give anything.
    ensure!(stack.alias("ku-joiner@kubuntu.org").await?.is_none(), "a held plan gave an address");
    active(8).await?;

    // The same again is the same plan, not another thing to look at.
    let waiting = stack.sync(domain).await?;
    ensure!(waiting.state == RunState::Waiting && waiting.waits_for == Some(held.id), "{waiting:?}");
    let decide = async |run, did| {
        let cause = operator(SystemClock.now());
        stack.store().await.decide_run(&domain.parse()?, run, did, cause, &OsRandom).await.map_err(anyhow::Error::from)
    };
    ensure!(decide(held.id, RunChange::Rejected).await? == Decided::Done);
    stack.hand_on_released(domain, held.id).await?;
    ensure!(stack.sync(domain).await?.state == RunState::Waiting);
    active(8).await?;

    // One more leaves: another plan, which somebody releases.
    stack.change(&all[6], json!({ "leave": [team] })).await?;
    let held = stack.sync(domain).await?;
    ensure!(held.state == RunState::Held && held.counts.is_some_and(|counts| counts.taken == 7), "{held:?}");
    ensure!(decide(held.id, RunChange::Released).await? == Decided::Done);
    for _ in 0..2 {
        stack.hand_on_released(domain, held.id).await?;
    }
    for name in &all[..7] {
        stack.alias_that_is(&format!("{name}@{domain}"), Status::Leaving, Reason::NotInTeam).await?;
    }
    active(1).await?;
    stack.alias_that_is("ku-joiner@kubuntu.org", Status::Active, Reason::Eligible).await?;
    let entries = stack.store().await.audit(Some(&domain.parse()?), &this_month()).await?;
    let decisions = |wanted: RunChange| {
        entries.iter().filter(|entry| matches!(&entry.change, Change::Run { did, .. } if *did == wanted)).count()
    };
    let decided = [RunChange::Held, RunChange::Rejected, RunChange::Released].map(decisions);
    ensure!(decided == [2, 1, 1], "{decided:?}");
    ensure!(entries.iter().any(|entry| entry.by.as_deref() == Some("olivia")));
    Ok(())
}

/// Whoever else syncs with the same table and the same Launchpad.
struct Second {
    community: Community,
    launchpad: Launchpad,
    store: Store,
}

impl Second {
    async fn of(stack: &Stack) -> Result<Self> {
        let community = membermail_communities::community("ubuntu")?;
        let settings = Settings::of(&community, Some(stack.stand_ins_url.clone()), Duration::from_secs(60));
        Ok(Self { launchpad: Launchpad::new(settings)?, community, store: stack.store().await })
    }

    fn engine(&self) -> Engine<'_> {
        let Self { community, launchpad, store } = self;
        let lease = SignedDuration::from_secs(60);
        let limits = Limits { pace: Duration::ZERO, ..Limits::default() };
        Engine { community, source: launchpad, store, lease, limits, clock: &SystemClock, random: &OsRandom }
    }
}

fn this_month() -> String {
    SystemClock.now().strftime("%Y-%m").to_string()
}
