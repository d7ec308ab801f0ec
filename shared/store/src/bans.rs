//! Bans. A ban suspends all aliases of its member at once; after it is lifted they can be restored.
//!
//! The ban is stored in the member's profile and in the list of banned members. The next sync suspends the aliases that an
//! interrupted command left. If two operators decide differently, the later decision wins, regardless of the order of the
//! writes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::Address;
use membermail_core::alias::{Alias, ExpectedVersion, Reason, Status};
use membermail_core::audit::{Cause, Change, Comment, Entry, MemberChange};
use membermail_core::clock::later;
use membermail_core::community::Rules;
use membermail_core::expiry::has_come;
use membermail_core::lifecycle::{self, Action, Step, next_action};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::aliases::change_alias;
use crate::audit::record;
use crate::error::StoreError;
use crate::keys;
use crate::members::{Member, is_not_banned};
use crate::table::{Condition, Slot, Store, TRIES, Update, Write, item_exists, path, pause};

/// The condition on the member's profile to suspend an alias because of a ban.
pub(crate) fn is_banned() -> Condition {
    path("banned_at").exists()
}

/// A changed alias and the id of its audit and outbox entries.
pub type Changed = (Alias, Ulid);

/// The outcome of a ban with its effect on aliases, or of the end of one.
#[derive(Clone, Debug)]
pub struct BanChange {
    /// False if another admin or operator had decided the same before.
    pub is_new: bool,
    /// The aliases that this call changed. Their notices have to be requested.
    pub changed: Vec<Changed>,
}

/// Audit entries of the same millisecond have no order, so the changes of aliases get a later time than the ban.
const AFTER: SignedDuration = SignedDuration::from_millis(1);

/// What is decided about a member.
#[derive(Clone, Copy)]
struct Decision<'a> {
    is_ban: bool,
    reason: Option<&'a Comment>,
    /// The member as read for the decision. It fails if somebody was linked to them since.
    read: Option<&'a Member>,
}

#[derive(Serialize, Deserialize)]
struct Banned {
    member: MemberId,
}

/// Puts a member on the list of banned members, which every sync reads.
pub(crate) fn list_banned(member: MemberId) -> Result<Write, StoreError> {
    Write::put(&keys::banned(member), &Banned { member })
}

