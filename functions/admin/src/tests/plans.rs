//! Dry runs, requested syncs, and decisions on held runs: twice, by two admins, and with hostile ids.

use jiff::SignedDuration;
use membermail_core::admin::Permission;
use membermail_core::alias::{ExpectedVersion, Reason};
use membermail_core::audit::{Actor, RunChange};
use membermail_core::dry_run::MAX_WAIT;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{self, MemberId};
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_store::{DryRunPlan, Run, RunState};
use serde_json::json;
use ulid::Ulid;

use super::{Browser, KUBUNTU, UBUNTU, World, name};

const PLANS: &str = "/admin/domains/ubuntu.com/plans";
const DECIDE: &[Permission] = &[Permission::Decide];

fn steps(count: usize) -> Vec<Step> {
    let until = "2026-12-08T10:00:00Z".parse().unwrap();
    let step = |index| Step {
        address: format!("member{index:04}@ubuntu.com").try_into().unwrap(),
        member: MemberId::new(until, &OsRandom),
        expected: ExpectedVersion::At(1),
        known_as: None,
        action: Action::Leave { reason: Reason::NotInTeam, until },
    };
    (0..count).map(step).collect()
}

impl World {
    /// A run that ended in this state, with a plan.
    async fn run(&self, domain: &str, state: RunState, steps: &[Step]) -> Run {
        self.advance(SignedDuration::from_secs(1));
        let leave = steps.len() as u64;
        let run = Run {
            state,
            finished: Some(self.now()),
            counts: Some(Counts { active: 20, leave, removed: leave, ..Counts::default() }),
            held_for: vec![HoldReason::Unverified { count: 3 }],
            ..Run::new(member::ulid(self.now(), &OsRandom), &name(domain), self.now(), "request-1")
        };
        self.store().save_steps(&run, steps).await.unwrap();
        self.store().finish_run(&run, None).await.unwrap();
        run
    }

    async fn held(&self) -> Run {
        self.run(UBUNTU, RunState::Held, &steps(8)).await
    }

    async fn reload(&self, run: &Run) -> Run {
        self.store().run(&run.domain, run.id).await.unwrap().unwrap()
    }
}

fn at(run: &Run, path: &str) -> String {
    format!("{PLANS}/{}{path}", run.id)
}

#[tokio::test]
async fn held_run_is_released_with_comment() {
    let world = World::new().await;
    let (amy, member) = world.admin("amy", UBUNTU, DECIDE).await;
    let held = world.held().await;
    let page = amy.get(&world, &at(&held, "")).await;
    for text in ["Held: needs a decision", "member0007@ubuntu.com", "No longer in the team", "8 December 2026"] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    let preview = amy.get(&world, &at(&held, "/release")).await;
    assert!(preview.status() == 200 && preview.text().contains("<dd>8</dd>"), "{}", preview.text());
    assert_eq!(world.reload(&held).await.state, RunState::Held, "a preview changes nothing");

    let fields = [("comment", " They really\nleft. ")];
    let answer = amy.submit(&world, &at(&held, "/release"), &fields).await;
    assert_eq!(answer.location(), at(&held, ""));
    let [message] = &world.messages()[..] else { panic!() };
    assert_eq!((&message["release"], &message["domain"]), (&json!(held.id.to_string()), &json!(UBUNTU)));
    let run = world.reload(&held).await;
    assert_eq!((run.state, run.decided_as), (RunState::Released, Some(Actor::Admin)));
    let entries = world.store().audit(Some(&held.domain), "2026-11").await.unwrap();
    let entry = entries.last().unwrap();
    assert_eq!((entry.actor, entry.by.as_deref()), (Actor::Admin, Some(member.id.to_string().as_str())));
    assert_eq!(entry.comment.as_ref().unwrap().as_str(), "They really left.");
    let page = amy.get(&world, &at(&held, "")).await;
    assert!(
        page.text().contains("Released by amy on ") && page.text().contains("They really left."),
        "{}",
        page.text()
    );
    assert!(!page.text().contains("It is already decided"));
}

