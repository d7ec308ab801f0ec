//! Giving an address to an eligible member.

use aws_sdk_dynamodb::types::TransactWriteItem;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{self, Alias, Decision, Refusal, Wish};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::lifecycle::newer;
use membermail_core::member::{MemberId, ObservedName};
use membermail_core::random::Random;
use serde::Deserialize;
use ulid::Ulid;

use crate::domains::GIVES_ADDRESSES;
use crate::error::StoreError;
use crate::keys;
use crate::members::{IS_NOT_BANNED, Member};
use crate::sealing::{Field, Sealer};
use crate::table::{Store, TRIES, Written, number, pause};

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
}

/// The place of the address count behind the alias, its audit and outbox entries, domain, profile and refusal.
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
        let Some(destination) = member.sign_in_address(sealer)? else {
            return Ok(Grant::Shredded);
        };
        let mut existing = existing.cloned();
        for tried in 0..TRIES {
            if tried > 0 {
                existing = self.alias(address).await?.map(|stored| stored.alias);
            }
            // An address of a member who was linked to this one is theirs too; it stays with the member who got it.
            let linked = match existing.as_ref().map(|alias| alias.member) {
                Some(owner) if member.merged.contains(&owner) => self.member(owner).await?,
                _ => None,
            };
            let owner = linked.as_ref().unwrap_or(member);
            let wish = Wish { member: owner.id, destination: &destination, eligible_at: known_as.observed_at };
            let (status, reason) = match alias::decide(existing.as_ref(), wish, community) {
                Decision::Create { status, reason } | Decision::Change { status, reason, .. } => (status, reason),
                Decision::Refuse(refusal) => return Ok(Grant::Refused(refusal)),
                Decision::Unchanged => {
                    if existing.as_ref().is_some_and(|alias| !alias.known_as.is_same_as(known_as)) {
                        self.observe_alias(address, owner.id, known_as).await?;
                    }
                    self.delete(&keys::refusal(member.id, &address.domain)).await?;
                    return Ok(Grant::Unchanged);
                }
            };
            let alias = Alias {
                address: address.clone(),
                member: owner.id,
                known_as: existing.as_ref().map_or(known_as, |alias| newer(&alias.known_as, Some(known_as))).clone(),
                status,
                reason,
                since: cause.now,
                until: None,
                version: existing.as_ref().map_or(1, |alias| alias.version + 1),
            };
            let field = Field::Destination(address);
            let sealed = sealer.seal(&owner.salt, owner.id, field, &destination, random)?;
            let entry = Entry::new(Change::of_alias(&alias, existing.as_ref(), renamed_from.cloned()), cause, random);
            let mut writes = self.alias_writes(&alias, Some(sealed), &entry)?;
            writes.extend([
                self.check(&keys::domain(&address.domain), GIVES_ADDRESSES)?,
                self.check(&keys::profile(member.id), IS_NOT_BANNED)?,
                self.removal(&keys::refusal(member.id, &address.domain))?,
            ]);
            if existing.is_none() {
                writes.push(self.address_count(member.id, &address.domain, limit)?);
            }
            match self.transact(writes).await? {
                Written::All if existing.is_none() => return Ok(Grant::Created { alias, entry: entry.id }),
                Written::All => return Ok(Grant::Changed { alias, entry: entry.id }),
                Written::Failed(places) if places.contains(&4) => return Ok(Grant::Banned),
                // Somebody else wrote the alias meanwhile: decide again on what it is now, before any other reason counts.
                Written::Failed(places) if places.contains(&0) => pause(tried, random).await,
                Written::Failed(places) if places.contains(&3) => {
                    let verified = self.domain_verified(&address.domain).await?;
                    let why = if verified { Refusal::TeamUnavailable } else { Refusal::DomainNotVerified };
                    return Ok(Grant::Refused(why));
                }
                Written::Failed(places) if places.contains(&COUNT) => return Ok(Grant::Refused(Refusal::TooMany)),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    /// One address more of a member in a domain, if they have fewer than they can have. Addresses are never given up, so
    /// the count only grows.
    fn address_count(
        &self,
        member: MemberId,
        domain: &DomainName,
        limit: u16,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::addresses(member, domain))
            .update_expression("ADD #count :one")
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
