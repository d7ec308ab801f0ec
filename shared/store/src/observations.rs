//! Observations: what the membership source last said of a member, and which member a name leads to.
//!
//! A name is no key. `NAME#…` remembers which member had it last, so that operators find members by name and a sync finds
//! members among the joiners of a team. Two members who claim the same name are either one person or a name that passed
//! on; the caller asks the source which ([`Recorded::NameHeld`]).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::clock::later;
use membermail_core::eligibility::{Observation, Outcome};
use membermail_core::expiry::CLOCK_SKEW;
use membermail_core::member::{Identity, LaunchpadName, MemberId, ObservedName};
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::{Member, StoredIdentity};
use crate::table::{Item, Store, TRIES, Written, attribute, decode, number, pause, text};

/// Keys of one `BatchGetItem` at most.
const BATCH: usize = 100;

#[derive(Serialize, Deserialize)]
struct Named {
    name: LaunchpadName,
    owner: MemberId,
    /// In microseconds since 1970, as the observation has it.
    observed_at: i64,
}

/// What is recorded of a member after a look-up.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The member, as read before the look-up.
    pub member: &'a Member,
    /// What the source said; none, where no account has any of the member's identities.
    pub observation: Option<&'a Observation>,
    /// The outcome of a check, with the time of the request that it answers; a sync records none.
    pub outcome: Option<(&'a Outcome, Timestamp)>,
    /// The member that the name is taken from: the source gives that one another name now.
    pub takes_name_from: Option<MemberId>,
    /// When the record is made.
    pub now: Timestamp,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The table has it.
    Recorded,
    /// The table has a newer observation, which stays.
    Stale,
    /// This member had the name last: ask the source about them.
    NameHeld(MemberId),
}

