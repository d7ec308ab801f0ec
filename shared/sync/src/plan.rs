//! Planning: compares the roster with the domain's aliases, looks members up, and makes the steps.

use std::collections::{BTreeSet, HashMap};

use membermail_core::address::DomainName;
use membermail_core::alias::Alias;
use membermail_core::community::Domain;
use membermail_core::lifecycle::Step;
use membermail_core::member::{LaunchpadName, MemberId};
use membermail_core::plan::{Plan, Planner};
use membermail_core::rolling::{Cursor, Rolling, members_per_run};
use membermail_core::roster::Names;
use membermail_store::{Run, SyncState};
use tokio::time::Instant;
use tracing::warn;

use crate::lookup::Lookups;
use crate::reading::{Progress, Read};
use crate::{Engine, SyncError};

/// Failed look-ups in a row after which the source counts as unavailable, and the run fails.
const FAILURES: usize = 3;

/// A plan, and what the run leaves to the next one.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) names: Names,
    pub(crate) rolling: Cursor,
    /// Whether all that the roster asked for was looked up.
    pub(crate) is_complete: bool,
    /// Members who may be granted something and were not looked up yet: for lack of time, or beyond the limit.
    pub(crate) pending: usize,
    /// Members whose grants had expired and who were looked up now.
    pub(crate) expired: Vec<MemberId>,
}

/// What a run looks up.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// Members at most whose pages show a change.
    pub(crate) lookups: usize,
    /// Whether joiners and the rolling check are looked up too.
    pub(crate) everything: bool,
    /// Grants that an operator has released: their members are looked up too.
    pub(crate) grants: &'a [Step],
}

impl Engine<'_> {
    /// What a sync of this domain would do now. Reads and looks up, and writes nothing. `progress` is told how many people
    /// have been read, and of how many rows.
    pub async fn plan(&self, domain: &DomainName, progress: Progress<'_>) -> Result<Plan, SyncError> {
        let domain = self.domain(domain)?;
        let read_at = self.clock.now();
        self.check_team(domain, false).await?;
        let state = self.store.sync_state(&domain.domain).await?;
        let read = self.read_once(domain, &state, progress).await?;
        let wanted = Wanted { lookups: self.limits.lookups, everything: true, grants: &[] };
        Ok(self.plan_of(domain, &state, read, None, read_at, wanted, self.deadline()).await?.plan)
    }

    pub(crate) fn domain(&self, domain: &DomainName) -> Result<&Domain, SyncError> {
        self.community.domain(domain).ok_or_else(|| SyncError::UnknownDomain(domain.clone()))
    }

    #[expect(clippy::too_many_arguments, reason = "each is read elsewhere, and a struct would be used once")]
    pub(crate) async fn plan_of(
        &self,
        domain: &Domain,
        state: &SyncState,
        read: Read,
        run: Option<&Run>,
        read_at: jiff::Timestamp,
        wanted: Wanted<'_>,
        deadline: Instant,
    ) -> Result<Planned, SyncError> {
        let name = &domain.domain;
        let stored = self.store.domain(name).await?;
        let banned = self.store.banned_members().await?;
        let mut aliases = Vec::new();
        self.store.each_alias(name, |alias| aliases.push(alias)).await?;
        if read.roster.is_empty() && !aliases.is_empty() {
            return Err(SyncError::EmptyTeam { domain: name.clone(), aliases: aliases.len() as u64 });
        }
        let mut names = read.roster.names();
        let (rules, gives) = (&self.community.rules, stored.verified.is_some());
        let mut granting = open_grants(wanted.grants, &aliases);
        let mut planner = Planner::new(name.clone(), read.roster, aliases, &banned, gives, rules, read_at);
        let lookups = Lookups { engine: self, domain, team: domain.team_pin().or(stored.team), run };

        let due = planner.due();
        let mut asked = Asked::default();
        let mut is_complete = due.len() <= wanted.lookups;
        // A ban to carry out, a removal by time or a leaver: no look-up more, the run reads the team.
        let mut needs_reading = banned.iter().any(|member| planner.needs_reading(*member));
        for member in due.iter().take(wanted.lookups) {
            if needs_reading {
                break;
            }
            if Instant::now() < deadline {
                is_complete &= asked.ask(&lookups, &mut planner, *member).await?;
                needs_reading = planner.needs_reading(*member);
            } else {
                is_complete = false;
                if wanted.everything {
                    planner.postpone(*member);
                }
            }
        }
        if needs_reading || !wanted.everything {
            let mut pending = 0;
            granting.retain(|member| !asked.members.contains(member));
            for member in granting {
                if Instant::now() < deadline {
                    asked.ask(&lookups, &mut planner, member).await?;
                } else {
                    pending += 1;
                }
            }
            let (rolling, expired) = (state.rolling.clone(), Vec::new());
            return Ok(Planned { plan: planner.finish(), names, rolling, is_complete, pending, expired });
        }

        let previous = self.store.last_names(name, state).await?.unwrap_or_default();
        let joiners = planner.joiners(&previous);
        let left = wanted.lookups.saturating_sub(due.len());
        let pending = self.ask_joiners(&lookups, &mut planner, &mut asked, &joiners, left, deadline).await?;
        names.forget(&pending);
        is_complete &= pending.is_empty();
        let left = wanted.lookups.saturating_sub(asked.members.len());
        let expired = self.ask_expired(&lookups, &mut planner, &mut asked, left, deadline).await?;

        let count = members_per_run(planner.members(), self.limits.period);
        let is_shared = |known_as: &membermail_core::member::ObservedName| self.source.is_shared(known_as.fingerprint);
        let Rolling(next) = planner.rolling(&state.rolling, count, is_shared);
        let mut rolling = state.rolling.clone();
        for (member, cursor) in next {
            // A member without an answer stays a candidate. A second failure of theirs in this run would tell nothing new,
            // and leavers beyond the limit wait for the release: a held plan has to be the same in the next run.
            if !asked.members.contains(&member) && due.binary_search(&member).is_err() {
                tokio::time::sleep(self.limits.pace).await;
                if Instant::now() >= deadline {
                    break;
                }
                asked.ask(&lookups, &mut planner, member).await?;
                if planner.needs_reading(member) {
                    break;
                }
            }
            rolling = cursor;
        }
        Ok(Planned { plan: planner.finish(), names, rolling, is_complete, pending: pending.len(), expired })
    }

    /// Looks up members whose grants came too late to count; those with an answer come back.
    async fn ask_expired(
        &self,
        lookups: &Lookups<'_>,
        planner: &mut Planner<'_>,
        asked: &mut Asked,
        most: usize,
        deadline: Instant,
    ) -> Result<Vec<MemberId>, SyncError> {
        let mut answered = Vec::new();
        for member in self.store.expired_grants(&lookups.domain.domain, most).await? {
            if Instant::now() >= deadline {
                break;
            }
            if asked.members.contains(&member) || asked.ask(lookups, planner, member).await? {
                answered.push(member);
            }
        }
        Ok(answered)
    }

    /// Looks up the members among the joiners; the names that there was no time or room for come back.
    async fn ask_joiners(
        &self,
        lookups: &Lookups<'_>,
        planner: &mut Planner<'_>,
        asked: &mut Asked,
        joiners: &[LaunchpadName],
        most: usize,
        deadline: Instant,
    ) -> Result<Vec<LaunchpadName>, SyncError> {
        let mut members = self.store.members_by_names(joiners).await?;
        members.retain(|(_, member)| !asked.members.contains(member));
        members.sort();
        let mut pending = Vec::new();
        for (place, (name, member)) in members.into_iter().enumerate() {
            if place >= most || Instant::now() >= deadline || !asked.ask(lookups, planner, member).await? {
                pending.push(name);
            }
        }
        Ok(pending)
    }
}

