//! Looks one member up by identity and checks whether they are in the team.

use membermail_core::alias::Reason;
use membermail_core::audit::Actor;
use membermail_core::community::Domain;
use membermail_core::eligibility::{Observation, Person};
use membermail_core::member::{Fingerprint, MemberId};
use membermail_core::plan::{Evidence, Planner};
use membermail_store::Run;

use crate::Engine;
use crate::observe::{ObserveError, Observer, PersonLookup};

/// Looks members up for one run. A dry run records nothing.
pub(crate) struct Lookups<'a> {
    pub(crate) engine: &'a Engine<'a>,
    pub(crate) domain: &'a Domain,
    /// The fingerprint that the team is pinned to, if known.
    pub(crate) team: Option<Fingerprint>,
    /// The run that records the observations; `None` for a dry run.
    pub(crate) run: Option<&'a Run>,
}

impl Lookups<'_> {
    /// The current evidence about a member; `None` for a banned member, or one without identities that the source knows: their
    /// addresses stay as they are.
    pub(crate) async fn fetch_evidence(
        &self,
        id: MemberId,
        planner: &Planner<'_>,
    ) -> Result<Option<Evidence>, ObserveError> {
        let Engine { source, store, clock, random, .. } = *self.engine;
        let Some((member, identities)) = store.member_to_look_up(id).await? else { return Ok(None) };
        if member.is_banned() || identities.is_empty() {
            return Ok(None);
        }
        let run = self.run.map(|run| run.id.to_string());
        let request_id = self.run.map_or("dry-run", |run| run.request_id.as_str());
        let by = run.as_deref();
        let observer = Observer { source, store, clock, random, actor: Actor::Sync, by, request_id };
        // A second account that is in no team must not take the address of the first one.
        let is_in_team = |person: &Person| {
            person.check().is_ok() && planner.shows_membership(member.id, &person.observed(clock.now()))
        };
        let (person, observed_at) = observer.fetch_preferred(&identities, &is_in_team).await?;
        let person = match person {
            PersonLookup::Found(person) => person,
            // No identity has an account: closing an account removes its identifiers.
            PersonLookup::NoAccount => {
                return Ok(Some(Evidence { owner: member.id, known_as: None, eligible: Err(Reason::AccountClosed) }));
            }
            PersonLookup::Foreign => return Ok(None),
        };
        let observation = Observation { person, observed_at };
        let mut owner = member.id;
        let is_erased = member.is_erased();
        if self.run.is_some() {
            owner = observer.record(member, Some(&observation), None).await?.member.id;
        }
        let person = &observation.person;
        let known_as = observation.name();
        let eligible = match person.check() {
            Ok(()) if planner.shows_membership(owner, &known_as) => Ok(()),
            Ok(()) => {
                let groups = source.groups(person).await?;
                let is_in = groups.iter().any(|group| {
                    group.name == self.domain.team && self.team.is_none_or(|team| team == group.fingerprint)
                });
                if is_in { Ok(()) } else { Err(Reason::NotInTeam) }
            }
            Err(reason) => Err(reason),
        };
        // An erased member has no destination until they sign in again, so no address is restored.
        let known_as = (!is_erased).then_some(known_as);
        Ok(Some(Evidence { owner, known_as, eligible }))
    }
}
