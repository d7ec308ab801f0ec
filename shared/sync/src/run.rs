//! A run: one at a time for a domain, from the lease to the last step handed on.

use std::collections::HashSet;

use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::later;
use membermail_core::full_read::FullRead;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::Step;
use membermail_core::member::{self, LaunchpadName};
use membermail_core::message::TakeSteps;
use membermail_core::plan::Plan;
use membermail_runtime::batch::chain;
use membermail_store::{Begun, GuardState, Resent, Run, RunState};
use tracing::{error, info, warn};
use ulid::Ulid;

use crate::digest::is_grant;
use crate::guard::{Course, is_first_sync, lost_release, still_announced};
use crate::plan::{Planned, Wanted, is_change};
use crate::reading::Reading;
use crate::release::Approval;
use crate::remembered::needs_decision;
use crate::{Engine, Outlet, SyncError};

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It came to its end.
    Done {
        /// Its entry.
        run: Box<Run>,
        /// Its entry in the outbox, where its admins are to be told that it is held.
        notice: Option<Ulid>,
        /// The release of an earlier run whose message was lost: it has to be sent again.
        resent: Option<Resent>,
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
        // A domain that is being retired need not be configured any more.
        let retirement = self.retirement(domain).await?;
        if retirement.is_none() {
            self.domain(domain)?;
        }
        let now = self.clock.now();
        let id = member::ulid(now, self.random);
        let mut run = match self.store.begin_run(id, domain, now, later(now, self.lease), request_id).await? {
            Begun::Started(run) => *run,
            Begun::Busy { run, until } => return Ok(Ran::Busy { run, until }),
        };
        let ran = match &retirement {
            Some(retirement) => self.retire(run.clone(), retirement, outlet).await,
            None => self.carry_out(&mut run, outlet).await,
        };
        match ran {
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

    async fn carry_out(&self, run: &mut Run, outlet: &dyn Outlet) -> Result<Ran, SyncError> {
        let deadline = self.deadline();
        let domain = self.domain(&run.domain)?;
        let team = self.check_team(domain, true).await?;
        let state = self.store.sync_state(&run.domain).await?;
        if let Some(done) = self.without_reading(run, domain, &state, team, deadline, outlet).await? {
            return self.finish(done, None, None).await;
        }
        let read = match self.read_for(run, domain, &state, deadline).await? {
            Reading::Complete(read) => read,
            Reading::Paused => {
                self.store.pause_run(run, self.clock.now()).await?;
                info!(run = %run.id, domain = %run.domain, "the reading goes on in another invocation");
                return Ok(Ran::Paused { run: run.id });
            }
        };
        (run.hidden, run.malformed) = (Some(read.hidden), read.malformed);
        let (hidden, total) = (read.hidden, read.total);
        let wanted = Wanted { lookups: self.limits.lookups, everything: true, grants: &[] };
        let planned = self.plan_of(domain, &state, read, Some(run), run.started, wanted, deadline).await?;
        let Planned { plan, mut names, rolling, is_complete, pending, expired } = planned;
        let announced = self.announced(&run.domain, &state).await?;
        (run.counts, run.first_sync) = (Some(plan.counts), is_first_sync(&state));
        let course = self.course(run, &plan, run.first_sync, &announced).await?;
        let withheld = self.settle(run, &plan, course, outlet).await?;
        // Joiners whose grants wait are joiners of the next run again.
        names.forget(&withheld);
        // After the steps: joiners of a run that dies before this are joiners again.
        let is_new = self.store.last_names(&run.domain, &state).await?.as_ref() != Some(&names);
        let names = is_new.then_some((run.id, &names));
        let is_settled = is_complete && withheld.is_empty() && !needs_decision(run);
        let full_read = is_settled.then_some(FullRead { at: run.started, total, team });
        self.store.leave_sync_state(&run.domain, &state, names, hidden, &rolling, full_read).await?;
        self.store.forget_expired_grants(&run.domain, &expired).await?;
        let first_sync_is_open = run.first_sync && (pending > 0 || !withheld.is_empty());
        let guard = GuardState { announced: still_announced(&announced, run), first_sync_is_open };
        if guard != state.guard {
            self.store.leave_guard_state(&run.domain, &guard).await?;
        }
        let resent = self.resend_lost(run, &announced).await?;
        let (id, request_id) = (run.id.to_string(), run.request_id.clone());
        let cause = Cause { actor: Actor::Sync, by: Some(&id), request_id: &request_id, now: self.clock.now() };
        let announce = (run.state == RunState::Held).then_some(cause);
        self.finish(run.clone(), announce, resent).await
    }

    /// Hands a plan on, or holds it, and notes in the run what became of it. Returns the names whose grants wait.
    pub(crate) async fn settle(
        &self,
        run: &mut Run,
        plan: &Plan,
        course: Course,
        outlet: &dyn Outlet,
    ) -> Result<Vec<LaunchpadName>, SyncError> {
        let mut released = HashSet::new();
        let (state, is_new) = match course {
            Course::Apply => {
                let state = if plan.is_empty() { RunState::Unchanged } else { RunState::Applied };
                (state, !plan.is_empty())
            }
            Course::Announce(verdict, digest) => {
                (run.held_for, run.digest) = (verdict.reasons(), Some(digest));
                (RunState::Held, true)
            }
            Course::WaitFor(verdict, digest, id) => {
                (run.held_for, run.digest, run.waits_for) = (verdict.reasons(), Some(digest), Some(id));
                (RunState::Waiting, false)
            }
            Course::Repeat(same, digest) => {
                warn!(run = %run.id, domain = %run.domain, released = %same.id, "released steps are handed on again");
                released = self.store.steps_of(&run.domain, same.id).await?.iter().filter_map(Approval::of).collect();
                (run.digest, run.waits_for) = (Some(digest), Some(same.id));
                (run.held_for, run.decided_by) = (same.held_for, same.decided_by);
                (RunState::Applied, true)
            }
        };
        // A held plan hands on bans, which an operator decided, and names, which change no state.
        let goes = |step: &&Step| match (run.waits_for, state) {
            (None, RunState::Applied | RunState::Unchanged) => true,
            _ => Approval::of(step).is_none_or(|approval| released.contains(&approval)),
        };
        let (handed_on, withheld): (Vec<_>, Vec<_>) = plan.steps.iter().partition(goes);
        let handed_on: Vec<_> = handed_on.into_iter().cloned().collect();
        let kept = if state == RunState::Applied { &handed_on } else { &plan.steps };
        if is_new || handed_on.iter().any(is_change) {
            self.store.keep_steps(run, kept).await?;
        }
        self.hand_on(run, plan.read_at, &handed_on, outlet).await?;
        run.state = state;
        let names = withheld.into_iter().filter(|step| is_grant(step)).filter_map(|step| step.known_as.as_ref());
        Ok(names.map(|known_as| known_as.name.clone()).collect())
    }

    /// Notes that the release of a run is to be sent again, where its message was lost.
    async fn resend_lost(&self, run: &Run, announced: &[Run]) -> Result<Option<Resent>, SyncError> {
        let now = self.clock.now();
        let Some(lost) = lost_release(announced, now) else { return Ok(None) };
        let id = run.id.to_string();
        let cause = Cause { actor: Actor::Sync, by: Some(&id), request_id: &run.request_id, now };
        let resent = self.store.resend_release(lost, cause, self.random).await?;
        if resent.is_some() {
            error!(domain = %run.domain, run = %lost.id, "the message of a released run was lost, and is sent again");
        }
        Ok(resent)
    }

    pub(crate) async fn finish(
        &self,
        run: Run,
        announce: Option<Cause<'_>>,
        resent: Option<Resent>,
    ) -> Result<Ran, SyncError> {
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
            held_for = (!run.held_for.is_empty()).then(|| said(&run.held_for)),
            "a sync came to its end"
        );
        Ok(Ran::Done { run: Box::new(run), notice, resent })
    }

    pub(crate) async fn hand_on(
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

/// The reasons, for the log.
fn said(reasons: &[HoldReason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
