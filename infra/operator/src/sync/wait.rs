//! Waits for runs to end.

use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_store::{Run, RunState, Store};
use tokio::time::{Instant, sleep};
use ulid::Ulid;

use crate::failure::Failure;
use crate::progress;

/// Interval between reads of the table.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The number of latest runs of a domain that are searched.
const LATEST: i32 = 20;
/// How long our run can still start after another one ended, if the queue is slow.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// A domain whose run is awaited.
pub(super) struct Awaited {
    domain: DomainName,
    /// The latest run that had ended before the request. A newer one can have displaced ours.
    last_ended: Option<Ulid>,
}

/// Records the state of the domains before their syncs are requested.
pub(super) async fn snapshot(store: &Store, domains: &[DomainName]) -> Result<Vec<Awaited>, Failure> {
    let mut awaited = Vec::with_capacity(domains.len());
    for domain in domains {
        let latest = store.runs(domain, LATEST).await?;
        let last_ended = latest.iter().find(|run| has_ended(run)).map(|run| run.id);
        awaited.push(Awaited { domain: domain.clone(), last_ended });
    }
    Ok(awaited)
}

/// Waits until the requested run of each domain has ended.
pub(super) async fn wait_for_runs(
    store: &Store,
    awaited: &[Awaited],
    request_id: &str,
    timeout: Duration,
) -> Result<Vec<Run>, Failure> {
    let bar = progress::bar("domains synced", awaited.len() as u64);
    let mut runs = Vec::with_capacity(awaited.len());
    let start = Instant::now();
    for Awaited { domain, last_ended } in awaited {
        let mut other = None;
        loop {
            let latest = store.runs(domain, LATEST).await?;
            if let Some(run) = latest.iter().find(|run| run.request_id == request_id && has_ended(run)) {
                runs.push(run.clone());
                break;
            }
            let newer: Vec<_> = latest.into_iter().take_while(|run| Some(run.id) != *last_ended).collect();
            check_displaced(&newer, request_id, &mut other, domain, Instant::now())?;
            if start.elapsed() > timeout {
                return Err(Failure::Busy(format!(
                    "the sync of {domain} has not ended after {} s; see `membermail sync runs {domain}`",
                    timeout.as_secs()
                )));
            }
            sleep(POLL_INTERVAL).await;
        }
        bar.inc(1);
    }
    Ok(runs)
}

/// Waits until a released run has queued all of its steps.
pub(super) async fn wait_for_release(store: &Store, run: &Run, timeout: Duration) -> Result<Run, Failure> {
    let _bar = progress::counter("waiting");
    let start = Instant::now();
    while start.elapsed() < timeout {
        let current = store.run(&run.domain, run.id).await?;
        if let Some(applied) = current.filter(|run| run.state == RunState::Applied) {
            return Ok(applied);
        }
        sleep(POLL_INTERVAL).await;
    }
    Err(Failure::Busy(format!("run {} is not applied after {} s", run.id, timeout.as_secs())))
}

/// The exit code for runs that have ended, by the worst of them.
pub(super) fn check_outcome(runs: &[Run]) -> Result<(), Failure> {
    if let Some(run) = runs.iter().find(|run| matches!(run.state, RunState::Failed | RunState::Died)) {
        let why = run.failure.as_deref().unwrap_or("no reason was recorded");
        return Err(Failure::Other(format!("the sync of {} failed: {why}", run.domain)));
    }
    if let Some(run) = runs.iter().find(|run| matches!(run.state, RunState::Held | RunState::Waiting)) {
        let id = run.waits_for.unwrap_or(run.id);
        return Err(Failure::Held(format!("the sync of {} is held; see `membermail sync show {id}`", run.domain)));
    }
    Ok(())
}

fn has_ended(run: &Run) -> bool {
    !is_open(run) && run.state != RunState::Released
}

/// Whether the run is in progress, in this invocation or in the next one.
fn is_open(run: &Run) -> bool {
    matches!(run.state, RunState::Running | RunState::Paused)
}

