//! The gate of a domain: a condition that every grant's transaction checks before it writes an address.
//!
//! A condition check costs write capacity of the item that it checks, and two transactions that touch one item conflict.
//! One item per domain would be hot during a rush of grants, so the gate has [`COPIES`] copies in separate partitions, and a
//! grant checks the copy of its member. The domain's item decides: the copies are written in the transaction that
//! changes the decision, on the condition that nothing it depends on has changed, so that no copy allows what the domain
//! forbids. Attributes that change with each DNS check are only in the domain's item.
//!
//! A DynamoDB backup is not consistent across items, so a restored table can have copies that do not match the domain's
//! item, and another number of copies starts with none. The domain's item notes the state of its copies: the next change of
//! the domain repairs them, and so does a grant that finds a closed copy of an open domain.

use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::member::MemberId;

use crate::error::StoreError;
use crate::keys;
use crate::stored_domain::{Gate, StoredDomain};
use crate::table::{Condition, Slot, Store, Transacted, Update, Write, attribute, path};

/// Copies of a gate. A partition takes 1,000 write units a second and a condition check costs two, so a domain takes 8,000
/// grants a second. Another number makes new copies: the number is a part of their keys.
pub const COPIES: u64 = 16;

/// A domain gives addresses while it is verified, its team can be checked and no operator retires it; the same as
/// [`StoredDomain::refusal`].
fn gives_addresses() -> Condition {
    let is_not_retiring = path("retirement").not_exists().or(path("retirement.cancelled").exists());
    path("verified").exists().and(path("team_problem").not_exists()).and(is_not_retiring)
}

impl StoredDomain {
    /// Why the domain gives no addresses at present.
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

    /// Whether an operator is retiring it.
    pub fn is_retiring(&self) -> bool {
        self.retirement.as_ref().is_some_and(|retirement| retirement.cancelled.is_none())
    }
}

/// Checks that the member's copy of the gate is open, as part of the transaction of a grant.
pub(crate) fn check_gate(domain: &DomainName, member: MemberId) -> Write {
    let copy = keys::gate(domain, COPIES, member.shard(COPIES));
    Write::check(&copy, path("is_open").exists()).slot(Slot::Gate)
}

/// Updates a domain's item, if the attributes which decide on the gate are as they were read (optimistic locking), and the
/// copies of the gate, if they have another state than `is_open`.
pub(crate) fn update_domain(
    domain: &DomainName,
    read: &StoredDomain,
    update: Update,
    is_open: bool,
) -> Result<Vec<Write>, StoreError> {
    let gate = Gate { copies: COPIES, is_open };
    let condition = gate_is_as_read(read)?;
    if read.gate == Some(gate) {
        return Ok(vec![Write::update(&keys::domain(domain), update).when(condition)]);
    }
    let mut writes = update_copies(domain, gate);
    writes.push(Write::update(&keys::domain(domain), update.set("gate", attribute(&gate)?)).when(condition));
    Ok(writes)
}

fn update_copies(domain: &DomainName, gate: Gate) -> Vec<Write> {
    let update = match gate.is_open {
        true => Update::new().set("is_open", true),
        false => Update::new().remove("is_open"),
    };
    (0..COPIES).map(|copy| Write::update(&keys::gate(domain, COPIES, copy), update.clone())).collect()
}

fn gate_is_as_read(read: &StoredDomain) -> Result<Condition, StoreError> {
    let proof = path("proof_version").eq_option((read.proof_version > 0).then_some(read.proof_version));
    let team = path("team_problem").eq_option(read.team_problem.as_ref().map(AsRef::as_ref));
    let retirement = path("retirement").eq_option(read.retirement.as_ref().map(attribute).transpose()?);
    Ok(proof.and(team).and(retirement))
}

impl Store {
    /// Opens the copies of a domain that gives addresses, if they do not match its item. Writes nothing if the domain has
    /// changed meanwhile.
    pub(crate) async fn repair_gate(&self, domain: &DomainName) -> Result<Transacted, StoreError> {
        let gate = Gate { copies: COPIES, is_open: true };
        let update = Update::new().set("gate", attribute(&gate)?);
        let mut writes = vec![Write::update(&keys::domain(domain), update).when(gives_addresses())];
        writes.extend(update_copies(domain, gate));
        self.commit(writes).await
    }
}
