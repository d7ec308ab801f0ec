//! Giving an address to an eligible member.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{self, Alias, Decision, Refusal, Wish};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::clock::later;
use membermail_core::expiry::{CLOCK_SKEW, Expired, Present};
use membermail_core::lifecycle::newer;
use membermail_core::member::{MemberId, ObservedName};
use membermail_core::random::Random;
use serde::Deserialize;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::members::{IS_NOT_BANNED, Member};
use crate::sealing::{Field, Sealer};
use crate::table::{Store, TRIES, Written, attribute, number, pause, text};

/// What became of a wish for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It is new.
    Created {
        /// As it is now.
        alias: Alias,
        /// Its audit entry, which lies in the outbox too.
        entry: Ulid,
    },
    /// The member had it in another state.
    Changed {
        /// As it is now.
        alias: Alias,
        /// Its audit entry, which lies in the outbox too.
        entry: Ulid,
    },
    /// It was as it should be.
    Unchanged,
    /// There is a reason against it.
    Refused(Refusal),
    /// The member has been banned meanwhile.
    Banned,
    /// The member's personal data is gone meanwhile: there is nowhere to forward to until they sign in again.
    Shredded,
    /// What it rests on no longer counts: the next sync looks the member up again.
    Expired(Expired),
}

/// An address that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Which.
    pub address: &'a Address,
    /// The alias of that address, as read with the member. Where it changed meanwhile, it is read again.
    pub existing: Option<&'a Alias>,
    /// What the membership source called the member when it said that they are eligible.
    pub known_as: &'a ObservedName,
    /// The one that the member had before a rename.
    pub renamed_from: Option<&'a Address>,
    /// Addresses that a member can have in a domain, unless an operator said otherwise for this one.
    pub limit: u16,
}

/// How many addresses a member has in a domain, and can have.
#[derive(Deserialize)]
struct Addresses {
    #[serde(default)]
    limit: Option<u16>,
    /// Which; without those that an earlier release gave.
    #[serde(default)]
    held: BTreeSet<Address>,
}

/// Places in the transaction: behind the alias, its audit and outbox entries and the gate comes the profile, then the
/// refusal, and the address count of a new one.
const PROFILE: usize = 4;
const COUNT: usize = 6;

