//! Addresses follow the teams, and faults remove no address. Each test has its own domain, which has one run at a time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Change, RunChange};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::member;
use membermail_core::random::OsRandom;
use membermail_membership::launchpad::{Client as Launchpad, Settings};
use membermail_runtime::queue::Queue;
use membermail_store::{Decided, Run, RunState, Store};
use membermail_sync::{Engine, Limits, SyncOutcome};
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::{TIMEOUT, until, until_true};
use serde_json::{Value, json};
use ulid::Ulid;

const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// Adds people to a team, signs them in, and waits for their addresses.
async fn residents(stack: &Stack, team: &str, domain: &str, names: &[String]) -> Result<()> {
    let mut browsers = Vec::new();
    for name in names {
        stack.add_person(json!({ "name": name, "teams": [team] })).await?;
        browsers.push(stack.sign_in(name).await?);
    }
    for (name, browser) in names.iter().zip(&browsers) {
        stack.page_with(browser, &format!("{name}@{domain} now forwards to")).await?;
    }
    Ok(())
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}{number:02}")).collect()
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn addresses_follow_the_team() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let domain = "lubuntu.me";
    let team = "lubuntu-members";

    // Someone who joins after signing in gets the address without a second sign-in.
    stack.add_person(json!({ "name": "lu-later" })).await?;
    let later = stack.sign_in_until("lu-later", "You are not in any of the teams yet").await?;
    let all = ["lu-leaver", "lu-renamed", "lu-banned", "lu-unsigned", "lu-expired", "lu-gone"].map(str::to_owned);
    residents(&stack, team, domain, &all).await?;
    // The others stay, since a plan that removes half of a team is held.
    residents(&stack, team, domain, &names("lu-stays-", 4)).await?;
    stack.sync_without_change(domain, "lu-").await?;

    // Joins, leaves, is renamed, unsigned, expired, deactivated, banned: one sync.
    stack.change_person("lu-later", json!({ "join": [team] })).await?;
    stack.change_person("lu-leaver", json!({ "leave": [team] })).await?;
    stack.change_person("lu-renamed", json!({ "name": "lu-newname" })).await?;
    stack.change_person("lu-unsigned", json!({ "signed": false })).await?;
    stack.change_person("lu-expired", json!({ "expire": [team] })).await?;
    stack.apply_event("lu-gone", json!("deactivate")).await?;
    let banned = stack.owner_of("lu-banned@lubuntu.me").await?;
    stack.store().await.ban(banned, operator(SystemClock.now()), &OsRandom).await?;
    let run = stack.sync(domain).await?;
    ensure!(run.state == RunState::Applied, "{run:?}");
    stack.page_with(&later, "lu-later@lubuntu.me now forwards to lu-later@mail.example").await?;
    let leaving = stack.wait_for_alias("lu-leaver@lubuntu.me", Status::Leaving, Reason::NotInTeam).await?;
    let grace = leaving.until.context("no end")?.duration_since(run.started);
    ensure!(grace >= SignedDuration::from_hours(14 * 24) && grace < SignedDuration::from_hours(15 * 24), "{grace}");
    stack.wait_for_alias("lu-unsigned@lubuntu.me", Status::Leaving, Reason::CodeOfConductWithdrawn).await?;
    stack.wait_for_alias("lu-expired@lubuntu.me", Status::Leaving, Reason::NotInTeam).await?;
    stack.wait_for_alias("lu-gone@lubuntu.me", Status::Leaving, Reason::Deactivated).await?;
    stack.wait_for_alias("lu-banned@lubuntu.me", Status::Suspended, Reason::Banned).await?;
    stack.wait_for_alias("lu-newname@lubuntu.me", Status::Active, Reason::Eligible).await?;
    stack.wait_for_alias("lu-renamed@lubuntu.me", Status::Active, Reason::Eligible).await?;
    stack.sync_without_change(domain, "lu-").await?;

    // The member sees the grace period on the page, and keeps the address after rejoining.
    stack.sign_in_until("lu-expired", "lu-expired@lubuntu.me still forwards to").await?;
    stack.change_person("lu-leaver", json!({ "join": [team] })).await?;
    stack.sync(domain).await?;
    stack.wait_for_alias("lu-leaver@lubuntu.me", Status::Active, Reason::Eligible).await?;

    // Another person takes the released name and does not get the address.
    stack.add_person(json!({ "name": "lu-other", "teams": [team] })).await?;
    stack.change_person("lu-other", json!({ "name": "lu-renamed" })).await?;
    stack.sign_in_until("lu-other", "This address belongs to someone else").await?;
    stack.sync_without_change(domain, "lu-").await?;
    let owner = stack.owner_of("lu-newname@lubuntu.me").await?;
    ensure!(stack.owner_of("lu-renamed@lubuntu.me").await? == owner, "an address passed to somebody else");

    // The grace period ends, half a year passes, and the name stays reserved.
    stack.set_in_alias("lu-expired@lubuntu.me", "until", LONG_AGO).await?;
    stack.sync(domain).await?;
    stack.wait_for_alias("lu-expired@lubuntu.me", Status::Suspended, Reason::NotInTeam).await?;
    stack.set_in_alias("lu-expired@lubuntu.me", "since", LONG_AGO).await?;
    stack.sync(domain).await?;
    stack.wait_for_alias("lu-expired@lubuntu.me", Status::Retired, Reason::NotInTeam).await?;
    let member = stack.owner_of("lu-expired@lubuntu.me").await?;
    // They signed in recently, so erasure waits; a later sync plans it again.
    ensure!(!stack.store().await.member(member).await?.context("no member")?.is_erased(), "erased too early");
    stack.set_in_member(member, "requested_at", LONG_AGO).await?;
    stack.sync(domain).await?;
    until_true("the data of a retired member to be erased", 30, async || {
        Ok(stack.store().await.member(member).await?.context("no member")?.is_erased())
    })
    .await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn subteam_member_keeps_the_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.sign_in_at("ubuntu.com", "bob").await?;
    let run = stack.sync("ubuntu.com").await?;
    // Other tests have people in this domain too, so only bob's steps count.
    ensure!(run.counts.is_some() && run.state != RunState::Failed, "{run:?}");
    let steps = stack.steps_of(&run).await?;
    ensure!(steps.iter().all(|step| step.address.local_part.as_str() != "bob"), "{steps:?}");
    let bob = stack.existing_alias("bob@ubuntu.com").await?;
    ensure!((bob.status, bob.version) == (Status::Active, 1), "{bob:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn launchpad_faults_remove_no_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let domain = "edubuntu.org";
    let team = "edubuntu-members";
    let all = names("ed-", 3);
    residents(&stack, team, domain, &all).await?;
    // More than one page, so that faults can occur between pages.
    for number in 1..=320 {
        stack.add_person(json!({ "name": format!("ed-crowd-{number}"), "teams": [team] })).await?;
    }
    // Inconsistent responses fail the run; pages that miss people cost lookups, and no address.
    let faults: [(&str, Value, bool); 8] = [
        // First, when no failed message is retried: if one is reading pages, this fault pauses its run until it is over.
        ("an answer cut short", json!({ "kind": "cut-short" }), false),
        ("an empty team", json!({ "kind": "empty-team" }), false),
        ("a short page", json!({ "kind": "short-page", "missing": 3 }), true),
        ("a repeated link", json!({ "kind": "repeated-link" }), false),
        ("a changing total", json!({ "kind": "changing-total" }), true),
        ("a wrong total", json!({ "kind": "wrong-total" }), true),
        ("a foreign link", json!({ "kind": "foreign-link" }), false),
        ("a malformed entry", json!({ "kind": "malformed-entry" }), true),
    ];
    let mut failed = Vec::new();
    for (what, fault, may_end) in faults {
        stack.set_fault(team, fault).await?;
        let run = stack.sync(domain).await?;
        stack.clear_fault(team).await?;
        ensure!(may_end || (run.state == RunState::Failed && run.counts.is_none()), "{what}: {run:?}");
        if run.state == RunState::Failed {
            failed.push(run.request_id);
        }
        for name in &all {
            let alias = stack.existing_alias(&format!("{name}@{domain}")).await?;
            ensure!((alias.status, alias.version) == (Status::Active, 1), "{what}: {alias:?}");
        }
    }
    // Failed runs are retried, now against correct responses.
    until_true("a run that failed to be retried", TIMEOUT, async || {
        let runs = stack.store().await.runs(&domain.parse()?, 100).await?;
        Ok(runs.iter().any(|run| run.state.is_finished() && failed.contains(&run.request_id)))
    })
    .await?;
    // Launchpad times out between pages for longer than the retries: the run pauses, and resumes. Both are requested again, as
    // another message that failed before can start a run that uses up the skipped requests.
    let (store, name) = (stack.store().await, domain.parse()?);
    let mut last: Option<Instant> = None;
    let paused = until("a run that is paused", TIMEOUT, async || {
        if last.is_none_or(|at| at.elapsed() > Duration::from_secs(20)) {
            stack.set_fault(team, json!({ "kind": "timeout", "skip": 2 })).await?;
            stack.request_sync(domain).await?;
            last = Some(Instant::now());
        }
        Ok(store.runs(&name, 1).await?.pop().filter(|run| run.state == RunState::Paused))
    })
    .await?;
    stack.clear_fault(team).await?;
    until("the paused run to end", TIMEOUT, async || {
        Ok(store.run(&name, paused.id).await?.filter(|run| run.state == RunState::Unchanged))
    })
    .await?;
    // A transient failure is retried, and a total is only wrong if it is wrong twice.
    for passing in [json!({ "kind": "timeout", "count": 1 }), json!({ "kind": "wrong-total", "count": 1 })] {
        stack.set_fault(team, passing).await?;
        stack.sync_without_change(domain, "ed-").await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn interrupted_run_is_resumed_safely() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let domain = "ubuntustudio.com";
    let team = "ubuntustudio-core";
    // Three of eight leave in all, since half of a team within a day would be held.
    let all = names("us-", 8);
    residents(&stack, team, domain, &all).await?;
    stack.sync_without_change(domain, "us-").await?;

    // Killed while it reads: the next run takes over when the lease expires.
    stack.change_person("us-01", json!({ "leave": [team] })).await?;
    stack.set_fault(team, json!({ "kind": "slow", "millis": 4000 })).await?;
    let dead = stack.request_sync(domain).await?;
    until("the run to begin", 60, async || stack.run_of(domain, &dead).await).await?;
    ensure!(stack.kill("SyncTeam")? > 0, "no process to kill");
    stack.clear_fault(team).await?;
    let run = until("the lease of the dead run to be over", 90, async || {
        let request_id = stack.request_sync(domain).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let run = stack.run_of(domain, &request_id).await?;
        Ok(run.filter(|run| run.state == RunState::Applied))
    })
    .await?;
    stack.wait_for_alias("us-01@ubuntustudio.com", Status::Leaving, Reason::NotInTeam).await?;
    let former = stack.run_of(domain, &dead).await?.context("no entry of the dead run")?;
    ensure!(former.state == RunState::Died, "{former:?}");

    // Its steps are delivered again, all at once and one by one, in reverse order: they are idempotent.
    let steps = stack.steps_of(&run).await?;
    ensure!(steps.len() == 1, "{steps:?}");
    for _ in 0..2 {
        stack.deliver(&run, steps.clone()).await?;
    }
    stack.change_person("us-01", json!({ "join": [team] })).await?;
    let back = stack.sync(domain).await?;
    stack.wait_for_alias("us-01@ubuntustudio.com", Status::Active, Reason::Eligible).await?;
    for (run, steps) in [(&back, stack.steps_of(&back).await?), (&run, steps)] {
        stack.deliver(run, steps).await?;
    }

    // Two runs at once: only one gets the lease. The emulator delivers messages one after the other, so the second run is
    // started here, with the same table and queue.
    stack.change_person("us-02", json!({ "leave": [team] })).await?;
    stack.set_fault(team, json!({ "kind": "slow", "millis": 4000 })).await?;
    let request_id = stack.request_sync(domain).await?;
    let begun = until("the run to begin", 60, async || stack.run_of(domain, &request_id).await).await?;
    let second = Second::of(&stack).await?;
    let queue = Queue::new(stack.sqs().await, &stack.write_queue_url);
    let met = second.engine().run(&domain.parse()?, "meets-another", &queue).await?;
    ensure!(matches!(met, SyncOutcome::Busy { run, .. } if run == begun.id), "{met:?} and {begun:?}");
    stack.wait_for_alias("us-02@ubuntustudio.com", Status::Leaving, Reason::NotInTeam).await?;
    stack.clear_fault(team).await?;
    let run = until("the run to end", 30, async || {
        Ok(stack.run_of(domain, &request_id).await?.filter(|run| run.finished.is_some()))
    })
    .await?;
    ensure!(run.state == RunState::Applied && stack.run_of(domain, "meets-another").await?.is_none(), "{run:?}");

    let now = stack.existing_alias("us-01@ubuntustudio.com").await?;
    ensure!((now.status, now.version) == (Status::Active, 3), "{now:?}");
    for (name, entries) in [("us-01", 3), ("us-02", 2), ("us-03", 1), ("us-04", 1)] {
        let audit = stack.audit_of(&format!("{name}@{domain}")).await?;
        ensure!(audit.len() == entries, "{name}: {audit:?}");
    }
    deliver_twice_and_out_of_order(&stack, domain, team).await
}

/// A plan in two messages, delivered in reverse order and twice each.
async fn deliver_twice_and_out_of_order(stack: &Stack, domain: &str, team: &str) -> Result<()> {
    stack.add_person(json!({ "name": "us-later" })).await?;
    stack.sign_in_until("us-later", "You are not in any of the teams yet").await?;
    stack.change_person("us-later", json!({ "join": [team] })).await?;
    stack.change_person("us-03", json!({ "name": "us-03-new" })).await?;
    stack.change_person("us-04", json!({ "leave": [team] })).await?;
    let plan = Second::of(stack).await?.engine().dry_run(&domain.parse()?, None, &|_, _| {}).await?.plan;
    let mut ours: Vec<_> =
        plan.steps.into_iter().filter(|step| step.address.local_part.as_str().starts_with("us-")).collect();
    ensure!(ours.iter().map(|step| step.action.as_ref()).eq(["rename", "create", "leave"]), "{ours:?}");
    let second = ours.split_off(2);
    let id = member::ulid(SystemClock.now(), &OsRandom);
    let run = Run::new(id, &domain.parse()?, plan.read_at, "out-of-order");
    let states = [
        ("us-04", Status::Leaving, Reason::NotInTeam, 2),
        ("us-03", Status::Active, Reason::Eligible, 1),
        ("us-03-new", Status::Active, Reason::Eligible, 1),
        ("us-later", Status::Active, Reason::Eligible, 1),
    ];
    for (steps, done) in [(&second, &states[..1]), (&ours, &states[..])] {
        stack.deliver(&run, steps.clone()).await?;
        stack.deliver(&run, steps.clone()).await?;
        for (name, status, reason, _) in done {
            stack.wait_for_alias(&format!("{name}@{domain}"), *status, *reason).await?;
        }
    }
    stack.deliver(&run, second).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    for (name, status, _, version) in states {
        let address = format!("{name}@{domain}");
        let alias = stack.existing_alias(&address).await?;
        ensure!((alias.status, alias.version) == (status, version), "{alias:?}");
        let audit = stack.audit_of(&address).await?;
        ensure!(u64::try_from(audit.len())? == version, "{name}: {audit:?}");
    }
    let owner = stack.owner_of("us-03@ubuntustudio.com").await?;
    ensure!(stack.owner_of("us-03-new@ubuntustudio.com").await? == owner, "the new address is another's");
    stack.sync_without_change(domain, "us-").await
}

/// Checks how many of these addresses are active.
async fn are_active(stack: &Stack, domain: &str, names: &[String], expected: usize) -> Result<()> {
    let mut found = 0;
    for name in names {
        let alias = stack.existing_alias(&format!("{name}@{domain}")).await?;
        found += usize::from(alias.status == Status::Active);
    }
    ensure!(found == expected, "{found} are active, not {expected}");
    Ok(())
}

async fn decide(stack: &Stack, domain: &str, run: Ulid, did: RunChange) -> Result<Decided> {
    let cause = operator(SystemClock.now());
    Ok(stack.store().await.decide_run(&domain.parse()?, run, did, None, cause, &OsRandom).await?)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn large_plan_is_held_for_approval() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let domain = "kubuntu.org";
    let team = "kubuntu-members";
    let all = names("ku-", 8);
    residents(&stack, team, domain, &all).await?;
    stack.add_person(json!({ "name": "ku-joiner" })).await?;
    stack.sign_in_until("ku-joiner", "You are not in any of the teams yet").await?;
    stack.change_person("ku-joiner", json!({ "join": [team] })).await?;
    for name in &all[..6] {
        stack.change_person(name, json!({ "leave": [team] })).await?;
    }
    let held = stack.sync(domain).await?;
    ensure!(held.state == RunState::Held, "{held:?}");
    ensure!(held.counts.is_some_and(|counts| counts.removed == 6), "{held:?}");
    // Nor is any address granted.
    ensure!(stack.alias("ku-joiner@kubuntu.org").await?.is_none(), "a held plan gave an address");
    are_active(&stack, domain, &all, 8).await?;

    // The same changes make the same plan, which is not reported again.
    let waiting = stack.sync(domain).await?;
    ensure!(waiting.state == RunState::Waiting && waiting.waits_for == Some(held.id), "{waiting:?}");
    ensure!(decide(&stack, domain, held.id, RunChange::Rejected).await? == Decided::Done);
    stack.enqueue_release(domain, held.id).await?;
    ensure!(stack.sync(domain).await?.state == RunState::Waiting);
    are_active(&stack, domain, &all, 8).await?;

    // One more leaves: a new plan, which an operator approves.
    stack.change_person(&all[6], json!({ "leave": [team] })).await?;
    let held = stack.sync(domain).await?;
    ensure!(held.state == RunState::Held && held.counts.is_some_and(|counts| counts.removed == 7), "{held:?}");
    ensure!(decide(&stack, domain, held.id, RunChange::Released).await? == Decided::Done);
    for _ in 0..2 {
        stack.enqueue_release(domain, held.id).await?;
    }
    for name in &all[..7] {
        stack.wait_for_alias(&format!("{name}@{domain}"), Status::Leaving, Reason::NotInTeam).await?;
    }
    are_active(&stack, domain, &all, 1).await?;
    stack.wait_for_alias("ku-joiner@kubuntu.org", Status::Active, Reason::Eligible).await?;
    let entries = stack.store().await.audit(Some(&domain.parse()?), &this_month()).await?;
    let decided = [RunChange::Held, RunChange::Rejected, RunChange::Released].map(|wanted| {
        entries.iter().filter(|entry| matches!(&entry.change, Change::Run { did, .. } if *did == wanted)).count()
    });
    ensure!(decided == [2, 1, 1], "{decided:?}");
    ensure!(entries.iter().any(|entry| entry.by.as_deref() == Some("olivia")));
    Ok(())
}

/// A second sync engine on the same table and the same Launchpad.
struct Second {
    community: Community,
    launchpad: Launchpad,
    store: Store,
}

impl Second {
    async fn of(stack: &Stack) -> Result<Self> {
        let mut community = membermail_communities::community("ubuntu")?;
        // The issuer of the identities moves too: Launchpad is an authority on no other provider's.
        community.relocate(Some(&stack.fakes_url), None, Some(&stack.fakes_url))?;
        let settings = Settings::for_community(&community, Duration::from_secs(60)).context("another source")?;
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
