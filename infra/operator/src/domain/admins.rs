//! `membermail domain admin …`. Admins are members bound by id, or by an identity in the community file. A Launchpad name can
//! pass to another person and never binds an admin.

use std::collections::BTreeSet;

use membermail_core::address::DomainName;
use membermail_core::admin::{CannotAct, Permission, Permissions};
use membermail_core::audit::AdminChange;
use membermail_core::community::Domain;
use membermail_core::member::MemberId;
use membermail_store::{Member, Store, StoreError};

use super::admins_view::{AdminChangeView, AdminList, Binding, FileIdentity, FileName};
use crate::context::Context;
use crate::deployment::find_domain;
use crate::failure::Failure;
use crate::member::MemberToChange;

/// Commands for the admins of a domain.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Bind a member as an admin, who gets the domain's admin mail while they can act
    Add {
        /// The domain
        domain: DomainName,
        #[command(flatten)]
        member: MemberToChange,
        /// What they may do in the admin console, separated by commas: view, decide, ban, appoint. Changes the permissions
        /// of an admin who is bound already [default: all]
        #[arg(long, value_delimiter = ',', value_name = "PERMISSIONS")]
        permissions: Vec<Permission>,
    },
    /// Remove the binding of an admin
    Remove {
        /// The domain
        domain: DomainName,
        #[command(flatten)]
        member: MemberToChange,
    },
    /// List the admins of a domain and whether they can act
    List {
        /// The domain
        domain: DomainName,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { domain, member, permissions } => add(context, &domain, &member, permissions).await,
        Command::Remove { domain, member } => remove(context, &domain, &member).await,
        Command::List { domain } => list(context, &domain).await,
    }
}

async fn add(
    context: &Context,
    domain: &DomainName,
    member: &MemberToChange,
    permissions: Vec<Permission>,
) -> Result<(), Failure> {
    let chosen = (!permissions.is_empty()).then(|| permissions.into_iter().collect::<Permissions>());
    let permissions = chosen.unwrap_or_else(Permissions::all);
    let cause = context.operator.cause()?;
    let random = context.operator.random();
    let store = context.deployment.store().await?;
    find_domain(&context.deployment.community().await?, domain)?;
    let member = member.find_survivor(context, &store).await?;
    let mut did = AdminChange::Added;
    let mut is_changed = store.bind_admin(domain, member.id, permissions, cause, random).await?.is_some();
    if !is_changed && chosen.is_some() {
        let binding = store.admin_binding(domain, member.id).await?.ok_or(StoreError::Superseded)?;
        let before = binding.permissions;
        if before != permissions {
            did = AdminChange::Changed;
            let changed =
                store.change_permissions(domain, member.id, [before, permissions], None, cause, random).await?;
            is_changed = changed.is_some();
            if !is_changed {
                return Err(StoreError::Superseded.into());
            }
        }
    }
    let why_not = store.reason_not_to_act(&member).await?;
    let view = AdminChangeView::new(domain, &member, did, is_changed, why_not);
    context.output.show(&view.with_permissions(is_changed.then_some(permissions)))
}

async fn remove(context: &Context, domain: &DomainName, member: &MemberToChange) -> Result<(), Failure> {
    let cause = context.operator.cause()?;
    let random = context.operator.random();
    let store = context.deployment.store().await?;
    find_domain(&context.deployment.community().await?, domain)?;
    // A binding keeps its member id, even if that member was linked to another one later.
    let member = member.find(context, &store).await?;
    let mut was_bound = false;
    for id in member.ids() {
        was_bound |= store.unbind_admin(domain, id, None, cause, random).await?.is_some();
    }
    context.output.show(&AdminChangeView::new(domain, &member, AdminChange::Removed, was_bound, None))
}

async fn list(context: &Context, name: &DomainName) -> Result<(), Failure> {
    let store = context.deployment.store().await?;
    let community = context.deployment.community().await?;
    let domain = find_domain(&community, name)?;
    let endpoint = community.issuer();
    // The store decides who can act. The reasons below are only for display.
    let acting = store.admins(domain, endpoint).await?;
    let acting_ids: BTreeSet<_> = acting.iter().map(|member| member.id).collect();
    let mut bindings = Vec::new();
    let mut bound = BTreeSet::new();
    for binding in store.admin_bindings(name).await? {
        let member = store.survivor(binding.member).await?;
        let why_not = match &member {
            Some(member) if acting_ids.contains(&member.id) => None,
            Some(member) => {
                let reason = store.reason_not_to_act(member).await?;
                Some(reason.map_or("cannot act", CannotAct::in_words).to_owned())
            }
            None => Some("the member does not exist".to_owned()),
        };
        bound.extend(member.iter().map(|member| member.id).chain([binding.member]));
        bindings.push(Binding::new(binding, member.as_ref(), why_not));
    }
    let identities = load_identities(&store, domain, endpoint, &acting).await?;
    let names = load_unbound_names(&store, domain, &bound).await?;
    context.output.show(&AdminList { domain: name.clone(), bindings, identities, names })
}

/// The identities of the community file, each with the acting admin who owns it.
async fn load_identities(
    store: &Store,
    domain: &Domain,
    issuer: &str,
    acting: &[Member],
) -> Result<Vec<FileIdentity>, Failure> {
    let mut owners = Vec::new();
    if !domain.admin_identities.is_empty() {
        for member in acting {
            let found = store.member_to_look_up(member.id).await?;
            let identities = found.map(|(_, identities)| identities).unwrap_or_default();
            owners.extend(identities.into_iter().map(|identity| (identity, member)));
        }
    }
    let identities = domain.admin_identities.iter().map(|subject| {
        let owner = owners.iter().find(|(owned, _)| owned.issuer == issuer && owned.subject == *subject);
        FileIdentity::new(subject.clone(), owner.map(|(_, member)| *member))
    });
    Ok(identities.collect())
}

/// The names in the community file that belong to no bound member.
async fn load_unbound_names(
    store: &Store,
    domain: &Domain,
    bound: &BTreeSet<MemberId>,
) -> Result<Vec<FileName>, Failure> {
    let mut names = Vec::new();
    for name in &domain.admins {
        let member = store.member_by_name(name).await?.map(|member| member.id);
        if !member.is_some_and(|member| bound.contains(&member)) {
            names.push(FileName { name: name.clone(), member });
        }
    }
    Ok(names)
}
