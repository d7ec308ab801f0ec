//! Notices to members whom somebody appoints or removes as an admin, so that they know of it and find the console.

use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use membermail_core::member::MemberId;
use membermail_core::notice::{NoticeId, role_news};
use membermail_notices::{Notice, RoleNotice};
use tracing::info;

use crate::deliver::deliver;
use crate::mailer::Mailer;
use crate::reach::recipient;
use crate::{Context, Error};

/// Notifies a member of a changed role at their sign-in address, where they get the other mail to admins too.
pub(crate) async fn notify_role(
    context: &Context,
    mailer: &Mailer,
    entry: &Entry,
    (domain, id): (&DomainName, MemberId),
    request_id: &str,
) -> Result<(), Error> {
    // They are few, and the role of the function may query them already.
    let bindings = context.store.admin_bindings(domain).await?;
    let bound = bindings.into_iter().find(|binding| binding.member == id).map(|binding| binding.permissions);
    let Some(news) = role_news(entry, bound) else {
        info!(entry = %entry.id, "notice superseded by a later change of the role");
        return Ok(());
    };
    let Some(member) = context.store.survivor(id).await? else { return Ok(()) };
    let Some(address) = context.unseal(|sealer| member.sign_in_address(sealer)).await? else {
        info!(entry = %entry.id, "member {id} has no address for notices");
        return Ok(());
    };
    let notice = Notice::Role(RoleNotice { name: member.name().cloned(), domain: domain.clone(), news });
    deliver(context, mailer, &NoticeId::to_member(entry.id), &recipient(&member, address), &notice, request_id).await?;
    Ok(())
}
