//! Looks a member up by identity, records the observation, and resolves conflicts between two members with the same name.
//! Sign-ins and syncs share this code.

use jiff::Timestamp;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::Clock;
use membermail_core::eligibility::{Observation, Outcome, Person};
use membermail_core::member::{Identity, MemberId};
use membermail_core::random::Random;
use membermail_membership::{Error as SourceError, Source};
use membermail_store::{Linked, Member, Record, Recorded, Store, StoreError};
use tracing::info;
use ulid::Ulid;

/// Maximum attempts to record an observation; after that the caller retries.
const MAX_ATTEMPTS: usize = 3;

/// Looks members up and records the observations.
pub struct Observer<'a> {
    /// The membership source.
    pub source: &'a dyn Source,
    /// The table.
    pub store: &'a Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Random bytes.
    pub random: &'a dyn Random,
    /// The actor for the audit log.
    pub actor: Actor,
    /// The id of the sync run, if any.
    pub by: Option<&'a str>,
    /// The id of the request that started it.
    pub request_id: &'a str,
}

/// What the source says about the identities of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PersonLookup {
    /// The account with one of them.
    Found(Person),
    /// No account has any of those that the source knows.
    NoAccount,
    /// The source is no authority on any of them, so nothing follows.
    Foreign,
}

impl PersonLookup {
    /// The person; none without an account that the source knows.
    pub fn person(self) -> Option<Person> {
        match self {
            Self::Found(person) => Some(person),
            Self::NoAccount | Self::Foreign => None,
        }
    }
}

/// The result of recording an observation.
#[derive(Debug)]
pub struct RecordedObservation {
    /// The member that was looked up, or the member that they were linked to.
    pub member: Box<Member>,
    /// The outbox entry of the link, if one was made.
    pub linked: Option<Ulid>,
    /// Whether the table has a newer observation, which was kept.
    pub is_stale: bool,
}

/// Decides whether an account is preferred to the others of its member.
pub type IsPreferred<'a> = &'a (dyn Fn(&Person) -> bool + Sync);

/// Why a look-up failed.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The request to the source failed or its answer is invalid.
    #[error("the membership source gave no usable answer")]
    Source(#[from] SourceError),
    /// The table request failed.
    #[error("the table request failed")]
    Store(#[from] StoreError),
}

impl ObserveError {
    /// Whether a retry can succeed.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Source(cause) => cause.is_retryable(),
            Self::Store(cause) => cause.is_retryable(),
        }
    }
}

impl Observer<'_> {
    /// Fetches the first account that these identities of one member have, in their order, with the time of the request.
    /// Identities that are foreign to the source are left out.
    pub async fn fetch_person(&self, identities: &[Identity]) -> Result<(PersonLookup, Timestamp), SourceError> {
        self.fetch_preferred(identities, &|_| true).await
    }

    /// The same, but an account that is preferred goes before the first one: a member can have several accounts.
    pub async fn fetch_preferred(
        &self,
        identities: &[Identity],
        is_preferred: IsPreferred<'_>,
    ) -> Result<(PersonLookup, Timestamp), SourceError> {
        let mut requested_at = self.clock.now();
        let mut absent = PersonLookup::Foreign;
        let mut first = None;
        for identity in identities.iter().filter(|identity| self.source.is_authority_on(identity)) {
            requested_at = self.clock.now();
            match self.source.person(identity).await? {
                Some(person) if is_preferred(&person) => return Ok((PersonLookup::Found(person), requested_at)),
                Some(person) => first = first.or(Some((PersonLookup::Found(person), requested_at))),
                None => absent = PersonLookup::NoAccount,
            }
        }
        Ok(first.unwrap_or((absent, requested_at)))
    }

    /// Records an observation of a member and the outcome of a check. If another member had the name last, they are looked up
    /// too: the same account means the same person, so both are linked; another name means that the name passed on.
    pub async fn record(
        &self,
        member: Member,
        observation: Option<&Observation>,
        outcome: Option<(&Outcome, Timestamp)>,
    ) -> Result<RecordedObservation, ObserveError> {
        let mut member = member;
        let mut claims_name_from = None;
        let mut linked = None;
        for _ in 0..MAX_ATTEMPTS {
            let now = self.clock.now();
            let record = Record { member: &member, observation, outcome, claims_name_from, now };
            let holder = match self.store.record(record, self.random).await? {
                Recorded::Recorded => {
                    return Ok(RecordedObservation { member: Box::new(member), linked, is_stale: false });
                }
                Recorded::Stale => return Ok(RecordedObservation { member: Box::new(member), linked, is_stale: true }),
                Recorded::NameHeld(holder) => holder,
            };
            let Some(observation) = observation else { continue };
            match self.look_up_holder(&member, holder, observation).await? {
                Holder::PassedOn => claims_name_from = Some(holder),
                Holder::SamePerson(other) => {
                    match self.store.link(&other, &member, self.cause(), self.random).await? {
                        Linked::Done(entry) => {
                            info!("member {} linked to member {}", member.id, other.id);
                            linked = Some(entry);
                        }
                        Linked::Changed => {
                            info!("members {} and {} changed concurrently, retrying", member.id, other.id)
                        }
                    }
                    member = self.store.survivor(member.id).await?.unwrap_or(member);
                }
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// Looks up the member who had the name last.
    async fn look_up_holder(
        &self,
        member: &Member,
        holder: MemberId,
        observation: &Observation,
    ) -> Result<Holder, ObserveError> {
        let Some((other, identities)) = self.store.member_to_look_up(holder).await? else {
            return Ok(Holder::PassedOn);
        };
        if other.id == member.id {
            return Ok(Holder::PassedOn);
        }
        let has_name = |person: &Person| person.name == observation.person.name;
        let (person, observed_at) = self.fetch_preferred(&identities, &has_name).await?;
        // Names are unique at the source, so a holder without an account there has lost the name.
        let Some(person) = person.person() else { return Ok(Holder::PassedOn) };
        if person.name == observation.person.name {
            // If the name passed on between the two requests, the accounts differ and the caller must retry.
            let is_same = person.fingerprint == observation.person.fingerprint;
            return if is_same { Ok(Holder::SamePerson(Box::new(other))) } else { Err(StoreError::Conflict.into()) };
        }
        let seen = Observation { person, observed_at };
        let now = self.clock.now();
        // Two members who exchanged their names: the source just reported another name for this member.
        let claims_name_from = Some(member.id);
        let record = Record { member: &other, observation: Some(&seen), outcome: None, claims_name_from, now };
        // If a third member has their new name, the holder's own look-up resolves that conflict.
        self.store.record(record, self.random).await?;
        Ok(Holder::PassedOn)
    }

    fn cause(&self) -> Cause<'_> {
        Cause { actor: self.actor, by: self.by, request_id: self.request_id, now: self.clock.now() }
    }
}

enum Holder {
    /// They no longer have the name.
    PassedOn,
    /// They are the same person.
    SamePerson(Box<Member>),
}
