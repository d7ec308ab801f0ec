//! Applies a step of a plan: once, when it is due, and only to the version that it was planned for.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::community::Rules;
use membermail_core::expiry::{Expired, Present};
use membermail_core::lifecycle::{self, Action, Step, Unapplied};
use membermail_core::random::Random;
use ulid::Ulid;

use crate::aliases::{Delivery, change_alias};
use crate::bans::is_banned;
use crate::error::StoreError;
use crate::keys;
use crate::members::{Member, is_not_banned};
use crate::table::{Condition, Store, TRIES, Update, Write, path, pause};

/// The context that a step is applied in.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The domains of the community.
    pub domains: &'a [DomainName],
    /// The rules of the community.
    pub rules: &'a Rules,
    /// When the run that planned the step started to read the team.
    pub read_at: Timestamp,
}

/// The outcome of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It was applied now.
    Done {
        /// The alias after the step.
        alias: Alias,
        /// The id of the audit and outbox entries.
        entry: Ulid,
    },
    /// The alias has another version than planned: the step was applied before, or a newer change counts.
    Stale,
    /// It is not due yet: the clock that planned it was ahead.
    Early,
    /// The decision behind it no longer counts.
    Expired(Expired),
    /// The name was recorded, or a newer one is stored.
    Observed,
}

impl From<Unapplied> for Applied {
    fn from(unapplied: Unapplied) -> Self {
        match unapplied {
            Unapplied::Stale => Self::Stale,
            Unapplied::Early => Self::Early,
        }
    }
}

/// The member whose ban decides on a step, and the condition that the ban is as it was read.
struct Decisive {
    member: Member,
    condition: Condition,
}

impl Store {
    /// Restores, suspends or retires an alias, or records its name. [`grant`](Self::grant) creates aliases.
    pub async fn apply(
        &self,
        step: &Step,
        terms: Terms<'_>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Applied, StoreError> {
        if let (Action::Observe, Some(known_as)) = (&step.action, &step.known_as) {
            self.observe_alias(&step.address, step.member, known_as, cause.now).await?;
            return Ok(Applied::Observed);
        }
        for tried in 0..TRIES {
            let Some(stored) = self.alias(&step.address).await? else { return Ok(Applied::Stale) };
            if !self.agrees_with_retirement(step).await? {
                return Ok(Applied::Stale);
            }
            let mut delivery = stored.delivery(Status::Active);
            let mut decisive = None;
            if matches!(step.action, Action::Restore | Action::Suspend { reason: Reason::Banned }) {
                let Some(owner) = self.member(stored.alias.member).await? else { return Ok(Applied::Stale) };
                if delivery.destinations.is_empty() {
                    delivery.destinations.extend(owner.destination);
                }
                match self.decide(step, owner, terms, cause.now).await? {
                    Ok(found) => decisive = found,
                    Err(expired) => return Ok(Applied::Expired(expired)),
                }
            }
            let loops = delivery.destinations.is_empty();
            let alias = match lifecycle::apply(&stored.alias, step, terms.rules, loops, cause.now) {
                Ok(alias) => alias,
                Err(unapplied) => return Ok(unapplied.into()),
            };
            let entry = Entry::new(Change::of_alias(&alias, Some(&stored.alias), None), cause, random);
            if alias.status == Status::Retired {
                delivery = Delivery::default();
            }
            let mut writes = change_alias(&alias, delivery, &entry)?;
            if let Some(Decisive { member, condition }) = decisive {
                writes.push(Write::check(&keys::profile(member.id), condition));
            }
            if self.commit(writes).await?.is_committed() {
                return Ok(Applied::Done { alias, entry: entry.id });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Whether a restoration or a ban still counts: an operator can have decided differently since it was planned.
    async fn decide(
        &self,
        step: &Step,
        owner: Member,
        terms: Terms<'_>,
        now: Timestamp,
    ) -> Result<Result<Option<Decisive>, Expired>, StoreError> {
        // A ban from before a link stays with the member who was linked.
        let own_ban = owner.is_banned().then(|| owner.clone());
        let Some(survivor) = self.survivor_of(owner).await? else { return Ok(Ok(None)) };
        let banned = own_ban.or_else(|| survivor.is_banned().then(|| survivor.clone()));
        if step.action != Action::Restore {
            let decisive = banned.map(|member| Decisive { member, condition: is_banned() });
            return Ok(decisive.map(Some).ok_or(Expired::BanChanged));
        }
        if banned.is_some() {
            return Ok(Err(Expired::BanChanged));
        }
        let seen_at = step.known_as.as_ref().map_or(terms.read_at, |known_as| known_as.observed_at);
        let ban_changed_at = survivor.ban_changed_at();
        let domain = &step.address.domain;
        // Cancelling the retirement of a domain restores its addresses, even if the community file does not list it.
        let is_cancelled = !terms.domains.contains(domain) && self.domain(domain).await?.retirement.is_some();
        let domains = if is_cancelled { std::slice::from_ref(domain) } else { terms.domains };
        let present = Present { domains, newest: None, ban_changed_at, now };
        let decided = present.check_restore(seen_at, domain);
        Ok(decided.map(|()| Some(Decisive { member: survivor, condition: is_not_banned() })))
    }

    /// Records that the member's personal data is erased, or need not be: the alias no longer waits for it.
    pub async fn end_erasure(&self, step: &Step) -> Result<(), StoreError> {
        // A restored alias waits for no erasure: a later retirement requests its own.
        let is_retired = path("status").eq(Status::Retired.as_ref());
        let condition = path("member").eq(step.member.to_string()).and(is_retired);
        let update = Update::new().remove("erase_pending");
        self.write(Write::update(&keys::alias(&step.address), update).when(condition)).await.map(drop)
    }
}