impl Store {
    /// Records an observation and the outcome of a check in one transaction, with the claim of the name.
    pub async fn record(&self, record: Record<'_>, random: &dyn Random) -> Result<Recorded, StoreError> {
        let Record { member, observation, .. } = record;
        let known = member.observation.as_ref().map(Observation::name);
        let claimed = observation
            .map(Observation::name)
            .filter(|name| !known.as_ref().is_some_and(|known| known.is_same_as(name)));
        for tried in 0..TRIES {
            let mut writes = vec![self.record_write(&record)?];
            if let Some(name) = &claimed {
                writes.push(self.claim_write(name, member.id, record.takes_name_from)?);
            }
            match self.transact(writes).await? {
                Written::All => return Ok(Recorded::Recorded),
                Written::Failed(places) if places.contains(&0) => {
                    let exists = self.member(member.id).await?.is_some();
                    return if exists { Ok(Recorded::Stale) } else { Err(no_member()) };
                }
                Written::Failed(places) if places.contains(&1) => {
                    let holder = match &claimed {
                        Some(name) => self.get::<Named>(&keys::name(&name.name)).await?,
                        None => None,
                    };
                    match holder {
                        Some(Named { owner, .. }) if owner != member.id => return Ok(Recorded::NameHeld(owner)),
                        // Released or claimed by the member meanwhile.
                        _ => pause(tried, random).await,
                    }
                }
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    fn record_write(&self, record: &Record<'_>) -> Result<TransactWriteItem, StoreError> {
        let Record { member, observation, outcome, now, .. } = record;
        let mut set = Vec::new();
        let mut update = self.update(&keys::profile(member.id));
        let mut condition = "attribute_exists(pk)".to_owned();
        if let Some(observation) = observation {
            set.push("observation = :observation");
            // An observation from the future would keep every right one out.
            condition.push_str(
                " AND (attribute_not_exists(observation) OR observation.observed_at < :observed_at \
                 OR observation.observed_at > :future)",
            );
            update = update
                .expression_attribute_values(":observation", attribute(*observation)?)
                .expression_attribute_values(":future", number(later(*now, CLOCK_SKEW).as_microsecond()))
                .expression_attribute_values(":observed_at", number(observation.observed_at.as_microsecond()));
        }
        let mut remove = "";
        if let Some((outcome, requested_at)) = outcome {
            // A ban during the check: the page would wait for addresses that never come.
            if !matches!(outcome, Outcome::Banned) {
                condition.push_str(" AND attribute_not_exists(banned_at)");
            }
            set.extend(["#state = :done", "#outcome = :outcome", "checked_at = :checked", "checked_for = :request"]);
            remove = " REMOVE check_until";
            update = update
                .expression_attribute_names("#state", "state")
                .expression_attribute_names("#outcome", "outcome")
                .expression_attribute_values(":done", text("done"))
                .expression_attribute_values(":outcome", attribute(*outcome)?)
                .expression_attribute_values(":request", text(requested_at.to_string()))
                .expression_attribute_values(":checked", number(now.as_microsecond()));
        }
        if set.is_empty() {
            set.push("id = id");
        }
        let update = update.update_expression(format!("SET {}{remove}", set.join(", ")));
        let update = update.condition_expression(condition);
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// The member is found by this name from now on, unless another one is and it is not theirs to give.
    fn claim_write(
        &self,
        name: &ObservedName,
        owner: MemberId,
        takes_from: Option<MemberId>,
    ) -> Result<TransactWriteItem, StoreError> {
        let named = Named { name: name.name.clone(), owner, observed_at: name.observed_at.as_microsecond() };
        let from = takes_from.unwrap_or(owner);
        let put = self
            .put(&keys::name(&name.name), &named)?
            .condition_expression("attribute_not_exists(pk) OR #owner IN (:me, :from)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":me", text(owner.to_string()))
            .expression_attribute_values(":from", text(from.to_string()));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// The name of `other` leads to `member` from now on. None, where it does not lead to `other`: it passed on, and the
    /// member who has it now keeps it.
    pub(crate) async fn name_moves(
        &self,
        name: &LaunchpadName,
        other: MemberId,
        member: MemberId,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let held: Option<Named> = self.get(&keys::name(name)).await?;
        if held.is_none_or(|held| held.owner != other) {
            return Ok(None);
        }
        let update = self
            .update(&keys::name(name))
            .update_expression("SET #owner = :member")
            .condition_expression("#owner = :other")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":member", text(member.to_string()))
            .expression_attribute_values(":other", text(other.to_string()));
        Ok(Some(TransactWriteItem::builder().update(update.build()?).build()))
    }

    /// The member whom the source gave this name last, if it still is their name as far as the table knows. For operators
    /// and messages, never for a right.
    pub async fn member_by_name(&self, name: &LaunchpadName) -> Result<Option<Member>, StoreError> {
        let Some(Named { owner, .. }) = self.get(&keys::name(name)).await? else { return Ok(None) };
        let member = self.survivor(owner).await?;
        Ok(member.filter(|member| member.name() == Some(name)))
    }

    /// The members who had these names last. Names that no member had are left out.
    pub async fn members_by_names(
        &self,
        names: &[LaunchpadName],
    ) -> Result<Vec<(LaunchpadName, MemberId)>, StoreError> {
        let mut found = Vec::new();
        let all = names.iter().map(keys::name).collect::<Vec<_>>();
        self.each_of(&all, |item: Named| found.push((item.name, item.owner))).await?;
        Ok(found)
    }

    /// Hands each of these items that there is to `each`, in no order.
    pub(crate) async fn each_of<T: serde::de::DeserializeOwned>(
        &self,
        all: &[Key],
        mut each: impl FnMut(T),
    ) -> Result<(), StoreError> {
        let Some(first) = all.first() else { return Ok(()) };
        self.each_item_of(all, |item| decode(item, first).map(&mut each)).await
    }

    /// The same for items of several kinds, which `each` decodes.
    pub(crate) async fn each_item_of(
        &self,
        all: &[Key],
        mut each: impl FnMut(Item) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for keys in all.chunks(BATCH) {
            let key = |key: &Key| HashMap::from([("pk".into(), text(&key.pk)), ("sk".into(), text(&key.sk))]);
            let mut open: Vec<HashMap<String, AttributeValue>> = keys.iter().map(key).collect();
            while !open.is_empty() {
                let wanted = KeysAndAttributes::builder().set_keys(Some(open)).consistent_read(true).build()?;
                let answer = self.client.batch_get_item().request_items(&self.table, wanted).send().await?;
                for item in answer.responses.unwrap_or_default().into_values().flatten() {
                    each(item)?;
                }
                let left = answer.unprocessed_keys.and_then(|mut left| left.remove(&self.table));
                open = left.map(|left| left.keys).unwrap_or_default();
            }
        }
        Ok(())
    }

    /// A member with their identities, by one query; the member that they were linked to, where they were.
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
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(&key.pk))
            .expression_attribute_values(":first", text(keys::IDENTITY))
            .expression_attribute_values(":last", text(&key.sk))
            .into_paginator()
            .items()
            .send();
        let (mut member, mut identities) = (None, Vec::new());
        while let Some(item) = items.next().await {
            let item = item?;
            let is_profile = item.get("sk").and_then(|sk| sk.as_s().ok()) == Some(&key.sk);
            if is_profile {
                member = Some(decode::<Member>(item, &key)?);
            } else {
                identities.push(decode::<StoredIdentity>(item, &key)?.identity);
            }
        }
        Ok(member.map(|member| (member, identities)))
    }
}

/// Not retryable: a member who is not there will not be there later.
fn no_member() -> StoreError {
    StoreError::corrupt("MEMBER", "an observation without its member")
}
