//! Waiting for runs.

use std::time::Duration;

use membermail_core::address::DomainName;
use membermail_store::{Run, RunState, Store};
use tokio::time::{Instant, sleep};
use ulid::Ulid;

use crate::failure::Failure;
use crate::progress;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Runs of a domain that are looked through.
const LATEST: i32 = 20;
/// After another run ended: for how long ours may still begin, if the queue is slow.
const AFTER: Duration = Duration::from_secs(20);

/// The runs that a request began, one a domain, when all have ended.
pub(super) async fn runs(
    store: &Store,
    domains: &[DomainName],
    request_id: &str,
    patience: Duration,
) -> Result<Vec<Run>, Failure> {
    let bar = progress::towards("domains synced", domains.len() as u64);
    let mut runs = Vec::with_capacity(domains.len());
    let begin = Instant::now();
    for domain in domains {
        let mut other = None;
        loop {
            let latest = store.runs(domain, LATEST).await?;
            if let Some(run) = latest.iter().find(|run| run.request_id == request_id && has_ended(run)) {
                runs.push(run.clone());
                break;
            }
            crowded_out(&latest, request_id, &mut other, domain, Instant::now())?;
            if begin.elapsed() > patience {
                return Err(Failure::Busy(format!(
                    "the sync of {domain} has not ended after {} s",
                    patience.as_secs()
                )));
            }
            sleep(LOOK).await;
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(runs)
}

/// Waits until a released run has handed on all of its steps.
pub(super) async fn released(store: &Store, run: &Run, patience: Duration) -> Result<Run, Failure> {
    let bar = progress::counting("waiting");
    let begin = Instant::now();
    while begin.elapsed() < patience {
        if let Some(now) = store.run(&run.domain, run.id).await?.filter(|now| now.state == RunState::Applied) {
            bar.finish_and_clear();
            return Ok(now);
        }
        sleep(LOOK).await;
    }
    Err(Failure::Busy(format!("the steps of run {} are not handed on after {} s", run.id, patience.as_secs())))
}

/// What a script is to know of runs that have ended.
pub(super) fn outcome(runs: &[Run]) -> Result<(), Failure> {
    let any = |states: &[RunState]| runs.iter().find(|run| states.contains(&run.state));
    if let Some(run) = any(&[RunState::Failed, RunState::Died]) {
        let why = run.failure.as_deref().unwrap_or("it ended without a word");
        return Err(Failure::Other(format!("the sync of {} failed: {why}", run.domain)));
    }
    if let Some(run) = any(&[RunState::Held, RunState::Waiting]) {
        return Err(Failure::Held(format!("the sync of {} is held: `membermail sync show {}`", run.domain, run.id)));
    }
    Ok(())
}

fn has_ended(run: &Run) -> bool {
    !matches!(run.state, RunState::Running | RunState::Released)
}

/// A domain has one run at a time. A message that comes while another is at it is dropped, so that ours never begins.
fn crowded_out(
    latest: &[Run],
    request_id: &str,
    other: &mut Option<(Ulid, Option<Instant>)>,
    domain: &DomainName,
    now: Instant,
) -> Result<(), Failure> {
    let ours = latest.iter().any(|run| run.request_id == request_id);
    let running = latest.iter().find(|run| run.state == RunState::Running && run.request_id != request_id);
    match (ours, running, &other) {
        (true, ..) => *other = None,
        (false, Some(run), _) => *other = Some((run.id, None)),
        (false, None, Some((id, None))) => *other = Some((*id, Some(now))),
        (false, None, Some((id, Some(ended)))) if now.duration_since(*ended) > AFTER => {
            return Err(Failure::Busy(format!("run {id} of {domain} was at it, and has ended: ask again")));
        }
        (false, None, _) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(state: RunState) -> Run {
        let (finished, counts, digest, decided_by, failure) = (None, None, None, None, Some("why".to_owned()));
        Run {
            id: Ulid::nil(),
            domain: "ubuntu.com".parse().unwrap(),
            state,
            started: jiff::Timestamp::UNIX_EPOCH,
            finished,
            counts,
            digest,
            decided_by,
            failure,
            request_id: "ours".to_owned(),
        }
    }

    #[rstest::rstest]
    #[case(&[RunState::Applied, RunState::Unchanged], None)]
    #[case(&[RunState::Applied, RunState::Held], Some("held"))]
    #[case(&[RunState::Waiting], Some("held"))]
    #[case(&[RunState::Held, RunState::Failed], Some("failed"))]
    #[case(&[RunState::Died], Some("failed"))]
    fn the_worst_counts(#[case] states: &[RunState], #[case] kind: Option<&str>) {
        let runs: Vec<_> = states.iter().map(|state| run(*state)).collect();
        assert_eq!(outcome(&runs).err().map(|failure| failure.kind()), kind);
    }

    #[test]
    fn whoever_is_crowded_out_is_told_so() {
        let (domain, begin) = ("ubuntu.com".parse().unwrap(), Instant::now());
        let mut other = None;
        let mut look = |state, request_id, after| {
            crowded_out(&[run(state)], request_id, &mut other, &domain, begin + after).map_err(|failure| failure.kind())
        };
        assert_eq!(look(RunState::Running, "another", Duration::ZERO), Ok(()));
        assert_eq!(look(RunState::Applied, "another", AFTER), Ok(()));
        assert_eq!(look(RunState::Applied, "another", AFTER * 3 / 2), Ok(()));
        assert_eq!(look(RunState::Applied, "another", AFTER * 3), Err("busy"));
        // Ours has begun after all.
        assert_eq!(look(RunState::Running, "ours", AFTER * 3), Ok(()));
        assert_eq!(look(RunState::Applied, "another", AFTER * 9), Ok(()));
    }
}
