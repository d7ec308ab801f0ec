//! A run: one at a time for a domain, from the lease to the last step handed on.

use std::collections::HashSet;

use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::later;
use membermail_core::lifecycle::Step;
use membermail_core::member;
use membermail_core::message::TakeSteps;
use membermail_core::plan::{Guard, Plan};
use membermail_runtime::batch::chain;
use membermail_store::{Begun, Run, RunState};
use tracing::info;
use ulid::Ulid;

use crate::plan::{Planned, Wanted, is_change};
use crate::reading::Reading;
use crate::{Engine, Outlet, SyncError, digest};

/// Runs in which an earlier plan that removes the same is looked for.
const EARLIER: i32 = 100;
/// The steps of a run that was released may still be on the queue for this time. What is still to be removed then was lost,
/// and the plan is announced again.
const IN_FLIGHT: SignedDuration = SignedDuration::from_hours(1);

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It came to its end.
    Done {
        /// Its entry.
        run: Box<Run>,
        /// Its entry in the outbox, where its admins are to be told that it is held.
        notice: Option<Ulid>,
    },
    /// The time of this invocation is over: the same message again continues it.
    Paused {
        /// The run.
        run: Ulid,
    },
    /// Another run of the domain holds the lease.
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
    /// Reads, plans and hands on. A run that dies is continued from its checkpoint by the next message, or done anew: steps
    /// that were applied are no longer due, and the others still are.
    pub async fn run(&self, domain: &DomainName, request_id: &str, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        self.domain(domain)?;
        let now = self.clock.now();
        let id = member::ulid(now, self.random);
        let mut run = match self.store.begin_run(id, domain, now, later(now, self.lease), request_id).await? {
            Begun::Started(run) => *run,
            Begun::Busy { run, until } => return Ok(Ran::Busy { run, until }),
        };
        match self.carry_out(&mut run, outlet).await {
            Ok(done) => Ok(done),
            // The checkpoint is worth more than a new start: the retry of the queue continues it.
            Err(error) if error.can_continue() && run.saved.is_some() => {
                self.store.pause_run(&run, self.clock.now()).await?;
                Err(error)
            }
            Err(error) => {
                let failure = Some(chain(&error));
                let failed = Run { state: RunState::Failed, finished: Some(self.clock.now()), failure, ..run };
                self.store.finish_run(&failed, None).await?;
                Err(error)
            }
        }
    }

    /// Hands on what a held run would remove, once an operator has released it. The team is read and the leavers are looked
    /// up again: members who are back stay, and an address that changed since is not what the operator looked at. A reading
    /// that outlasts this invocation pauses; the same message continues it.
    pub async fn release(&self, domain: &DomainName, run: Ulid, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        let mut run = match self.store.run(domain, run).await? {
            Some(run) if run.state == RunState::Released => run,
            _ => return Ok(Ran::NotReleased),
        };
        let held = self.store.steps_of(domain, run.id).await?;
        let held: HashSet<_> =
            held.into_iter().filter(|step| step.action.can_wait()).map(|step| (step.address, step.version)).collect();
        // A checkpoint from before the run was held is of an older reading.
        if run.saved < run.finished {
            (run.checkpoints, run.saved) = (0, None);
        }
        let (configured, deadline) = (self.domain(domain)?, self.deadline());
        let read_at = self.clock.now();
        self.check_team(configured, true).await?;
        let state = self.store.sync_state(domain).await?;
        let read = match self.read_for(&mut run, configured, &state, deadline).await? {
            Reading::Complete(read) => read,
            Reading::Paused => return Ok(Ran::Paused { run: run.id }),
        };
        let wanted = Wanted { lookups: self.limits.lookups, everything: false };
        let planned = self.plan_of(configured, &state, read, Some(&run), read_at, wanted, deadline).await?;
        let Plan { mut steps, counts, .. } = planned.plan;
        // A plan with more leavers than one run looks up kept only the steps of those that it did.
        let was_partial = run.counts.is_some_and(|counts| counts.unverified > 0);
        steps.retain(|step| {
            step.action.can_wait() && (was_partial || held.contains(&(step.address.clone(), step.version)))
        });
        self.hand_on(&run, read_at, &steps, outlet).await?;
        if was_partial && counts.unverified > 0 {
            return Ok(Ran::Paused { run: run.id });
        }
        run.state = RunState::Applied;
        self.finish(run, None).await
    }

    async fn carry_out(&self, run: &mut Run, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        let deadline = self.deadline();
        let domain = self.domain(&run.domain)?;
        self.check_team(domain, true).await?;
        let state = self.store.sync_state(&run.domain).await?;
        let read = match self.read_for(run, domain, &state, deadline).await? {
            Reading::Complete(read) => read,
            Reading::Paused => {
                self.store.pause_run(run, self.clock.now()).await?;
                info!(run = %run.id, domain = %run.domain, "the reading goes on in another invocation");
                return Ok(Ran::Paused { run: run.id });
            }
        };
        (run.hidden, run.malformed) = (Some(read.hidden), read.malformed);
        let hidden = read.hidden;
        let wanted = Wanted { lookups: self.limits.lookups, everything: true };
        let planned = self.plan_of(domain, &state, read, Some(run), run.started, wanted, deadline).await?;
        let Planned { plan, names, rolling } = planned;
        run.counts = Some(plan.counts);
        let settled = self.settle(run.clone(), &plan, outlet).await?;
        // After the steps: joiners of a run that dies before this are joiners again.
        let is_new = self.store.last_names(&run.domain, &state).await?.as_ref() != Some(&names);
        let names = is_new.then_some((run.id, &names));
        self.store.leave_sync_state(&run.domain, &state, names, hidden, &rolling).await?;
        if settled.state != RunState::Held {
            return self.finish(settled, None).await;
        }
        let (id, request_id) = (run.id.to_string(), run.request_id.clone());
        let cause = Cause { actor: Actor::Sync, by: Some(&id), request_id: &request_id, now: self.clock.now() };
        self.finish(settled, Some(cause)).await
    }

    /// Hands a plan on, or holds it: the run with the state that it comes to.
    async fn settle(&self, run: Run, plan: &Plan, outlet: &dyn Outlet) -> Result<Run, SyncError> {
        if plan.guard(&self.community.rules) == Guard::Hold {
            return self.hold(run, plan, outlet).await;
        }
        if !plan.is_empty() {
            self.store.keep_steps(&run, &plan.steps).await?;
        }
        self.hand_on(&run, plan.read_at, &plan.steps, outlet).await?;
        let state = if plan.is_empty() { RunState::Unchanged } else { RunState::Applied };
        Ok(Run { state, ..run })
    }

    /// Grants and bans, and keeps back the other removals. The same plan again is announced once only.
    async fn hold(&self, run: Run, plan: &Plan, outlet: &dyn Outlet) -> Result<Run, SyncError> {
        let digest = Some(digest::of_held(&plan.steps));
        let waits_for = self.same_before(&run, digest.as_ref()).await?;
        let at_once: Vec<_> = plan.steps.iter().filter(|step| !step.action.can_wait()).cloned().collect();
        if waits_for.is_none() || at_once.iter().any(is_change) {
            self.store.keep_steps(&run, &plan.steps).await?;
        }
        self.hand_on(&run, plan.read_at, &at_once, outlet).await?;
        let state = if waits_for.is_some() { RunState::Waiting } else { RunState::Held };
        Ok(Run { state, digest, waits_for, ..run })
    }

    /// The run that announced the same plan: it waits for a decision, or has one. A run that only waited for it leads back
    /// to it.
    async fn same_before(&self, run: &Run, digest: Option<&String>) -> Result<Option<Ulid>, SyncError> {
        let runs = self.store.runs(&run.domain, EARLIER).await?;
        let same = runs.into_iter().filter(|earlier| earlier.digest.as_ref() == digest).find(|earlier| {
            matches!(
                earlier.state,
                RunState::Held | RunState::Waiting | RunState::Released | RunState::Rejected | RunState::Applied
            )
        });
        let announced = match same {
            Some(Run { state: RunState::Waiting, waits_for: Some(id), .. }) => self.store.run(&run.domain, id).await?,
            same => same,
        };
        let announced = announced.filter(|announced| match announced.state {
            RunState::Held | RunState::Rejected | RunState::Released => true,
            RunState::Applied => announced.finished.is_some_and(|at| run.started.duration_since(at) < IN_FLIGHT),
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
            hidden = run.hidden,
            malformed = run.malformed,
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