#[tokio::test]
async fn second_admin_sees_first_decision() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    let (bob, _) = world.admin("bob", UBUNTU, DECIDE).await;
    let held = world.held().await;
    let [reject, release] = ["/reject", "/release"].map(|path| at(&held, path));
    let (one, other) = tokio::join!(
        amy.submit(&world, &reject, &[("comment", "an error of the source")]),
        bob.submit(&world, &release, &[("comment", "fine")])
    );
    let statuses = [one.status(), other.status()];
    assert!(statuses.contains(&303) && statuses.contains(&200), "{statuses:?}");
    let second = if one.status() == 200 { one } else { other };
    assert!(second.text().contains("It is already decided, so nothing was done now."), "{}", second.text());
    let decided = world.reload(&held).await;
    let releases = world.messages().len();
    assert_eq!(releases, usize::from(decided.state == RunState::Released));
    // So does a preview that comes late.
    let late = bob.get(&world, &at(&held, "/release")).await;
    assert!(late.status() == 200 && late.text().contains("It is already decided"), "{}", late.text());
    assert_eq!(world.reload(&held).await, decided);
}

#[tokio::test]
async fn applied_run_is_not_released_again() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    for state in [RunState::Applied, RunState::Rejected, RunState::Waiting, RunState::Failed, RunState::Running] {
        let run = world.run(UBUNTU, state, &steps(1)).await;
        for decision in ["/release", "/reject"] {
            let page = amy.submit(&world, &at(&run, decision), &[]).await;
            assert!(page.status() == 200 && page.text().contains("It is already decided"), "{state}: {}", page.text());
        }
        assert_eq!(world.reload(&run).await, run);
    }
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn lost_release_is_sent_again() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    let held = world.held().await;
    let cause = world.cause();
    let decided = world.store().decide_run(&held.domain, held.id, RunChange::Released, None, cause, &OsRandom).await;
    decided.unwrap();
    let page = amy.submit(&world, &at(&held, "/release"), &[]).await;
    assert!(page.text().contains("Released by olivia (operator)"), "{}", page.text());
    assert_eq!(world.messages().len(), 1);
}

#[tokio::test]
async fn invalid_comment_decides_nothing() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    let held = world.held().await;
    let long = "a".repeat(501);
    for comment in [long.as_str(), "a\u{0}b", "\u{7}"] {
        let page = amy.submit(&world, &at(&held, "/release"), &[("comment", comment)]).await;
        assert_eq!(page.status(), 400, "{comment:?}");
    }
    assert_eq!(world.reload(&held).await.state, RunState::Held);
    let markup = "<script>alert(1)</script>";
    amy.submit(&world, &at(&held, "/reject"), &[("comment", markup)]).await;
    let page = amy.get(&world, &at(&held, "")).await;
    assert!(!page.text().contains(markup) && page.text().contains("alert(1)"), "{}", page.text());
}

#[tokio::test]
async fn viewer_sees_no_decision() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Permission::View]).await;
    let held = world.held().await;
    let page = amy.get(&world, &at(&held, "")).await;
    assert!(page.status() == 200 && !page.text().contains("/release"), "{}", page.text());
    let list = amy.get(&world, PLANS).await;
    assert!(list.text().contains("Start a dry run") && !list.text().contains("plans/sync"), "{}", list.text());
}

