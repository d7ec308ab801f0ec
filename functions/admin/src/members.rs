//! `…/members`: the search for members with an address in the domain, and one member.

use std::collections::{BTreeMap, BTreeSet};

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::address::DomainName;
use membermail_core::address_search::MemberSearch;
use membermail_core::admin::{Permission, Permissions};
use membermail_core::ban::{BanScope, may_ban};
use membermail_core::member::MemberId;
use membermail_pages::admin::Section;
use membermail_pages::admin::addresses::MemberLink;
use membermail_pages::admin::members::{BanStep, MemberPage, MemberRow, MemberState, Members};
use membermail_pages::response;
use membermail_store::{FileAdmins, Member, StoredAlias};

use crate::access::Admin;
use crate::error::Error;
use crate::member_history;

/// A member with an address in the domain of the path.
pub(crate) struct Found {
    /// The member, not one that was linked to another.
    pub(crate) member: Member,
    /// All aliases of the member and of those linked to them, in order.
    pub(crate) aliases: Vec<StoredAlias>,
}

/// The search, with the members that it found.
pub(crate) async fn search(admin: &Admin<'_>) -> Result<Response<Body>, Error> {
    let store = &admin.visit.context.store;
    let typed = admin.parameter("who").map(|typed| typed.trim().to_owned()).filter(|typed| !typed.is_empty());
    let search = typed.as_ref().map(|typed| MemberSearch::typed(typed, &admin.domain.domain)).unwrap_or_default();
    let mut ids = Vec::new();
    if let Some(name) = &search.name {
        ids.extend(store.member_by_name(name).await?.map(|member| member.id));
    }
    if let Some(address) = &search.address {
        ids.extend(store.alias(address).await?.map(|stored| stored.alias.member));
    }
    let console = admin.console(Section::Members);
    let mut found: Vec<MemberRow> = Vec::new();
    for id in ids {
        let Some(Found { member, aliases }) = find(admin, id).await? else { continue };
        let link = MemberLink::new(&member, &console);
        if found.iter().all(|row| row.link != link) {
            let here = aliases.iter().filter(|stored| stored.alias.address.domain == admin.domain.domain);
            let addresses = here.map(|stored| stored.alias.address.to_string()).collect();
            found.push(MemberRow { link, addresses, is_banned: member.is_banned() });
        }
    }
    let page = Members { site: admin.visit.site.clone(), console, typed, found };
    Ok(response::page(StatusCode::OK, &page))
}

/// One member.
pub(crate) async fn show(admin: &Admin<'_>, id: MemberId) -> Result<Response<Body>, Error> {
    let Some(Found { member, mut aliases }) = find(admin, id).await? else { return Ok(admin.not_found()) };
    if member.id != id {
        return Ok(admin.see(&format!("/members/{}", member.id)));
    }
    let permissions = own_permissions(admin).await?;
    let ban = match may_ban(&scope(admin, &member).await?, &permissions) {
        _ if !admin.permissions.has(Permission::Ban) => BanStep::NotPermitted,
        Err(refusal) => BanStep::Refused(refusal),
        Ok(()) if member.is_banned() => BanStep::Lift,
        Ok(()) => BanStep::Preview,
    };
    let domains: BTreeSet<_> = permissions.into_keys().collect();
    aliases.retain(|stored| domains.contains(&stored.alias.address.domain));
    let ids: Vec<_> = member.ids().collect();
    let history = member_history::load(admin, &ids, |entry| entry.is_shown_to_admins_of(&domains)).await?;
    let state = MemberState { member: &member, aliases: &aliases, domains: &domains, now: admin.visit.now };
    let page = MemberPage::new(admin.visit.site.clone(), admin.console(Section::Members), &state, ban, history);
    Ok(response::page(StatusCode::OK, &page))
}

/// Finds a member, or the one that they were linked to, if they have an address in the domain of the path.
pub(crate) async fn find(admin: &Admin<'_>, id: MemberId) -> Result<Option<Found>, Error> {
    let store = &admin.visit.context.store;
    let Some(member) = store.survivor(id).await? else { return Ok(None) };
    let mut aliases = Vec::new();
    for id in member.ids() {
        aliases.extend(store.aliases_of(id).await?);
    }
    aliases.sort_by(|one, other| one.alias.address.cmp(&other.alias.address));
    let is_here = aliases.iter().any(|stored| stored.alias.address.domain == admin.domain.domain);
    Ok(is_here.then_some(Found { member, aliases }))
}

/// The admin's permissions in all domains.
pub(crate) async fn own_permissions(admin: &Admin<'_>) -> Result<BTreeMap<DomainName, Permissions>, Error> {
    let context = admin.visit.context;
    let domains: Vec<_> = context.community.domains.iter().map(FileAdmins::from).collect();
    Ok(context.store.permissions(&admin.visit.member, &domains, context.community.issuer()).await?)
}

/// What a ban of the member affects.
pub(crate) async fn scope(admin: &Admin<'_>, member: &Member) -> Result<BanScope, Error> {
    let context = admin.visit.context;
    let domains: Vec<_> = context.community.domains.iter().map(FileAdmins::from).collect();
    let appointments = context.store.appointments(member, &domains, context.community.issuer()).await?;
    Ok(BanScope {
        is_oneself: member.ids().any(|id| id == admin.visit.member.id),
        addresses_in: context.store.address_domains(member).await?,
        admin_of: appointments.into_keys().collect(),
    })
}
