//! Bans, and what one means for the aliases of its member: all are suspended at once, and open to come back once it is
//! lifted.
//!
//! The ban itself lies in the member's profile and in the list of banned members. The next sync suspends the aliases that
//! an interrupted command left. Of two operators who decide otherwise, the later decision counts, whichever is written
//! last.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Cause, Change, Entry, MemberChange};
use membermail_core::clock::later;
use membermail_core::community::Rules;
use membermail_core::expiry::{CLOCK_SKEW, has_come};
use membermail_core::lifecycle::{self, Action, Step, tend};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::members::{IS_NOT_BANNED, Member};
use crate::table::{Store, TRIES, Written, attribute, number, pause, text};

/// What the member's profile must say for an alias to be suspended.
pub(crate) const IS_BANNED: &str = "attribute_exists(banned_at)";
/// Behind the alias, its audit entry and the outbox.
const PROFILE: usize = 3;

/// An alias that was changed, with its audit entry, which lies in the outbox too.
pub type Changed = (Alias, Ulid);

#[derive(Serialize, Deserialize)]
struct Banned {
    member: MemberId,
}

impl Store {
    /// Bans a member: their sessions end now, and they get no address. Every sync reads who is banned, and suspends what the
    /// caller does not. Returns whether they were not banned before.
    pub async fn ban(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<bool, StoreError> {
        self.change_ban(id, MemberChange::Banned, cause, random).await
    }

    /// Takes a ban back; the sessions that it ended stay ended. Whether there was one.
    pub async fn unban(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<bool, StoreError> {
        self.change_ban(id, MemberChange::Unbanned, cause, random).await
    }

    async fn change_ban(
        &self,
        id: MemberId,
        did: MemberChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let is_ban = did == MemberChange::Banned;
        for tried in 0..TRIES {
            // A member who was linked is banned with the one that stays.
            let Some(member) = self.survivor(id).await? else {
                return Err(StoreError::corrupt("MEMBER", "a ban without its member"));
            };
            if member.is_banned() == is_ban {
                return Ok(false);
            }
            if member.ban_changed_at().is_some_and(|at| at > cause.now && has_come(at, cause.now)) {
                return Err(StoreError::Superseded);
            }
            let profile = self.ban_write(&member, is_ban, cause.now)?;
            let entry = Entry::new(Change::Member { member: member.id, did }, cause, random);
            let mut writes = vec![profile, self.audit_write(&entry)?];
            for id in member.ids() {
                writes.push(if is_ban { self.banned_write(id)? } else { self.removal(&keys::banned(id))? });
            }
            // Sessions from before a link are those of the linked member.
            for id in member.merged.iter().filter(|_| is_ban) {
                let update = self
                    .update(&keys::profile(*id))
                    .update_expression("SET session_epoch = session_epoch + :one")
                    .condition_expression("attribute_exists(pk)")
                    .expression_attribute_values(":one", number(1));
                writes.push(TransactWriteItem::builder().update(update.build()?).build());
            }
            match self.transact(writes).await? {
                Written::All => return Ok(true),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    /// The change of the profile, if its links are as they were read and it has no later change of the ban. A link at the
    /// same moment would leave one of the two members without the ban, or with it.
    fn ban_write(&self, member: &Member, is_ban: bool, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let (ban, update) = if is_ban {
            ("attribute_not_exists(banned_at)", "SET banned_at = :now, session_epoch = session_epoch + :one, ")
        } else {
            (IS_BANNED, "REMOVE banned_at SET ")
        };
        let links = member.links_as_read();
        let profile = self
            .update(&keys::profile(member.id))
            .update_expression(format!("{update}ban_changed_at = :changed"))
            .condition_expression(format!(
                "{ban} AND {links} AND (attribute_not_exists(ban_changed_at) OR ban_changed_at <= :changed \
                 OR ban_changed_at > :future)"
            ))
            .expression_attribute_values(":changed", number(now.as_microsecond()))
            .expression_attribute_values(":future", number(later(now, CLOCK_SKEW).as_microsecond()))
            .expression_attribute_values(":merged_as_read", attribute(&member.merged)?);
        let profile = if is_ban {
            profile
                .expression_attribute_values(":now", text(now.to_string()))
                .expression_attribute_values(":one", number(1))
        } else {
            profile
        };
        Ok(TransactWriteItem::builder().update(profile.build()?).build())
    }

    /// Every sync knows from now on that the member is banned.
    pub(crate) fn banned_write(&self, id: MemberId) -> Result<TransactWriteItem, StoreError> {
        let put = self.put(&keys::banned(id), &Banned { member: id })?;
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// All members who are banned, and those that were linked to them.
    pub async fn banned_members(&self) -> Result<BTreeSet<MemberId>, StoreError> {
        let banned: Vec<Banned> = self.list(keys::BANNED, "").await?;
        Ok(banned.into_iter().map(|banned| banned.member).collect())
    }

    /// Suspends every alias of a member who has been banned. Done again it does what is left.
    pub async fn suspend_banned(
        &self,
        member: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        self.turn_all(member, (banned, IS_BANNED), cause, random).await
    }

    /// Notes on every alias which a ban suspended that there is none any more: it stays suspended until a sync or a
    /// sign-in finds the member eligible. Done again it does what is left.
    pub async fn lift_ban(
        &self,
        member: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        self.turn_all(member, (lifted, IS_NOT_BANNED), cause, random).await
    }

    async fn turn_all(
        &self,
        member: &Member,
        rule: (Rule, &str),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        let mut changed = Vec::new();
        for id in member.ids() {
            for address in self.addresses_of(id).await? {
                changed.extend(self.turn(id, member, &address, rule, cause, random).await?);
            }
        }
        Ok(changed)
    }

    /// Decides on what the alias is now, and again when somebody else was faster.
    async fn turn(
        &self,
        owner: MemberId,
        member: &Member,
        address: &Address,
        (rule, profile): (Rule, &str),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Changed>, StoreError> {
        for tried in 0..TRIES {
            let theirs = self.alias(address).await?.filter(|stored| stored.alias.member == owner);
            let Some(stored) = theirs else { return Ok(None) };
            let before = &stored.alias;
            let Some(action) = rule(before, cause.now) else { return Ok(None) };
            let step =
                Step { address: address.clone(), member: owner, version: before.version, known_as: None, action };
            let Ok(alias) = lifecycle::apply(before, &step, &Rules::default(), false, cause.now) else {
                return Ok(None);
            };
            let entry = Entry::new(Change::of_alias(&alias, Some(before), None), cause, random);
            let mut writes = self.alias_writes(&alias, stored.destination.clone(), &entry)?;
            writes.push(self.check(&keys::profile(member.id), profile)?);
            match self.transact(writes).await? {
                Written::All => return Ok(Some((alias, entry.id))),
                // Another operator decided otherwise meanwhile, and sees to the aliases.
                Written::Failed(places) if places.contains(&PROFILE) => return Ok(None),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }
}

/// What an alias needs, if anything.
type Rule = fn(&Alias, Timestamp) -> Option<Action>;

/// As a sync would have it. The community's rules say when to retire only, which a ban does not.
fn banned(alias: &Alias, now: Timestamp) -> Option<Action> {
    tend(alias, Err(Reason::Banned), &Rules::default(), now).filter(|action| matches!(action, Action::Suspend { .. }))
}

fn lifted(alias: &Alias, _now: Timestamp) -> Option<Action> {
    let by_ban = alias.status == Status::Suspended && alias.reason == Reason::Banned;
    by_ban.then_some(Action::Suspend { reason: Reason::BanLifted })
}
