//! Observations of the membership source, and the member that a name leads to.
//!
//! A name is no key. `NAME#…` stores which member had it last, so that operators find members by name and a sync finds
//! members among the joiners of a team. Two members who claim the same name are either one person, or the name passed to
//! another person; the caller asks the source ([`Recorded::NameHeld`]).

use jiff::Timestamp;
use membermail_core::eligibility::{Observation, Outcome};
use membermail_core::member::{Identity, MemberId, ObservedName, PersonName};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::identities::StoredIdentity;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::table::{
    Consistency, Query, Slot, Store, TRIES, Update, Write, attribute, decode, item_not_exists, path, pause,
};

#[derive(Serialize, Deserialize)]
struct Named {
    name: PersonName,
    owner: MemberId,
    /// The time of the observation, in microseconds since 1970.
    observed_at: i64,
}

/// The result of a look-up, to be recorded.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The member, as read before the look-up.
    pub member: &'a Member,
    /// The observation; none, if no account has any of the member's identities.
    pub observation: Option<&'a Observation>,
    /// The outcome of a check with the time of its request; a sync records none.
    pub outcome: Option<(&'a Outcome, Timestamp)>,
    /// The former holder of the name, if the source now has another name for them.
    pub claims_name_from: Option<MemberId>,
    /// The current time.
    pub now: Timestamp,
}

/// The outcome of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The record is stored.
    Recorded,
    /// A newer observation is stored and stays, or the member's personal data was erased.
    Stale,
    /// Another member had the name last; look them up at the source.
    NameHeld(MemberId),
}

impl Store {
    /// Records an observation, the outcome of a check and the claim of the name in one transaction.
    pub async fn record(&self, record: Record<'_>, random: &dyn Random) -> Result<Recorded, StoreError> {
        let Record { member, observation, .. } = record;
        let known = member.observation.as_ref().map(Observation::name);
        let claimed = observation
            .map(Observation::name)
            .filter(|name| !known.as_ref().is_some_and(|known| known.is_same_as(name)));
        for tried in 0..TRIES {
            let mut writes = vec![update_profile(&record)?];
            if let Some(name) = &claimed {
                writes.push(claim_name(name, member.id, record.claims_name_from)?);
            }
            let transacted = self.commit(writes).await?;
            if transacted.is_committed() {
                return Ok(Recorded::Recorded);
            }
            if transacted.has_failed(Slot::Profile) {
                let stored = self.member(member.id).await?;
                return stored.map(|_| Recorded::Stale).ok_or_else(StoreError::missing_member);
            }
            if transacted.has_failed(Slot::Name)
                && let Some(name) = &claimed
                && let Some(Named { owner, .. }) = self.get::<Named>(&keys::name(&name.name)).await?
                && owner != member.id
            {
                return Ok(Recorded::NameHeld(owner));
            }
            // A conflict, or the name was released or claimed by the member meanwhile.
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Lets the name of `from` lead to `to`. None, if it does not lead to `from`: it passed to another member, who keeps it.
    pub(crate) async fn move_name(
        &self,
        name: &PersonName,
        from: MemberId,
        to: MemberId,
    ) -> Result<Option<Write>, StoreError> {
        let held: Option<Named> = self.get(&keys::name(name)).await?;
        if held.is_none_or(|held| held.owner != from) {
            return Ok(None);
        }
        let update = Update::new().set("owner", to.to_string());
        Ok(Some(Write::update(&keys::name(name), update).when(path("owner").eq(from.to_string()))))
    }

    /// The member who had this name last, if it is still their name in the last observation. For operators and messages,
    /// never to decide on a right.
    pub async fn member_by_name(&self, name: &PersonName) -> Result<Option<Member>, StoreError> {
        let Some(Named { owner, .. }) = self.get(&keys::name(name)).await? else { return Ok(None) };
        let member = self.survivor(owner).await?;
        Ok(member.filter(|member| member.name() == Some(name)))
    }

    /// The members who had these names last; names that no member had are left out.
    pub async fn members_by_names(&self, names: &[PersonName]) -> Result<Vec<(PersonName, MemberId)>, StoreError> {
        let found: Vec<Named> = self.get_all(&names.iter().map(keys::name).collect::<Vec<_>>()).await?;
        Ok(found.into_iter().map(|named| (named.name, named.owner)).collect())
    }

    /// Loads a member and their identities with one query; after a link, those of the surviving member.
    pub async fn member_to_look_up(&self, id: MemberId) -> Result<Option<(Member, Vec<Identity>)>, StoreError> {
        let found = self.member_with_identities(id).await?;
        match found.as_ref().and_then(|(member, _)| member.merged_into) {
            Some(survivor) => self.member_with_identities(survivor).await,
            None => Ok(found),
        }
    }

    async fn member_with_identities(&self, id: MemberId) -> Result<Option<(Member, Vec<Identity>)>, StoreError> {
        let key = keys::profile(id);
        // Identities sort before the profile, and refusals after it.
        let query = Query::partition(&key.pk, Consistency::Strong).between(keys::IDENTITY, &key.sk);
        let mut member = None;
        let mut identities = Vec::new();
        self.for_each(&query, |item| {
            if Key::of_item(&item)?.sk == key.sk {
                member = Some(decode(item)?);
            } else {
                identities.push(decode::<StoredIdentity>(item)?.identity);
            }
            Ok(())
        })
        .await?;
        Ok(member.map(|member| (member, identities)))
    }
}

/// Updates the profile, if no newer observation is stored.
fn update_profile(record: &Record<'_>) -> Result<Write, StoreError> {
    let Record { member, observation, outcome, now, .. } = record;
    let mut update = Update::new();
    // An erasure removes the observation and the outcome: a look-up that began before it brings neither back.
    let mut condition = path("salt").eq(attribute(&member.key_context)?).and(path("sign_in").exists());
    if let Some(observation) = observation {
        let stored = path("observation.observed_at");
        let is_latest = path("observation")
            .not_exists()
            .or(stored.lt(observation.observed_at.as_microsecond()))
            .or(stored.is_from_future(*now));
        condition = condition.and(is_latest);
        update = update.set("observation", attribute(*observation)?);
    }
    if let Some((outcome, requested_at)) = outcome {
        // The member was banned during the check: their page must not wait for addresses.
        if !matches!(outcome, Outcome::Banned) {
            condition = condition.and(path("banned_at").not_exists());
        }
        update = update
            .set("state", "done")
            .set("outcome", attribute(*outcome)?)
            .set("checked_at", now.as_microsecond())
            .set("checked_for", requested_at.to_string())
            .remove("check_until");
    }
    if observation.is_none() && outcome.is_none() {
        // An update expression cannot be empty.
        update = update.set("id", member.id.to_string());
    }
    Ok(Write::update(&keys::profile(member.id), update).when(condition).slot(Slot::Profile))
}

/// Lets the name lead to `owner`, if it leads to no member, to `owner` or to `former`.
fn claim_name(name: &ObservedName, owner: MemberId, former: Option<MemberId>) -> Result<Write, StoreError> {
    let named = Named { name: name.name.clone(), owner, observed_at: name.observed_at.as_microsecond() };
    let owners = [owner, former.unwrap_or(owner)].map(|member| member.to_string());
    let is_free = item_not_exists().or(path("owner").is_in(owners));
    Ok(Write::put(&keys::name(&name.name), &named)?.when(is_free).slot(Slot::Name))
}
