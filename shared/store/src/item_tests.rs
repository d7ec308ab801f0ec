//! The attributes of items. The index and other releases read them, so they must not change by accident.

use membermail_core::alias::{Reason, Status};
use membermail_core::audit::{Actor, Cause, Change};
use membermail_core::destination::{Destination, Failures, Pending};
use membermail_core::eligibility::{Account, Observation, Outcome, Person};
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{Fingerprint, Identity, Subject};
use membermail_core::random::CountingRandom;

use super::*;
use crate::destinations::StoredDestination;
use crate::identities::StoredIdentity;
use crate::keys::Key;
use crate::member_check::Check;
use crate::members::Member;
use crate::sealing::{Field, KeyContext, Sealed, Sealer};
use crate::sessions::Session;
use crate::table::{Item, encode, text};
use ulid::Ulid;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn key() -> Key {
    Key { pk: "KIND#alice".into(), sk: "-".into() }
}

fn sealed(random: &CountingRandom, key_context: &KeyContext, member: MemberId, field: Field) -> Sealed {
    let email = EmailAddress::parse("alice@mail.example").unwrap();
    Sealer::new(b"master").seal(key_context, member, field, &email, random).unwrap()
}

fn stored() -> Stored {
    let random = CountingRandom::default();
    let member = MemberId::new(NOW, &random);
    let address = Address::try_from("alice@ubuntu.com".to_owned()).unwrap();
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
        destinations: vec![DestinationId::new(NOW, &random)],
        paused: Some(Pause { since: NOW, is_permanent: true }),
    }
}

fn alias() -> Item {
    encode(&key(), &stored()).unwrap()
}

fn destination() -> Item {
    let random = CountingRandom::default();
    let member = MemberId::new(NOW, &random);
    let id = DestinationId::new(NOW, &random);
    let pending = Pending { id: Ulid::nil(), requested_at: NOW, attempts: 1, epoch: 2, replaces: true };
    let failures = Failures::register(None, "5.1.1".parse().unwrap(), NOW, true);
    let full = Destination { pending: Some(pending), failures, removed: Some(NOW), ..Destination::new(id, true, NOW) };
    let sealed = sealed(&random, &KeyContext::new(&random), member, Field::Destination(id));
    encode(&key(), &StoredDestination { member, destination: full, sealed }).unwrap()
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
    let full = Member {
        banned_at: Some(NOW),
        ban_reason: Some("spam".parse().unwrap()),
        ban_changed_at: Some(0),
        grants: 1,
        destinations_added: 1,
        choices: 1,
        identity_changes: 1,
        destination: Some(DestinationId::new(NOW, &CountingRandom::default())),
        observation: Some(Observation { person, observed_at: NOW }),
        merged_into: Some(other),
        merged: vec![other],
        language: Some(Language::parse("de").unwrap()),
        language_chosen: true,
        check: Check { checked_at: Some(NOW), outcome: Some(Outcome::NoTeam), ..member().check },
        ..member()
    };
    encode(&key(), &full).unwrap()
}

fn identity() -> Item {
    let subject = Subject::parse("https://login.example.org/+id/alice").unwrap();
    let identity = Identity { issuer: "https://login.example.org/+openid".into(), subject };
    encode(&key(), &StoredIdentity { identity, since: Some(NOW), came_from: None }).unwrap()
}

fn member() -> Member {
    let random = CountingRandom::default();
    let id = MemberId::new(NOW, &random);
    let key_context = KeyContext::new(&random);
    let sign_in = sealed(&random, &key_context, id, Field::SignIn);
    Member {
        id,
        session_epoch: 0,
        banned_at: None,
        ban_reason: None,
        ban_changed_at: None,
        grants: 0,
        destinations_added: 0,
        choices: 0,
        identity_changes: 0,
        destination: None,
        observation: None,
        merged_into: None,
        merged: Vec::new(),
        language: None,
        language_chosen: false,
        key_context,
        sign_in: Some(sign_in),
        check: Check::requested(NOW),
    }
}

#[rstest::rstest]
#[case::alias(
    alias(),
    "address destinations fingerprint member name observed_at paused pk reason since sk status version"
)]
#[case::audit(audit(), "actor address after at before id owner pk reason request_id sk subject")]
#[case::session(session(), "created epoch last_seen member pk sk")]
#[case::profile(profile(), "id pk requested_at salt session_epoch sign_in sk state")]
#[case::full_profile(
    full_profile(),
    "ban_changed_at ban_reason banned_at checked_at choices destination destinations_added grants id identity_changes language language_chosen merged merged_into observation outcome pk requested_at salt session_epoch \
     sign_in sk state"
)]
#[case::identity(identity(), "issuer pk since sk subject")]
#[case::destination(destination(), "confirmed created failures id member pending pk removed sealed sk version")]
fn attributes(#[case] item: Item, #[case] expected: &str) {
    let mut names: Vec<_> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names.join(" "), expected);
    // The index by member contains the items with both of its keys: only aliases.
    let indexed = item.contains_key("member") && item.contains_key("address");
    assert_eq!(indexed, item.contains_key("destinations"));
}

#[test]
fn alias_survives_a_round_trip() {
    let back = StoredAlias::from(decode::<Stored>(alias()).unwrap());
    let written = StoredAlias::from(stored());
    assert_eq!((back.alias, back.destinations, back.paused), (written.alias, written.destinations, written.paused));
}

#[test]
fn times_of_conditions_are_numbers() {
    let profile = full_profile();
    assert_eq!(profile["checked_at"], number(0));
    assert_eq!(profile["observation"].as_m().unwrap()["observed_at"], number(0));
    assert_eq!(alias()["observed_at"], number(0));
    let back: Member = decode(profile.clone()).unwrap();
    assert_eq!(encode(&key(), &back).unwrap(), profile);
}

#[test]
fn member_survives_a_round_trip() {
    let member: Member = decode(profile()).unwrap();
    assert_eq!(member.sign_in_address(&Sealer::new(b"master")).unwrap().unwrap().expose(), "alice@mail.example");
    assert_eq!(encode(&key(), &member).unwrap(), profile());
}

#[rstest::rstest]
#[case::address("address", Some(text("postmaster@ubuntu.com")))]
#[case::no_member("member", None)]
#[case::status("status", Some(text("alice.private")))]
#[case::since("since", Some(text("alice.private")))]
#[case::version("version", Some(text("alice.private@mail.example")))]
#[case::number("version", Some(number("alice.private")))]
#[case::destination("destinations", Some(number(1)))]
fn corrupt_alias_is_a_permanent_error(
    #[case] name: &str,
    #[case] value: Option<aws_sdk_dynamodb::types::AttributeValue>,
) {
    let mut item = alias();
    match value {
        Some(value) => item.insert(name.into(), value),
        None => item.remove(name),
    };
    let Err(error) = decode::<Stored>(item) else { panic!("decoded") };
    assert!(matches!(error, StoreError::Corrupt { .. }) && !error.is_retryable());
    assert!(!format!("{error} {error:?}").contains("alice"), "{error}");
}

#[rstest::rstest]
#[case::key_context("salt", text("c2hvcnQ="))]
#[case::state("state", text("alice.private"))]
#[case::epoch("session_epoch", text("alice.private@mail.example"))]
fn corrupt_member_is_a_permanent_error(#[case] name: &str, #[case] value: aws_sdk_dynamodb::types::AttributeValue) {
    let mut item = profile();
    item.insert(name.into(), value);
    let error = decode::<Member>(item).unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }) && !error.is_retryable());
    assert!(!format!("{error} {error:?}").contains("alice"), "{error}");
}
