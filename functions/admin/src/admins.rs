//! `GET` and `POST …/admins`: who the admins of a domain are, and appointments.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::address::Address;
use membermail_core::admin::{Permission, PermissionChange, Permissions};
use membermail_core::audit::Change;
use membermail_core::member::MemberId;
use membermail_pages::admin::Section;
use membermail_pages::admin::admins::{AdminRow, AdminsPage, KnownAdmin, NamedRow, choices};
use membermail_pages::response;
use membermail_store::{AdminBinding, FileAdmins, Member};
use membermail_texts::FluentValue;

use crate::access::Admin;
use crate::changes::refused;
use crate::error::Error;
use crate::people::{Who, name_of};

/// The page of the admins, below the domain.
pub(crate) const PATH: &str = "/admins";

/// The list.
pub(crate) async fn show(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let context = admin.visit.context;
    let wording = admin.visit.site.wording;
    let mut rows = Vec::new();
    for binding in context.store.admin_bindings(&admin.domain.domain).await? {
        let AdminBinding { member: id, since, by, permissions } = binding;
        let member = context.store.survivor(id).await?;
        let why_not = match &member {
            Some(member) => context.store.reason_not_to_act(member).await?,
            None => None,
        };
        let known = KnownAdmin {
            id,
            name: member.as_ref().and_then(Member::name),
            is_self: admin.is_self(id),
            permissions,
            since,
            by: admin.who(by.as_deref()).await?.in_words(wording),
            why_not,
        };
        rows.push(AdminRow::new(&known, admin.permissions, wording));
    }
    let file = FileAdmins::from(admin.domain);
    let own = context.store.named_identities(&admin.visit.member, file, context.community.issuer()).await?;
    let named = admin.domain.admin_identities.iter();
    let named = named.map(|named| NamedRow { identity: named.to_string(), is_self: own.contains(named) });
    let may_appoint = admin.permissions.has(Permission::Appoint);
    let page = AdminsPage {
        site: admin.visit.site.clone(),
        console: admin.console(Section::Admins),
        rows,
        named: named.collect(),
        choices: if may_appoint { choices(admin.permissions, Permissions::NONE, wording) } else { Vec::new() },
    };
    Ok(response::page(StatusCode::OK, &page))
}

/// Appoints the owner of an active address.
pub(crate) async fn appoint(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let (Some(address), Some(after)) = (admin.field("address"), admin.chosen()) else { return Ok(admin.invalid()) };
    let change = PermissionChange { own: admin.permissions, before: Permissions::NONE, after, leaves_appointer: true };
    if let Err(why) = change.check() {
        return Ok(refused(admin, why));
    }
    let Some(member) = owner(admin, &address).await? else {
        return Ok(admin.explain(StatusCode::UNPROCESSABLE_ENTITY, "admins-no-address", &[], PATH));
    };
    let context = admin.visit.context;
    let domain = &admin.domain.domain;
    let bindings = context.store.admin_bindings(domain).await?;
    let mut before = bindings.into_iter().find(|binding| member.ids().any(|id| id == binding.member));
    if before.is_none() {
        let signature = admin.signature();
        let cause = admin.cause(&signature);
        if let Some(entry) = context.store.bind_admin(domain, member.id, after, cause, &*context.random).await? {
            admin.announce(entry).await;
            return Ok(admin.see(PATH));
        }
        before = context.store.admin_binding(domain, member.id).await?;
    }
    // Another admin was faster.
    let Some(before) = before else { return Ok(admin.see(PATH)) };
    let wording = admin.visit.site.wording;
    let by = admin.who(before.by.as_deref()).await?.in_words(wording);
    let args = [
        ("name", FluentValue::from(name_of(member.id, Some(&member)))),
        ("date", wording.date(before.since).into()),
        ("by", by.into()),
    ];
    Ok(admin.explain(StatusCode::OK, "admins-before", &args, PATH))
}

/// The member to whom an active address of the community belongs. An address that does not exist and one that is not active
/// look alike.
async fn owner(admin: &Admin<'_>, text: &str) -> Result<Option<Member>, Error> {
    let context = admin.visit.context;
    let Ok(address) = Address::try_from(text.trim().to_ascii_lowercase()) else { return Ok(None) };
    if context.community.domain(&address.domain).is_none() {
        return Ok(None);
    }
    let Some(stored) = context.store.alias(&address).await? else { return Ok(None) };
    if !stored.alias.is_in_good_standing() {
        return Ok(None);
    }
    Ok(context.store.survivor(stored.alias.member).await?)
}

impl Admin<'_> {
    /// Whether a member id belongs to the admin, also after a link of two members.
    pub(crate) fn is_self(&self, member: MemberId) -> bool {
        self.visit.member.ids().any(|id| id == member)
    }

    /// The permissions that the form has chosen; none if one is unknown. An admin can always view the domain.
    pub(crate) fn chosen(&self) -> Option<Permissions> {
        let chosen = self.values("permission").into_iter().map(|chosen| chosen.parse().ok());
        let chosen: Option<Vec<Permission>> = chosen.chain([Some(Permission::View)]).collect();
        chosen.map(Permissions::from_iter)
    }

    /// When the binding of a member was last changed, and by whom.
    pub(crate) async fn last_change(&self, member: MemberId) -> Result<(String, String), Error> {
        let wording = self.visit.site.wording;
        let history = self.visit.context.store.history_of(member, 50).await?;
        let change = history.into_iter().find(|entry| match &entry.change {
            Change::Admin { domain, .. } => *domain == self.domain.domain,
            _ => false,
        });
        let Some(entry) = change else { return Ok((String::new(), Who::Operator.in_words(wording))) };
        Ok((wording.moment(entry.at), self.who(entry.by.as_deref()).await?.in_words(wording)))
    }
}
