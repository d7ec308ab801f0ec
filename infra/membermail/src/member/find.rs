//! The member that an operator means: by id, or by the Launchpad name of the last look-up.

use membermail_core::member::{LaunchpadName, MemberId};
use membermail_store::{Member, Store};

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

/// The member as typed: an id shows its own record, also after it was linked to another member.
pub(crate) async fn find(store: &Store, text: &str) -> Result<Member, Failure> {
    match parse(text)? {
        Typed::Id(id) => store.member(id).await?.ok_or_else(|| missing(text)),
        Typed::Name(name) => store.member_by_name(&name).await?.ok_or_else(|| missing(text)),
    }
}

/// The same, or the member that this one was linked to: what is done to one of them is done to both.
pub(crate) async fn find_survivor(store: &Store, text: &str) -> Result<Member, Failure> {
    let member = find(store, text).await?;
    match member.merged_into {
        Some(survivor) => store.member(survivor).await?.ok_or_else(|| missing(text)),
        None => Ok(member),
    }
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
