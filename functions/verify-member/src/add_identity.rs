//! Adds an identity to a member: the provider has confirmed that both are one person. If the identity leads to another member, the
//! two are linked.

use membermail_core::audit::{Actor, Cause};
use membermail_core::member::MemberId;
use membermail_core::message::AddedIdentity;
use membermail_store::{AddIdentity, Linked, Member, StoreError};
use tracing::{info, warn};

use crate::{Context, Error};

/// Attempts while other changes of the two members intervene; after that the queue retries.
const MAX_ATTEMPTS: usize = 3;

/// Adds the identity, unless it leads to the member already. Idempotent: the message can arrive again, or late.
pub(crate) async fn add_identity(
    context: &Context,
    member: MemberId,
    adds: &AddedIdentity,
    request_id: &str,
) -> Result<(), Error> {
    let Context { store, worker, .. } = context;
    for _ in 0..MAX_ATTEMPTS {
        let member = store.survivor(member).await?.ok_or(Error::NoMember)?;
        let cause = Cause { actor: Actor::Member, by: None, request_id, now: worker.clock.now() };
        let entry = match store.add_identity(&member, &adds.identity, adds.epoch, cause, &*worker.random).await? {
            AddIdentity::Added(entry) => {
                info!("member {} added an identity", member.id);
                entry
            }
            AddIdentity::AlreadyYours => return Ok(()),
            // Also by a ban, or because an earlier delivery of this message linked the members.
            AddIdentity::SessionsEnded => {
                info!("an identity was not added: the sessions of member {} have ended", member.id);
                return Ok(());
            }
            AddIdentity::LimitReached => {
                warn!("member {} has too many identities to add another", member.id);
                return Ok(());
            }
            AddIdentity::OwnedBy(other) => {
                let Some(other) = store.survivor(other).await? else { continue };
                if other.id == member.id {
                    return Ok(());
                }
                let (remains, joins) = order(member, other);
                match store.link(&remains, &joins, cause, &*worker.random).await? {
                    Linked::Done(entry) => {
                        info!("member {} linked to member {}", joins.id, remains.id);
                        entry
                    }
                    Linked::Changed => continue,
                }
            }
            AddIdentity::Changed => continue,
        };
        worker.enqueue_notice(entry, request_id).await;
        return Ok(());
    }
    Err(StoreError::Conflict.into())
}

/// The member that remains after a link, and the one that joins it: the older remains, with its history and choices. A banned
/// one remains in any case, so that its ban covers both.
fn order(one: Member, other: Member) -> (Member, Member) {
    let other_remains = match (one.is_banned(), other.is_banned()) {
        (true, false) => false,
        (false, true) => true,
        // An erased one has no destinations until its next sign-in.
        _ if one.is_erased() != other.is_erased() => one.is_erased(),
        // Ids sort by the time of the first sign-in.
        _ => other.id < one.id,
    };
    if other_remains { (other, one) } else { (one, other) }
}
