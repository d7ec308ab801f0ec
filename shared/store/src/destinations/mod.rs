//! Destinations as items of their member: loaded, added and put.
//!
//! An alias lists the ids of its destinations, so that a change of a destination is one write. Each write of a destination is
//! conditional on its version (optimistic locking).

mod confirm;
mod failures;
mod remove;
mod request;
mod select;
mod undo;

use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::clock::later;
use membermail_core::destination::{Destination, DestinationId, UNDO_PERIOD};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

pub(crate) use self::select::is_changeable;

pub use self::confirm::Confirmed;
pub use self::failures::FailedDestination;
pub use self::remove::Removed;
pub use self::request::Requested;
pub use self::select::{Choice, Redirected};
pub(crate) use self::undo::Stored as StoredUndo;
pub use self::undo::{Reverted, UndoView};

use crate::aliases::StoredAlias;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::sealing::{Field, KeyContext, SealError, Sealed, Sealer};
use crate::table::{Store, Write, decode, item_not_exists, path};

/// A destination with its sealed address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredDestination {
    /// The owner, whose key seals the address.
    pub member: MemberId,
    /// The destination.
    #[serde(flatten)]
    pub destination: Destination,
    pub(crate) sealed: Sealed,
}

impl StoredDestination {
    /// Seals the address of a new destination.
    pub(crate) fn new(
        sealer: &Sealer,
        (member, key_context): (MemberId, &KeyContext),
        destination: Destination,
        address: &EmailAddress,
        random: &dyn Random,
    ) -> Result<Self, SealError> {
        let sealed = sealer.seal(key_context, member, Field::Destination(destination.id), address, random)?;
        Ok(Self { member, destination, sealed })
    }

    /// Opens the address with the key context of its member.
    pub fn address(&self, sealer: &Sealer, key_context: &KeyContext) -> Result<EmailAddress, SealError> {
        sealer.open(key_context, self.member, Field::Destination(self.destination.id), &self.sealed)
    }

    /// Puts it as a new version, if the version before is the stored one.
    pub(crate) fn put(&self) -> Result<Write, StoreError> {
        let is_as_read = match self.destination.version {
            1 => item_not_exists(),
            version => path("version").eq(version - 1),
        };
        let put = Write::put(&keys::destination(self.member, self.destination.id), self)?.when(is_as_read);
        Ok(match self.destination.removed {
            Some(removed) => put.expires(later(removed, UNDO_PERIOD)),
            None => put,
        })
    }

    /// The condition that it is usable, as part of the transaction that lets an alias forward to it.
    pub(crate) fn check_usable(&self) -> Write {
        let is_usable = path("confirmed").exists().and(path("removed").not_exists());
        Write::check(&keys::destination(self.member, self.destination.id), is_usable)
    }
}

/// Everything that decides on mail to an alias.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The alias.
    pub stored: StoredAlias,
    /// The key context of its member; none if the member is missing.
    pub key_context: Option<KeyContext>,
    /// Its destinations that exist, in the order of the alias.
    pub destinations: Vec<StoredDestination>,
}

impl Store {
    /// All destinations of a member, oldest first, also removed ones that a change can bring back.
    pub async fn destinations_of(&self, member: MemberId) -> Result<Vec<StoredDestination>, StoreError> {
        self.list(&keys::profile(member).pk, keys::DESTINATION).await
    }

    /// Loads one destination.
    pub async fn destination(
        &self,
        member: MemberId,
        id: DestinationId,
    ) -> Result<Option<StoredDestination>, StoreError> {
        self.get(&keys::destination(member, id)).await
    }

    /// The destinations of a member and of all members linked to them, each with the key context that opens it.
    pub async fn all_destinations(&self, member: &Member) -> Result<Vec<(KeyContext, StoredDestination)>, StoreError> {
        let mut all = Vec::new();
        for id in member.ids() {
            let key_context = match id == member.id {
                true => Some(member.key_context.clone()),
                false => self.member(id).await?.map(|linked| linked.key_context),
            };
            let Some(key_context) = key_context else { continue };
            let stored = self.destinations_of(id).await?;
            all.extend(stored.into_iter().map(|stored| (key_context.clone(), stored)));
        }
        Ok(all)
    }

    /// Loads an alias with its destinations in two requests: one for the alias, and one for the rest.
    pub async fn forwarding(&self, address: &Address) -> Result<Option<Forwarding>, StoreError> {
        let Some(stored) = self.alias(address).await? else { return Ok(None) };
        self.forwarding_of(stored).await.map(Some)
    }

    /// Loads the destinations of an alias with one request.
    pub async fn forwarding_of(&self, stored: StoredAlias) -> Result<Forwarding, StoreError> {
        let member = stored.alias.member;
        let profile = keys::profile(member);
        let mut wanted = vec![profile.clone()];
        wanted.extend(stored.destinations.iter().map(|id| keys::destination(member, *id)));
        let mut key_context = None;
        let mut destinations = Vec::with_capacity(stored.destinations.len());
        for item in self.batch_get(&wanted).await? {
            if Key::of_item(&item)? == profile {
                key_context = Some(decode::<Member>(item)?.key_context);
            } else {
                destinations.push(decode::<StoredDestination>(item)?);
            }
        }
        destinations.sort_by_key(|found| stored.destinations.iter().position(|id| *id == found.destination.id));
        Ok(Forwarding { stored, key_context, destinations })
    }
}

/// Puts the first destination of a member, as part of the sign-in's transaction.
pub(crate) fn put_first(
    sealer: &Sealer,
    owner: (MemberId, &KeyContext),
    (address, is_trusted): (&EmailAddress, bool),
    now: Timestamp,
    random: &dyn Random,
) -> Result<(DestinationId, Write), StoreError> {
    let id = DestinationId::new(now, random);
    let stored = StoredDestination::new(sealer, owner, Destination::new(id, is_trusted, now), address, random)?;
    Ok((id, stored.put()?))
}

/// The next version of a destination.
pub(crate) fn next(stored: &StoredDestination, change: impl FnOnce(&mut Destination)) -> StoredDestination {
    let mut next = stored.clone();
    change(&mut next.destination);
    next.destination.version += 1;
    next
}
