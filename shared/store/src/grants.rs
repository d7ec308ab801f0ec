//! Grants of addresses to eligible members.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName, LocalPartError};
use membermail_core::alias::{self, Alias, GrantDecision, GrantRequest, Refusal};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::expiry::{Expired, Present};
use membermail_core::lifecycle::newer;
use membermail_core::member::{MemberId, ObservedName};
use membermail_core::random::Random;
use serde::Deserialize;
use ulid::Ulid;

use crate::aliases::{Delivery, change_alias};
use crate::audit::record;
use crate::error::StoreError;
use crate::gates::check_gate;
use crate::keys;
use crate::members::{Member, is_not_banned};
use crate::reserved_names::check_not_reserved;
use crate::table::{Condition, Slot, Store, TRIES, Update, Write, attribute, path, pause};

/// The outcome of a [`GrantRequest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantOutcome {
    /// The alias was created.
    Created {
        /// The alias as it was written.
        alias: Alias,
        /// Its audit entry, which is in the outbox too.
        entry: Ulid,
    },
    /// The alias of the member was changed.
    Changed {
        /// The alias as it was written.
        alias: Alias,
        /// Its audit entry, which is in the outbox too.
        entry: Ulid,
    },
    /// The alias was already as requested.
    Unchanged,
    /// The member does not get the address.
    Refused(Refusal),
    /// The member was banned meanwhile.
    Banned,
    /// The member's personal data was erased meanwhile: without a destination until they sign in again.
    Erased,
    /// The observation of the request no longer counts: the next sync looks the member up again.
    Expired(Expired),
}

/// The addresses of a member in a domain.
#[derive(Deserialize)]
pub(crate) struct Addresses {
    #[serde(default)]
    pub(crate) limit: Option<u16>,
    /// Absent until the first address.
    #[serde(default)]
    pub(crate) held: BTreeSet<Address>,
}

