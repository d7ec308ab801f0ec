//! Addresses whose destination rejects mail. Written by reports of the mail host, read by the account page, and counted for
//! the admins of a domain.

use std::collections::BTreeMap;

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::alias::Alias;
use membermail_core::clock::later;
use membermail_core::failing::{Failing, REMEMBERED};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use membermail_core::status_code::StatusCode;
use serde::{Deserialize, Serialize};

use crate::aliases::StoredAlias;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{
    BATCH, Consistency, Cursor, Query, Store, TRIES, Update, Write, decode, item_not_exists, path, pause,
};

/// The item of a failing address. `member` and `address` are the keys of the index by member, which is for aliases only.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    pub(crate) owner: MemberId,
    #[serde(flatten)]
    pub(crate) failing: Failing,
}

/// The outcome of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureRecord {
    /// The failure was recorded now.
    Recorded(Failing),
    /// The failure, or a later one, was recorded before.
    Known(Failing),
    /// The alias does not exist, does not forward, or was changed since.
    NotForwarding,
}

/// An address whose destination rejects mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailingAddress {
    /// The address.
    pub address: Address,
    /// Its failures.
    pub failing: Failing,
}

/// Some of a domain's failing addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailingPage {
    /// In the order of their local parts.
    pub addresses: Vec<FailingAddress>,
    /// The last address that was read, if there are more: the next page begins after it.
    pub next: Option<LocalPart>,
}

impl Store {
    /// Records that mail to an address could not be forwarded. Each failure counts once; one from before the last change of
    /// the alias does not count, since that can have changed the destination.
    pub async fn record_failure(
        &self,
        address: &Address,
        reply: &StatusCode,
        at: Timestamp,
        random: &dyn Random,
    ) -> Result<FailureRecord, StoreError> {
        let key = keys::failing(address);
        for tried in 0..TRIES {
            let Some(alias) = self.alias(address).await?.map(|stored| stored.alias) else {
                return Ok(FailureRecord::NotForwarding);
            };
            if !alias.status.forwards() || at < alias.since {
                return Ok(FailureRecord::NotForwarding);
            }
            let stored: Option<Stored> = self.get(&key).await?;
            let previous = stored.as_ref().filter(|stored| stored.owner == alias.member).map(|stored| &stored.failing);
            let Some(failing) = Failing::register(previous, &alias, reply.clone(), at) else {
                return Ok(previous.map_or(FailureRecord::NotForwarding, |known| FailureRecord::Known(known.clone())));
            };
            let is_as_read = match &stored {
                Some(Stored { failing, .. }) => {
                    let notified = failing.notified.map(|notified| notified.to_string());
                    path("last").eq(failing.last.to_string()).and(path("notified").eq_option(notified))
                }
                None => item_not_exists(),
            };
            let stored = Stored { owner: alias.member, failing };
            let put = Write::put(&key, &stored)?.expires(later(stored.failing.last, REMEMBERED)).when(is_as_read);
            let is_same_alias = path("member").eq(alias.member.to_string()).and(path("version").eq(alias.version));
            let writes = vec![put, Write::check(&keys::alias(address), is_same_alias)];
            if self.commit(writes).await?.is_committed() {
                return Ok(FailureRecord::Recorded(stored.failing));
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Records that the notice about a failing address was requested.
    pub async fn mark_failure_notified(
        &self,
        address: &Address,
        last: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let update = Write::update(&keys::failing(address), Update::new().set("notified", now.to_string()));
        // After a later failure, its own report records the notice.
        self.write(update.when(path("last").eq(last.to_string()))).await.map(drop)
    }

    /// The failing ones among these aliases.
    pub async fn failing_among<'a>(
        &self,
        aliases: impl IntoIterator<Item = &'a Alias>,
        now: Timestamp,
    ) -> Result<BTreeMap<Address, Failing>, StoreError> {
        let forwarding = aliases.into_iter().filter(|alias| alias.status.forwards());
        let aliases: BTreeMap<Key, &Alias> = forwarding.map(|alias| (keys::failing(&alias.address), alias)).collect();
        let keys: Vec<_> = aliases.keys().cloned().collect();
        let mut all = BTreeMap::new();
        for keys in keys.chunks(BATCH) {
            for item in self.batch_get(keys).await? {
                let Some(alias) = aliases.get(&Key::of_item(&item)?) else { continue };
                let Stored { owner, failing } = decode(item)?;
                if owner == alias.member && failing.is_current(alias, now) {
                    all.insert(alias.address.clone(), failing);
                }
            }
        }
        Ok(all)
    }

    /// The failing addresses of a domain after this local part, at most 100 of them. Leaves out addresses that were
    /// changed since their last failure, so that a page can be short.
    pub async fn failing_in(
        &self,
        domain: &DomainName,
        after: Option<&LocalPart>,
        now: Timestamp,
    ) -> Result<FailingPage, StoreError> {
        let pk = keys::failing_in(domain);
        let limit = i32::try_from(BATCH).unwrap_or(i32::MAX);
        let query = Query::partition(&pk, Consistency::Eventual).limit(limit);
        let after = after.map(|after| Cursor::after(&Key { pk, sk: after.to_string() }));
        let page = self.query_page(&query, after).await?;
        let next = page.next.map(|next| next.key()).transpose()?;
        let mut stored = BTreeMap::new();
        for item in page.items {
            let key = Key::of_item(&item)?;
            // A name that the rules reserve by now has no address.
            let Ok(local_part) = LocalPart::parse(&key.sk) else { continue };
            stored.insert(Address { local_part, domain: domain.clone() }, decode::<Stored>(item)?);
        }
        let keys: Vec<_> = stored.keys().map(keys::alias).collect();
        let aliases: Vec<crate::aliases::Stored> = self.get_all(&keys).await?;
        let mut addresses = Vec::new();
        for alias in aliases.into_iter().map(|alias| StoredAlias::from(alias).alias) {
            let Some(Stored { owner, failing }) = stored.remove(&alias.address) else { continue };
            if owner == alias.member && failing.is_current(&alias, now) {
                addresses.push(FailingAddress { address: alias.address, failing });
            }
        }
        addresses.sort_by(|one, other| one.address.cmp(&other.address));
        Ok(FailingPage { addresses, next: next.and_then(|key| LocalPart::parse(&key.sk).ok()) })
    }

    /// The number of addresses in a domain that failed within the last two weeks.
    pub async fn count_failing(&self, domain: &DomainName, now: Timestamp) -> Result<u64, StoreError> {
        let query = Query::partition(keys::failing_in(domain), Consistency::Eventual)
            .filter(path("expires").gt(now.as_second()))
            .attributes(&["expires"]);
        let mut count = 0;
        self.for_each(&query, |_| {
            count += 1;
            Ok(())
        })
        .await?;
        Ok(count)
    }
}
