//! The page with the accounts that a member can sign in with.

use askama::Template;
use membermail_core::community::{Community, Members, SignIn};
use membermail_core::member::{Identity, PersonName};
use membermail_identity::link_token::{self, LinkTo};
use membermail_identity::session::SessionId;
use membermail_store::{MAX_IDENTITIES, OwnIdentity};

use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "identities.html")]
pub struct Identities<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// What just happened, if the member comes from a form or a provider.
    pub news: Option<String>,
    /// The accounts, the first one first.
    pub rows: Vec<IdentityRow>,
    /// How to add another one.
    pub adding: Adding,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityRow {
    /// Stands for the account in the form; only one of the member's own is accepted.
    pub handle: String,
    /// The provider.
    pub title: String,
    /// The name there and the identifier.
    pub details: Vec<String>,
    /// Since when it leads to the member.
    pub since: String,
}

/// How to add another account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adding {
    /// The links to the providers.
    Links(Vec<AddLink>),
    /// After another sign-in: a stolen session must not be enough.
    SignInFirst,
    /// The member has as many as they can.
    Full,
}

/// A link that begins to add an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddLink {
    /// Path and query below the base.
    pub path: String,
    /// The text.
    pub label: String,
}

/// The message of a query such as `?adding`: only known ones are shown. API Gateway makes it `?adding=`.
pub fn news(query: Option<&str>, wording: Wording<'_>) -> Option<String> {
    let query = query?;
    let part = match query.strip_suffix('=').unwrap_or(query) {
        "adding" => "adding",
        "removed" => "removed",
        _ => return None,
    };
    Some(wording.part("identities", part))
}

/// Describes the accounts of a member with this name in the last observation.
pub fn rows(
    own: &[OwnIdentity],
    name: Option<&PersonName>,
    community: &Community,
    wording: Wording<'_>,
) -> Vec<IdentityRow> {
    let at_source = own.iter().filter(|own| is_at_source(&own.identity, community)).count();
    let row = |own: &OwnIdentity| {
        // With several accounts at the source, the observation does not say which one has the name.
        let name = name.filter(|_| at_source == 1 && is_at_source(&own.identity, community));
        let name = name.map(|name| wording.text_with("identity-name", &[("name", name.as_str().into())]));
        let subject = own.identity.subject.as_str();
        let id = wording.text_with("identity-id", &[("id", subject.into())]);
        IdentityRow {
            handle: own.handle(),
            title: community.provider_title(&own.identity.issuer),
            details: name.into_iter().chain([id]).collect(),
            since: wording.text_with("identity-since", &[("date", wording.date(own.since).into())]),
        }
    };
    own.iter().map(row).collect()
}

/// How this session can add an account to those that the member has.
pub fn adding(
    session: &SessionId,
    count: usize,
    is_fresh: bool,
    community: &Community,
    wording: Wording<'_>,
) -> Adding {
    if count >= MAX_IDENTITIES {
        return Adding::Full;
    }
    if !is_fresh {
        return Adding::SignInFirst;
    }
    let link = |to, provider: &SignIn, text, parameter| AddLink {
        path: format!("/sign-in?link={}{parameter}", link_token::token(session, to)),
        label: wording.text_with(text, &[("account", provider.title().into())]),
    };
    let current = link(LinkTo::Current, &community.sign_in, "identity-add", "");
    let former = community.former_sign_in.as_ref();
    let former = former.map(|former| link(LinkTo::Former, former, "identity-add-former", "&provider=former"));
    Adding::Links(former.into_iter().chain([current]).collect())
}

/// Whether the membership source knows the account.
fn is_at_source(identity: &Identity, community: &Community) -> bool {
    match &community.members {
        Members::Launchpad(_) => matches!(community.provider_of(identity), Some(SignIn::OpenId2(_))),
        Members::GitLab(_) => identity.issuer == community.issuer(),
    }
}

#[cfg(test)]
#[path = "identities_tests.rs"]
mod tests;
