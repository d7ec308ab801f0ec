use std::collections::BTreeMap;

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, ExpectedVersion, Reason, Status};
use membermail_core::audit::{Actor, Comment};
use membermail_core::dry_run::DryRunFailure;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::{Action, ChangeKind, Step};
use membermail_core::member::{Fingerprint, MemberId, ObservedName, PersonName};
use membermail_store::{DryRun, DryRunPhase};
use membermail_texts::parts;
use rstest::rstest;
use strum::IntoEnumIterator as _;
use ulid::Ulid;

use super::decision::{Decision, DecisionPage};
use super::dry_run::DryRunPage;
use super::list::{Listed, Plans};
use super::run::{RunPage, Shown};
use super::steps::Steps;
use super::*;
use crate::admin::Section;
use crate::admin::rendering::{self, Rendering, main_of};
use crate::layout::Site;

const STATES: [RunState; 10] = [
    RunState::Running,
    RunState::Unchanged,
    RunState::Paused,
    RunState::Applied,
    RunState::Held,
    RunState::Waiting,
    RunState::Released,
    RunState::Rejected,
    RunState::Failed,
    RunState::Died,
];

fn console<'a>(site: &Site<'a>) -> Console<'a> {
    rendering::console(site, Section::Plans)
}

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn member() -> MemberId {
    MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap()
}

fn known_as(name: &str) -> ObservedName {
    ObservedName { name: PersonName::parse(name).unwrap(), fingerprint: Fingerprint(7), observed_at: now() }
}

fn address(local_part: &str) -> Address {
    format!("{local_part}@ubuntu.com").try_into().unwrap()
}

fn run(state: RunState) -> Run {
    let bound = HoldReason::Bound { kind: ChangeKind::Removals, count: 6, earlier: 2, of: 40, among: Status::Active };
    Run {
        state,
        finished: Some(now()),
        counts: Some(Counts {
            participants: 2038,
            active: 1999,
            create: 1,
            leave: 6,
            looked_up: 7,
            ..Counts::default()
        }),
        held_for: vec![bound, HoldReason::Unverified { count: 3 }],
        hidden: Some(2),
        ..Run::new(Ulid::from_parts(1_764_000_000_000, 7), &"ubuntu.com".parse().unwrap(), now(), "request-1")
    }
}

fn steps() -> Vec<Step> {
    let until = "2026-12-08T10:00:00Z".parse().unwrap();
    let actions = [
        ("alice", Action::Create),
        ("alicia", Action::Rename { from: address("alice").local_part }),
        ("bob", Action::Restore),
        ("carol", Action::Observe),
        ("dave", Action::Leave { reason: Reason::NotInTeam, until }),
        ("eve", Action::Suspend { reason: Reason::Banned }),
        ("frank", Action::Retire),
    ];
    let steps = actions.into_iter().map(|(name, action)| Step {
        address: address(name),
        member: member(),
        expected: if matches!(action, Action::Create) { ExpectedVersion::Absent } else { ExpectedVersion::At(1) },
        known_as: (name != "eve").then(|| known_as(name)),
        action,
    });
    steps.collect()
}

/// The addresses now: one is as it was planned, and one has changed. The others are gone.
fn aliases() -> BTreeMap<membermail_core::address::LocalPart, Alias> {
    let aliases = [("bob", 1), ("dave", 2), ("eve", 1)].map(|(name, version)| Alias {
        address: address(name),
        member: member(),
        known_as: known_as(&format!("{name}-at-source")),
        status: Status::Active,
        reason: Reason::Eligible,
        since: now(),
        until: None,
        version,
        erase_pending: false,
    });
    aliases.into_iter().map(|alias| (alias.address.local_part.clone(), alias)).collect()
}

