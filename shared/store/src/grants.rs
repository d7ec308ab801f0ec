//! Giving an address to an eligible member.

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{self, Alias, Decision, Refusal, Wish};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::random::Random;
use ulid::Ulid;

use crate::domains::IS_VERIFIED;
use crate::error::StoreError;
use crate::keys;
use crate::members::{IS_NOT_BANNED, Member};
use crate::sealing::{Field, Sealer};
use crate::table::{Store, TRIES, Written, pause};

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
    /// When Launchpad said that its member is eligible.
    pub eligible_at: Timestamp,
    /// The one that the member had before a rename.
    pub renamed_from: Option<&'a Address>,
}

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
        let Asked { address, eligible_at, renamed_from } = asked;
        let Some(destination) = member.sign_in_address(sealer)? else {
            return Ok(Grant::Shredded);
        };
        let person = member.launchpad_id.ok_or_else(|| StoreError::corrupt("MEMBER", "eligible without a person"))?;
        let wish = Wish { member: member.id, destination: &destination, eligible_at };
        for tried in 0..TRIES {
            let existing = self.alias(address).await?.map(|stored| stored.alias);
            let (status, reason) = match alias::decide(existing.as_ref(), wish, community) {
                Decision::Create { status, reason } | Decision::Change { status, reason, .. } => (status, reason),
                Decision::Refuse(refusal) => return Ok(Grant::Refused(refusal)),
                Decision::Unchanged => {
                    self.delete(&keys::refusal(member.id, &address.domain)).await?;
                    return Ok(Grant::Unchanged);
                }
            };
            let alias = Alias {
                address: address.clone(),
                member: member.id,
                person,
                status,
                reason,
                since: cause.now,
                until: None,
                version: existing.as_ref().map_or(1, |alias| alias.version + 1),
            };
            let field = Field::Destination(address);
            let sealed = sealer.seal(&member.salt, member.id, field, &destination, random)?;
            let entry = Entry::new(Change::of_alias(&alias, existing.as_ref(), renamed_from.cloned()), cause, random);
            let mut writes = self.alias_writes(&alias, Some(sealed), &entry)?;
            writes.extend([
                self.check(&keys::domain(&address.domain), IS_VERIFIED)?,
                self.check(&keys::profile(member.id), IS_NOT_BANNED)?,
                self.removal(&keys::refusal(member.id, &address.domain))?,
            ]);
            match self.transact(writes).await? {
                Written::All if existing.is_none() => return Ok(Grant::Created { alias, entry: entry.id }),
                Written::All => return Ok(Grant::Changed { alias, entry: entry.id }),
                Written::Failed(places) if places.contains(&4) => return Ok(Grant::Banned),
                Written::Failed(places) if places.contains(&3) => {
                    return Ok(Grant::Refused(Refusal::DomainNotVerified));
                }
                // Somebody else wrote the alias meanwhile: decide again on what it is now.
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }
}
