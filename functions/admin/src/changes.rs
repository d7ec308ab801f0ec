//! `POST …/admins/<member>` and `…/remove`: changes of other permissions, and removals.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::admin::{ChangeRefused, Permission, PermissionChange, Permissions};
use membermail_core::member::MemberId;
use membermail_store::{AdminBinding, FileAdmins, StoreError};
use membermail_texts::FluentValue;

use crate::access::Admin;
use crate::admins::PATH;
use crate::error::Error;
use crate::people::name_of;

/// Gives a bound admin other permissions.
pub(crate) async fn change(admin: &Admin<'_>, id: MemberId) -> Result<Response<Body>, Error> {
    let (Some(shown), Some(after)) = (admin.field("shown"), admin.chosen()) else { return Ok(admin.invalid()) };
    apply(admin, id, &shown, Some(after)).await
}

/// Removes a bound admin.
pub(crate) async fn remove(admin: &Admin<'_>, id: MemberId) -> Result<Response<Body>, Error> {
    let Some(shown) = admin.field("shown") else { return Ok(admin.invalid()) };
    apply(admin, id, &shown, None).await
}

/// Attempts of a change while others change the admins of the domain too.
const TRIES: u32 = 3;

/// Applies a change of permissions, or a removal, to the binding as the page showed it.
async fn apply(
    admin: &Admin<'_>,
    id: MemberId,
    shown: &str,
    after: Option<Permissions>,
) -> Result<Response<Body>, Error> {
    for _ in 1..TRIES {
        match try_to_apply(admin, id, shown, after).await {
            Err(Error::Store(StoreError::Conflict)) => {}
            result => return result,
        }
    }
    try_to_apply(admin, id, shown, after).await
}

async fn try_to_apply(
    admin: &Admin<'_>,
    id: MemberId,
    shown: &str,
    after: Option<Permissions>,
) -> Result<Response<Body>, Error> {
    let context = admin.visit.context;
    let domain = &admin.domain.domain;
    let Some(AdminBinding { permissions: before, .. }) = context.store.admin_binding(domain, id).await? else {
        return gone(admin, id).await;
    };
    if after == Some(before) {
        return explain(admin, id, "admins-same").await;
    }
    if before.to_string() != shown {
        return explain(admin, id, "admins-other").await;
    }
    let appointer = appointer_besides(admin, id).await?;
    if appointer.is_none() && !admin.is_self(id) {
        // Removed since the request was authorised.
        return Ok(admin.refuse(StatusCode::FORBIDDEN, "admin-no-permission"));
    }
    let change = PermissionChange {
        own: admin.permissions,
        before,
        after: after.unwrap_or_default(),
        leaves_appointer: appointer.is_some(),
    };
    if let Err(why) = change.check() {
        return Ok(refused(admin, why));
    }
    let stays = appointer.as_ref().and_then(Appointer::binding);
    let signature = admin.signature();
    let (cause, random) = (admin.cause(&signature), &*context.random);
    let entry = match after {
        Some(after) => context.store.change_permissions(domain, id, [before, after], stays, cause, random).await?,
        None => context.store.unbind_admin(domain, id, stays, cause, random).await?,
    };
    if let Some(entry) = entry {
        admin.announce(entry).await;
        // After a removal, the admin may not see the page any more.
        let is_own_removal = after.is_none() && admin.is_self(id);
        return Ok(if is_own_removal { admin.see_overview() } else { admin.see(PATH) });
    }
    // Another admin was faster.
    match context.store.admin_binding(domain, id).await? {
        Some(_) => explain(admin, id, "admins-other").await,
        None => gone(admin, id).await,
    }
}

/// Who can still appoint admins after a change.
enum Appointer {
    /// The admin, through the community file, which no form changes.
    InFile,
    /// The owner of this binding, which has to stay until the change is stored.
    Bound(AdminBinding),
}

impl Appointer {
    fn binding(&self) -> Option<&AdminBinding> {
        match self {
            Self::InFile => None,
            Self::Bound(binding) => Some(binding),
        }
    }
}

/// Who can appoint admins without this binding. To change another's, it has to be the admin; besides the admin's own, anyone
/// else who can act. Identities of others in the file do not count, because it is not known whether their owners can act.
async fn appointer_besides(admin: &Admin<'_>, id: MemberId) -> Result<Option<Appointer>, Error> {
    let context = admin.visit.context;
    let file = FileAdmins::from(admin.domain);
    if !context.store.named_identities(&admin.visit.member, file, context.community.issuer()).await?.is_empty() {
        return Ok(Some(Appointer::InFile));
    }
    let mut bindings = context.store.admin_bindings(&admin.domain.domain).await?;
    bindings.retain(|binding| binding.member != id && binding.permissions.has(Permission::Appoint));
    if !admin.is_self(id) {
        return Ok(bindings.into_iter().find(|binding| admin.is_self(binding.member)).map(Appointer::Bound));
    }
    for binding in bindings {
        if let Some(member) = context.store.survivor(binding.member).await?
            && context.store.reason_not_to_act(&member).await?.is_none()
        {
            return Ok(Some(Appointer::Bound(binding)));
        }
    }
    Ok(None)
}

/// The answer to a change that the rules do not allow.
pub(crate) fn refused(admin: &Admin<'_>, why: ChangeRefused) -> Response<Body> {
    let id = match why {
        ChangeRefused::BeyondOwn => "admins-beyond-own",
        ChangeRefused::LastAppointer => "admins-last-appointer",
    };
    admin.explain(StatusCode::FORBIDDEN, id, &[], PATH)
}

/// The answer about a member who is not bound: one who was an admin of this domain is named, and any other is not found.
async fn gone(admin: &Admin<'_>, id: MemberId) -> Result<Response<Body>, Error> {
    let (moment, _) = admin.last_change(id).await?;
    if moment.is_empty() { Ok(admin.not_found()) } else { explain(admin, id, "admins-gone").await }
}

/// A page that says who changed the permissions, and when.
async fn explain(admin: &Admin<'_>, id: MemberId, text: &str) -> Result<Response<Body>, Error> {
    let member = admin.visit.context.store.survivor(id).await?;
    let name = name_of(id, member.as_ref());
    let (moment, by) = admin.last_change(id).await?;
    let args = [("name", FluentValue::from(name)), ("moment", moment.into()), ("by", by.into())];
    Ok(admin.explain(StatusCode::OK, text, &args, PATH))
}
