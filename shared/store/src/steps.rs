//! Applying a step of a plan: on the version that it was planned on, once, in its time, or not at all.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::{self, Alias, Reason, Status};
use membermail_core::audit::{Cause, Change, Entry};
use membermail_core::community::Rules;
use membermail_core::expiry::{Expired, Present};
use membermail_core::lifecycle::{self, Action, Step, Unapplied};
use membermail_core::random::Random;
use ulid::Ulid;

use crate::aliases::StoredAlias;
use crate::bans::IS_BANNED;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::{IS_NOT_BANNED, Member};
use crate::sealing::Sealer;
use crate::table::{Store, TRIES, Written, if_condition_holds, pause, text};

/// What a step is applied under.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The domains of the community.
    pub domains: &'a [DomainName],
    /// Its rules.
    pub rules: &'a Rules,
    /// When the run that planned the step began to read the team.
    pub read_at: Timestamp,
}

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
    /// Its time has not come: it was planned by a clock that was ahead.
    Early,
    /// What it rests on no longer counts.
    Expired(Expired),
    /// The name was recorded, or a newer one is.
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

/// The member whose ban decides on a step, as read with the condition that the ban stays so.
struct Decisive {
    member: Member,
    condition: &'static str,
}

impl Store {
    /// Restores, ends or retires an alias, or records its name. Creating one is [`grant`](Self::grant)'s.
    pub async fn apply(
        &self,
        sealer: &Sealer,
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
            let mut loops = false;
            let mut decisive = None;
            if matches!(step.action, Action::Restore | Action::Suspend { reason: Reason::Banned }) {
                let Some(owner) = self.member(stored.alias.member).await? else { return Ok(Applied::Stale) };
                loops = step.action == Action::Restore && loops_back(sealer, &stored, &owner, terms.domains)?;
                match self.decide(step, owner, terms, cause.now).await? {
                    Ok(found) => decisive = found,
                    Err(expired) => return Ok(Applied::Expired(expired)),
                }
            }
            let alias = match lifecycle::apply(&stored.alias, step, terms.rules, loops, cause.now) {
                Ok(alias) => alias,
                Err(unapplied) => return Ok(unapplied.into()),
            };
            let destination = stored.destination.clone().filter(|_| alias.status != Status::Retired);
            let entry = Entry::new(Change::of_alias(&alias, Some(&stored.alias), None), cause, random);
            let mut writes = self.alias_writes(&alias, destination, &entry)?;
            if let Some(Decisive { member, condition }) = decisive {
                writes.push(self.check(&keys::profile(member.id), condition)?);
            }
            match self.transact(writes).await? {
                Written::All => return Ok(Applied::Done { alias, entry: entry.id }),
                Written::Failed(_) => pause(tried, random).await,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Whether a restoration or a ban still counts: an operator may have decided otherwise since it was planned.
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
            let decisive = banned.map(|member| Decisive { member, condition: IS_BANNED });
            return Ok(decisive.map(Some).ok_or(Expired::BanChanged));
        }
        if banned.is_some() {
            return Ok(Err(Expired::BanChanged));
        }
        let seen_at = step.known_as.as_ref().map_or(terms.read_at, |known_as| known_as.observed_at);
        let ban_changed_at = survivor.ban_changed_at();
        let domain = &step.address.domain;
        // An operator who cancels the retirement of a domain decides on its addresses, whether or not the file has it.
        let is_cancelled = !terms.domains.contains(domain) && self.domain(domain).await?.retirement.is_some();
        let domains = if is_cancelled { std::slice::from_ref(domain) } else { terms.domains };
        let present = Present { domains, newest: None, ban_changed_at, now };
        let decided = present.check_restore(seen_at, domain);
        Ok(decided.map(|()| Some(Decisive { member: survivor, condition: IS_NOT_BANNED })))
    }

    /// The member's personal data is erased, or need not be: an alias no longer waits for it.
    pub async fn end_erasure(&self, step: &Step) -> Result<(), StoreError> {
        let Key { pk, sk } = keys::alias(&step.address);
        let request = self.client.update_item().table_name(&self.table);
        let ended = request
            .key("pk", text(pk))
            .key("sk", text(sk))
            .update_expression("REMOVE erase_pending")
            // One that is back waits for no erasure: a later retirement asks for its own.
            .condition_expression("#member = :member AND #status = :retired")
            .expression_attribute_names("#member", "member")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":member", text(step.member.to_string()))
            .expression_attribute_values(":retired", text(Status::Retired.as_str()))
            .send()
            .await;
        if_condition_holds(ended).map(drop)
    }
}

/// Whether mail to the alias would come back to the community.
fn loops_back(
    sealer: &Sealer,
    stored: &StoredAlias,
    owner: &Member,
    community: &[DomainName],
) -> Result<bool, StoreError> {
    let destination = stored.destination(sealer, &owner.salt)?;
    Ok(destination.is_some_and(|destination| alias::is_loop(&destination, community)))
}
