//! The proof that a domain belongs to the community, and the results of its last DNS check.
//!
//! A domain has the attribute `verified` exactly while its proof is valid. A change of the proof increments `proof_version`
//! (optimistic locking) and updates the [gate](crate::gates) that grants check, if it opens or closes.

use std::mem::discriminant;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::{Cause, Change, DomainChange, Entry};
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen, Token};
use membermail_core::random::Random;
use serde::Serialize;
use ulid::Ulid;

use crate::error::StoreError;
use crate::gates::update_domain;
use crate::keys;
use crate::outbox;
use crate::stored_domain::{Checked, RecordSeen, StoredDomain, StoredProof};
use crate::table::{Store, TRIES, Update, Write, attribute, path, pause};

/// The results of one DNS check of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainCheck {
    /// The record that proves the domain.
    pub record: Seen,
    /// The MX records.
    pub mx: Mx,
    /// The SPF record.
    pub spf: Spf,
    /// The DMARC record.
    pub dmarc: Dmarc,
    /// The time before the first query, so that the later of two checks counts.
    pub asked_at: Timestamp,
}

/// The outcome of recording a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedCheck {
    /// The check is stored.
    Recorded {
        /// The new state of the proof.
        proof: Proof,
        /// The event to notify the domain's admins of. Only one of concurrent checks has it.
        event: Option<DomainEvent>,
        /// The id of the audit and outbox entries of the event.
        entry: Option<Ulid>,
    },
    /// A later check is stored; this one was dropped.
    Superseded,
}

impl Store {
    /// Loads a domain; one without an item is pending.
    pub async fn domain(&self, domain: &DomainName) -> Result<StoredDomain, StoreError> {
        Ok(self.get(&keys::domain(domain)).await?.unwrap_or_default())
    }

