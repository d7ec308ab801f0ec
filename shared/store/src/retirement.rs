//! The list of all domains that have ever been configured, and an operator's decision to retire a domain.
//!
//! The list outlives the community file: alias-map answers for a domain that the file no longer has, and `check-domains`
//! notices that it is missing. The decision is stored in the domain's own item, which grants check, and in the list, which
//! contains the domains to sync; one transaction writes both.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::Reason;
use membermail_core::audit::{Cause, Change, DomainChange, Entry};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::random::Random;
use membermail_core::retirement::Retirement;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::gates::update_domain;
use crate::keys;
use crate::outbox;
use crate::stored_domain::StoredDomain;
use crate::table::{Slot, Store, TRIES, Update, Write, attribute, item_exists, path, pause};

/// A domain in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDomain {
    /// The domain.
    pub domain: DomainName,
    /// An operator's decision to retire it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<Retirement>,
    /// Since when it is missing from the community file without such a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted_since: Option<Timestamp>,
}

/// The outcome of a decision on a retirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retired {
    /// The decision is recorded.
    Decided(Retirement),
    /// It was decided before; nothing has changed.
    Before(Retirement),
    /// There is no retirement to cancel.
    NotRetiring,
}

impl Store {
    /// All domains that have ever been configured.
    pub async fn listed_domains(&self) -> Result<Vec<ListedDomain>, StoreError> {
        self.list(keys::DOMAINS, "").await
    }

    /// The domains that the schedule syncs: the configured ones, and those that an operator is retiring.
    pub async fn domains_to_sync(&self, configured: &[DomainName]) -> Result<Vec<DomainName>, StoreError> {
        let mut domains = configured.to_vec();
        let retiring = self.listed_domains().await?.into_iter().filter(|listed| {
            let is_open = listed.retirement.as_ref().is_some_and(|retirement| retirement.ended.is_none());
            is_open && !configured.contains(&listed.domain)
        });
        domains.extend(retiring.map(|listed| listed.domain));
        Ok(domains)
    }