/// A run of another domain, and ids that name nothing.
#[tokio::test]
async fn hostile_run_ids_look_alike() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    let foreign = world.run(KUBUNTU, RunState::Held, &steps(2)).await;
    let foreign_link = format!("plans/{}", foreign.id);
    let long = "0".repeat(3000);
    let missing = Ulid::from_parts(1, 1).to_string();
    let own = world.held().await.id.to_string().to_lowercase();
    let ids = [
        foreign.id.to_string(),
        missing,
        own,
        "x".into(),
        "..".into(),
        "%2e%2e".into(),
        "..%2Fkubuntu.org".into(),
        "%00".into(),
        "LEASE".into(),
        "8ZZZZZZZZZZZZZZZZZZZZZZZZZ".into(),
        long,
    ];
    for id in &ids {
        for suffix in ["", "/release", "/reject", "/x"] {
            let page = amy.get(&world, &format!("{PLANS}/{id}{suffix}")).await;
            assert_eq!(page.status(), 404, "{id}{suffix}");
            let page = amy.submit(&world, &format!("{PLANS}/{id}{suffix}"), &[]).await;
            assert_eq!(page.status(), 404, "{id}{suffix}");
        }
        let page = amy.get(&world, &format!("{PLANS}?before={id}")).await;
        assert!([200, 404].contains(&page.status()) && !page.text().contains(&foreign_link), "{id}");
    }
    for page in ["0", "-1", "x", "2", "99999999999999999999", "18446744073709551615", ""] {
        let held = world.held().await;
        assert_eq!(amy.get(&world, &at(&held, &format!("?page={page}"))).await.status(), 404, "{page}");
    }
    assert_eq!(world.reload(&foreign).await, foreign);
    assert!(world.messages().is_empty());
}

#[tokio::test]
async fn runs_and_steps_are_paged() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Permission::View]).await;
    let mut ids = Vec::new();
    for _ in 0..45 {
        ids.push(world.run(UBUNTU, RunState::Unchanged, &[]).await.id.to_string());
    }
    let mut path = PLANS.to_owned();
    let mut seen = Vec::new();
    loop {
        let page = amy.get(&world, &path).await;
        seen.extend(ids.iter().filter(|id| page.text().contains(&format!("plans/{id}\""))).cloned());
        let Some((_, rest)) = page.text().split_once("href=\"?before=") else { break };
        path = format!("{PLANS}?before={}", rest.split('"').next().unwrap());
    }
    seen.sort();
    assert_eq!(seen, ids);

    let large = world.run(UBUNTU, RunState::Held, &steps(501)).await;
    let first = amy.get(&world, &at(&large, "")).await;
    assert!(first.text().contains("Page 1 of 3") && first.text().contains("href=\"?page=2\""));
    let last = amy.get(&world, &at(&large, "?page=3")).await;
    assert!(last.text().contains("member0500@ubuntu.com") && !last.text().contains("?page=4"));
    // Those addresses do not exist, so their steps would be skipped.
    assert!(last.text().contains("The address has changed since then"), "{}", last.text());
}

async fn request_dry_run(world: &World, browser: &Browser) -> u16 {
    browser.submit(world, &format!("{PLANS}/dry-run"), &[]).await.status()
}

#[tokio::test]
async fn dry_run_shows_progress_then_plan() {
    let world = World::new().await;
    let (amy, member) = world.admin("amy", UBUNTU, &[Permission::View]).await;
    let path = format!("{PLANS}/dry-run");
    assert_eq!(amy.get(&world, &path).await.status(), 404);
    let answer = amy.submit(&world, &path, &[]).await;
    assert_eq!(answer.location(), path);
    let [message] = &world.messages()[..] else { panic!() };
    let now = world.now();
    let ubuntu = name(UBUNTU);
    let dry_run = world.store().dry_run(&ubuntu, now).await.unwrap().unwrap();
    assert_eq!((dry_run.by, message["dry_run"].as_str().unwrap()), (member.id, dry_run.id.to_string().as_str()));
    let page = amy.get(&world, &path).await;
    assert!(page.text().contains("http-equiv=\"refresh\"") && page.text().contains("starts soon"), "{}", page.text());

    assert!(world.store().begin_dry_run(&ubuntu, dry_run.id, now).await.unwrap());
    world.store().note_dry_run_progress(&ubuntu, dry_run.id, 1500, Some(2000)).await.unwrap();
    let page = amy.get(&world, &path).await;
    assert!(page.text().contains("1,500 of 2,000"), "{}", page.text());

    let held_for = [HoldReason::Unverified { count: 3 }];
    let steps = steps(300);
    let plan = DryRunPlan { counts: Counts::default(), steps: &steps, held_for: &held_for, is_complete: false };
    assert!(world.store().finish_dry_run(&ubuntu, dry_run.id, Ok(plan), now).await.unwrap());
    let page = amy.get(&world, &path).await;
    for text in ["member0249@ubuntu.com", "would be held", "Page 1 of 2", "not enough time", "Start another dry run"] {
        assert!(page.text().contains(text), "{text}: {}", page.text());
    }
    assert!(!page.text().contains("http-equiv"));
    assert!(amy.get(&world, &format!("{path}?page=2")).await.text().contains("member0250@ubuntu.com"));
    assert_eq!(amy.get(&world, &format!("{path}?page=3")).await.status(), 404);
    let (other, _) = world.admin("other", KUBUNTU, DECIDE).await;
    let foreign = other.get(&world, "/admin/domains/kubuntu.org/plans/dry-run").await;
    assert_eq!(foreign.status(), 404, "the dry run of another domain");
}

