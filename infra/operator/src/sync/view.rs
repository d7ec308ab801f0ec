//! Views of plans and runs.

use std::fmt;

use membermail_core::address::DomainName;
use membermail_core::audit::RunChange;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::Step;
use membermail_core::plan::{Counts, Plan};
use membermail_store::{Run, RunState};
use serde::Serialize;
use ulid::Ulid;

use crate::output::{facts, table, time};

/// `sync plan`
#[derive(Debug, Serialize)]
pub(super) struct PlanView {
    #[serde(flatten)]
    pub(super) plan: Plan,
    /// Whether a run of this plan would be held.
    pub(super) held: bool,
    /// The reasons for holding it.
    pub(super) held_for: Vec<HoldReason>,
}

/// The reasons for holding a plan, in one line.
pub(super) fn reasons(held_for: &[HoldReason]) -> String {
    held_for.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for PlanView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

/// `sync run` without `--wait`
#[derive(Debug, Serialize)]
pub(super) struct RequestView {
    pub(super) request_id: String,
    pub(super) domains: Vec<DomainName>,
}

impl fmt::Display for RequestView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domains: Vec<_> = self.domains.iter().map(DomainName::as_str).collect();
        writeln!(f, "Requested a sync of {}. `membermail sync runs` shows its progress.", domains.join(", "))
    }
}

/// `sync runs`
#[derive(Debug, Serialize)]
pub(super) struct RunList {
    pub(super) runs: Vec<Run>,
}

impl fmt::Display for RunList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs.is_empty() {
            return writeln!(f, "no runs");
        }
        let rows = self.runs.iter().map(|run| {
            let changes = run.counts.as_ref().map(changes).unwrap_or_default();
            [run.id.to_string(), run.domain.to_string(), time(run.started), run.state.to_string(), changes]
        });
        writeln!(f, "{}", table(["run", "domain", "started", "state", "changes"], rows))
    }
}

/// The counts that are not zero.
fn changes(counts: &Counts) -> String {
    let Counts { create, rename, restore, leave, suspend, retire, .. } = counts;
    let words = [
        (create, "new"),
        (rename, "renamed"),
        (restore, "back"),
        (leave, "leaving"),
        (suspend, "suspended"),
        (retire, "retired"),
    ];
    let nonzero = words.iter().filter(|(count, _)| **count > 0).map(|(count, word)| format!("{count} {word}"));
    nonzero.collect::<Vec<_>>().join(", ")
}

/// `sync show`
#[derive(Debug, Serialize)]
pub(super) struct RunView {
    #[serde(flatten)]
    pub(super) run: Run,
    /// The state of the earlier run that this one waits for.
    #[serde(rename = "waits_for_state", skip_serializing_if = "Option::is_none")]
    pub(super) announced: Option<RunState>,
    pub(super) steps: Vec<Step>,
}

impl fmt::Display for RunView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { id, domain, state, started, finished, counts, waits_for, decided_by, failure, request_id, .. } =
            &self.run;
        let Run { hidden, malformed, saved, roster_of, held_for, resent, comment, .. } = &self.run;
        let read_so_far = saved.filter(|_| matches!(state, RunState::Running | RunState::Paused));
        let looked_up = counts.map(|counts| counts.looked_up);
        let unverified = counts.map(|counts| counts.unverified).filter(|count| *count > 0);
        let lines = [
            ("run", Some(id.to_string())),
            ("domain", Some(domain.to_string())),
            ("state", Some(state.to_string())),
            ("started", Some(time(*started))),
            ("checkpoint", read_so_far.map(time)),
            ("finished", finished.map(time)),
            ("team", roster_of.map(|at| format!("not read: the total is the same as at {}", time(at)))),
            (
                "hidden",
                hidden.filter(|count| *count > 0).map(|count| {
                    format!("{count} private entries, which the membership source counts but does not list")
                }),
            ),
            ("malformed", (*malformed > 0).then(|| format!("{malformed} skipped"))),
            ("looked up", looked_up.map(|count| format!("{count} members"))),
            ("not verified", unverified.map(|count| format!("{count} addresses: the next run looks their members up"))),
            ("held for", (!held_for.is_empty()).then(|| reasons(held_for))),
            ("waits for", waits_for.map(|id| id.to_string())),
            ("decided by", decided_by.clone()),
            ("comment", comment.as_ref().map(ToString::to_string)),
            ("sent again", resent.map(|at| format!("{}: the release message was lost", time(at)))),
            ("failure", failure.clone()),
            ("request", Some(request_id.clone())),
        ];
        writeln!(f, "{}", facts(lines))?;
        if let Some(counts) = counts {
            // The same format as `sync plan`.
            let plan = Plan { domain: domain.clone(), read_at: *started, counts: *counts, steps: self.steps.clone() };
            writeln!(f, "\n{plan}")?;
        }
        let (announced, id) = waits_for.map_or((Some(*state), *id), |announced| (self.announced, announced));
        match announced {
            Some(RunState::Held) => {
                writeln!(f, "\nThe plan exceeds the limits of the community's rules. Release or reject it:")?;
                writeln!(f, "  membermail sync release {id}\n  membermail sync reject {id}")
            }
            Some(RunState::Rejected) if waits_for.is_some() => {
                writeln!(
                    f,
                    "\nThe same plan was rejected as run {id}. Nothing is granted or removed until the plan changes."
                )
            }
            Some(RunState::Released) if waits_for.is_some() => {
                writeln!(
                    f,
                    "\nThe same plan was released as run {id} and is not applied yet. If this takes long, release it again:"
                )?;
                writeln!(f, "  membermail sync release {id}")
            }
            Some(RunState::Applied) if waits_for.is_some() && decided_by.is_some() => {
                writeln!(f, "\nThe same plan was released as run {id}. Its steps were lost and are queued again.")
            }
            Some(RunState::Applied) if waits_for.is_some() => {
                writeln!(f, "\nThe same plan was released as run {id}. Its steps are queued.")
            }
            _ => Ok(()),
        }
    }
}

