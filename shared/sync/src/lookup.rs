//! Evidence about one member: who they are by identity, and whether they are in the team.

use membermail_core::alias::Reason;
use membermail_core::audit::Actor;
use membermail_core::community::Domain;
use membermail_core::eligibility::Observation;
use membermail_core::member::{Fingerprint, MemberId};
use membermail_core::plan::{Evidence, Planner};
use membermail_store::Run;

use crate::Engine;
use crate::observe::{ObserveError, Observer};

/// Looks members up for one run; a dry run records nothing.
pub(crate) struct Lookups<'a> {
    pub(crate) engine: &'a Engine<'a>,
    pub(crate) domain: &'a Domain,
    /// The pin of the team, where one is known.
    pub(crate) team: Option<Fingerprint>,
    /// The run that records what it sees; none for a dry run.
    pub(crate) run: Option<&'a Run>,
}

impl Lookups<'_> {
    /// What the source says of a member now; none for a member whom there is nothing to look up of.
    pub(crate) async fn evidence(&self, id: MemberId, planner: &Planner<'_>) -> Result<Option<Evidence>, ObserveError> {
        let Engine { source, store, clock, random, .. } = *self.engine;
        let Some((member, identities)) = store.member_to_look_up(id).await? else { return Ok(None) };
        if member.is_banned() || identities.is_empty() {
            return Ok(None);
        }
        let run = self.run.map(|run| run.id.to_string());
        let request_id = self.run.map_or("dry-run", |run| run.request_id.as_str());
        let by = run.as_deref();
        let observer = Observer { source, store, clock, random, actor: Actor::Sync, by, request_id };
        let (person, observed_at) = observer.ask(&identities).await?;
        let Some(person) = person else {
            // No identity leads to an account: it was closed, and its identifiers are gone.
            return Ok(Some(Evidence { owner: member.id, known_as: None, eligible: Err(Reason::AccountClosed) }));
        };
        let observation = Observation { person, observed_at };
        let mut owner = member.id;
        let is_shredded = member.is_shredded();
        if self.run.is_some() {
            owner = observer.record(member, Some(&observation), None).await?.member.id;
        }
        let (person, known_as) = (&observation.person, observation.name());
        let eligible = match person.check() {
            Ok(()) if planner.shows_membership(owner, &known_as) => Ok(()),
            Ok(()) => {
                let groups = source.groups(person).await?;
                let is_pinned = |fingerprint| self.team.is_none_or(|team| team == fingerprint);
                let is_in = groups.iter().any(|group| group.name == self.domain.team && is_pinned(group.fingerprint));
                if is_in { Ok(()) } else { Err(Reason::NotInTeam) }
            }
            Err(reason) => Err(reason),
        };
        // A member without personal data has nowhere to forward to until they sign in again: nothing is restored.
        let known_as = (!is_shredded).then_some(known_as);
        Ok(Some(Evidence { owner, known_as, eligible }))
    }
}
