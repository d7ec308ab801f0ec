//! Aliases as items: loaded by address, by member, and by domain.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::alias::{Alias, Pause, Reason, Status};
use membermail_core::audit::Entry;
use membermail_core::destination::DestinationId;
use membermail_core::expiry::is_from_future;
use membermail_core::lifecycle::Step;
use membermail_core::member::{MemberId, ObservedName};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::outbox;
use crate::table::{Consistency, Query, Slot, Store, Update, Write, decode, item_not_exists, number, path};

/// An alias with the ids of its destinations.
#[derive(Clone, Debug)]
pub struct StoredAlias {
    /// The alias, without its destinations.
    pub alias: Alias,
    /// One to five destinations of its member. A retired alias has none.
    pub destinations: Vec<DestinationId>,
    /// The member's own switch.
    pub paused: Option<Pause>,
}

/// Where an alias forwards to, and whether it does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) destinations: Vec<DestinationId>,
    pub(crate) paused: Option<Pause>,
}

impl StoredAlias {
    /// As it is; nothing for a retired alias.
    pub(crate) fn delivery(&self, status: Status) -> Delivery {
        if status == Status::Retired {
            return Delivery::default();
        }
        Delivery { destinations: self.destinations.clone(), paused: self.paused }
    }
}

/// The item of an alias. `member` and `address` are the keys of the index by member.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    address: Address,
    member: MemberId,
    #[serde(flatten)]
    known_as: ObservedName,
    status: Status,
    reason: Reason,
    since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    version: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    erase_pending: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    destinations: Vec<DestinationId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused: Option<Pause>,
}

/// What a sync needs of an alias: everything except the destinations.
const COMPARED: [&str; 11] = [
    "address",
    "member",
    "name",
    "fingerprint",
    "observed_at",
    "status",
    "reason",
    "since",
    "until",
    "version",
    "erase_pending",
];

/// The same with the member's own switch.
pub(crate) const LISTED: [&str; 12] = [
    "address",
    "member",
    "name",
    "fingerprint",
    "observed_at",
    "status",
    "reason",
    "since",
    "until",
    "version",
    "erase_pending",
    "paused",
];

impl From<Stored> for StoredAlias {
    fn from(stored: Stored) -> Self {
        let Stored { address, member, known_as, status, reason, since, until, version, erase_pending, .. } = stored;
        let alias = Alias { address, member, known_as, status, reason, since, until, version, erase_pending };
        Self { alias, destinations: stored.destinations, paused: stored.paused }
    }
}

impl Store {
    /// Loads the alias of an address.
    pub async fn alias(&self, address: &Address) -> Result<Option<StoredAlias>, StoreError> {
        Ok(self.get::<Stored>(&keys::alias(address)).await?.map(StoredAlias::from))
    }

    /// The aliases that these steps of one domain are about, as they are now.
    pub async fn aliases_of_steps(&self, steps: &[Step]) -> Result<BTreeMap<LocalPart, Alias>, StoreError> {
        let keys: BTreeSet<_> = steps.iter().map(|step| keys::alias(&step.address)).collect();
        let stored: Vec<Stored> = self.get_all(&keys.into_iter().collect::<Vec<_>>()).await?;
        let aliases = stored.into_iter().map(|stored| StoredAlias::from(stored).alias);
        Ok(aliases.map(|alias| (alias.address.local_part.clone(), alias)).collect())
    }

    /// Loads a member and an alias with one strongly consistent request.
    pub async fn member_with_alias(
        &self,
        id: MemberId,
        address: &Address,
    ) -> Result<(Option<Member>, Option<StoredAlias>), StoreError> {
        let keys = [keys::profile(id), keys::alias(address)];
        let mut member = None;
        let mut alias = None;
        for item in self.batch_get(&keys).await? {
            if Key::of_item(&item)? == keys[0] {
                member = Some(decode(item)?);
            } else {
                alias = Some(decode::<Stored>(item)?.into());
            }
        }
        Ok((member, alias))
    }

    /// Loads the same with the member that this one was linked to, if any.
    pub async fn survivor_with_alias(
        &self,
        id: MemberId,
        address: &Address,
    ) -> Result<(Option<Member>, Option<StoredAlias>), StoreError> {
        let (member, alias) = self.member_with_alias(id, address).await?;
        let survivor = match member {
            Some(member) => self.survivor_of(member).await?,
            None => None,
        };
        Ok((survivor, alias))
    }

    /// Loads a member's aliases in the order of their addresses. Eventually consistent: this reads the index.
    pub async fn aliases_of(&self, member: MemberId) -> Result<Vec<StoredAlias>, StoreError> {
        let aliases: Vec<Stored> = self.query_all(&Query::by_member(member)).await?;
        Ok(aliases.into_iter().map(StoredAlias::from).collect())
    }

    /// Hands every alias of a domain to `each`, in the order of local parts. Eventually consistent: a change that is based on
    /// it is conditional on the version.
    pub async fn each_alias(&self, domain: &DomainName, mut each: impl FnMut(Alias)) -> Result<(), StoreError> {
        let key = keys::domain(domain);
        let query = Query::partition(&key.pk, Consistency::Eventual).begins_with(keys::ALIAS).attributes(&COMPARED);
        self.for_each(&query, |item| {
            each(StoredAlias::from(decode::<Stored>(item)?).alias);
            Ok(())
        })
        .await
    }

    /// Records the name that an alias is known by from now on; its state and version stay. Ignores an observation that is
    /// older than the stored one or from the future. Returns whether it was recorded.
    pub async fn observe_alias(
        &self,
        address: &Address,
        member: MemberId,
        known_as: &ObservedName,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if is_from_future(known_as.observed_at, now) {
            return Ok(false);
        }
        let observed_at = known_as.observed_at.as_microsecond();
        let update = Update::new()
            .set("name", known_as.name.as_str())
            .set("fingerprint", number(known_as.fingerprint))
            .set("observed_at", observed_at);
        let stored = path("observed_at");
        let is_replaced = stored.lt(observed_at).or(stored.is_from_future(now));
        let condition = path("member").eq(member.to_string()).and(is_replaced);
        self.write(Write::update(&keys::alias(address), update).when(condition)).await
    }
}

/// Puts an alias, if its version is still the one before.
pub(crate) fn put_alias(alias: &Alias, delivery: Delivery) -> Result<Write, StoreError> {
    let Alias { address, member, known_as, status, reason, since, until, version, erase_pending } = alias.clone();
    let Delivery { destinations, paused } = delivery;
    let key = keys::alias(&address);
    let stored = Stored {
        address,
        member,
        known_as,
        status,
        reason,
        since,
        until,
        version,
        erase_pending,
        destinations,
        paused,
    };
    let is_as_read = match version {
        1 => item_not_exists(),
        version => path("version").eq(version - 1),
    };
    Ok(Write::put(&key, &stored)?.when(is_as_read).slot(Slot::Alias))
}

/// The change of an alias with its entries in the audit log and the transactional outbox, so that its notices are sent even
/// after a crash.
pub(crate) fn change_alias(alias: &Alias, delivery: Delivery, entry: &Entry) -> Result<Vec<Write>, StoreError> {
    let mut writes = vec![put_alias(alias, delivery)?];
    writes.extend(outbox::announce(entry)?);
    Ok(writes)
}

#[cfg(test)]
#[path = "item_tests.rs"]
mod tests;