/// `sync release` and `sync reject`
#[derive(Debug, Serialize)]
pub(super) struct DecisionView {
    pub(super) run: Ulid,
    pub(super) domain: DomainName,
    pub(super) did: RunChange,
}

impl fmt::Display for DecisionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.did {
            RunChange::Released | RunChange::Resent => writeln!(f, "Run {} of {} is released.", self.run, self.domain),
            RunChange::Rejected | RunChange::Held => {
                writeln!(f, "Run {} of {} is rejected. Nothing is granted or removed.", self.run, self.domain)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use membermail_core::alias::{ExpectedVersion, Reason, Status};
    use membermail_core::lifecycle::Action;
    use membermail_core::lifecycle::ChangeKind;
    use membermail_core::member::MemberId;

    use super::*;

    fn run(state: RunState) -> Run {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let counts = Counts {
            participants: 900,
            active: 40,
            create: 2,
            leave: 6,
            unchanged: 34,
            removed: 6,
            looked_up: 8,
            ..Counts::default()
        };
        let id = Ulid::from_string("01KATW4Y00YYYYYYYYYYYYYYYY").unwrap();
        let domain = "ubuntu.com".parse().unwrap();
        Run {
            state,
            finished: Some(now),
            hidden: Some(2),
            malformed: 1,
            counts: Some(counts),
            decided_by: (state == RunState::Rejected).then(|| "kim".to_owned()),
            ..Run::new(id, &domain, now, "request-1")
        }
    }

    #[test]
    fn run_views() {
        let until = "2026-12-08T10:00:00Z".parse().unwrap();
        let step = Step {
            address: "alice@ubuntu.com".to_owned().try_into().unwrap(),
            member: MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap(),
            known_as: None,
            expected: ExpectedVersion::At(1),
            action: Action::Leave { reason: Reason::NotInTeam, until },
        };
        let bound =
            HoldReason::Bound { kind: ChangeKind::Removals, count: 6, earlier: 2, of: 40, among: Status::Active };
        let held = Run { held_for: vec![bound, HoldReason::Unverified { count: 3 }], ..run(RunState::Held) };
        let one = RunView { run: held, announced: None, steps: vec![step] };
        let list = RunList { runs: vec![run(RunState::Held), run(RunState::Rejected)] };
        insta::assert_snapshot!(format!("{list}\n---\n{one}"));
    }

    #[test]
    fn paused_run_shows_its_checkpoint() {
        let saved = Some("2026-11-24T10:01:00Z".parse().unwrap());
        let run = Run { saved, finished: None, counts: None, ..run(RunState::Paused) };
        let shown = RunView { run, announced: None, steps: Vec::new() }.to_string();
        assert!(shown.contains("checkpoint  2026-11-24 10:01:00Z"), "{shown}");
    }

    #[test]
    fn lost_release_is_shown() {
        let resent = Some("2026-11-24T20:01:00Z".parse().unwrap());
        let shown = RunView { run: Run { resent, ..run(RunState::Released) }, announced: None, steps: Vec::new() };
        let expected = "2026-11-24 20:01:00Z: the release message was lost";
        assert!(shown.to_string().contains(expected), "{shown}");
    }

    #[test]
    fn skipped_reading_is_shown() {
        let roster_of = Some("2026-11-24T06:00:00Z".parse().unwrap());
        let run = Run { roster_of, ..run(RunState::Unchanged) };
        let shown = RunView { run, announced: None, steps: Vec::new() }.to_string();
        let line = "team       not read: the total is the same as at 2026-11-24 06:00:00Z";
        assert!(shown.contains(line), "{shown}");
    }

    #[test]
    fn unverified_addresses_are_shown() {
        let counts = Counts { active: 9, unverified: 3, looked_up: 300, unchanged: 9, ..Counts::default() };
        let run = Run { counts: Some(counts), hidden: Some(0), malformed: 0, ..run(RunState::Held) };
        insta::assert_snapshot!(RunView { run, announced: None, steps: Vec::new() });
    }

    #[test]
    fn waiting_run_names_run_to_decide() {
        let waits_for = Some(Ulid::from_string("01KATW4Y00XXXXXXXXXXXXXXXX").unwrap());
        let all = [RunState::Held, RunState::Rejected, RunState::Released, RunState::Applied].map(|announced| {
            let run = Run { waits_for, counts: None, ..run(RunState::Waiting) };
            RunView { run, announced: Some(announced), steps: Vec::new() }.to_string()
        });
        insta::assert_snapshot!(all.join("---\n"));
    }
}
