//! The mailboxes of a member, with opened addresses.

use membermail_core::master::MasterKeys;
use membermail_pages::account::Mailbox;
use membermail_store::{KeyContext, Member, Sealer, StoredDestination};

use crate::context::Context;
use crate::error::Error;

/// Loads the mailboxes of a member and of all members linked to them, also removed ones.
pub(crate) async fn load(context: &Context, member: &Member) -> Result<Vec<Mailbox>, Error> {
    let stored = &context.store.all_destinations(member).await?;
    // A member without mailboxes does not need the master secret.
    if stored.is_empty() {
        return Ok(Vec::new());
    }
    let open = |keys: &MasterKeys| {
        let sealer = Sealer::of(keys);
        let open = |(key_context, stored): &(KeyContext, StoredDestination)| {
            let address = stored.address(&sealer, key_context)?;
            Ok(Mailbox { destination: stored.destination.clone(), address, is_own: stored.member == member.id })
        };
        stored.iter().map(open).collect()
    };
    context.secret.open_with_rotation(open, Error::has_other_key).await
}
