//! Requests for syncs, and waiting for their runs.

use anyhow::{Context, Result, bail};
use membermail_core::address::DomainName;
use membermail_core::audit::RunChange;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::lifecycle::Step;
use membermail_core::member;
use membermail_core::message::{ApplySteps, SyncTeam, WriteAliases};
use membermail_core::random::OsRandom;
use membermail_store::{Run, RunState};
use serde::Serialize;
use ulid::Ulid;

use crate::stack::Stack;
use crate::table::operator;
use crate::wait::until;

/// The message that requests a full sync.
pub fn full_sync(domain: &str, request_id: &str) -> Result<SyncTeam> {
    Ok(SyncTeam { full: true, ..SyncTeam::of(&domain.parse()?, request_id) })
}

impl Stack {
    /// Puts a message on a queue, as a function does.
    pub async fn send(&self, queue_url: &str, message: &impl Serialize) -> Result<()> {
        let body = serde_json::to_string(message)?;
        self.sqs().await.send_message().queue_url(queue_url).message_body(body).send().await?;
        Ok(())
    }

    /// Requests a sync and returns its request id.
    pub async fn request_sync(&self, domain: &str) -> Result<String> {
        let request_id = format!("test-{}", member::ulid(SystemClock.now(), &OsRandom));
        self.send(&self.sync_queue_url, &full_sync(domain, &request_id)?).await?;
        Ok(request_id)
    }

    /// The run of this request, in any state, if it exists.
    pub async fn run_of(&self, domain: &str, request_id: &str) -> Result<Option<Run>> {
        let domain: DomainName = domain.parse()?;
        let runs = self.store().await.runs(&domain, 100).await?;
        Ok(runs.into_iter().find(|run| run.request_id == request_id))
    }

    /// Requests a sync and waits for the end of a run that began afterwards: its own, or that of another message if one
    /// holds the domain's lease.
    pub async fn sync(&self, domain: &str) -> Result<Run> {
        let asked_at = SystemClock.now();
        let name = domain.parse()?;
        for _ in 0..6 {
            self.request_sync(domain).await?;
            let what = format!("a run of {domain}");
            let ended = until(&what, 30, async || {
                let mut runs = self.store().await.runs(&name, 20).await?;
                runs.retain(|run| !matches!(run.state, RunState::Running | RunState::Paused));
                Ok(runs.into_iter().find(|run| run.started > asked_at))
            });
            if let Ok(run) = ended.await {
                return Ok(run);
            }
        }
        bail!("no run of {domain} came to its end")
    }

    /// Approves a held run, as an operator does, and waits until its steps are queued.
    pub async fn release(&self, domain: &str, run: Ulid) -> Result<Run> {
        let store = self.store().await;
        let name = domain.parse()?;
        store.decide_run(&name, run, RunChange::Released, None, operator(SystemClock.now()), &OsRandom).await?;
        self.enqueue_release(domain, run).await?;
        until("the released run to be applied", 60, async || {
            Ok(store.run(&name, run).await?.filter(|run| run.state == RunState::Applied))
        })
        .await
    }

    /// Syncs a domain and expects no step for names with this prefix; other tests have people there too.
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

    /// Delivers steps of a run to `write-aliases`, as the queue may do repeatedly.
    pub async fn deliver(&self, run: &Run, steps: Vec<Step>) -> Result<()> {
        let message = ApplySteps { run: run.id, read_at: run.started, steps, request_id: run.request_id.clone() };
        self.send(&self.write_queue_url, &WriteAliases::Apply(message)).await
    }

    /// Approves a held run, as the operator's command does.
    pub async fn enqueue_release(&self, domain: &str, run: Ulid) -> Result<()> {
        let message = SyncTeam::release_of(&domain.parse()?, run, "released");
        self.send(&self.sync_queue_url, &message).await
    }

    /// Kills all processes of a function, to simulate a crash.
    pub fn kill(&self, function: &str) -> Result<usize> {
        let endpoint = format!("AWS_ENDPOINT_URL={}", self.endpoint_url);
        let function = format!("-{function}-");
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
