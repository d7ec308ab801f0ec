//! Looking a member up by identity and recording what the source says, with the conflicts of names that come of it. A
//! sign-in and a sync do the same here.

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

/// Conflicts in a row after which the caller retries: the table changes faster than the source answers.
const TRIES: usize = 3;

/// What looks members up and records the answers.
pub struct Observer<'a> {
    /// The authority.
    pub source: &'a dyn Source,
    /// The table.
    pub store: &'a Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Random bytes.
    pub random: &'a dyn Random,
    /// Who looks, for the audit log.
    pub actor: Actor,
    /// The run that looks, where it is one.
    pub by: Option<&'a str>,
    /// The request that it began with.
    pub request_id: &'a str,
}

/// How a record came out.
#[derive(Debug)]
pub struct Settled {
    /// The member whose outcome and addresses it is about: the one that was looked up, or the one that they were found to
    /// be and linked to.
    pub member: Box<Member>,
    /// The outbox entry of the link, if one was made.
    pub linked: Option<Ulid>,
    /// The table had a newer observation, which stays.
    pub is_stale: bool,
}

/// Why a look-up has no result.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The source.
    #[error("Launchpad gave no usable answer")]
    Source(#[from] SourceError),
    /// The table.
    #[error("the table")]
    Store(#[from] StoreError),
}

impl ObserveError {
    /// Whether the same look-up can succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Source(cause) => cause.is_retryable(),
            Self::Store(cause) => cause.is_retryable(),
        }
    }
}

impl Observer<'_> {
    /// Asks the source about these identities of one member, in their order, until one has an account. The time is that of
    /// the request.
    pub async fn ask(&self, identities: &[Identity]) -> Result<(Option<Person>, Timestamp), SourceError> {
        let mut asked_at = self.clock.now();
        for identity in identities {
            asked_at = self.clock.now();
            if let Some(person) = self.source.person(identity).await? {
                return Ok((Some(person), asked_at));
            }
        }
        Ok((None, asked_at))
    }

    /// Records what the source said of a member, and the outcome of a check. Where another member had the name last, the
    /// source is asked about them: the same name means the same person, who are linked; another one means that the name
    /// passed on.
    pub async fn record(
        &self,
        member: Member,
        observation: Option<&Observation>,
        outcome: Option<(&Outcome, Timestamp)>,
    ) -> Result<Settled, ObserveError> {
        let (mut member, mut takes_name_from, mut linked) = (member, None, None);
        for _ in 0..TRIES {
            let now = self.clock.now();
            let record = Record { member: &member, observation, outcome, takes_name_from, now };
            let holder = match self.store.record(record, self.random).await? {
                Recorded::Recorded => return Ok(Settled { member: Box::new(member), linked, is_stale: false }),
                Recorded::Stale => return Ok(Settled { member: Box::new(member), linked, is_stale: true }),
                Recorded::NameHeld(holder) => holder,
            };
            let Some(observation) = observation else { continue };
            match self.holder(&member, holder, observation).await? {
                Holder::Gone => takes_name_from = Some(holder),
                Holder::SamePerson(other) => {
                    match self.store.link(&other, &member, self.cause(), self.random).await? {
                        Linked::Done(entry) => {
                            info!("member {} is linked to member {}", member.id, other.id);
                            linked = Some(entry);
                        }
                        Linked::Changed => info!("members {} and {} changed meanwhile", member.id, other.id),
                    }
                    member = self.store.survivor(member.id).await?.unwrap_or(member);
                }
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// What became of the member who had the name last.
    async fn holder(
        &self,
        member: &Member,
        holder: MemberId,
        observation: &Observation,
    ) -> Result<Holder, ObserveError> {
        let Some((other, identities)) = self.store.member_to_look_up(holder).await? else { return Ok(Holder::Gone) };
        if other.id == member.id {
            return Ok(Holder::Gone);
        }
        let (person, observed_at) = self.ask(&identities).await?;
        let Some(person) = person else { return Ok(Holder::Gone) };
        if person.name == observation.person.name {
            // A name can pass on between the two requests; then the accounts differ, and the caller asks anew.
            let is_same = person.fingerprint == observation.person.fingerprint;
            return if is_same { Ok(Holder::SamePerson(Box::new(other))) } else { Err(StoreError::Conflict.into()) };
        }
        let seen = Observation { person, observed_at };
        let now = self.clock.now();
        // Of two who exchanged names each has the other's: the source just gave this member another one.
        let takes_name_from = Some(member.id);
        let record = Record { member: &other, observation: Some(&seen), outcome: None, takes_name_from, now };
        // Their new name can be a third member's: that is settled when they are looked up themselves.
        self.store.record(record, self.random).await?;
        Ok(Holder::Gone)
    }

    fn cause(&self) -> Cause<'_> {
        Cause { actor: self.actor, by: self.by, request_id: self.request_id, now: self.clock.now() }
    }
}

enum Holder {
    /// The name is not theirs any more.
    Gone,
    /// They are the same person.
    SamePerson(Box<Member>),
}