    /// The last DNS check of each of these domains, in no order. A domain that was never checked is left out.
    pub async fn last_domain_checks<'a>(
        &self,
        domains: impl Iterator<Item = &'a DomainName>,
    ) -> Result<Vec<RecordSeen>, StoreError> {
        let all: Vec<_> = domains.map(keys::domain).collect();
        let stored: Vec<StoredDomain> = self.get_all(&all).await?;
        Ok(stored.iter().filter_map(StoredDomain::record_seen).collect())
    }

    /// Returns the domain's token; the first call creates it. It never changes.
    pub async fn ensure_domain_token(&self, domain: &DomainName, random: &dyn Random) -> Result<Token, StoreError> {
        for _ in 0..TRIES {
            if let Some(token) = self.domain(domain).await?.token {
                return Ok(token);
            }
            let token = Token::new(random);
            let update = Write::update(&keys::domain(domain), Update::new().set("token", token.as_str()));
            if self.write(update.when(path("token").not_exists())).await? {
                return Ok(token);
            }
        }
        Err(StoreError::Conflict)
    }

    /// Records a DNS check and the resulting proof in one transaction (optimistic locking). The time of the check is that of the
    /// change.
    pub async fn record_domain_check(
        &self,
        domain: &DomainName,
        check: &DomainCheck,
        grace: SignedDuration,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<RecordedCheck, StoreError> {
        let checked_at = check.asked_at;
        let cause = Cause { now: checked_at, ..cause };
        for tried in 0..TRIES {
            let stored = self.domain(domain).await?;
            if stored.record_seen().is_some_and(|last| last.checked_at > checked_at) {
                return Ok(RecordedCheck::Superseded);
            }
            let (proof, event) = stored.proof().after(check.record, checked_at, grace);
            let last = Some(RecordSeen { seen: check.record, checked_at });
            let dns = [
                ("mx", newer(&check.mx, Mx::is_unanswered, stored.mx.as_ref(), checked_at)?),
                ("spf", newer(&check.spf, Spf::is_unanswered, stored.spf.as_ref(), checked_at)?),
                ("dmarc", newer(&check.dmarc, Dmarc::is_unanswered, stored.dmarc.as_ref(), checked_at)?),
            ];
            let next = StoredProof { proof: proof.clone(), last };
            let entry = event.as_ref().map(|event| Entry::new(change(domain, event), cause, random));
            if self.write_proof(domain, &stored, next, checked_at, &dns, entry.as_ref()).await? {
                let entry = entry.map(|entry| entry.id);
                return Ok(RecordedCheck::Recorded { proof, event, entry });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Verifies a domain by an operator's decision, which overrides DNS until [`Self::unverify_domain`]. Repeats keep the first
    /// time.
    pub async fn verify_domain(
        &self,
        domain: &DomainName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        self.change_proof(domain, Proof::Operator { since: cause.now }, DomainChange::Verified, cause, random).await
    }

    /// Revokes the proof: the domain gives no new addresses until a later DNS check finds the record. Existing addresses stay.
    pub async fn unverify_domain(
        &self,
        domain: &DomainName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        self.change_proof(domain, Proof::Pending, DomainChange::Unverified, cause, random).await
    }

    /// Whether the domain's proof is valid.
    pub async fn domain_verified(&self, domain: &DomainName) -> Result<bool, StoreError> {
        Ok(self.domain(domain).await?.verified.is_some())
    }

    /// Changes the proof by an operator's decision, unless it has the same state.
    async fn change_proof(
        &self,
        domain: &DomainName,
        proof: Proof,
        did: DomainChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        for tried in 0..TRIES {
            let stored = self.domain(domain).await?;
            if discriminant(&stored.proof()) == discriminant(&proof) {
                return Ok(());
            }
            let next = StoredProof { proof: proof.clone(), last: stored.record_seen() };
            let change = Change::Domain { domain: domain.clone(), did, until: None };
            let entry = Entry::new(change, cause, random);
            if self.write_proof(domain, &stored, next, cause.now, &[], Some(&entry)).await? {
                return Ok(());
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Writes the proof, the gate and the entry of the change, if the proof is as it was read; returns whether it wrote. A
    /// proof that stays valid keeps its time.
    async fn write_proof(
        &self,
        domain: &DomainName,
        read: &StoredDomain,
        next: StoredProof,
        now: Timestamp,
        dns: &[(&'static str, Option<AttributeValue>)],
        entry: Option<&Entry>,
    ) -> Result<bool, StoreError> {
        let mut update = Update::new().set("proof", attribute(&next)?).set("proof_version", read.proof_version + 1);
        for (name, value) in dns {
            if let Some(value) = value.clone() {
                update = update.set(name, value);
            }
        }
        let is_verified = next.proof.is_verified();
        update = match is_verified {
            true => update
                .set("verified", read.verified.unwrap_or(now).to_string())
                .set("first_verified", read.first_verified.unwrap_or(now).to_string()),
            false => update.remove("verified"),
        };
        let is_open = is_verified && read.team_problem.is_none() && !read.is_retiring();
        let mut writes = update_domain(domain, read, update, is_open)?;
        if let Some(entry) = entry {
            writes.extend(outbox::announce(entry)?);
        }
        Ok(self.commit(writes).await?.is_committed())
    }
}

/// The value to store, if any: a query without an answer does not replace an earlier answer.
fn newer<T: Serialize>(
    state: &T,
    is_unanswered: fn(&T) -> bool,
    stored: Option<&Checked<T>>,
    checked_at: Timestamp,
) -> Result<Option<AttributeValue>, StoreError> {
    let is_known = stored.is_some_and(|stored| !is_unanswered(&stored.state));
    (!is_unanswered(state) || !is_known).then(|| attribute(&Checked { state, checked_at })).transpose()
}

fn change(domain: &DomainName, event: &DomainEvent) -> Change {
    let (did, until) = match event {
        DomainEvent::Verified => (DomainChange::Verified, None),
        DomainEvent::RecordGone { until } => (DomainChange::RecordGone, Some(*until)),
        DomainEvent::Lapsed => (DomainChange::Lapsed, None),
        DomainEvent::Restored => (DomainChange::Restored, None),
    };
    Change::Domain { domain: domain.clone(), did, until }
}

#[cfg(test)]
mod tests {
    use membermail_core::domain_proof::Unanswered;

    use super::*;

    const KNOWN: Mx = Mx::Present { servers: 2 };
    const UNANSWERED: Mx = Mx::Unanswered { why: Unanswered::TimedOut };

    #[rstest::rstest]
    #[case(UNANSWERED, Some(KNOWN), false)]
    #[case(UNANSWERED, None, true)]
    #[case(UNANSWERED, Some(UNANSWERED), true)]
    #[case(KNOWN, Some(UNANSWERED), true)]
    #[case(KNOWN, Some(KNOWN), true)]
    #[case(Mx::None, Some(KNOWN), true)]
    fn missing_answer_replaces_no_answer(#[case] state: Mx, #[case] stored: Option<Mx>, #[case] is_written: bool) {
        let stored = stored.map(|state| Checked { state, checked_at: Timestamp::UNIX_EPOCH });
        let next = newer(&state, Mx::is_unanswered, stored.as_ref(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(next.is_some(), is_written);
    }
}
