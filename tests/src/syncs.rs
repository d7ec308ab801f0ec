//! Asking for a sync, and waiting for what comes of it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause, RunChange};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::lifecycle::Step;
use membermail_core::member;
use membermail_core::message::{SyncTeam, TakeSteps, WriteAliases};
use membermail_core::random::OsRandom;
use membermail_store::{Run, RunState};
use serde::Serialize;
use ulid::Ulid;

use crate::stack::Stack;
use crate::wait::until;

impl Stack {
    /// Puts a message on a queue, as a function does.
    pub async fn send(&self, queue_url: &str, message: &impl Serialize) -> Result<()> {
        let body = serde_json::to_string(message)?;
        self.sqs().await.send_message().queue_url(queue_url).message_body(body).send().await?;
        Ok(())
    }

    /// Asks for a sync; the request id finds its run.
    pub async fn ask_for_sync(&self, domain: &str) -> Result<String> {
        let request_id = format!("test-{}", member::ulid(SystemClock.now(), &OsRandom));
        let (domain, request) = (domain.parse()?, request_id.clone());
        let message = SyncTeam { domain, release: None, full: true, requested_at: None, request_id: request };
        self.send(&self.sync_queue_url, &message).await?;
        Ok(request_id)
    }

    /// The run that was asked for, in whatever state, once it is there.
    pub async fn run_of(&self, domain: &str, request_id: &str) -> Result<Option<Run>> {
        let domain: DomainName = domain.parse()?;
        let runs = self.store().await.runs(&domain, 100).await?;
        Ok(runs.into_iter().find(|run| run.request_id == request_id))
    }

    /// Asks for a sync and waits for the end of a run that began after that: this one, or, where another one was at it or
    /// a message of before came back just then, the one that has the domain now.
    pub async fn sync(&self, domain: &str) -> Result<Run> {
        let (asked_at, name, what) = (SystemClock.now(), domain.parse()?, format!("a run of {domain}"));
        for _ in 0..6 {
            self.ask_for_sync(domain).await?;
            let ended = until(&what, Duration::from_secs(30), async || {
                let runs = self.store().await.runs(&name, 20).await?;
                let is_over = |run: &Run| !matches!(run.state, RunState::Running | RunState::Paused);
                Ok(runs.into_iter().find(|run| run.started > asked_at && is_over(run)))
            });
            if let Ok(run) = ended.await {
                return Ok(run);
            }
        }
        bail!("no run of {domain} came to its end")
    }

    /// Releases a held run, as an operator does, and waits until its steps are handed on.
    pub async fn release(&self, domain: &str, run: Ulid) -> Result<Run> {
        let (store, name) = (self.store().await, domain.parse()?);
        let cause =
            Cause { actor: Actor::Operator, by: Some("a test"), request_id: "released", now: SystemClock.now() };
        store.decide_run(&name, run, RunChange::Released, cause, &OsRandom).await?;
        self.hand_on_released(domain, run).await?;
        until("the released run to be applied", Duration::from_secs(60), async || {
            Ok(store.run(&name, run).await?.filter(|run| run.state == RunState::Applied))
        })
        .await
    }

    /// Syncs a domain in which nothing is to be done for those whose names begin so; other stories have people of theirs.
    pub async fn sync_without_change(&self, domain: &str, ours: &str) -> Result<()> {
        let run = self.sync(domain).await?;
        if !matches!(run.state, RunState::Unchanged | RunState::Applied) {
            bail!("nothing was to be done, and {run:?}");
        }
        let steps = self.steps_of(&run).await?;
        match steps.iter().find(|step| step.address.local_part.as_str().starts_with(ours)) {
            Some(step) => bail!("nothing was to be done, and {step}"),
            None => Ok(()),
        }
    }

    /// The steps that a run planned.
    pub async fn steps_of(&self, run: &Run) -> Result<Vec<Step>> {
        Ok(self.store().await.steps_of(&run.domain, run.id).await?)
    }

    /// Hands steps of a run to `write-aliases`, as the queue may do again at any time.
    pub async fn deliver(&self, run: &Run, steps: Vec<Step>) -> Result<()> {
        let message = TakeSteps { run: run.id, read_at: run.started, steps, request_id: run.request_id.clone() };
        self.hand_on(message).await
    }

    /// Puts a part of a plan on the queue of `write-aliases`.
    pub async fn hand_on(&self, message: TakeSteps) -> Result<()> {
        self.send(&self.write_queue_url, &WriteAliases::Take(message)).await
    }

    /// Says yes to a held run, as the operator's command does.
    pub async fn hand_on_released(&self, domain: &str, run: Ulid) -> Result<()> {
        let message = SyncTeam::release_of(&domain.parse()?, run, "released");
        self.send(&self.sync_queue_url, &message).await
    }

    /// Kills every process of a function of this stack, as a crash does.
    pub fn kill(&self, function: &str) -> Result<usize> {
        let (endpoint, function) = (format!("AWS_ENDPOINT_URL={}", self.endpoint_url), format!("-{function}-"));
        let mut killed = 0;
        for entry in std::fs::read_dir("/proc")?.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
            let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
            let mut variables = environment.split(|byte| *byte == 0).map(String::from_utf8_lossy);
            let is_ours = variables.clone().any(|one| one.trim_end_matches('/') == endpoint.trim_end_matches('/'));
            let is_it = variables.any(|one| one.starts_with("AWS_LAMBDA_FUNCTION_NAME=") && one.contains(&function));
            if is_ours && is_it {
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL)
                    .context("killing a function")?;
                killed += 1;
            }
        }
        Ok(killed)
    }
}
