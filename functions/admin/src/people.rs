//! The people on the pages, by their last known name at the membership source.

use std::collections::btree_map::{self, BTreeMap};

use membermail_core::audit::{Actor, Change, Entry};
use membermail_core::member::{MemberId, PersonName};
use membermail_pages::wording::Wording;
use membermail_store::{Member, Store};

use crate::access::Admin;
use crate::error::Error;

/// A person who changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// An operator, whose name is not shown.
    Operator,
    /// An admin; without a name if their data is erased.
    Admin(Option<PersonName>),
}

impl Who {
    /// The person in words.
    pub(crate) fn in_words(&self, wording: Wording<'_>) -> String {
        match self {
            Self::Operator => wording.text("admins-operator"),
            Self::Admin(Some(name)) => name.to_string(),
            Self::Admin(None) => wording.text("admins-former"),
        }
    }
}

impl Admin<'_> {
    /// The person in `by` of a binding, a reservation or an audit entry.
    pub(crate) async fn who(&self, by: Option<&str>) -> Result<Who, Error> {
        let Some(id) = by.and_then(|by| MemberId::parse(by).ok()) else { return Ok(Who::Operator) };
        let member = self.visit.context.store.member(id).await?;
        Ok(Who::Admin(member.as_ref().and_then(Member::name).cloned()))
    }
}

/// The name of a member, or the id if the name is erased.
pub(crate) fn name_of(id: MemberId, member: Option<&Member>) -> String {
    member.and_then(Member::name).map_or_else(|| id.to_string(), ToString::to_string)
}

/// The names of members, each looked up once.
pub(crate) struct Names(BTreeMap<MemberId, String>);

impl Names {
    /// The names of the admins who made changes, and of the members whom they made admins or gave limits.
    pub(crate) async fn of(store: &Store, entries: &[Entry]) -> Result<Self, Error> {
        let mut names = BTreeMap::new();
        for entry in entries {
            let about = match &entry.change {
                Change::Admin { member, .. } | Change::Limit { member, .. } => Some(*member),
                _ => None,
            };
            for id in admin_id(Some(entry.actor), entry.by.as_deref()).into_iter().chain(about) {
                if let btree_map::Entry::Vacant(unknown) = names.entry(id) {
                    let member = store.member(id).await?;
                    unknown.insert(name_of(id, member.as_ref()));
                }
            }
        }
        Ok(Self(names))
    }

    /// The name of a member.
    pub(crate) fn get(&self, id: MemberId) -> Option<&str> {
        self.0.get(&id).map(String::as_str)
    }

    /// The operator or admin who made a change.
    pub(crate) fn by<'a>(&'a self, entry: &'a Entry) -> Option<&'a str> {
        let by = entry.by.as_deref().filter(|_| matches!(entry.actor, Actor::Operator | Actor::Admin))?;
        Some(admin_id(Some(entry.actor), Some(by)).and_then(|id| self.get(id)).unwrap_or(by))
    }
}

/// Who made a decision: an admin by name, an operator as they identified themselves.
pub(crate) async fn decider(store: &Store, actor: Option<Actor>, by: &str) -> Result<String, Error> {
    let Some(id) = admin_id(actor, Some(by)) else { return Ok(by.to_owned()) };
    Ok(name_of(id, store.member(id).await?.as_ref()))
}

/// The member id of an admin who made a change.
fn admin_id(actor: Option<Actor>, by: Option<&str>) -> Option<MemberId> {
    by.filter(|_| actor == Some(Actor::Admin)).and_then(|by| MemberId::parse(by).ok())
}