/// The members of those grants that are not applied yet.
fn open_grants(grants: &[Step], aliases: &[Alias]) -> BTreeSet<MemberId> {
    if grants.is_empty() {
        return BTreeSet::new();
    }
    let versions: HashMap<_, _> = aliases.iter().map(|alias| (&alias.address, alias.version)).collect();
    let is_open = |step: &&Step| versions.get(&step.address).copied().unwrap_or_default() == step.version;
    grants.iter().filter(is_open).map(|step| step.member).collect()
}

/// The members that were looked up, and how many failed in a row.
#[derive(Default)]
struct Asked {
    members: BTreeSet<MemberId>,
    failures: usize,
}

impl Asked {
    /// Looks a member up; returns whether there is an answer. One member whom the source cannot answer for changes nothing
    /// for the others.
    async fn ask(
        &mut self,
        lookups: &Lookups<'_>,
        planner: &mut Planner<'_>,
        member: MemberId,
    ) -> Result<bool, SyncError> {
        self.members.insert(member);
        match lookups.evidence(member, planner).await {
            Ok(evidence) => {
                self.failures = 0;
                match evidence {
                    Some(evidence) => {
                        let (owner, Lookups { engine, domain, .. }) = (evidence.owner, lookups);
                        if planner.is_at_limit(owner)
                            && let Some(limit) = engine.store.address_limit(owner, &domain.domain).await?
                        {
                            planner.limit(owner, limit);
                        }
                        planner.answer(member, evidence);
                    }
                    None => planner.postpone(member),
                }
                Ok(true)
            }
            Err(cause) => {
                self.failures += 1;
                warn!(%cause, "member {member} could not be looked up");
                planner.postpone(member);
                if self.failures == FAILURES { Err(cause.into()) } else { Ok(false) }
            }
        }
    }
}

/// Steps that only record names: they are no change of anything.
pub(crate) fn is_change(step: &Step) -> bool {
    step.action != membermail_core::lifecycle::Action::Observe
}