impl Store {
    /// Bans a member: their sessions end now, and they get no address. Every sync reads the list of banned members and
    /// suspends the aliases that the caller does not. Returns false if they were banned before.
    pub async fn ban(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<bool, StoreError> {
        self.ban_with_reason(id, None, cause, random).await
    }

    /// The same with a reason for the member. The reason of an earlier ban stays.
    pub async fn ban_with_reason(
        &self,
        id: MemberId,
        reason: Option<&Comment>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        self.change_ban(id, Decision { is_ban: true, reason, read: None }, cause, random).await
    }

    /// Lifts a ban; the sessions that it ended stay ended. Returns false if there was none.
    pub async fn unban(&self, id: MemberId, cause: Cause<'_>, random: &dyn Random) -> Result<bool, StoreError> {
        self.change_ban(id, Decision { is_ban: false, reason: None, read: None }, cause, random).await
    }

    /// Bans a member and suspends their aliases, which completes a ban that was interrupted. `member` is as it was read for
    /// the decision.
    pub async fn ban_and_suspend(
        &self,
        member: &Member,
        reason: Option<&Comment>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<BanChange, StoreError> {
        // The ban comes first, because it blocks new addresses. The next sync suspends any address that is left.
        let decision = Decision { is_ban: true, reason, read: Some(member) };
        let is_new = self.change_ban(member.id, decision, cause, random).await?;
        let cause = Cause { now: later(cause.now, AFTER), ..cause };
        Ok(BanChange { is_new, changed: self.suspend_banned(member, cause, random).await? })
    }

    /// Lifts a ban and marks the suspended aliases, which a check or a sync restores if the member is eligible.
    pub async fn unban_and_lift(
        &self,
        member: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<BanChange, StoreError> {
        let decision = Decision { is_ban: false, reason: None, read: Some(member) };
        let is_new = self.change_ban(member.id, decision, cause, random).await?;
        let cause = Cause { now: later(cause.now, AFTER), ..cause };
        Ok(BanChange { is_new, changed: self.lift_ban(member, cause, random).await? })
    }

    async fn change_ban(
        &self,
        id: MemberId,
        decision: Decision<'_>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let Decision { is_ban, read, .. } = decision;
        let did = if is_ban { MemberChange::Banned } else { MemberChange::Unbanned };
        for tried in 0..TRIES {
            // A linked member is banned together with the surviving one.
            let member = self.survivor(id).await?.ok_or_else(StoreError::missing_member)?;
            if read.is_some_and(|read| (read.id, &read.merged) != (member.id, &member.merged)) {
                return Err(StoreError::Superseded);
            }
            if member.is_banned() == is_ban {
                return Ok(false);
            }
            if member.ban_changed_at().is_some_and(|at| at > cause.now && has_come(at, cause.now)) {
                return Err(StoreError::Superseded);
            }
            let entry = Entry::new(Change::Member { member: member.id, did }, cause, random);
            let mut writes = vec![update_ban(&member, decision, cause.now)?];
            writes.extend(record(&entry)?);
            for id in member.ids() {
                writes.push(if is_ban { list_banned(id)? } else { Write::delete(&keys::banned(id)) });
            }
            // Sessions from before a link belong to the linked member.
            for id in member.merged.iter().filter(|_| is_ban) {
                let update = Update::new().increment("session_epoch");
                writes.push(Write::update(&keys::profile(*id), update).when(item_exists()));
            }
            if self.commit(writes).await?.is_committed() {
                return Ok(true);
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Loads the banned members and those that were linked to them.
    pub async fn banned_members(&self) -> Result<BTreeSet<MemberId>, StoreError> {
        let banned: Vec<Banned> = self.list(keys::BANNED, "").await?;
        Ok(banned.into_iter().map(|banned| banned.member).collect())
    }

    /// Suspends every alias of a banned member. Idempotent.
    pub async fn suspend_banned(
        &self,
        member: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        self.change_all(member, suspend_for_ban, &is_banned(), cause, random).await
    }

    /// Marks every alias that the ban suspended with the reason `BanLifted`. They stay suspended until a sync or a sign-in
    /// finds the member eligible. Idempotent.
    pub async fn lift_ban(
        &self,
        member: &Member,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        self.change_all(member, mark_lifted, &is_not_banned(), cause, random).await
    }

    async fn change_all(
        &self,
        member: &Member,
        rule: Rule,
        profile: &Condition,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        let mut changed = Vec::new();
        for id in member.ids() {
            for address in self.addresses_of(id).await? {
                let check = Write::check(&keys::profile(member.id), profile.clone()).slot(Slot::Profile);
                changed.extend(self.change_one(id, &address, rule, check, cause, random).await?);
            }
        }
        Ok(changed)
    }

    /// Applies the rule to the alias as it is now, and again after a conflict.
    async fn change_one(
        &self,
        owner: MemberId,
        address: &Address,
        rule: Rule,
        check: Write,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Changed>, StoreError> {
        for tried in 0..TRIES {
            let owned = self.alias(address).await?.filter(|stored| stored.alias.member == owner);
            let Some(stored) = owned else { return Ok(None) };
            let before = &stored.alias;
            let Some(action) = rule(before, cause.now) else { return Ok(None) };
            let step = Step {
                address: address.clone(),
                member: owner,
                expected: ExpectedVersion::At(before.version),
                known_as: None,
                action,
            };
            let Ok(alias) = lifecycle::apply(before, &step, &Rules::default(), false, cause.now) else {
                return Ok(None);
            };
            let entry = Entry::new(Change::of_alias(&alias, Some(before), None), cause, random);
            let mut writes = change_alias(&alias, stored.delivery(alias.status), &entry)?;
            writes.push(check.clone());
            let transacted = self.commit(writes).await?;
            if transacted.is_committed() {
                return Ok(Some((alias, entry.id)));
            }
            // Another operator decided differently meanwhile and changes the aliases.
            if transacted.has_failed(Slot::Profile) {
                return Ok(None);
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }
}

/// Updates the ban in the profile, if its links and its ban are as they were read and no later decision is stored. A
/// concurrent link could otherwise ban only one of the two members.
fn update_ban(member: &Member, decision: Decision<'_>, now: Timestamp) -> Result<Write, StoreError> {
    let update = Update::new().set("ban_changed_at", now.as_microsecond());
    let update = match decision.is_ban {
        true => update.set("banned_at", now.to_string()).increment("session_epoch"),
        false => update.remove("banned_at"),
    };
    let update = match decision.reason {
        Some(reason) => update.set("ban_reason", reason.as_str()),
        None => update.remove("ban_reason"),
    };
    let changed_at = path("ban_changed_at");
    let is_latest = changed_at.not_exists().or(changed_at.le(now.as_microsecond())).or(changed_at.is_from_future(now));
    Ok(Write::update(&keys::profile(member.id), update).when(member.is_as_read()?.and(is_latest)))
}

/// The action that an alias needs, if any.
type Rule = fn(&Alias, Timestamp) -> Option<Action>;

/// The same action as a sync would plan. A ban never retires an alias, so the community's rules do not matter.
fn suspend_for_ban(alias: &Alias, now: Timestamp) -> Option<Action> {
    next_action(alias, Err(Reason::Banned), &Rules::default(), now)
        .filter(|action| matches!(action, Action::Suspend { .. }))
}

fn mark_lifted(alias: &Alias, _now: Timestamp) -> Option<Action> {
    let by_ban = alias.status == Status::Suspended && alias.reason == Reason::Banned;
    by_ban.then_some(Action::Suspend { reason: Reason::BanLifted })
}
