//! The list of all domains that have ever been configured, and the decision of an operator to retire one.
//!
//! The list outlives the community file: alias-map answers for a domain that the file no longer has, and `check-domains`
//! notices that it is missing. The decision lies in the domain's own item, where grants check it, and in the list, where
//! the domains to sync are found; one transaction writes both.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::Reason;
use membermail_core::audit::{Cause, Change, DomainChange, Entry};
use membermail_core::lifecycle::{Action, Step};
use membermail_core::random::Random;
use membermail_core::retirement::Retirement;
use serde::{Deserialize, Serialize};

use crate::domains::{StoredDomain, attribute};
use crate::error::StoreError;
use crate::gates::as_read;
use crate::keys;
use crate::table::{Store, TRIES, Written, pause, text};

/// A domain in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedDomain {
    /// The domain.
    pub domain: DomainName,
    /// An operator's decision to retire it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<Retirement>,
    /// Since when the community file does not have it, without such a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlisted_since: Option<Timestamp>,
}

/// The result of a decision on a retirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retired {
    /// It counts from now on.
    Decided(Retirement),
    /// It was decided before, and nothing changed.
    Before(Retirement),
    /// There is no retirement to cancel.
    NotRetiring,
}

impl Store {
    /// All domains that have ever been configured.
    pub async fn listed_domains(&self) -> Result<Vec<ListedDomain>, StoreError> {
        self.list(keys::DOMAINS, "").await
    }

    /// The domains whose addresses a schedule keeps in step: the configured ones, and those that an operator retires.
    pub async fn domains_to_sync(&self, configured: &[DomainName]) -> Result<Vec<DomainName>, StoreError> {
        let mut domains = configured.to_vec();
        let retiring = self.listed_domains().await?.into_iter().filter(|listed| {
            let is_open = listed.retirement.as_ref().is_some_and(|retirement| retirement.ended.is_none());
            is_open && !configured.contains(&listed.domain)
        });
        domains.extend(retiring.map(|listed| listed.domain));
        Ok(domains)
    }

    /// Brings the list up to date with the community file. Returns the domains that the file does not have and that no
    /// operator retires. The operators are notified of each once: the audit entry of the change lies in the outbox.
    pub async fn compare_with_list(
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
                self.note_unlisted(&domain, cause, random).await?;
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

    /// Ends what a run has carried out: a cancelled retirement is gone, and of another one it is noted that no address is
    /// left. Returns false where an operator decided otherwise meanwhile.
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
        let writes = self.retirement_writes(domain, &stored, next)?;
        Ok(self.transact(writes).await? == Written::All)
    }

    /// Whether a step fits what operators have decided by now. A step can wait on the queue for days: in the meantime the
    /// retirement that it was planned for can be cancelled, or the domain can be retired.
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
        let mut writes = self.retirement_writes(domain, read, Some(next))?;
        writes.extend([self.audit_write(&entry)?, self.outbox_write(&entry)?]);
        Ok(self.transact(writes).await? == Written::All)
    }

    /// The writes of a decision, with the copies of the gate that it opens or closes, on the condition that the domain is
    /// as it was read.
    fn retirement_writes(
        &self,
        domain: &DomainName,
        read: &StoredDomain,
        next: Option<&Retirement>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut update = self.update(&keys::domain(domain));
        let mut listed = self
            .update(&keys::listed(domain))
            .expression_attribute_names("#domain", "domain")
            .expression_attribute_values(":domain", text(domain.as_str()));
        let (mut sets, mut remove) = (Vec::new(), "");
        match next {
            Some(next) => {
                let next = attribute(next)?;
                sets.push("retirement = :next");
                update = update.expression_attribute_values(":next", next.clone());
                listed = listed
                    .update_expression("SET #domain = :domain, retirement = :next REMOVE unlisted_since")
                    .expression_attribute_values(":next", next);
            }
            None => {
                remove = "REMOVE retirement";
                listed = listed.update_expression("SET #domain = :domain REMOVE retirement");
            }
        }
        let is_retiring = next.is_some_and(|next| next.cancelled.is_none());
        let gate = read.next_gate(read.verified.is_some(), read.team_problem, is_retiring);
        if let Some(gate) = gate {
            sets.push("#gate = :gate");
            update = update.expression_attribute_names("#gate", "gate");
            update = update.expression_attribute_values(":gate", attribute(&gate)?);
        }
        let set = if sets.is_empty() { String::new() } else { format!("SET {} ", sets.join(", ")) };
        let update = as_read(read, update.update_expression(format!("{set}{remove}")))?;
        let mut writes = vec![
            TransactWriteItem::builder().update(update.build()?).build(),
            TransactWriteItem::builder().update(listed.build()?).build(),
        ];
        if let Some(gate) = gate {
            writes.extend(self.gate_writes(domain, gate)?);
        }
        Ok(writes)
    }

    /// The file has the domain.
    async fn put_on_list(&self, domain: &DomainName) -> Result<(), StoreError> {
        let listed = self
            .update(&keys::listed(domain))
            .update_expression("SET #domain = :domain REMOVE unlisted_since")
            .expression_attribute_names("#domain", "domain")
            .expression_attribute_values(":domain", text(domain.as_str()));
        match self.transact(vec![TransactWriteItem::builder().update(listed.build()?).build()]).await? {
            Written::All => Ok(()),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// The file no longer has the domain. Of runs at the same time, one alone notes it.
    async fn note_unlisted(
        &self,
        domain: &DomainName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let noted = self
            .update(&keys::listed(domain))
            .update_expression("SET unlisted_since = :now")
            .condition_expression(
                "attribute_exists(pk) AND attribute_not_exists(unlisted_since) AND attribute_not_exists(retirement)",
            )
            .expression_attribute_values(":now", text(cause.now.to_string()));
        let change = Change::Domain { domain: domain.clone(), did: DomainChange::Unlisted, until: None };
        let entry = Entry::new(change, cause, random);
        let writes = vec![
            TransactWriteItem::builder().update(noted.build()?).build(),
            self.audit_write(&entry)?,
            self.outbox_write(&entry)?,
        ];
        match self.transact(writes).await? {
            Written::All => Ok(()),
            Written::Failed(places) if places.contains(&0) => Ok(()),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}
