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

/// A domain whose sync is to be asked for.
pub(super) struct Awaited {
    domain: DomainName,
    /// The latest run of it that had ended before: one that is newer can have crowded ours out.
    former: Option<Ulid>,
}

/// Looks at the domains before their syncs are asked for.
pub(super) async fn before(store: &Store, domains: &[DomainName]) -> Result<Vec<Awaited>, Failure> {
    let mut all = Vec::with_capacity(domains.len());
    for domain in domains {
        let latest = store.runs(domain, LATEST).await?;
        let former = latest.iter().find(|run| has_ended(run)).map(|run| run.id);
        all.push(Awaited { domain: domain.clone(), former });
    }
    Ok(all)
}

/// The runs that a request began, one a domain, when all have ended.
pub(super) async fn runs(
    store: &Store,
    awaited: &[Awaited],
    request_id: &str,
    patience: Duration,
) -> Result<Vec<Run>, Failure> {
    let bar = progress::towards("domains synced", awaited.len() as u64);
    let mut runs = Vec::with_capacity(awaited.len());
    let begin = Instant::now();
    for Awaited { domain, former } in awaited {
        let mut other = None;
        loop {
            let latest = store.runs(domain, LATEST).await?;
            if let Some(run) = latest.iter().find(|run| run.request_id == request_id && has_ended(run)) {
                runs.push(run.clone());
                break;
            }
            let newer: Vec<_> = latest.into_iter().take_while(|run| Some(run.id) != *former).collect();
            crowded_out(&newer, request_id, &mut other, domain, Instant::now())?;
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
        let id = run.waits_for.unwrap_or(run.id);
        return Err(Failure::Held(format!("the sync of {} is held: `membermail sync show {id}`", run.domain)));
    }
    Ok(())
}

fn has_ended(run: &Run) -> bool {
    !is_open(run) && run.state != RunState::Released
}

/// Whether it reads on, in this invocation or in the next one.
fn is_open(run: &Run) -> bool {
    matches!(run.state, RunState::Running | RunState::Paused)
}

/// A domain has one run at a time. A message that comes while another is at it is dropped, so that ours never begins. Of
/// `newer` runs than those that had ended before ours was asked for, none of which need have been seen running.
fn crowded_out(
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
        (None, Some((id, Some(ended)))) if now.duration_since(*ended) > AFTER => {
            return Err(Failure::Busy(format!("run {id} of {domain} was at it, and has ended: ask again")));
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
    fn the_worst_counts(#[case] states: &[RunState], #[case] kind: Option<&str>) {
        let runs: Vec<_> = states.iter().map(|state| run(*state)).collect();
        assert_eq!(outcome(&runs).err().map(|failure| failure.kind()), kind);
    }

    #[test]
    fn the_run_to_decide_on_is_named() {
        let announced = Ulid::from_parts(1, 1);
        let waiting = Run { waits_for: Some(announced), ..run(RunState::Waiting) };
        let told = outcome(&[waiting]).unwrap_err().to_string();
        assert!(told.contains(&format!("`membermail sync show {announced}`")), "{told}");
        let told = outcome(&[run(RunState::Held)]).unwrap_err().to_string();
        assert!(told.contains(&format!("`membermail sync show {}`", Ulid::nil())), "{told}");
    }

    /// It lived for less than a look.
    #[test]
    fn a_run_that_was_never_seen_running_crowds_out_too() {
        let (domain, begin) = ("ubuntu.com".parse().unwrap(), Instant::now());
        let mut other = None;
        let mut look = |newer: &[Run], after| {
            crowded_out(newer, "ours", &mut other, &domain, begin + after).map_err(|failure| failure.kind())
        };
        let short = Run { request_id: "another".to_owned(), ..run(RunState::Unchanged) };
        assert_eq!(look(&[], AFTER), Ok(()));
        assert_eq!(look(std::slice::from_ref(&short), AFTER * 2), Ok(()));
        assert_eq!(look(&[short], AFTER * 4), Err("busy"));
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
        // The other one reads on in another invocation.
        assert_eq!(look(RunState::Paused, "another", AFTER * 7 / 2), Ok(()));
        // Ours has begun after all.
        assert_eq!(look(RunState::Running, "ours", AFTER * 3), Ok(()));
        assert_eq!(look(RunState::Applied, "another", AFTER * 9), Ok(()));
    }
}
