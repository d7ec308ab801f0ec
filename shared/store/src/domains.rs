//! Whether a domain has proven that it belongs to the community, and what was last seen of it in DNS.
//!
//! The attribute `verified` is there exactly while the proof counts. A change of the proof counts `proof_version` up, on the
//! condition that no other change came in between, and writes the [gate](crate::gates) that grants check where that opens
//! or closes.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause, Change, DomainChange, Entry};
use membermail_core::domain_mail::{Dmarc, Mx, Spf, Told};
use membermail_core::domain_proof::{DomainEvent, Proof, Seen, Token};
use membermail_core::eligibility::TeamPin;
use membermail_core::member::Fingerprint;
use membermail_core::random::Random;
use membermail_core::retirement::Retirement;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::gates::{Gate, as_read};
use crate::keys::{self, Key};
use crate::table::{Store, TRIES, Written, number, pause, text};

/// A domain as the table has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredDomain {
    /// Since when it has given new addresses; nothing while it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Timestamp>,
    /// When it first gave addresses. It stays when the proof is gone, as the addresses do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_verified: Option<Timestamp>,
    /// What it shows in DNS to prove itself, once somebody has needed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// How far its proof is, and the last look at its record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<StoredProof>,
    /// Where its mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mx: Option<Checked<Mx>>,
    /// Who may send as it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spf: Option<Checked<Spf>>,
    /// What becomes of mail that only claims to come from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dmarc: Option<Checked<Dmarc>>,
    /// The fingerprint of the one team that gives addresses, as the first sync recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<Fingerprint>,
    /// What the last sync found in place of the team, while that lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_problem: Option<TeamProblem>,
    /// An operator's decision to retire it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retirement: Option<Retirement>,
    #[serde(default)]
    pub(crate) proof_version: u64,
    /// What the copies of its gate say; none in a table of an earlier release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gate: Option<Gate>,
}

/// What a sync found in place of the domain's team. Until that ends, the domain gives and removes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TeamProblem {
    /// No team has the name.
    Missing,
    /// Another team has the name.
    Replaced,
}

impl TeamProblem {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Replaced => "replaced",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct StoredProof {
    #[serde(flatten)]
    proof: Proof,
    #[serde(flatten)]
    last: Option<RecordSeen>,
}

/// The last look at the record of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordSeen {
    /// What was seen.
    pub seen: Seen,
    /// When DNS was asked.
    pub checked_at: Timestamp,
}

/// What was seen, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked<T> {
    /// What.
    #[serde(flatten)]
    pub state: T,
    /// When DNS was asked.
    pub checked_at: Timestamp,
}

impl StoredDomain {
    /// How far its proof is.
    pub fn proof(&self) -> Proof {
        match (&self.proof, self.verified) {
            (Some(stored), _) => stored.proof.clone(),
            // Before there were proofs, nobody but an operator could set the mark.
            (None, Some(since)) => Proof::Operator { since },
            (None, None) => Proof::Pending,
        }
    }

    /// Whether mail to its addresses is taken: from its first proof on. One that was verified before that time was kept
    /// has only the mark.
    pub fn takes_mail(&self) -> bool {
        self.first_verified.or(self.verified).is_some()
    }

    /// What a check has to know of its team.
    pub fn team_pin(&self) -> TeamPin {
        TeamPin { fingerprint: self.team, has_problem: self.team_problem.is_some() }
    }

    /// The last look at its record.
    pub fn record_seen(&self) -> Option<RecordSeen> {
        self.proof.as_ref().and_then(|stored| stored.last)
    }
}

/// All that one look at DNS has shown of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainCheck {
    /// Its record.
    pub record: Seen,
    /// Where its mail goes.
    pub mx: Mx,
    /// Who may send as it.
    pub spf: Spf,
    /// What becomes of mail that only claims to come from it.
    pub dmarc: Dmarc,
    /// When DNS was asked: before the first question, so that of two looks the later one counts.
    pub asked_at: Timestamp,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedCheck {
    /// It is in the table.
    Recorded {
        /// How far the proof is now.
        proof: Proof,
        /// What the domain's admins are to be told. Of checks that ran at once, one alone has it.
        event: Option<DomainEvent>,
        /// The audit entry of the event, which lies in the outbox too.
        entry: Option<Ulid>,
    },
    /// A later look is in the table; this one was dropped.
    Superseded,
}

