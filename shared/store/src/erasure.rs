//! Erasing a member's personal data by crypto-shredding, once all their aliases are retired.
//!
//! An address may be granted at the same moment. The erasure reads the member's addresses consistently, and its write is
//! conditional on the number of grants; a grant's write is conditional on the key context that it sealed with. So of the
//! two, one sees the other, and no alias forwards to a destination that cannot be opened.

use aws_sdk_dynamodb::types::TransactWriteItem;
use membermail_core::alias::Status;
use membermail_core::audit::{Cause, Change, Entry, MemberChange};
use membermail_core::expiry::is_recent;
use membermail_core::member::MemberId;
use membermail_core::random::Random;

use crate::error::StoreError;
use crate::keys;
use crate::sealing::Salt;
use crate::table::{Store, Written, attribute, number, text};

/// What became of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erasure {
    /// It was done now.
    Done,
    /// There is nothing to erase, or the member has an address that is not retired.
    NotDue,
    /// The member signed in a moment ago, or gets an address just now: a later sync decides anew.
    Postponed,
}

impl Store {
    /// Makes what is left of a member unreadable, if all their aliases are retired: a new salt for the old one, which
    /// every key of theirs came from, and no address to sign in by.
    pub async fn shred(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<Erasure, StoreError> {
        let Some(member) = self.member(id).await? else { return Ok(Erasure::NotDue) };
        if member.is_shredded() {
            return Ok(Erasure::NotDue);
        }
        for address in self.addresses_of(id).await? {
            let theirs = self.alias(&address).await?.filter(|stored| stored.alias.member == id);
            if theirs.is_some_and(|stored| stored.alias.status != Status::Retired) {
                return Ok(Erasure::NotDue);
            }
        }
        let survivor = self.survivor_of(member.clone()).await?;
        let requested = std::iter::once(&member).chain(&survivor).map(|one| one.check.requested_at);
        if requested.max().is_some_and(|at| is_recent(at, cause.now)) {
            return Ok(Erasure::Postponed);
        }
        let grants = match member.grants {
            0 => "(attribute_not_exists(grants) OR grants = :grants)",
            _ => "grants = :grants",
        };
        let profile = self
            .update(&keys::profile(id))
            .update_expression("SET salt = :new, session_epoch = session_epoch + :one REMOVE sign_in")
            .condition_expression(format!("requested_at = :seen AND salt = :salt AND {grants}"))
            .expression_attribute_values(":new", attribute(&Salt::new(random))?)
            .expression_attribute_values(":salt", attribute(&member.salt)?)
            .expression_attribute_values(":grants", number(member.grants))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":seen", text(member.check.requested_at.to_string()));
        let entry = Entry::new(Change::Member { member: id, did: MemberChange::Shredded }, cause, random);
        let profile = TransactWriteItem::builder().update(profile.build()?).build();
        match self.transact(vec![profile, self.audit_write(&entry)?]).await? {
            Written::All => Ok(Erasure::Done),
            // Who signs in or gets an address at this moment is back, and what they bring with them stays.
            Written::Failed(places) if places.contains(&0) => Ok(Erasure::Postponed),
            // The profile was written at this moment. The steps are applied by now and do not come again, so that the
            // caller has to retry.
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}
