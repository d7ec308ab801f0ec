//! The gate of a domain: what a grant's transaction asks before it writes an address there.
//!
//! A condition check costs write capacity of the item that it checks, and two transactions that touch one item conflict.
//! One item per domain would be hot during a rush of grants, so the gate has [`COPIES`] copies in partitions of their own,
//! and a grant checks the copy of its member. The domain's item decides: the copies are written in the transaction that
//! changes the decision, on the condition that nothing it depends on has changed, so that no copy allows what the domain
//! forbids. What changes with each look at DNS stays in the domain's item and touches no copy.
//!
//! A table of an earlier release has no copies, or has copies that an earlier release did not write. The domain's item
//! notes what its copies say: the next change of the domain repairs them, and a grant that finds a closed copy of an open
//! domain does too.

use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::member::MemberId;
use serde::{Deserialize, Serialize};

use crate::domains::{StoredDomain, TeamProblem, attribute};
use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, Written, number, text};

/// Copies of a gate. A partition takes 1,000 write units a second and a condition check costs two, so a domain takes 8,000
/// grants a second. Another number makes new copies: the number is a part of their keys.
pub const COPIES: u64 = 16;

/// A copy is open while it has this attribute.
const IS_OPEN: &str = "attribute_exists(is_open)";
/// A domain gives addresses while it is verified, its team can be checked and no operator retires it.
/// [`StoredDomain::refusal`] says the same.
const GIVES_ADDRESSES: &str = "attribute_exists(verified) AND attribute_not_exists(team_problem) \
     AND (attribute_not_exists(retirement) OR attribute_exists(retirement.cancelled))";

/// What the copies of a domain's gate say, as the domain's item notes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gate {
    copies: u64,
    is_open: bool,
}

impl StoredDomain {
    /// Why the domain gives no addresses now.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        if self.is_retiring() {
            return Some(Refusal::DomainRetired);
        }
        match (self.verified, self.team_problem) {
            (None, _) => Some(Refusal::DomainNotVerified),
            (Some(_), Some(_)) => Some(Refusal::TeamUnavailable),
            (Some(_), None) => None,
        }
    }

    /// Whether an operator retires it.
    pub fn is_retiring(&self) -> bool {
        self.retirement.as_ref().is_some_and(|retirement| retirement.cancelled.is_none())
    }

    /// What the gate's copies have to say from now on; none where they say it.
    pub(crate) fn next_gate(
        &self,
        is_verified: bool,
        team_problem: Option<TeamProblem>,
        is_retiring: bool,
    ) -> Option<Gate> {
        let next = Gate { copies: COPIES, is_open: is_verified && team_problem.is_none() && !is_retiring };
        (self.gate != Some(next)).then_some(next)
    }
}

impl Store {
    /// The condition of a grant: the gate's copy of this member is open.
    pub(crate) fn gate_check(&self, domain: &DomainName, member: MemberId) -> Result<TransactWriteItem, StoreError> {
        self.check(&keys::gate(domain, COPIES, member.shard(COPIES)), IS_OPEN)
    }

    /// All copies of the gate, for the transaction of the change that opens or closes it.
    pub(crate) fn gate_writes(&self, domain: &DomainName, gate: Gate) -> Result<Vec<TransactWriteItem>, StoreError> {
        let copy = |number| -> Result<_, StoreError> {
            let update = self.update(&keys::gate(domain, COPIES, number));
            let update = if gate.is_open {
                update
                    .update_expression("SET is_open = :true")
                    .expression_attribute_values(":true", aws_sdk_dynamodb::types::AttributeValue::Bool(true))
            } else {
                update.update_expression("REMOVE is_open")
            };
            Ok(TransactWriteItem::builder().update(update.build()?).build())
        };
        (0..COPIES).map(copy).collect()
    }

    /// Opens the copies of a domain that gives addresses, where an earlier release wrote none. Where the domain changed
    /// meanwhile, nothing is written.
    pub(crate) async fn repair_gate(&self, domain: &DomainName) -> Result<Written, StoreError> {
        let gate = Gate { copies: COPIES, is_open: true };
        let noted = self
            .update(&keys::domain(domain))
            .update_expression("SET #gate = :gate")
            .condition_expression(GIVES_ADDRESSES)
            .expression_attribute_names("#gate", "gate")
            .expression_attribute_values(":gate", attribute(&gate)?);
        let mut writes = vec![TransactWriteItem::builder().update(noted.build()?).build()];
        writes.extend(self.gate_writes(domain, gate)?);
        self.transact(writes).await
    }
}

/// The condition that nothing has changed on which the gate depends.
pub(crate) fn as_read(read: &StoredDomain, update: UpdateBuilder) -> Result<UpdateBuilder, StoreError> {
    let (update, proof) = match read.proof_version {
        0 => (update, "attribute_not_exists(proof_version)"),
        version => (update.expression_attribute_values(":read_proof", number(version)), "proof_version = :read_proof"),
    };
    let (update, team) = match read.team_problem {
        None => (update, "attribute_not_exists(team_problem)"),
        Some(problem) => {
            (update.expression_attribute_values(":read_team", text(problem.as_str())), "team_problem = :read_team")
        }
    };
    let (update, retirement) = match &read.retirement {
        None => (update, "attribute_not_exists(retirement)"),
        Some(retirement) => {
            let update = update.expression_attribute_values(":read_retirement", attribute(retirement)?);
            (update, "retirement = :read_retirement")
        }
    };
    Ok(update.condition_expression(format!("{proof} AND {team} AND {retirement}")))
}
