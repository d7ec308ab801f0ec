//! What a ban means for the aliases of its member: all are suspended at once, and open to come back once it is lifted.
//!
//! The ban itself lies in the member's profile and in the list of banned members. The next sync suspends the aliases that
//! an interrupted command left.

use std::collections::BTreeSet;

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::community::Rules;
use membermail_core::lifecycle::{self, Action, Step, tend};
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::members::{IS_NOT_BANNED, Member};
use crate::table::{Store, TRIES, Written, pause};

/// What the member's profile must say for an alias to be suspended.
const IS_BANNED: &str = "attribute_exists(banned_at)";
/// Behind the alias, its audit entry and the outbox.
const PROFILE: usize = 3;

/// An alias that was changed, with its audit entry, which lies in the outbox too.
pub type Changed = (Alias, Ulid);

impl Store {
    /// Suspends every alias of a member who has been banned. Done again it does what is left.
    pub async fn suspend_banned(
        &self,
        member: &Member,
        community: &[DomainName],
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        self.turn_all(member, community, (banned, IS_BANNED), cause, random).await
    }

    /// Notes on every alias which a ban suspended that there is none any more: it stays suspended until a sync or a
    /// sign-in finds the member eligible. Done again it does what is left.
    pub async fn lift_ban(
        &self,
        member: &Member,
        community: &[DomainName],
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        self.turn_all(member, community, (lifted, IS_NOT_BANNED), cause, random).await
    }

    async fn turn_all(
        &self,
        member: &Member,
        community: &[DomainName],
        rule: (Rule, &str),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        let mut changed = Vec::new();
        for id in member.ids() {
            changed.extend(self.turn_aliases(id, member, community, rule, cause, random).await?);
        }
        Ok(changed)
    }

    async fn turn_aliases(
        &self,
        owner: MemberId,
        member: &Member,
        community: &[DomainName],
        rule: (Rule, &str),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<Changed>, StoreError> {
        let mut addresses: BTreeSet<Address> =
            self.aliases_of(owner).await?.into_iter().map(|stored| stored.alias.address).collect();
        // The index lags behind the table: an alias of a moment ago is found by the name that it was given for.
        if let Some(Ok(local_part)) = member.name().map(LocalPart::of) {
            let of = |domain: &DomainName| Address { local_part: local_part.clone(), domain: domain.clone() };
            addresses.extend(community.iter().map(of));
        }
        let mut changed = Vec::new();
        for address in &addresses {
            changed.extend(self.turn(owner, member, address, rule, cause, random).await?);
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
            let Some(alias) = lifecycle::apply(before, &step, false, cause.now) else { return Ok(None) };
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
