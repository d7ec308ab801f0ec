//! Finds members by id or by their name at the membership source.

use membermail_core::member::{MemberId, PersonName};
use membermail_runtime::batch::chain;
use membermail_store::{Member, Store};
use membermail_sync::{NameLookup, ObserveError, Observer};

use crate::confirm::Confirm;
use crate::context::Context;
use crate::failure::Failure;

/// A member on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum MemberRef {
    Id(MemberId),
    Name(PersonName),
}

/// Parses an id or a name. Ids are upper case and names are lower case, so that they cannot be confused.
fn parse(text: &str) -> Result<MemberRef, Failure> {
    match (MemberId::parse(text), PersonName::parse(text)) {
        (Ok(id), Err(_)) => Ok(MemberRef::Id(id)),
        (_, Ok(name)) => Ok(MemberRef::Name(name)),
        (Err(_), Err(why)) => Err(Failure::Usage(format!("{text:?} is {why}"))),
    }
}

/// Finds the member in the table, for commands that only read. An id finds its own record, even if it was linked to another
/// member.
pub(crate) async fn find(store: &Store, text: &str) -> Result<Member, Failure> {
    match parse(text)? {
        MemberRef::Id(id) => store.member(id).await?.ok_or_else(|| missing(text)),
        MemberRef::Name(name) => store.member_by_name(&name).await?.ok_or_else(|| missing(text)),
    }
}

/// Finds the member for commands that change something. A name is verified at the membership source by identity first, because
/// it can have passed to another person. An id needs no look-up and works while the source is down.
pub(super) async fn find_to_change(context: &Context, store: &Store, text: &str) -> Result<Member, Failure> {
    let name = match parse(text)? {
        MemberRef::Id(id) => return store.member(id).await?.ok_or_else(|| missing(text)),
        MemberRef::Name(name) => name,
    };
    let community = context.deployment.community().await?;
    let source = context.deployment.source(&community).await?;
    let cause = context.operator.cause()?;
    let observer = Observer {
        source: &*source,
        store,
        clock: &context.operator.clock,
        random: context.operator.random(),
        actor: cause.actor,
        by: cause.by,
        request_id: cause.request_id,
    };
    match observer.look_up_name(&name).await {
        Ok(called) => resolve(&name, called),
        Err(ObserveError::Store(cause)) => Err(cause.into()),
        Err(ObserveError::Source(cause)) => Err(Failure::Other(format!(
            "{}: cannot look up {name}; use the member id, which `membermail member show {name}` prints",
            chain(&cause)
        ))),
    }
}

fn resolve(name: &PersonName, called: NameLookup) -> Result<Member, Failure> {
    match called {
        NameLookup::Member(member) => Ok(*member),
        NameLookup::Unknown => Err(missing(name.as_str())),
        NameLookup::PassedOn { member, name: current } => {
            let current =
                current.map_or_else(|| "has no account now".to_owned(), |current| format!("is now called {current}"));
            Err(Failure::NotFound(format!("member {name} any more: {member} had that name and {current}; use an id")))
        }
        NameLookup::Unconfirmed(member) => Err(Failure::NotFound(format!(
            "member {name} at the membership source: {member} had that name, and signs in with another provider; use the id"
        ))),
    }
}

/// Like [`find_to_change`], but a linked member is replaced by the member that it was linked to.
pub(super) async fn find_survivor(context: &Context, store: &Store, text: &str) -> Result<Member, Failure> {
    let member = find_to_change(context, store, text).await?;
    store.survivor_of(member).await?.ok_or_else(|| missing(text))
}

/// A member to change. A name needs a confirmation.
#[derive(Debug, clap::Args)]
pub(crate) struct MemberToChange {
    /// The member id, or the current name at the membership source
    member: String,
    #[command(flatten)]
    confirm: Confirm,
}

impl MemberToChange {
    /// Finds the member ([`find_to_change`]) and asks for confirmation.
    pub(crate) async fn find(&self, context: &Context, store: &Store) -> Result<Member, Failure> {
        let member = find_to_change(context, store, &self.member).await?;
        confirm(context, &self.member, &member, self.confirm)?;
        Ok(member)
    }

    /// Finds the member ([`find_survivor`]) and asks for confirmation.
    pub(crate) async fn find_survivor(&self, context: &Context, store: &Store) -> Result<Member, Failure> {
        let member = find_survivor(context, store, &self.member).await?;
        confirm(context, &self.member, &member, self.confirm)?;
        Ok(member)
    }
}

/// Asks for confirmation if the member was given by name.
pub(super) fn confirm(context: &Context, text: &str, member: &Member, confirm: Confirm) -> Result<(), Failure> {
    match parse(text)? {
        MemberRef::Id(_) => Ok(()),
        MemberRef::Name(name) => confirm.confirm(context, name.as_str(), member),
    }
}

fn missing(text: &str) -> Failure {
    Failure::NotFound(format!("member {text}; names are as of the last look-up, an id always works"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_name_are_distinguished() {
        let id = "01KATW4Y00ZZZZZZZZZZZZZZZZ";
        assert_eq!(parse(id).unwrap(), MemberRef::Id(MemberId::parse(id).unwrap()));
        assert_eq!(parse("alice").unwrap(), MemberRef::Name("alice".parse().unwrap()));
        // A valid name.
        assert!(matches!(parse(&id.to_ascii_lowercase()).unwrap(), MemberRef::Name(_)));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("alice@ubuntu.com")]
    #[case("01KATW4Y00")]
    fn invalid_member_is_usage_error(#[case] text: &str) {
        assert_eq!(parse(text).unwrap_err().kind(), "usage");
    }
}