#[rstest]
fn page_of_held_run(#[values("en", "ar", "de")] language: &str) {
    let rendering = Rendering::with(&[parts::PLANS]);
    let site = rendering.site(language);
    let steps = Steps::new(&steps(), 1, 3, &aliases(), true, site.wording);
    let shown = Shown { decider: None, can_decide: true, is_decided_before: false, steps };
    let page = RunPage::new(site.clone(), console(&site), &run(RunState::Held), shown);
    insta::assert_snapshot!(format!("held_run.{language}"), main_of(&page));
}

#[rstest]
fn page_of_decided_run(#[values("en", "ar", "de")] language: &str) {
    let rendering = Rendering::with(&[parts::PLANS]);
    let site = rendering.site(language);
    let decided = Run {
        decided_by: Some(member().to_string()),
        decided_at: Some(now()),
        comment: Comment::parse("the team is <right>").ok(),
        ..run(RunState::Rejected)
    };
    let decider = Some(Decider { actor: Some(Actor::Admin), name: "amy".to_owned() });
    let shown = Shown { decider, can_decide: true, is_decided_before: true, steps: Steps::default() };
    let page = RunPage::new(site.clone(), console(&site), &decided, shown);
    insta::assert_snapshot!(format!("decided_run.{language}"), main_of(&page));
}

#[rstest]
fn page_of_decision(#[values("en", "ar", "de")] language: &str) {
    let rendering = Rendering::with(&[parts::PLANS]);
    let site = rendering.site(language);
    let pages = [Decision::Release, Decision::Reject]
        .map(|decision| main_of(&DecisionPage::new(site.clone(), console(&site), &run(RunState::Held), decision)));
    insta::assert_snapshot!(format!("decision.{language}"), pages.join("---\n"));
}

#[rstest]
fn page_of_runs(#[values("en", "ar", "de")] language: &str) {
    let rendering = Rendering::with(&[parts::PLANS]);
    let site = rendering.site(language);
    let runs = [RunState::Held, RunState::Unchanged].map(run);
    let dry_run = DryRun::new(Ulid::nil(), member(), now());
    let listed = Listed {
        runs: &runs,
        has_older: true,
        is_first: true,
        dry_run: None,
        waiting_since: None,
        in_progress: None,
        can_sync: true,
    };
    let busy = Listed { dry_run: Some(&dry_run), waiting_since: Some(now()), runs: &[], has_older: false, ..listed };
    let pages = [listed, busy].map(|listed| main_of(&Plans::new(site.clone(), console(&site), &listed, now())));
    insta::assert_snapshot!(format!("runs.{language}"), pages.join("---\n"));
}

#[rstest]
fn page_of_dry_run(#[values("en", "ar", "de")] language: &str) {
    let rendering = Rendering::with(&[parts::PLANS]);
    let site = rendering.site(language);
    let dry_run = DryRun::new(Ulid::nil(), member(), now());
    let lost = now() + jiff::SignedDuration::from_hours(1);
    let pages =
        [now(), lost].map(|at| main_of(&DryRunPage::new(site.clone(), console(&site), &dry_run, Steps::default(), at)));
    insta::assert_snapshot!(format!("dry_run.{language}"), pages.join("---\n"));
}

/// A missing text shows as its id.
#[test]
fn every_state_has_words() {
    let rendering = Rendering::with(&[parts::PLANS]);
    for language in ["en", "de", "ar"] {
        let site = rendering.site(language);
        let is_text = |text: &str| !text.is_empty() && !text.contains("plans-");
        for state in STATES {
            let shown = Shown { decider: None, can_decide: true, is_decided_before: false, steps: Steps::default() };
            let page = RunPage::new(site.clone(), console(&site), &run(state), shown);
            assert!(is_text(&page.state) && is_text(&page.advice), "{language}: {state}");
            assert_eq!(page.can_decide, state == RunState::Held);
        }
        let dry_run = DryRun::new(Ulid::nil(), member(), now());
        for phase in DryRunFailure::iter().map(DryRunPhase::Failed).chain([DryRunPhase::Running, DryRunPhase::Done]) {
            let (text, _) = super::dry_run::state(&dry_run, phase, site.wording);
            assert!(is_text(&text), "{language}: {phase:?}");
        }
    }
}