impl Store {
    /// The domain; one that the table does not know yet is a pending one.
    pub async fn domain(&self, domain: &DomainName) -> Result<StoredDomain, StoreError> {
        Ok(self.get(&keys::domain(domain)).await?.unwrap_or_default())
    }

    /// The domain's token, made when it is first needed and never changed.
    pub async fn domain_token(&self, domain: &DomainName, random: &dyn Random) -> Result<Token, StoreError> {
        for _ in 0..TRIES {
            if let Some(token) = self.domain(domain).await?.token {
                return Ok(token);
            }
            let token = Token::new(random);
            let request = self.update_domain(domain).update_expression("SET #token = :token");
            let request = request.condition_expression("attribute_not_exists(#token)");
            let request = request.expression_attribute_names("#token", "token");
            if applied(request.expression_attribute_values(":token", text(token.as_str()))).await? {
                return Ok(token);
            }
        }
        Err(StoreError::Conflict)
    }

    /// Records a look at DNS and what it makes of the proof, in one write on the condition that nobody wrote in between.
    pub async fn record_domain_check(
        &self,
        domain: &DomainName,
        check: &DomainCheck,
        grace: SignedDuration,
        request_id: &str,
        random: &dyn Random,
    ) -> Result<RecordedCheck, StoreError> {
        let checked_at = check.asked_at;
        let cause = Cause { actor: Actor::DomainCheck, by: None, request_id, now: checked_at };
        for tried in 0..TRIES {
            let stored = self.domain(domain).await?;
            if stored.record_seen().is_some_and(|last| last.checked_at > checked_at) {
                return Ok(RecordedCheck::Superseded);
            }
            let (proof, event) = stored.proof().after(check.record, checked_at, grace);
            let checked_at = check.asked_at;
            let last = Some(RecordSeen { seen: check.record, checked_at });
            let beside = [
                ("mx", newer(&check.mx, stored.mx.as_ref(), checked_at)?),
                ("spf", newer(&check.spf, stored.spf.as_ref(), checked_at)?),
                ("dmarc", newer(&check.dmarc, stored.dmarc.as_ref(), checked_at)?),
            ];
            let beside: Vec<_> = beside.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
            let next = StoredProof { proof: proof.clone(), last };
            let entry = event.as_ref().map(|event| Entry::new(change(domain, event), cause, random));
            if self.write_proof(domain, &stored, next, checked_at, &beside, entry.as_ref()).await? {
                let entry = entry.map(|entry| entry.id);
                return Ok(RecordedCheck::Recorded { proof, event, entry });
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// An operator's word that the domain belongs to the community. It stands until [`Self::unverify_domain`], whatever
    /// DNS says; a domain that has it already keeps its time.
    pub async fn verify_domain(
        &self,
        domain: &DomainName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let change = |proof: &Proof| match proof {
            Proof::Operator { .. } => None,
            _ => Some(Proof::Operator { since: cause.now }),
        };
        self.say(domain, change, DomainChange::Verified, cause, random).await
    }

    /// Takes back an operator's word, or what DNS has shown: no new addresses there until a later look at DNS finds the
    /// record. Addresses that are there stay.
    pub async fn unverify_domain(
        &self,
        domain: &DomainName,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let change = |proof: &Proof| (*proof != Proof::Pending).then_some(Proof::Pending);
        self.say(domain, change, DomainChange::Unverified, cause, random).await
    }

    /// Whether it gives new addresses.
    pub async fn domain_verified(&self, domain: &DomainName) -> Result<bool, StoreError> {
        Ok(self.domain(domain).await?.verified.is_some())
    }

    /// Changes the proof by hand, if there is something to change.
    async fn say(
        &self,
        domain: &DomainName,
        change: impl Fn(&Proof) -> Option<Proof>,
        did: DomainChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        for tried in 0..TRIES {
            let stored = self.domain(domain).await?;
            let Some(proof) = change(&stored.proof()) else { return Ok(()) };
            let next = StoredProof { proof, last: stored.record_seen() };
            let change = Change::Domain { domain: domain.clone(), did, until: None };
            let entry = Entry::new(change, cause, random);
            if self.write_proof(domain, &stored, next, cause.now, &[], Some(&entry)).await? {
                return Ok(());
            }
            pause(tried, random).await;
        }
        Err(StoreError::Conflict)
    }

    /// Writes proof and gate together, and the entry of the change, unless the proof changed since it was read; returns
    /// whether it wrote. A gate that was open keeps its time, and one that opens has `now`.
    async fn write_proof(
        &self,
        domain: &DomainName,
        read: &StoredDomain,
        next: StoredProof,
        now: Timestamp,
        beside: &[(&str, AttributeValue)],
        entry: Option<&Entry>,
    ) -> Result<bool, StoreError> {
        let mut sets = vec![("proof", attribute(&next)?), ("proof_version", number(read.proof_version + 1))];
        sets.extend_from_slice(beside);
        let mut remove = "";
        let is_verified = next.proof.is_verified();
        if is_verified {
            sets.push(("verified", text(read.verified.unwrap_or(now).to_string())));
            sets.push(("first_verified", text(read.first_verified.unwrap_or(now).to_string())));
        } else {
            remove = " REMOVE verified";
        }
        let gate = read.next_gate(is_verified, read.team_problem, read.is_retiring());
        sets.extend(gate.map(|gate| Ok::<_, StoreError>(("gate", attribute(&gate)?))).transpose()?);
        let assignments: Vec<_> = sets.iter().map(|(name, _)| format!("#{name} = :{name}")).collect();
        let mut update =
            self.update(&keys::domain(domain)).update_expression(format!("SET {}{remove}", assignments.join(", ")));
        for (name, value) in sets {
            update = update.expression_attribute_names(format!("#{name}"), name);
            update = update.expression_attribute_values(format!(":{name}"), value);
        }
        let update = as_read(read, update)?;
        let mut writes = vec![TransactWriteItem::builder().update(update.build()?).build()];
        if let Some(entry) = entry {
            writes.extend([self.audit_write(entry)?, self.outbox_write(entry)?]);
        }
        if let Some(gate) = gate {
            writes.extend(self.gate_writes(domain, gate)?);
        }
        Ok(self.transact(writes).await? == Written::All)
    }

    fn update_domain(&self, domain: &DomainName) -> UpdateItemFluentBuilder {
        let Key { pk, sk } = keys::domain(domain);
        self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk))
    }
}

/// Sends an update, and says whether its condition held.
async fn applied(request: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match request.send().await {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What is to be written of a look, if anything: that DNS did not answer takes no place of what it said before.
fn newer<T: Told + Serialize>(
    state: &T,
    stored: Option<&Checked<T>>,
    checked_at: Timestamp,
) -> Result<Option<AttributeValue>, StoreError> {
    let is_known = stored.is_some_and(|stored| stored.state.is_answered());
    (state.is_answered() || !is_known).then(|| attribute(&Checked { state, checked_at })).transpose()
}

pub(crate) fn attribute(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(value).map_err(|cause| StoreError::corrupt("DOMAIN", cause))
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

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    #[rstest::rstest]
    #[case::never(None, None, false)]
    #[case::before_the_first_time_was_kept(Some(AT), None, true)]
    #[case::once_and_not_any_more(None, Some(AT), true)]
    #[case::now(Some(AT), Some(AT), true)]
    fn mail_is_taken_from_the_first_proof_on(
        #[case] verified: Option<Timestamp>,
        #[case] first_verified: Option<Timestamp>,
        #[case] takes: bool,
    ) {
        assert_eq!(StoredDomain { verified, first_verified, ..StoredDomain::default() }.takes_mail(), takes);
    }

    #[test]
    fn silence_takes_no_place_of_an_answer() {
        let (known, silence) = (Mx::Present { servers: 2 }, Mx::Unanswered { why: Unanswered::TimedOut });
        let at = |state: &Mx| Checked { state: state.clone(), checked_at: AT };
        let writes = |state, stored: Option<&Mx>| newer(state, stored.map(at).as_ref(), AT).unwrap().is_some();
        assert!(!writes(&silence, Some(&known)));
        assert!(writes(&silence, None) && writes(&silence, Some(&silence)));
        assert!(writes(&known, Some(&silence)) && writes(&known, Some(&known)) && writes(&Mx::None, Some(&known)));
    }
}