    /// Updates the list from the community file. Returns the domains that are missing from the file and that no operator is
    /// retiring. Operators are notified of each once, by an outbox entry.
    pub async fn update_domain_list(
        &self,
        configured: &[DomainName],
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Vec<DomainName>, StoreError> {
        let listed = self.listed_domains().await?;
        for domain in configured {
            match listed.iter().find(|listed| listed.domain == *domain) {
                Some(ListedDomain { unlisted_since: None, .. }) => {}
                _ => self.put_on_list(domain).await?,
            }
        }
        let mut unlisted = Vec::new();
        for ListedDomain { domain, retirement, unlisted_since } in listed {
            if retirement.is_some() || configured.contains(&domain) {
                continue;
            }
            if unlisted_since.is_none() {
                self.mark_unlisted(&domain, cause, random).await?;
            }
            unlisted.push(domain);
        }
        Ok(unlisted)
    }

    /// Records an operator's decision to retire a domain. Until it is cancelled, no member gets an address there.
    pub async fn retire_domain(
        &self,
        domain: &DomainName,
        retirement: &Retirement,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Retired, StoreError> {
        for tried in 0..TRIES {
            let stored = self.domain(domain).await?;
            if let Some(before) = stored.retirement.as_ref().filter(|_| stored.is_retiring()) {
                return Ok(Retired::Before(before.clone()));
            }
            let did = (DomainChange::Retiring, Some(retirement.until));
            if self.write_retirement(domain, &stored, retirement, did, cause, random).await? {
                return Ok(Retired::Decided(retirement.clone()));
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Cancels the retirement of a domain. The next run restores its addresses and then ends the retirement.
    pub async fn cancel_retirement(
        &self,
        domain: &DomainName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Retired, StoreError> {
        for tried in 0..TRIES {
            let stored = self.domain(domain).await?;
            let Some(before) = &stored.retirement else { return Ok(Retired::NotRetiring) };
            if before.cancelled.is_some() {
                return Ok(Retired::Before(before.clone()));
            }
            let cancelled = Retirement { cancelled: Some(cause.now), ended: None, ..before.clone() };
            let did = (DomainChange::RetirementCancelled, None);
            if self.write_retirement(domain, &stored, &cancelled, did, cause, random).await? {
                return Ok(Retired::Decided(cancelled));
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Ends a retirement that a run has carried out: deletes a cancelled one, and marks another one as ended. Returns false if
    /// an operator decided differently meanwhile.
    pub async fn end_retirement(
        &self,
        domain: &DomainName,
        carried_out: &Retirement,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let stored = self.domain(domain).await?;
        if stored.retirement.as_ref() != Some(carried_out) {
            return Ok(false);
        }
        let ended = Retirement { ended: Some(now), ..carried_out.clone() };
        let next = carried_out.cancelled.is_none().then_some(&ended);
        Ok(self.commit(update_retirement(domain, &stored, next)?).await?.is_committed())
    }

    /// Whether a step agrees with the operators' present decision. A step can wait in the queue for days: meanwhile its
    /// retirement can be cancelled, or the domain can be retired.
    pub(crate) async fn agrees_with_retirement(&self, step: &Step) -> Result<bool, StoreError> {
        let by_retirement = match &step.action {
            Action::Leave { reason, .. } | Action::Suspend { reason } => *reason == Reason::DomainRetired,
            Action::Restore => false,
            Action::Create | Action::Rename { .. } | Action::Retire | Action::Observe => return Ok(true),
        };
        if !by_retirement && step.action != Action::Restore {
            return Ok(true);
        }
        let retirement = self.domain(&step.address.domain).await?.retirement;
        Ok(by_retirement == retirement.is_some_and(|retirement| retirement.cancelled.is_none()))
    }

    async fn write_retirement(
        &self,
        domain: &DomainName,
        read: &StoredDomain,
        next: &Retirement,
        (did, until): (DomainChange, Option<Timestamp>),
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<bool, StoreError> {
        let entry = Entry::new(Change::Domain { domain: domain.clone(), did, until }, cause, random);
        let mut writes = update_retirement(domain, read, Some(next))?;
        writes.extend(outbox::announce(&entry)?);
        Ok(self.commit(writes).await?.is_committed())
    }

    /// Adds a configured domain to the list.
    async fn put_on_list(&self, domain: &DomainName) -> Result<(), StoreError> {
        let update = Update::new().set("domain", domain.as_str()).remove("unlisted_since");
        self.commit(vec![Write::update(&keys::listed(domain), update)]).await?.committed()
    }

    /// Records that the file no longer has the domain. Only one of concurrent runs does.
    async fn mark_unlisted(
        &self,
        domain: &DomainName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let condition = item_exists().and(path("unlisted_since").not_exists()).and(path("retirement").not_exists());
        let update = Update::new().set("unlisted_since", cause.now.to_string());
        let update = Write::update(&keys::listed(domain), update).when(condition).slot(Slot::ListedDomain);
        let change = Change::Domain { domain: domain.clone(), did: DomainChange::Unlisted, until: None };
        let entry = Entry::new(change, cause, random);
        let mut writes = vec![update];
        writes.extend(outbox::announce(&entry)?);
        self.commit(writes).await?.committed_unless_failed(Slot::ListedDomain).map(drop)
    }
}

/// The writes of a decision, with the copies of the gate that it opens or closes, if the domain is as it was read.
fn update_retirement(
    domain: &DomainName,
    read: &StoredDomain,
    next: Option<&Retirement>,
) -> Result<Vec<Write>, StoreError> {
    let update = match next {
        Some(next) => Update::new().set("retirement", attribute(next)?),
        None => Update::new().remove("retirement"),
    };
    let listed = update.clone().set("domain", domain.as_str()).remove("unlisted_since");
    let is_retiring = next.is_some_and(|next| next.cancelled.is_none());
    let is_open = read.verified.is_some() && read.team_problem.is_none() && !is_retiring;
    let mut writes = update_domain(domain, read, update, is_open)?;
    writes.push(Write::update(&keys::listed(domain), listed));
    Ok(writes)
}