/// Detects that our request was dropped. A domain has one run at a time, and a message that arrives during another run is
/// dropped. `newer` are the runs since [`snapshot`]; a short one may never have been seen running.
fn check_displaced(
    newer: &[Run],
    request_id: &str,
    other: &mut Option<(Ulid, Option<Instant>)>,
    domain: &DomainName,
    now: Instant,
) -> Result<(), Failure> {
    if newer.iter().any(|run| run.request_id == request_id) {
        *other = None;
        return Ok(());
    }
    let running = newer.iter().find(|run| is_open(run));
    match (running, &other) {
        (Some(run), _) => *other = Some((run.id, None)),
        (None, Some((id, None))) => *other = Some((*id, Some(now))),
        (None, Some((id, Some(ended)))) if now.duration_since(*ended) > START_TIMEOUT => {
            return Err(Failure::Busy(format!(
                "the request was dropped because run {id} of {domain} was in progress; that run has ended, try again"
            )));
        }
        (None, Some((_, Some(_)))) => {}
        (None, None) => *other = newer.first().map(|run| (run.id, Some(now))),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(state: RunState) -> Run {
        let domain = "ubuntu.com".parse().unwrap();
        let failure = Some("why".to_owned());
        Run { state, failure, ..Run::new(Ulid::nil(), &domain, jiff::Timestamp::UNIX_EPOCH, "ours") }
    }

    #[rstest::rstest]
    #[case(&[RunState::Applied, RunState::Unchanged], None)]
    #[case(&[RunState::Applied, RunState::Held], Some("held"))]
    #[case(&[RunState::Waiting], Some("held"))]
    #[case(&[RunState::Held, RunState::Failed], Some("failed"))]
    #[case(&[RunState::Died], Some("failed"))]
    fn worst_state_decides_exit_code(#[case] states: &[RunState], #[case] kind: Option<&str>) {
        let runs: Vec<_> = states.iter().map(|state| run(*state)).collect();
        assert_eq!(check_outcome(&runs).err().map(|failure| failure.kind()), kind);
    }

    #[test]
    fn held_outcome_names_run_to_decide() {
        let announced = Ulid::from_parts(1, 1);
        let waiting = Run { waits_for: Some(announced), ..run(RunState::Waiting) };
        let error = check_outcome(&[waiting]).unwrap_err().to_string();
        assert!(error.contains(&format!("`membermail sync show {announced}`")), "{error}");
        let error = check_outcome(&[run(RunState::Held)]).unwrap_err().to_string();
        assert!(error.contains(&format!("`membermail sync show {}`", Ulid::nil())), "{error}");
    }

    /// The other run was shorter than the poll interval.
    #[test]
    fn short_run_displaces_ours() {
        let domain = "ubuntu.com".parse().unwrap();
        let start = Instant::now();
        let mut other = None;
        let mut check = |newer: &[Run], after| {
            check_displaced(newer, "ours", &mut other, &domain, start + after).map_err(|failure| failure.kind())
        };
        let short = Run { request_id: "another".to_owned(), ..run(RunState::Unchanged) };
        assert_eq!(check(&[], START_TIMEOUT), Ok(()));
        assert_eq!(check(std::slice::from_ref(&short), START_TIMEOUT * 2), Ok(()));
        assert_eq!(check(&[short], START_TIMEOUT * 4), Err("busy"));
    }

    #[test]
    fn long_run_displaces_ours() {
        let domain = "ubuntu.com".parse().unwrap();
        let start = Instant::now();
        let mut other = None;
        let mut check = |state, request_id, after| {
            check_displaced(&[run(state)], request_id, &mut other, &domain, start + after)
                .map_err(|failure| failure.kind())
        };
        assert_eq!(check(RunState::Running, "another", Duration::ZERO), Ok(()));
        assert_eq!(check(RunState::Applied, "another", START_TIMEOUT), Ok(()));
        assert_eq!(check(RunState::Applied, "another", START_TIMEOUT * 3 / 2), Ok(()));
        assert_eq!(check(RunState::Applied, "another", START_TIMEOUT * 3), Err("busy"));
        // The other run continues in another invocation.
        assert_eq!(check(RunState::Paused, "another", START_TIMEOUT * 7 / 2), Ok(()));
        // Our run started late.
        assert_eq!(check(RunState::Running, "ours", START_TIMEOUT * 3), Ok(()));
        assert_eq!(check(RunState::Applied, "another", START_TIMEOUT * 9), Ok(()));
    }
}
