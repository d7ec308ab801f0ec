//! The attributes of items: an index or another release reads them, so that they must not change by accident.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change};
use membermail_core::eligibility::{Account, Observation, Outcome, Person};
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{ClaimedIdentifier, Fingerprint, Identity};
use membermail_core::random::CountingRandom;

use super::*;
use crate::checks::{Check, CheckState};
use crate::keys::Key;
use crate::members::{Member, StoredIdentity};
use crate::sessions::Session;
use crate::table::{Item, encode};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn key() -> Key {
    Key { pk: "KIND#alice".into(), sk: "-".into() }
}

fn sealed(random: &CountingRandom, salt: &Salt, member: MemberId, field: Field<'_>) -> Sealed {
    let email = EmailAddress::parse("alice@mail.example").unwrap();
    Sealer::new(b"master").seal(salt, member, field, &email, random).unwrap()
}

fn stored() -> Stored {
    let random = CountingRandom::default();
    let member = MemberId::new(NOW, &random);
    let address = Address::try_from("alice@ubuntu.com".to_owned()).unwrap();
    let destination = sealed(&random, &Salt::new(&random), member, Field::Destination(&address));
    Stored {
        address,
        member,
        known_as: ObservedName { name: "alice".parse().unwrap(), fingerprint: Fingerprint(7), observed_at: NOW },
        status: Status::Active,
        reason: Reason::Eligible,
        since: NOW,
        until: None,
        version: 1,
        erase_pending: false,
        destination: Some(destination),
    }
}

fn alias() -> Item {
    encode(&key(), &stored()).unwrap()
}

fn audit() -> Item {
    let alias = StoredAlias::from(stored()).alias;
    let cause = Cause { actor: Actor::Member, by: None, request_id: "request-1", now: NOW };
    let entry = Entry::new(Change::of_alias(&alias, None, None), cause, &CountingRandom::default());
    encode(&key(), &entry).unwrap()
}

fn session() -> Item {
    let session = Session { member: stored().member, created: NOW, last_seen: NOW, epoch: 1 };
    encode(&key(), &session).unwrap()
}

fn profile() -> Item {
    encode(&key(), &member()).unwrap()
}

/// A member with every attribute.
fn full_profile() -> Item {
    let other = MemberId::new(NOW, &CountingRandom::default());
    let name = "alice".parse().unwrap();
    let person = Person { name, fingerprint: Fingerprint(7), account: Account::Active, signed_code_of_conduct: true };
    let check = Check { checked_at: Some(NOW), outcome: Some(Outcome::NoTeam), ..member().check };
    let full = Member {
        banned_at: Some(NOW),
        ban_changed_at: Some(0),
        grants: 1,
        observation: Some(Observation { person, observed_at: NOW }),
        merged_into: Some(other),
        merged: vec![other],
        language: Some(Language::parse("de").unwrap()),
        check,
        ..member()
    };
    encode(&key(), &full).unwrap()
}

fn identity() -> Item {
    let subject = ClaimedIdentifier::parse("https://login.example.org/+id/alice").unwrap();
    let identity = Identity { issuer: "https://login.example.org/+openid".into(), subject };
    encode(&key(), &StoredIdentity { identity, came_from: None }).unwrap()
}

fn member() -> Member {
    let random = CountingRandom::default();
    let (id, salt) = (MemberId::new(NOW, &random), Salt::new(&random));
    let sign_in = Some(sealed(&random, &salt, id, Field::SignIn));
    let check = Check { state: CheckState::Pending, requested_at: NOW, checked_at: None, outcome: None };
    Member {
        id,
        session_epoch: 0,
        banned_at: None,
        ban_changed_at: None,
        grants: 0,
        observation: None,
        merged_into: None,
        merged: Vec::new(),
        language: None,
        salt,
        sign_in,
        check,
    }
}

#[rstest::rstest]
#[case::alias(alias(), "address destination fingerprint member name observed_at pk reason since sk status version")]
#[case::audit(audit(), "actor address after at before id owner pk reason request_id sk subject")]
#[case::session(session(), "created epoch last_seen member pk sk")]
#[case::profile(profile(), "id pk requested_at salt session_epoch sign_in sk state")]
#[case::full_profile(
    full_profile(),
    "ban_changed_at banned_at checked_at grants id language merged merged_into observation outcome pk requested_at salt session_epoch sign_in \
     sk state"
)]
#[case::identity(identity(), "issuer pk sk subject")]
fn attributes(#[case] item: Item, #[case] expected: &str) {
    let mut names: Vec<_> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names.join(" "), expected);
    // The index by member takes what has both of its keys: aliases alone.
    let indexed = item.contains_key("member") && item.contains_key("address");
    assert_eq!(indexed, item.contains_key("destination"));
}

#[test]
fn alias_survives_a_round_trip() {
    let back = StoredAlias::from(decode::<Stored>(alias(), &key()).unwrap());
    let written = StoredAlias::from(stored());
    assert_eq!((back.alias, back.destination), (written.alias, written.destination));
}

#[test]
fn times_of_conditions_are_numbers() {
    let profile = full_profile();
    assert_eq!(profile["checked_at"], number(0));
    assert_eq!(profile["observation"].as_m().unwrap()["observed_at"], number(0));
    assert_eq!(alias()["observed_at"], number(0));
    let back: Member = decode(profile.clone(), &key()).unwrap();
    assert_eq!(encode(&key(), &back).unwrap(), profile);
}

#[test]
fn member_survives_a_round_trip() {
    let member: Member = decode(profile(), &key()).unwrap();
    assert_eq!(member.sign_in_address(&Sealer::new(b"master")).unwrap().unwrap().expose(), "alice@mail.example");
    assert_eq!(encode(&key(), &member).unwrap(), profile());
}

#[rstest::rstest]
#[case::address("address", Some(text("postmaster@ubuntu.com")))]
#[case::no_member("member", None)]
#[case::status("status", Some(text("asleep")))]
#[case::since("since", Some(text("yesterday")))]
#[case::version("version", Some(text("alice.private@mail.example")))]
#[case::destination("destination", Some(number(1)))]
fn corrupt_alias_is_a_permanent_error(
    #[case] name: &str,
    #[case] value: Option<aws_sdk_dynamodb::types::AttributeValue>,
) {
    let mut item = alias();
    match value {
        Some(value) => item.insert(name.into(), value),
        None => item.remove(name),
    };
    let Err(error) = decode::<Stored>(item, &key()) else { panic!("decoded") };
    assert!(matches!(error, StoreError::Corrupt { .. }) && !error.is_retryable());
    assert!(!format!("{error} {error:?}").contains("alice"), "{error}");
}

#[rstest::rstest]
#[case::salt("salt", text("c2hvcnQ="))]
#[case::state("state", text("asleep"))]
#[case::epoch("session_epoch", text("alice.private@mail.example"))]
fn corrupt_member_is_a_permanent_error(#[case] name: &str, #[case] value: aws_sdk_dynamodb::types::AttributeValue) {
    let mut item = profile();
    item.insert(name.into(), value);
    let error = decode::<Member>(item, &key()).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }) && !error.is_retryable());
    assert!(!format!("{error} {error:?}").contains("alice"), "{error}");
}
