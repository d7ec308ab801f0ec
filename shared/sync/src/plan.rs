//! Plans a sync: compares the roster with the domain's aliases, looks members up, and derives the steps.

use std::collections::{BTreeSet, HashMap};

use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, ExpectedVersion};
use membermail_core::community::Domain;
use membermail_core::lifecycle::Step;
use membermail_core::member::{MemberId, PersonName};
use membermail_core::plan::{Comparison, Plan, Planner};
use membermail_core::rolling::{Cursor, Rolling, members_per_run};
use membermail_core::roster::Names;
use membermail_store::{Run, SyncState};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::lookup::Lookups;
use crate::observe::ObserveError;
use crate::reading::TeamReading;
use crate::{Engine, SyncError};

/// Consecutive failed look-ups after which the source counts as unavailable and the run fails.
const MAX_CONSECUTIVE_FAILURES: usize = 3;

/// A plan, and the state that the run leaves for the next one.
pub(crate) struct PlanResult {
    pub(crate) plan: Plan,
    pub(crate) names: Names,
    pub(crate) rolling: Cursor,
    /// Whether every member with a change in the roster was looked up.
    pub(crate) is_complete: bool,
    /// Members who may get an address but were not looked up, because of the deadline or the limit.
    pub(crate) pending: usize,
    /// Members with expired grants who were looked up.
    pub(crate) expired: Vec<MemberId>,
}

/// The scope of a run's look-ups.
#[derive(Clone, Copy)]
pub(crate) struct LookupScope<'a> {
    /// Maximum look-ups of members with a change in the roster.
    pub(crate) lookups: usize,
    /// Whether joiners and the rolling check are included.
    pub(crate) everything: bool,
    /// Grants that an operator released; their members are looked up as well.
    pub(crate) grants: &'a [Step],
}

impl Engine<'_> {
    pub(crate) fn domain(&self, domain: &DomainName) -> Result<&Domain, SyncError> {
        self.community.domain(domain).ok_or_else(|| SyncError::UnknownDomain(domain.clone()))
    }

    #[expect(clippy::too_many_arguments, reason = "the callers get each from elsewhere; a struct would be used once")]
    pub(crate) async fn build_plan(
        &self,
        domain: &Domain,
        state: &SyncState,
        reading: TeamReading,
        run: Option<&Run>,
        read_at: jiff::Timestamp,
        scope: LookupScope<'_>,
        deadline: Instant,
    ) -> Result<PlanResult, SyncError> {
        let name = &domain.domain;
        let stored = self.store.domain(name).await?;
        let banned = self.store.banned_members().await?;
        let reserved = self.store.reserved_names(name).await?.into_iter().map(|reserved| reserved.name).collect();
        let mut aliases = Vec::new();
        self.store.each_alias(name, |alias| aliases.push(alias)).await?;
        if reading.roster.is_empty() && !aliases.is_empty() {
            return Err(SyncError::EmptyTeam { domain: name.clone(), aliases: aliases.len() as u64 });
        }
        let mut names = reading.roster.names();
        let rules = &self.community.rules;
        let is_verified = stored.verified.is_some();
        let mut unapplied = members_of_unapplied(scope.grants, &aliases);
        let comparison = Comparison::new(name.clone(), reading.roster, aliases, &banned, is_verified, rules, read_at);
        let comparison = comparison.with_reserved(reserved);
        let due = comparison.due();
        let mut session = LookupSession {
            lookups: Lookups { engine: self, domain, team: domain.team_pin().or(stored.team), run },
            planner: Planner::new(comparison),
            deadline,
            done: BTreeSet::new(),
            consecutive_failures: 0,
        };

        let mut is_complete = due.len() <= scope.lookups;
        // With a ban, a removal by time or a leaver, a run that skipped the reading has to read the team first.
        let mut needs_reading = banned.iter().any(|member| session.planner.needs_reading(*member));
        for member in due.iter().take(scope.lookups) {
            if needs_reading {
                break;
            }
            if !session.is_late() {
                is_complete &= session.look_up(*member).await?;
                needs_reading = session.planner.needs_reading(*member);
            } else {
                is_complete = false;
                if scope.everything {
                    session.planner.postpone(*member);
                }
            }
        }
        if needs_reading || !scope.everything {
            let mut pending = 0;
            unapplied.retain(|member| !session.done.contains(member));
            for member in unapplied {
                if session.is_late() {
                    pending += 1;
                } else {
                    session.look_up(member).await?;
                }
            }
            let rolling = state.rolling.clone();
            let plan = session.planner.finish();
            return Ok(PlanResult { plan, names, rolling, is_complete, pending, expired: Vec::new() });
        }

        let previous = self.store.last_names(name, state).await?.unwrap_or_default();
        let joiners = session.planner.comparison().joiners(&previous);
        let left = scope.lookups.saturating_sub(due.len());
        let pending = session.look_up_joiners(&joiners, left).await?;
        names.forget(&pending);
        is_complete &= pending.is_empty();
        let left = scope.lookups.saturating_sub(session.done.len());
        let expired = session.look_up_expired(left).await?;

        let count = members_per_run(session.planner.comparison().member_count(), self.limits.period);
        let Rolling(next) =
            session.planner.rolling(&state.rolling, count, |known_as| self.source.is_shared(known_as.fingerprint));
        let mut rolling = state.rolling.clone();
        for (member, cursor) in next {
            // A member whose look-up failed is not tried twice in one run. Leavers beyond the limit are not looked up here
            // either, since a held plan must be the same in the next run.
            if !session.done.contains(&member) && due.binary_search(&member).is_err() {
                tokio::time::sleep(self.limits.pace).await;
                if session.is_late() {
                    break;
                }
                session.look_up(member).await?;
                if session.planner.needs_reading(member) {
                    break;
                }
            }
            rolling = cursor;
        }
        Ok(PlanResult { plan: session.planner.finish(), names, rolling, is_complete, pending: pending.len(), expired })
    }
}

