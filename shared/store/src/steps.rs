//! Applying a step of a plan: on the version that it was planned on, once, or not at all.

use membermail_core::address::DomainName;
use membermail_core::alias::{self, Alias, Status};
use membermail_core::audit::{Cause, Change, Entry, MemberChange};
use membermail_core::lifecycle::{self, Action, Step};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::sealing::{Salt, Sealer};
use crate::table::{Store, TRIES, Written, pause, text};

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was applied now.
    Done {
        /// As it is now.
        alias: Alias,
        /// Its audit entry, which lies in the outbox too.
        entry: Ulid,
    },
    /// The alias is no longer what the step was planned on: it was applied before, or a newer change counts.
    Stale,
    /// The name was recorded, or a newer one is.
    Observed,
}

impl Store {
    /// Restores, ends or retires an alias, or records its name. Creating one is [`grant`](Self::grant)'s.
    pub async fn apply(
        &self,
        sealer: &Sealer,
        step: &Step,
        community: &[DomainName],
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Applied, StoreError> {
        if let (Action::Observe, Some(known_as)) = (&step.action, &step.known_as) {
            self.observe_alias(&step.address, step.member, known_as).await?;
            return Ok(Applied::Observed);
        }
        for tried in 0..TRIES {
            let Some(stored) = self.alias(&step.address).await? else { return Ok(Applied::Stale) };
            let loops = step.action == Action::Restore && self.loops(sealer, &stored, community).await?;
            let Some(alias) = lifecycle::apply(&stored.alias, step, loops, cause.now) else {
                return Ok(Applied::Stale);
            };
            let destination = stored.destination.clone().filter(|_| alias.status != Status::Retired);
            let entry = Entry::new(Change::of_alias(&alias, Some(&stored.alias), None), cause, random);
            match self.transact(self.alias_writes(&alias, destination, &entry)?).await? {
                Written::All => return Ok(Applied::Done { alias, entry: entry.id }),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    async fn loops(
        &self,
        sealer: &Sealer,
        stored: &crate::StoredAlias,
        community: &[DomainName],
    ) -> Result<bool, StoreError> {
        let Some(member) = self.member(stored.alias.member).await? else { return Ok(false) };
        let destination = stored.destination(sealer, &member.salt)?;
        Ok(destination.is_some_and(|destination| alias::is_loop(&destination, community)))
    }

    /// Makes what is left of a member unreadable, if all their aliases are retired: a new salt for the old one, which
    /// every key of theirs came from, and no address to sign in by. Whether it was done now.
    pub async fn shred(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<bool, StoreError> {
        let Some(member) = self.member(id).await? else { return Ok(false) };
        if member.sign_in.is_none() {
            return Ok(false);
        }
        for stored in self.aliases_of(id).await? {
            // The index may be behind; the table is not.
            let now = self.alias(&stored.alias.address).await?;
            if now.is_some_and(|now| now.alias.status != Status::Retired) {
                return Ok(false);
            }
        }
        let salt = serde_dynamo::to_attribute_value(Salt::new(random))
            .map_err(|cause| StoreError::corrupt("MEMBER", cause))?;
        let profile = self
            .update(&keys::profile(id))
            .update_expression("SET salt = :salt, session_epoch = session_epoch + :one REMOVE sign_in")
            // Whoever signs in at this moment is back, and what they bring with them stays.
            .condition_expression("requested_at = :seen")
            .expression_attribute_values(":salt", salt)
            .expression_attribute_values(":one", crate::table::number(1))
            .expression_attribute_values(":seen", text(member.check.requested_at.to_string()));
        let entry = Entry::new(Change::Member { member: id, did: MemberChange::Shredded }, cause, random);
        let writes = vec![
            aws_sdk_dynamodb::types::TransactWriteItem::builder().update(profile.build()?).build(),
            self.audit_write(&entry)?,
        ];
        match self.transact(writes).await? {
            Written::All => Ok(true),
            Written::Failed(places) if places.contains(&0) => Ok(false),
            // The profile was written at this moment. The steps are applied by now and do not come again, so that the
            // caller has to retry.
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}
