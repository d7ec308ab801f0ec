//! Names that the admins of a domain reserve: no member gets a new address with one. Existing addresses stay.
//!
//! The transaction that creates an address checks that its name is not reserved.

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::audit::{Cause, Change, Entry, NameChange};
use membermail_core::random::Random;
use membermail_core::reserved::ReservedName;
use serde::{Deserialize, Serialize};

use crate::audit::record;
use crate::error::StoreError;
use crate::keys;
use crate::table::{Slot, Store, Write, item_exists, item_not_exists};

/// A name that admins reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The name.
    pub name: ReservedName,
    /// When it was reserved.
    pub since: Timestamp,
    /// The operator, or the member id of the admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// The outcome of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The name is reserved from now on.
    Done,
    /// It was reserved before.
    Before(Reservation),
    /// The domain has [`ReservedName::MAX_PER_DOMAIN`] names.
    TooMany,
}

impl Store {
    /// Reserves a name in a domain.
    pub async fn reserve_name(
        &self,
        domain: &DomainName,
        name: &ReservedName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Reserved, StoreError> {
        let known = self.reserved_names(domain).await?;
        if let Some(before) = known.iter().find(|known| known.name == *name) {
            return Ok(Reserved::Before(before.clone()));
        }
        if known.len() >= ReservedName::MAX_PER_DOMAIN {
            return Ok(Reserved::TooMany);
        }
        let key = keys::reserved(domain, name.as_str());
        let reservation = Reservation { name: name.clone(), since: cause.now, by: cause.by.map(str::to_owned) };
        let create = Write::create(&key, &reservation)?;
        if self.change_name(create, domain, name, NameChange::Reserved, cause, random).await? {
            return Ok(Reserved::Done);
        }
        let before = self.get(&key).await?.ok_or(StoreError::Conflict)?;
        Ok(Reserved::Before(before))
    }

    /// Ends a reservation. Returns false if there was none.
    pub async fn release_name(
        &self,
        domain: &DomainName,
        name: &ReservedName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let delete = Write::delete(&keys::reserved(domain, name.as_str())).when(item_exists());
        self.change_name(delete, domain, name, NameChange::Released, cause, random).await
    }

    async fn change_name(
        &self,
        write: Write,
        domain: &DomainName,
        name: &ReservedName,
        did: NameChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let entry = Entry::new(Change::Name { domain: domain.clone(), name: name.clone(), did }, cause, random);
        let mut writes = vec![write.slot(Slot::ReservedName)];
        writes.extend(record(&entry)?);
        self.commit(writes).await?.committed_unless_failed(Slot::ReservedName)
    }

    /// The names that the admins of a domain reserve, in order.
    pub async fn reserved_names(&self, domain: &DomainName) -> Result<Vec<Reservation>, StoreError> {
        self.list(&keys::reserved_in(domain), "").await
    }
}

/// The condition that the admins of the domain do not reserve the name of this address.
pub(crate) fn check_not_reserved(address: &Address) -> Write {
    let key = keys::reserved(&address.domain, address.local_part.as_str());
    Write::check(&key, item_not_exists()).slot(Slot::ReservedName)
}
