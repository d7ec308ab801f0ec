//! The member that an operator means: by id, or by Launchpad name.

use membermail_core::member::{LaunchpadName, MemberId};
use membermail_runtime::batch::chain;
use membermail_store::{Member, Store};
use membermail_sync::{Called, ObserveError, Observer};

use crate::Context;
use crate::confirm::Confirm;
use crate::failure::Failure;

/// What an operator typed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Typed {
    Id(MemberId),
    Name(LaunchpadName),
}

/// A Launchpad name has no upper case, and an id as it is printed has letters of no other.
fn parse(text: &str) -> Result<Typed, Failure> {
    match (MemberId::parse(text), LaunchpadName::parse(text)) {
        (Ok(id), Err(_)) => Ok(Typed::Id(id)),
        (_, Ok(name)) => Ok(Typed::Name(name)),
        (Err(_), Err(why)) => Err(Failure::Usage(format!("{text:?} is {why}"))),
    }
}

/// The member as the table has them, for a command that only shows: an id shows its own record, also after it was linked to
/// another member.
pub(crate) async fn find(store: &Store, text: &str) -> Result<Member, Failure> {
    match parse(text)? {
        Typed::Id(id) => store.member(id).await?.ok_or_else(|| missing(text)),
        Typed::Name(name) => store.member_by_name(&name).await?.ok_or_else(|| missing(text)),
    }
}

/// The member for a command that changes something. A name can have passed to another person since the last look-up, so the
/// member is looked up by identity now; an id needs no look-up, and works while Launchpad does not answer.
pub(crate) async fn find_to_change(context: &Context, store: &Store, text: &str) -> Result<Member, Failure> {
    let name = match parse(text)? {
        Typed::Id(id) => return store.member(id).await?.ok_or_else(|| missing(text)),
        Typed::Name(name) => name,
    };
    let community = context.place.community().await?;
    let launchpad = context.place.launchpad(&community).await?;
    let operator = &context.operator;
    let cause = operator.cause()?;
    let observer = Observer {
        source: &launchpad,
        store,
        clock: &operator.clock,
        random: operator.random(),
        actor: cause.actor,
        by: cause.by,
        request_id: cause.request_id,
    };
    match observer.called(&name).await {
        Ok(called) => whom(&name, called),
        Err(ObserveError::Store(cause)) => Err(cause.into()),
        Err(ObserveError::Source(cause)) => Err(Failure::Other(format!(
            "{}: {name} cannot be looked up. Give the member's id instead (`membermail member show {name}`)",
            chain(&cause)
        ))),
    }
}

fn whom(name: &LaunchpadName, called: Called) -> Result<Member, Failure> {
    match called {
        Called::Member(member) => Ok(*member),
        Called::Unknown => Err(missing(name.as_str())),
        Called::PassedOn { member, name: now } => {
            let now = now.map_or_else(|| "has no account".to_owned(), |now| format!("is called {now}"));
            Err(Failure::NotFound(format!("member {name} any more: {member}, who had the name, {now} now. Give an id")))
        }
    }
}

/// The same, or the member that this one was linked to: what is done to one of them is done to both.
pub(crate) async fn find_survivor(context: &Context, store: &Store, text: &str) -> Result<Member, Failure> {
    let member = find_to_change(context, store, text).await?;
    store.survivor_of(member).await?.ok_or_else(|| missing(text))
}

/// Asks the operator, where a name was typed.
pub(crate) fn confirm(context: &Context, text: &str, member: &Member, confirm: Confirm) -> Result<(), Failure> {
    match parse(text)? {
        Typed::Id(_) => Ok(()),
        Typed::Name(name) => confirm.ask(context, name.as_str(), member),
    }
}

fn missing(text: &str) -> Failure {
    Failure::NotFound(format!("member {text} (a name is the one of the last look-up; the id always works)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_name_are_told_apart() {
        let id = "01KATW4Y00ZZZZZZZZZZZZZZZZ";
        assert_eq!(parse(id).unwrap(), Typed::Id(MemberId::parse(id).unwrap()));
        assert_eq!(parse("alice").unwrap(), Typed::Name("alice".parse().unwrap()));
        // Somebody could be called so.
        assert!(matches!(parse(&id.to_ascii_lowercase()).unwrap(), Typed::Name(_)));
    }

    #[rstest::rstest]
    #[case("")]
    #[case("alice@ubuntu.com")]
    #[case("01KATW4Y00")]
    fn other_text_is_refused(#[case] text: &str) {
        assert_eq!(parse(text).unwrap_err().kind(), "usage");
    }
}