impl Store {
    /// Grants an eligible member an address. A new one forwards to their default destination, and an existing one keeps the
    /// destinations that they chose. Idempotent: repeated, concurrent and late requests result in one alias and one audit
    /// entry.
    pub async fn grant(
        &self,
        member: &Member,
        request: GrantRequest<'_>,
        community: &[DomainName],
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<GrantOutcome, StoreError> {
        let GrantRequest { address, known_as, renamed_from, limit, .. } = request;
        let mut member = member.clone();
        let mut existing = request.existing.cloned();
        for tried in 0..TRIES {
            if tried > 0 {
                let (survivor, alias) = self.survivor_with_alias(member.id, address).await?;
                member = survivor.ok_or_else(StoreError::missing_member)?;
                existing = alias.map(|stored| stored.alias);
            }
            if member.is_banned() {
                return Ok(GrantOutcome::Banned);
            }
            let newest = member.newest_name();
            let ban_changed_at = member.ban_changed_at();
            let present = Present { domains: community, newest: newest.as_ref(), ban_changed_at, now: cause.now };
            if let Err(expired) = present.check_grant(known_as, &address.domain) {
                return Ok(GrantOutcome::Expired(expired));
            }
            if member.is_erased() {
                return Ok(GrantOutcome::Erased);
            }
            // An address of a member who was linked to this one is theirs too; it stays with the member who got it.
            let linked = match existing.as_ref().map(|alias| alias.member) {
                Some(owner) if member.merged.contains(&owner) => self.member(owner).await?,
                _ => None,
            };
            let owner = linked.as_ref().unwrap_or(&member);
            let request = GrantRequest { existing: existing.as_ref(), ..request };
            let mut delivery = Delivery::default();
            match alias::decide_grant(&request, owner.id, owner.destination.is_some()) {
                GrantDecision::Create { .. } => {}
                GrantDecision::Change { .. } => {
                    // What the member chose stays.
                    if let Some(stored) = self.alias(address).await? {
                        delivery = stored.delivery(stored.alias.status);
                    }
                }
                GrantDecision::Refuse(refusal) => return Ok(GrantOutcome::Refused(refusal)),
                GrantDecision::Unchanged => {
                    if existing.as_ref().is_some_and(|alias| !alias.known_as.is_same_as(known_as)) {
                        self.observe_alias(address, owner.id, known_as, cause.now).await?;
                    }
                    self.delete(&keys::refusal(member.id, &address.domain)).await?;
                    return Ok(GrantOutcome::Unchanged);
                }
            }
            if delivery.destinations.is_empty() {
                delivery.destinations.extend(owner.destination);
            }
            let (status, reason) = alias::state_of(!delivery.destinations.is_empty());
            let stored_name = existing.as_ref().map_or(known_as, |alias| &alias.known_as);
            let alias = Alias {
                address: address.clone(),
                member: owner.id,
                known_as: newer(stored_name, Some(known_as), cause.now).clone(),
                status,
                reason,
                since: cause.now,
                until: None,
                version: existing.as_ref().map_or(1, |alias| alias.version + 1),
                erase_pending: false,
            };
            let entry = Entry::new(Change::of_alias(&alias, existing.as_ref(), renamed_from.cloned()), cause, random);
            let mut writes = change_alias(&alias, delivery, &entry)?;
            writes.extend([
                check_gate(&address.domain, member.id),
                count_grant(&member, known_as, cause.now)?.slot(Slot::Profile),
                Write::delete(&keys::refusal(member.id, &address.domain)),
            ]);
            if existing.is_none() {
                writes.extend([count_address(member.id, address, limit), check_not_reserved(address)]);
            }
            if let Some(owner) = &linked {
                writes.push(count_grant_of_linked(owner)?);
            }
            let transacted = self.commit(writes).await?;
            if transacted.is_committed() {
                let entry = entry.id;
                return Ok(match existing {
                    None => GrantOutcome::Created { alias, entry },
                    Some(_) => GrantOutcome::Changed { alias, entry },
                });
            }
            // The member was banned, renamed, linked or erased meanwhile, or another grant wrote the alias: decide again
            // on their present state, before any other reason counts.
            if transacted.has_failed(Slot::Alias) || transacted.has_failed(Slot::Profile) {
                pause(tried, random).await;
                continue;
            }
            if transacted.has_failed(Slot::ReservedName) {
                return Ok(GrantOutcome::Refused(Refusal::Name(LocalPartError::Reserved)));
            }
            if transacted.has_failed(Slot::Gate) {
                if let Some(refusal) = self.domain(&address.domain).await?.refusal() {
                    return Ok(GrantOutcome::Refused(refusal));
                }
                if self.repair_gate(&address.domain).await?.is_committed() {
                    continue;
                }
            } else if transacted.has_failed(Slot::AddressCount) {
                return Ok(GrantOutcome::Refused(Refusal::TooMany));
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// All addresses that a member ever got. The index can lag behind; the lists beside the counts do not.
    pub(crate) async fn addresses_of(&self, id: MemberId) -> Result<BTreeSet<Address>, StoreError> {
        let mut all: BTreeSet<_> = self.aliases_of(id).await?.into_iter().map(|stored| stored.alias.address).collect();
        let lists: Vec<Addresses> = self.list(&keys::profile(id).pk, keys::ADDRESSES).await?;
        all.extend(lists.into_iter().flat_map(|addresses| addresses.held));
        Ok(all)
    }

    /// The domains in which a member, or one linked to them, ever got an address.
    pub async fn address_domains(&self, member: &Member) -> Result<BTreeSet<DomainName>, StoreError> {
        let mut all = BTreeSet::new();
        for id in member.ids() {
            all.extend(self.addresses_of(id).await?.into_iter().map(|address| address.domain));
        }
        Ok(all)
    }

    /// The limit of addresses that an operator set for a member in a domain.
    pub async fn address_limit(&self, member: MemberId, domain: &DomainName) -> Result<Option<u16>, StoreError> {
        let addresses = self.get::<Addresses>(&keys::addresses(member, domain)).await?;
        Ok(addresses.and_then(|addresses| addresses.limit))
    }

    /// Sets the limit of addresses of a member in a domain. `None` removes it: the community's rules apply again.
    pub async fn set_address_limit(
        &self,
        member: MemberId,
        domain: &DomainName,
        limit: Option<u16>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let update = match limit {
            // A member without an address has no count yet, and a grant compares the count.
            Some(limit) => Update::new().set("limit", limit).set_if_not_exists("count", 0),
            None => Update::new().remove("limit"),
        };
        let entry = Entry::new(Change::Limit { member, domain: domain.clone(), limit }, cause, random);
        let mut writes = vec![Write::update(&keys::addresses(member, domain), update)];
        writes.extend(record(&entry)?);
        self.commit(writes).await?.committed()
    }
}

/// Counts a grant in the member's profile, if the profile is as it was read. The destinations are sealed with that key
/// context, and an erasure that did not see the grant must not follow it.
fn count_grant(member: &Member, known_as: &ObservedName, now: Timestamp) -> Result<Write, StoreError> {
    let observed_at = path("observation.observed_at");
    let is_latest_name = path("observation")
        .not_exists()
        .or(observed_at.le(known_as.observed_at.as_microsecond()))
        .or(path("observation.name").eq(known_as.name.as_str()))
        .or(observed_at.is_from_future(now));
    let condition =
        is_not_banned().and(path("merged_into").not_exists()).and(has_same_destination(member)?).and(is_latest_name);
    Ok(Write::update(&keys::profile(member.id), Update::new().count("grants")).when(condition))
}

/// The condition that the key context and the default destination are as they were read: the alias can get that destination,
/// and the member can remove it at the same moment.
fn has_same_destination(member: &Member) -> Result<Condition, StoreError> {
    let destination = path("destination").eq_option(member.destination.map(|id| id.to_string()));
    Ok(path("salt").eq(attribute(&member.key_context)?).and(destination))
}

/// The same for a linked member: their destinations are sealed with their key context.
fn count_grant_of_linked(owner: &Member) -> Result<Write, StoreError> {
    let is_as_read = has_same_destination(owner)?;
    Ok(Write::update(&keys::profile(owner.id), Update::new().count("grants")).when(is_as_read))
}

/// Counts and lists a new address of a member in a domain, if they are below their limit. Addresses are never given up, so
/// both only grow.
fn count_address(member: MemberId, address: &Address, limit: u16) -> Write {
    let own_limit = path("limit");
    let count = path("count");
    let is_below_own = own_limit.exists().and(count.lt_path(own_limit));
    let is_below = own_limit.not_exists().and(count.not_exists().or(count.lt(limit)));
    let update = Update::new().count("count").insert("held", address.to_string());
    let update = Write::update(&keys::addresses(member, &address.domain), update);
    update.when(is_below_own.or(is_below)).slot(Slot::AddressCount)
}
