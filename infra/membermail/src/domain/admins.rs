//! `membermail domain admin …`: who answers for a domain. Admins are members bound by id, or by an identity in the
//! community file. A Launchpad name can pass to another person and never binds an admin.

use std::collections::BTreeSet;

use membermail_core::address::DomainName;
use membermail_core::audit::AdminChange;
use membermail_core::community::{Domain, SignIn};
use membermail_core::member::{Identity, MemberId};
use membermail_store::{Member, Store};

use super::admins_view::{Admins, Binding, Changed, FileIdentity, FileName};
use crate::Context;
use crate::confirm::Confirm;
use crate::failure::Failure;
use crate::member::{confirm, find_survivor, find_to_change};
use crate::place;

/// Commands for the admins of a domain.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Bind a member as an admin: the domain's mail for its admins goes there, while the member can act
    Add {
        /// The domain
        domain: DomainName,
        /// Our own id of the member, or the Launchpad name, which is looked up now
        member: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// End a binding
    Remove {
        /// The domain
        domain: DomainName,
        /// Our own id of the member, or the Launchpad name, which is looked up now
        member: String,
        #[command(flatten)]
        confirm: Confirm,
    },
    /// List the admins of a domain, and whether each can act now
    List {
        /// The domain
        domain: DomainName,
    },
}

pub(super) async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Add { domain, member, confirm } => add(context, &domain, &member, confirm).await,
        Command::Remove { domain, member, confirm } => remove(context, &domain, &member, confirm).await,
        Command::List { domain } => list(context, &domain).await,
    }
}

async fn add(context: &Context, domain: &DomainName, text: &str, yes: Confirm) -> Result<(), Failure> {
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    place::domain(&community, domain)?;
    let member = find_survivor(context, &store, text).await?;
    confirm(context, text, &member, yes)?;
    let is_new = store.bind_admin(domain, member.id, cause, random).await?;
    let why_not = why_not(&store, &member).await?;
    context.output.show(&Changed::new(domain, &member, AdminChange::Added, is_new, why_not))
}

async fn remove(context: &Context, domain: &DomainName, text: &str, yes: Confirm) -> Result<(), Failure> {
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    place::domain(&community, domain)?;
    // The binding is of the id that it was made with, also after that member was linked to another one.
    let member = find_to_change(context, &store, text).await?;
    confirm(context, text, &member, yes)?;
    let mut was_bound = false;
    for id in member.ids() {
        was_bound |= store.unbind_admin(domain, id, cause, random).await?;
    }
    context.output.show(&Changed::new(domain, &member, AdminChange::Removed, was_bound, None))
}

async fn list(context: &Context, name: &DomainName) -> Result<(), Failure> {
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    let domain = place::domain(&community, name)?;
    let SignIn::OpenId2 { endpoint, .. } = &community.sign_in;
    // The store decides who can act; here is only told why somebody cannot.
    let acting = store.admins(domain, endpoint.as_str()).await?;
    let acting_ids: BTreeSet<_> = acting.iter().map(|member| member.id).collect();
    let mut bindings = Vec::new();
    let mut bound = BTreeSet::new();
    for binding in store.admin_bindings(name).await? {
        let member = store.survivor(binding.member).await?;
        let why_not = match &member {
            Some(member) if acting_ids.contains(&member.id) => None,
            Some(member) => Some(why_not(&store, member).await?.unwrap_or_else(|| "cannot act".to_owned())),
            None => Some("there is no such member".to_owned()),
        };
        bound.extend(member.iter().map(|member| member.id).chain([binding.member]));
        bindings.push(Binding::new(binding, member.as_ref(), why_not));
    }
    let identities = identities(&store, domain, endpoint.as_str(), &acting).await?;
    let names = names(&store, domain, &bound).await?;
    context.output.show(&Admins { domain: name.clone(), bindings, identities, names })
}

/// The identities of the community file, each with the acting admin that has it.
async fn identities(
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
    let entry = |subject: &membermail_core::member::ClaimedIdentifier| {
        let identity = Identity { issuer: issuer.to_owned(), subject: subject.clone() };
        let owner = owners.iter().find(|(one, _)| *one == identity).map(|(_, member)| *member);
        FileIdentity::new(identity.subject, owner)
    };
    Ok(domain.admin_identities.iter().map(entry).collect())
}

/// The names that the community file documents and that lead to no bound member.
async fn names(store: &Store, domain: &Domain, bound: &BTreeSet<MemberId>) -> Result<Vec<FileName>, Failure> {
    let mut names = Vec::new();
    for name in &domain.admins {
        let member = store.member_by_name(name).await?.map(|member| member.id);
        if !member.is_some_and(|member| bound.contains(&member)) {
            names.push(FileName { name: name.clone(), member });
        }
    }
    Ok(names)
}

/// Why a member cannot act as an admin just now.
async fn why_not(store: &Store, member: &Member) -> Result<Option<String>, Failure> {
    let mut has_active = false;
    for id in member.ids() {
        has_active |= store.aliases_of(id).await?.iter().any(|stored| stored.alias.is_in_good_standing());
    }
    Ok(explain(member, has_active))
}

fn explain(member: &Member, has_active: bool) -> Option<String> {
    let Some(observation) = &member.observation else { return Some("never looked up".to_owned()) };
    if member.is_banned() {
        return Some("banned".to_owned());
    }
    match observation.person.check() {
        Err(reason) => Some(reason.in_words().to_owned()),
        Ok(()) if !has_active => Some("no active address".to_owned()),
        Ok(()) if member.is_shredded() => Some("the personal data is gone".to_owned()),
        Ok(()) => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use membermail_core::eligibility::Account;

    use super::*;
    use crate::member::test_member;

    fn admin(change: impl FnOnce(&mut Member)) -> Member {
        let mut member = test_member("01KATW4Y00ZZZZZZZZZZZZZZZZ", "ada");
        change(&mut member);
        member
    }

    fn set_account(member: &mut Member, account: Account) {
        if let Some(observation) = &mut member.observation {
            observation.person.account = account;
        }
    }

    #[test]
    fn reasons_not_to_act_are_told() {
        let reasons = [
            explain(&admin(|member| member.banned_at = Some(Timestamp::UNIX_EPOCH)), true),
            explain(&admin(|member| member.observation = None), true),
            explain(&admin(|member| set_account(member, Account::Deactivated)), true),
            explain(&admin(|_| ()), false),
            // Made without a sealed address.
            explain(&admin(|_| ()), true),
        ];
        insta::assert_debug_snapshot!(reasons);
    }
}