impl Store {
    /// Gives an eligible member an address that forwards to where they sign in, or says why not. The same wish again,
    /// two at once, or an older one later come to one alias and one audit entry.
    pub async fn grant(
        &self,
        sealer: &Sealer,
        member: &Member,
        asked: Asked<'_>,
        community: &[DomainName],
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Grant, StoreError> {
        let Asked { address, existing, known_as, renamed_from, limit } = asked;
        let (mut member, mut existing) = (member.clone(), existing.cloned());
        for tried in 0..TRIES {
            if tried > 0 {
                let (now, alias) = self.survivor_with_alias(member.id, address).await?;
                let gone = || StoreError::corrupt("MEMBER", "a grant without its member");
                (member, existing) = (now.ok_or_else(gone)?, alias.map(|stored| stored.alias));
            }
            if member.is_banned() {
                return Ok(Grant::Banned);
            }
            let (newest, ban_changed_at) = (member.newest_name(), member.ban_changed_at());
            let present = Present { domains: community, newest: newest.as_ref(), ban_changed_at, now: cause.now };
            if let Err(expired) = present.check_grant(known_as, &address.domain) {
                return Ok(Grant::Expired(expired));
            }
            let Some(destination) = member.sign_in_address(sealer)? else {
                return Ok(Grant::Shredded);
            };
            // An address of a member who was linked to this one is theirs too; it stays with the member who got it.
            let linked = match existing.as_ref().map(|alias| alias.member) {
                Some(owner) if member.merged.contains(&owner) => self.member(owner).await?,
                _ => None,
            };
            let owner = linked.as_ref().unwrap_or(&member);
            let wish = Wish { member: owner.id, destination: &destination, eligible_at: known_as.observed_at };
            let (status, reason) = match alias::decide(existing.as_ref(), wish, community) {
                Decision::Create { status, reason } | Decision::Change { status, reason, .. } => (status, reason),
                Decision::Refuse(refusal) => return Ok(Grant::Refused(refusal)),
                Decision::Unchanged => {
                    if existing.as_ref().is_some_and(|alias| !alias.known_as.is_same_as(known_as)) {
                        self.observe_alias(address, owner.id, known_as, cause.now).await?;
                    }
                    self.delete(&keys::refusal(member.id, &address.domain)).await?;
                    return Ok(Grant::Unchanged);
                }
            };
            let alias = Alias {
                address: address.clone(),
                member: owner.id,
                known_as: existing
                    .as_ref()
                    .map_or(known_as, |alias| newer(&alias.known_as, Some(known_as), cause.now))
                    .clone(),
                status,
                reason,
                since: cause.now,
                until: None,
                version: existing.as_ref().map_or(1, |alias| alias.version + 1),
                erase_pending: false,
            };
            let field = Field::Destination(address);
            let sealed = sealer.seal(&owner.salt, owner.id, field, &destination, random)?;
            let entry = Entry::new(Change::of_alias(&alias, existing.as_ref(), renamed_from.cloned()), cause, random);
            let mut writes = self.alias_writes(&alias, Some(sealed), &entry)?;
            writes.extend([
                self.gate_check(&address.domain, member.id)?,
                self.grant_write(&member, known_as, cause.now)?,
                self.removal(&keys::refusal(member.id, &address.domain))?,
            ]);
            if existing.is_none() {
                writes.push(self.address_count(member.id, address, limit)?);
            }
            if let Some(owner) = &linked {
                writes.push(self.owner_write(owner)?);
            }
            match self.transact(writes).await? {
                Written::All if existing.is_none() => return Ok(Grant::Created { alias, entry: entry.id }),
                Written::All => return Ok(Grant::Changed { alias, entry: entry.id }),
                // The member was banned, renamed, linked or shredded meanwhile, or another grant wrote the alias: decide
                // again on what both are now, before any other reason counts.
                Written::Failed(places) if places.contains(&0) || places.contains(&PROFILE) => {
                    pause(tried, random).await;
                }
                Written::Failed(places) if places.contains(&3) => {
                    if let Some(why) = self.domain(&address.domain).await?.refusal() {
                        return Ok(Grant::Refused(why));
                    }
                    if self.repair_gate(&address.domain).await? != Written::All {
                        pause(tried, random).await;
                    }
                }
                Written::Failed(places) if existing.is_none() && places.contains(&COUNT) => {
                    return Ok(Grant::Refused(Refusal::TooMany));
                }
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    /// What a grant asks of the profile, and leaves there. The destination is sealed under the key context as it was read,
    /// and an erasure that saw no such grant must not follow it: each grant is counted.
    fn grant_write(
        &self,
        member: &Member,
        known_as: &ObservedName,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let condition = format!(
            "{IS_NOT_BANNED} AND attribute_not_exists(merged_into) AND salt = :salt \
             AND (attribute_not_exists(observation) OR observation.observed_at <= :seen \
             OR observation.#name = :name OR observation.observed_at > :future)"
        );
        let update = self
            .update(&keys::profile(member.id))
            .update_expression("ADD grants :one")
            .condition_expression(condition)
            .expression_attribute_names("#name", "name")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":salt", attribute(&member.salt)?)
            .expression_attribute_values(":name", text(known_as.name.as_str()))
            .expression_attribute_values(":seen", number(known_as.observed_at.as_microsecond()))
            .expression_attribute_values(":future", number(later(now, CLOCK_SKEW).as_microsecond()));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// The same for a member who was linked: the destination is sealed under their key context.
    fn owner_write(&self, owner: &Member) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::profile(owner.id))
            .update_expression("ADD grants :one")
            .condition_expression("salt = :salt")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":salt", attribute(&owner.salt)?);
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// One address more of a member in a domain, if they have fewer than they can have. Addresses are never given up, so
    /// the count and the list only grow.
    fn address_count(&self, member: MemberId, address: &Address, limit: u16) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::addresses(member, &address.domain))
            .update_expression("ADD #count :one, held :held")
            .expression_attribute_values(":held", AttributeValue::Ss(vec![address.to_string()]))
            .condition_expression(
                "(attribute_exists(#limit) AND #count < #limit) \
                 OR (attribute_not_exists(#limit) AND (attribute_not_exists(#count) OR #count < :limit))",
            )
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#limit", "limit")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// The addresses that a member ever got: the index may lag behind, and the lists beside the counts do not.
    pub(crate) async fn addresses_of(&self, id: MemberId) -> Result<BTreeSet<Address>, StoreError> {
        let mut all: BTreeSet<_> = self.aliases_of(id).await?.into_iter().map(|stored| stored.alias.address).collect();
        let lists: Vec<Addresses> = self.list(&keys::profile(id).pk, keys::ADDRESSES).await?;
        all.extend(lists.into_iter().flat_map(|addresses| addresses.held));
        Ok(all)
    }

    /// How many addresses a member can have in a domain, where an operator said otherwise than the rules.
    pub async fn address_limit(&self, member: MemberId, domain: &DomainName) -> Result<Option<u16>, StoreError> {
        let addresses = self.get::<Addresses>(&keys::addresses(member, domain)).await?;
        Ok(addresses.and_then(|addresses| addresses.limit))
    }

    /// An operator's word on how many addresses a member can have in a domain; without one the rules count again.
    pub async fn limit_addresses(
        &self,
        member: MemberId,
        domain: &DomainName,
        limit: Option<u16>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let update = self.update(&keys::addresses(member, domain)).expression_attribute_names("#limit", "limit");
        let update = match limit {
            // A member without an address has no count yet, and a condition needs one to compare.
            Some(limit) => update
                .update_expression("SET #limit = :limit, #count = if_not_exists(#count, :none)")
                .expression_attribute_names("#count", "count")
                .expression_attribute_values(":none", number(0))
                .expression_attribute_values(":limit", number(limit)),
            None => update.update_expression("REMOVE #limit"),
        };
        let entry = Entry::new(Change::Limit { member, domain: domain.clone(), limit }, cause, random);
        let writes = vec![TransactWriteItem::builder().update(update.build()?).build(), self.audit_write(&entry)?];
        match self.transact(writes).await? {
            Written::All => Ok(()),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}
