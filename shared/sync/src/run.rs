//! A run: one at a time for a domain, from the lease to the last step handed on.

use std::collections::HashSet;

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause};
use membermail_core::lifecycle::Step;
use membermail_core::member;
use membermail_core::message::TakeSteps;
use membermail_core::plan::{Guard, Plan};
use membermail_runtime::batch::chain;
use membermail_store::{Begun, Run, RunState};
use tracing::info;
use ulid::Ulid;

use crate::{Engine, Outlet, SyncError, digest};

/// Runs in which an earlier plan that takes the same is looked for.
const EARLIER: i32 = 100;
/// For so long the steps of a run that was released may still be on the queue. What is still to be taken then was lost, and
/// somebody is to hear of it.
const ON_THEIR_WAY: SignedDuration = SignedDuration::from_hours(1);

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It came to its end.
    Done {
        /// Its entry.
        run: Box<Run>,
        /// Its entry in the outbox, where somebody is to be told that it is held.
        notice: Option<Ulid>,
    },
    /// Another run of the domain is at it.
    Busy {
        /// Which.
        run: Ulid,
        /// Until when, at the latest.
        until: jiff::Timestamp,
    },
    /// The run that was to be released is not there, or not released.
    NotReleased,
}

impl Engine<'_> {
    /// Reads, plans and hands on. A run that dies on the way is done anew by the next one: what was taken of it is no
    /// longer to be done, and what was not still is.
    pub async fn run(&self, domain: &DomainName, request_id: &str, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        if self.community.domain(domain).is_none() {
            return Err(SyncError::UnknownDomain(domain.clone()));
        }
        let now = self.clock.now();
        let until = now.saturating_add(self.lease).unwrap_or(jiff::Timestamp::MAX);
        let id = member::ulid(now, self.random);
        let run = match self.store.begin_run(id, domain, now, until, request_id).await? {
            Begun::Started(run) => *run,
            Begun::Busy { run, until } => return Ok(Ran::Busy { run, until }),
        };
        match self.carry_out(run.clone(), outlet).await {
            Ok(done) => Ok(done),
            Err(error) => {
                let failure = Some(chain(&error));
                let failed = Run { state: RunState::Failed, finished: Some(self.clock.now()), failure, ..run };
                self.store.finish_run(&failed, None).await?;
                Err(error)
            }
        }
    }

    /// Hands on what a held run would take, once somebody has released it. The team is read anew: who is back stays, and
    /// whose address was changed since is not what was looked at.
    pub async fn release(&self, domain: &DomainName, run: Ulid, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        let run = match self.store.run(domain, run).await? {
            Some(run) if run.state == RunState::Released => run,
            _ => return Ok(Ran::NotReleased),
        };
        let held = self.store.steps_of(domain, run.id).await?;
        let held: HashSet<_> =
            held.into_iter().filter(|step| step.action.can_wait()).map(|step| (step.address, step.version)).collect();
        let Plan { read_at, mut steps, .. } = self.plan(domain, &|_, _| {}).await?;
        steps.retain(|step| step.action.can_wait() && held.contains(&(step.address.clone(), step.version)));
        self.ask_for_reasons(&mut steps).await;
        self.hand_on(&run, read_at, &steps, outlet).await?;
        self.finish(Run { state: RunState::Applied, ..run }, None).await
    }

    async fn carry_out(&self, run: Run, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        let mut plan = self.plan(&run.domain, &|_, _| {}).await?;
        let run = Run { counts: Some(plan.counts), ..run };
        if plan.is_empty() {
            return self.finish(Run { state: RunState::Unchanged, ..run }, None).await;
        }
        if plan.guard(&self.community.rules) == Guard::Hold {
            return self.hold(run, &plan, outlet).await;
        }
        self.ask_for_reasons(&mut plan.steps).await;
        self.store.keep_steps(&run, &plan.steps).await?;
        self.hand_on(&run, plan.read_at, &plan.steps, outlet).await?;
        self.finish(Run { state: RunState::Applied, ..run }, None).await
    }

    /// Gives what the plan gives, bans, and keeps back what else it takes. The same again is announced once only.
    async fn hold(&self, run: Run, plan: &Plan, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        let digest = Some(digest::of_held(&plan.steps));
        let waits_for = self.same_before(&run, digest.as_ref()).await?;
        let at_once: Vec<_> = plan.steps.iter().filter(|step| !step.action.can_wait()).cloned().collect();
        if waits_for.is_none() || !at_once.is_empty() {
            self.store.keep_steps(&run, &plan.steps).await?;
        }
        self.hand_on(&run, plan.read_at, &at_once, outlet).await?;
        if waits_for.is_some() {
            return self.finish(Run { state: RunState::Waiting, digest, waits_for, ..run }, None).await;
        }
        let (id, request_id) = (run.id.to_string(), run.request_id.clone());
        let cause = Cause { actor: Actor::Sync, by: Some(&id), request_id: &request_id, now: self.clock.now() };
        self.finish(Run { state: RunState::Held, digest, ..run }, Some(cause)).await
    }

    /// The run that announced the same plan: it waits for a word, or has had one. A run that only waited for it leads back
    /// to it, however many there were.
    async fn same_before(&self, run: &Run, digest: Option<&String>) -> Result<Option<Ulid>, SyncError> {
        let runs = self.store.runs(&run.domain, EARLIER).await?;
        let same = runs.into_iter().filter(|earlier| earlier.digest.as_ref() == digest).find(|earlier| {
            !matches!(earlier.state, RunState::Running | RunState::Failed | RunState::Died | RunState::Unchanged)
        });
        let announced = match same {
            Some(Run { state: RunState::Waiting, waits_for: Some(id), .. }) => self.store.run(&run.domain, id).await?,
            same => same,
        };
        let announced = announced.filter(|announced| match announced.state {
            RunState::Held | RunState::Rejected | RunState::Released => true,
            RunState::Applied => announced.finished.is_some_and(|at| run.started.duration_since(at) < ON_THEIR_WAY),
            _ => false,
        });
        Ok(announced.map(|announced| announced.id))
    }

    async fn finish(&self, run: Run, announce: Option<Cause<'_>>) -> Result<Ran, SyncError> {
        let run = Run { finished: Some(self.clock.now()), ..run };
        let notice = self.store.finish_run(&run, announce.map(|cause| (cause, self.random))).await?;
        info!(
            request_id = run.request_id,
            run = %run.id,
            domain = %run.domain,
            state = run.state.as_str(),
            counts = run.counts.map(|counts| format!("{counts:?}")),
            "a sync came to its end"
        );
        Ok(Ran::Done { run: Box::new(run), notice })
    }

    async fn hand_on(
        &self,
        run: &Run,
        read_at: jiff::Timestamp,
        steps: &[Step],
        outlet: &dyn Outlet,
    ) -> Result<(), SyncError> {
        let parts = steps.chunks(TakeSteps::STEPS).map(|steps| TakeSteps {
            run: run.id,
            read_at,
            steps: steps.to_vec(),
            request_id: run.request_id.clone(),
        });
        Ok(outlet.hand_on(parts.collect()).await?)
    }
}