#[tokio::test]
async fn waiting_dry_run_is_not_repeated() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    let (bob, _) = world.admin("bob", UBUNTU, DECIDE).await;
    let (one, other) = tokio::join!(request_dry_run(&world, &amy), request_dry_run(&world, &bob));
    assert_eq!((one, other, request_dry_run(&world, &amy).await), (303, 303, 303));
    assert_eq!(world.messages().len(), 1);
    let list = amy.get(&world, PLANS).await;
    assert!(!list.text().contains("Start a dry run"), "{}", list.text());
}

#[tokio::test]
async fn dry_runs_are_limited() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    let mut statuses = Vec::new();
    for _ in 0..2 {
        statuses.push(request_dry_run(&world, &amy).await);
        world.advance(MAX_WAIT);
    }
    assert_eq!(statuses, [303, 303]);
    world.advance(SignedDuration::from_hours(1));
    let ubuntu = name(UBUNTU);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(request_dry_run(&world, &amy).await);
        if let Some(dry_run) = world.store().dry_run(&ubuntu, world.now()).await.unwrap() {
            world.store().withdraw_dry_run(&ubuntu, dry_run.id, world.now()).await.unwrap();
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 303).count(), 4, "{statuses:?}");
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn failed_send_leaves_no_request() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    world.fail_queues(true);
    assert_eq!(request_dry_run(&world, &amy).await, 503);
    assert_eq!(amy.submit(&world, &format!("{PLANS}/sync"), &[]).await.status(), 503);
    world.fail_queues(false);
    assert_eq!(request_dry_run(&world, &amy).await, 303);
    assert_eq!(amy.submit(&world, &format!("{PLANS}/sync"), &[]).await.location(), PLANS);
    assert_eq!(world.messages().len(), 2);
}

#[tokio::test]
async fn sync_is_requested_once() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, DECIDE).await;
    let (bob, _) = world.admin("bob", UBUNTU, DECIDE).await;
    let path = format!("{PLANS}/sync");
    let (one, other) = tokio::join!(amy.submit(&world, &path, &[]), bob.submit(&world, &path, &[]));
    assert_eq!((one.location(), other.location()), (PLANS, PLANS));
    let [message] = &world.messages()[..] else { panic!() };
    assert_eq!((&message["full"], message["requested_at"].is_string()), (&json!(true), true));
    let page = amy.get(&world, PLANS).await;
    assert!(page.text().contains("A sync was requested on") && page.text().contains("data-refresh"), "{}", page.text());
    // The schedule sends no second message.
    let ubuntu = name(UBUNTU);
    let waits = world.store().sync_request(&ubuntu).await.unwrap();
    assert!(!waits.is_free_for("event-1", world.now() + SignedDuration::from_hours(1)));

    // Nor is one sent during a run.
    assert!(world.store().receive_sync(&ubuntu, Some(world.now())).await.unwrap());
    let (now, until) = (world.now(), world.now() + SignedDuration::from_mins(16));
    world.store().begin_run(Ulid::from_parts(1, 1), &ubuntu, now, until, "r").await.unwrap();
    assert_eq!(amy.submit(&world, &path, &[]).await.location(), PLANS);
    assert!(world.messages().is_empty());
    assert!(amy.get(&world, PLANS).await.text().contains("A sync is running."));
}