/// The members of the grants that are not applied yet.
fn members_of_unapplied(grants: &[Step], aliases: &[Alias]) -> BTreeSet<MemberId> {
    let existing: HashMap<_, _> = aliases.iter().map(|alias| (&alias.address, alias)).collect();
    let unapplied =
        grants.iter().filter(|step| ExpectedVersion::of(existing.get(&step.address).copied()) == step.expected);
    unapplied.map(|step| step.member).collect()
}

/// The look-ups of one run, which give the planner its evidence.
struct LookupSession<'a> {
    lookups: Lookups<'a>,
    planner: Planner<'a>,
    deadline: Instant,
    /// The members who were looked up.
    done: BTreeSet<MemberId>,
    consecutive_failures: usize,
}

impl LookupSession<'_> {
    fn is_late(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Looks a member up; returns whether the look-up succeeded. A single failure does not affect the other members.
    async fn look_up(&mut self, member: MemberId) -> Result<bool, SyncError> {
        self.done.insert(member);
        match self.lookups.fetch_evidence(member, &self.planner).await {
            Ok(Some(evidence)) => {
                self.consecutive_failures = 0;
                let owner = evidence.owner;
                let Lookups { engine, domain, .. } = &self.lookups;
                if self.planner.is_at_limit(owner)
                    && let Some(limit) = engine.store.address_limit(owner, &domain.domain).await?
                {
                    self.planner.set_limit(owner, limit);
                }
                self.planner.add_evidence(member, evidence);
                Ok(true)
            }
            Ok(None) => {
                self.consecutive_failures = 0;
                self.planner.postpone(member);
                Ok(true)
            }
            // More look-ups would fail too, so the rest waits for the next run. GitLab limits look-ups of users to 300 in ten
            // minutes; a run that failed there would never finish.
            Err(ObserveError::Source(cause)) if cause.is_throttled() => {
                info!(%cause, domain = %self.lookups.domain.domain, "look-ups stopped until the next run");
                self.planner.postpone(member);
                self.deadline = Instant::now();
                Ok(false)
            }
            Err(cause) => {
                self.consecutive_failures += 1;
                warn!(%cause, "look-up of member {member} failed");
                self.planner.postpone(member);
                if self.consecutive_failures == MAX_CONSECUTIVE_FAILURES { Err(cause.into()) } else { Ok(false) }
            }
        }
    }

    /// Looks up members whose grants expired before they were applied; returns those whose look-up succeeded.
    async fn look_up_expired(&mut self, limit: usize) -> Result<Vec<MemberId>, SyncError> {
        let Lookups { engine, domain, .. } = &self.lookups;
        let mut succeeded = Vec::new();
        for member in engine.store.expired_grants(&domain.domain, limit).await? {
            if self.is_late() {
                break;
            }
            if self.done.contains(&member) || self.look_up(member).await? {
                succeeded.push(member);
            }
        }
        Ok(succeeded)
    }

    /// Looks up the members among the joiners; returns the names that are left because of the deadline, the limit or an error.
    async fn look_up_joiners(&mut self, joiners: &[PersonName], limit: usize) -> Result<Vec<PersonName>, SyncError> {
        let mut members = self.lookups.engine.store.members_by_names(joiners).await?;
        members.retain(|(_, member)| !self.done.contains(member));
        members.sort();
        let mut pending = Vec::new();
        for (index, (name, member)) in members.into_iter().enumerate() {
            if index >= limit || self.is_late() || !self.look_up(member).await? {
                pending.push(name);
            }
        }
        Ok(pending)
    }
}

/// Whether a step changes an alias; `Observe` only records a name.
pub(crate) fn is_change(step: &Step) -> bool {
    step.action != membermail_core::lifecycle::Action::Observe
}
