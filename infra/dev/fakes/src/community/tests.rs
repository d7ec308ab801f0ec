//! The community and its changes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::scenarios::LONG_NAME;
use super::*;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 1_000);

fn seeded(people: usize, all_in: Option<&str>) -> Community {
    Community::seeded(&Seed { people, all_in: all_in.map(str::to_owned), gitlab_members: 0, now: NOW })
}

fn community() -> Community {
    seeded(100, None)
}

fn change(community: &mut Community, key: &str, change: Value) -> Result<(), ChangeError> {
    community.change_person(key, serde_json::from_value(change).unwrap(), NOW)
}

fn is_in(community: &mut Community, team: &str, key: &str) -> bool {
    community.participants(team).iter().any(|member| &**member == key)
}

#[test]
fn seed_has_unique_identifiers() {
    let community = seeded(2_000, None);
    assert_eq!(community.people.len(), 2_000);
    let ids: std::collections::BTreeSet<_> = community.people().map(|(_, person)| person.id).collect();
    assert_eq!(ids.len(), 2_000);
    assert_eq!(community.logins.len(), community.people().map(|(_, person)| person.identifiers.len()).sum::<usize>());
}

#[test]
fn seed_dates_repeat_only_for_2005() {
    let community = seeded(2_000, None);
    let mut by_date = BTreeMap::<_, Vec<_>>::new();
    for (key, person) in community.people() {
        by_date.entry(person.date_created).or_default().push(&**key);
    }
    by_date.retain(|_, keys| keys.len() > 1);
    assert_eq!(by_date.into_values().collect::<Vec<_>>(), [["oda", "otto", "zoe"]]);
}

#[test]
fn seed_has_requested_size() {
    let mut large = seeded(12_000, None);
    assert_eq!(large.people.len(), 12_000);
    assert!(large.participants("ubuntumembers").len() > 10_000);
    let mut all = seeded(1_100, Some("kubuntu-members"));
    assert!(all.participants("kubuntu-members").len() > 900);
    assert!(LONG_NAME.len() > 64);
}

#[test]
fn participants_include_members_of_sub_teams() {
    let mut community = seeded(2_000, None);
    assert!(community.teams_of("bob").contains("ubuntumembers"));
    assert!(is_in(&mut community, "ubuntumembers", "bob"));
    assert!(!community.members("ubuntumembers").iter().any(|key| &**key == "bob"));
    assert!(!is_in(&mut community, "ubuntumembers", "ubuntumembers"));
}

#[test]
fn participants_exclude_expired_members() {
    let mut community = community();
    assert_eq!(community.team("ubuntumembers").unwrap().1.memberships["victor"].status, Status::Expired);
    assert!(!is_in(&mut community, "ubuntumembers", "victor"));
}

#[test]
fn name_is_available_after_rename() {
    let mut community = community();
    assert_eq!(change(&mut community, "bob", json!({ "name": "alice" })), Err(ChangeError::AlreadyUsed));
    change(&mut community, "alice", json!({ "name": "alice2" })).unwrap();
    change(&mut community, "bob", json!({ "name": "alice" })).unwrap();
    assert_eq!(&**community.person_by_name("alice").unwrap().0, "bob");
    assert_eq!(&**community.person_by_name("alice2").unwrap().0, "alice");
    assert!(community.person_by_name("bob").is_none());
}

#[test]
fn team_can_reuse_released_name() {
    let mut community = community();
    change(&mut community, "alice", json!({ "name": "alice2" })).unwrap();
    let team = json!({ "name": "alice", "members": ["bob"], "join": ["ubuntumembers"] });
    let key = community.add_team(serde_json::from_value(team).unwrap(), NOW).unwrap();
    assert_eq!((&*key, community.key_by_name("alice")), ("alice~2", Some(key.clone())));
    assert!(community.person("alice").is_some() && is_in(&mut community, "ubuntumembers", "alice~2"));
    let rename = serde_json::from_value(json!({ "name": "alices" })).unwrap();
    community.change_team(&key, rename, NOW).unwrap();
    assert!(community.key_by_name("alice").is_none());
    community.remove_team("alices").unwrap();
    assert!(community.key_by_name("alices").is_none() && !is_in(&mut community, "ubuntumembers", "alice~2"));
}

#[rstest::rstest]
#[case("a team's", "ubuntumembers", ChangeError::AlreadyUsed)]
#[case("a placeholder's", "paula", ChangeError::AlreadyUsed)]
#[case("a merged person's", "mona-merged", ChangeError::AlreadyUsed)]
#[case("not valid", "Al Ice", ChangeError::InvalidName)]
fn name_is_rejected(#[case] _kind: &str, #[case] name: &str, #[case] expected: ChangeError) {
    assert_eq!(change(&mut community(), "alice", json!({ "name": name })), Err(expected));
}

/// launchpad.md, 7: a single character is valid, and there is no maximum.
#[rstest::rstest]
#[case("x")]
#[case(&"long-".repeat(80))]
fn name_has_no_length_limits(#[case] name: &str) {
    let mut community = community();
    change(&mut community, "alice", json!({ "name": name })).unwrap();
    assert!(community.person_by_name(name).is_some());
}

#[test]
fn lists_reflect_changes() {
    let mut community = community();
    assert!(is_in(&mut community, "ubuntumembers", "alice") && !is_in(&mut community, "ubuntumembers", "carol"));
    change(&mut community, "carol", json!({ "join": ["ubuntumembers"] })).unwrap();
    change(&mut community, "alice", json!({ "expire": ["ubuntumembers"] })).unwrap();
    assert!(!is_in(&mut community, "ubuntumembers", "alice") && is_in(&mut community, "ubuntumembers", "carol"));
    change(&mut community, "alice", json!({ "teams": ["ubuntumembers"] })).unwrap();
    change(&mut community, "carol", json!({ "teams": [] })).unwrap();
    assert!(is_in(&mut community, "ubuntumembers", "alice") && !is_in(&mut community, "ubuntumembers", "carol"));
    let absent = change(&mut community, "alice", json!({ "leave": ["lubuntu-members"] }));
    assert_eq!(absent, Err(ChangeError::NotAMember));
}

#[test]
fn display_name_determines_order() {
    let mut community = community();
    assert_eq!(&*community.participants("example-members")[0], "core-infrastructure");
    change(&mut community, "zoe", json!({ "display_name": "1. Aaron" })).unwrap();
    assert_eq!(&*community.participants("example-members")[0], "zoe");
}

#[test]
fn removed_person_leaves_no_trace() {
    let mut community = community();
    let walter: NewPerson = serde_json::from_value(json!({ "name": "walter", "teams": ["ubuntumembers"] })).unwrap();
    community.add_person(walter.clone(), NOW).unwrap();
    assert_eq!(community.add_person(walter, NOW), Err(ChangeError::AlreadyUsed));
    let identifier = community.person_by_name("walter").unwrap().1.identifier.clone();
    assert!(community.teams_of("walter").contains("ubuntumembers"));
    community.remove_person("walter").unwrap();
    assert!(community.person_by_name("walter").is_none() && community.login_by_identifier(&identifier).is_none());
    assert_eq!(community.remove_person("walter"), Err(ChangeError::UnknownKey));
}

/// launchpad.md, 3: merge A into B.
#[test]
fn merge_moves_everything_to_survivor() {
    let mut community = community();
    let identifier = community.person("alice").unwrap().identifier.clone();
    let early = "2005-06-15T06:00:00Z";
    let late = "2020-01-01T00:00:00Z";
    change(&mut community, "alice", json!({ "date_created": early })).unwrap();
    change(&mut community, "carol", json!({ "date_created": late, "event": "suspend" })).unwrap();
    change(&mut community, "alice", json!({ "event": { "merge-into": "carol" } })).unwrap();
    assert_eq!(&**community.person_by_identifier(&identifier).unwrap().0, "carol");
    assert_eq!(&**community.login_by_identifier(&identifier).unwrap().0, "alice");
    assert!(community.key_by_name("alice").is_none() && community.key_by_name("alice-merged").is_some());
    assert!(is_in(&mut community, "kubuntu-members", "carol") && !is_in(&mut community, "kubuntu-members", "alice"));
    assert_eq!(community.person("carol").unwrap().date_created, early.parse().unwrap());
    assert_eq!(change(&mut community, "alice", json!({ "event": "close" })), Err(ChangeError::WrongState));
    community.add_person(serde_json::from_value(json!({ "name": "alice" })).unwrap(), NOW).unwrap();
    change(&mut community, "alice~2", json!({ "event": { "merge-into": "carol" } })).unwrap();
    assert!(community.key_by_name("alice-merged1").is_some());
}

/// launchpad.md, 3: deactivation by the owner, in two phases, and reactivation.
#[test]
fn deactivation_has_two_phases() {
    let mut community = community();
    change(&mut community, "alice", json!({ "event": "begin-deactivation" })).unwrap();
    let alice = community.person("alice").unwrap();
    assert!(!alice.is_valid() && !alice.signed && alice.name == "alice");
    assert!(is_in(&mut community, "ubuntumembers", "alice"));
    change(&mut community, "alice", json!({ "event": "finish-deactivation" })).unwrap();
    assert!(!is_in(&mut community, "ubuntumembers", "alice") && community.key_by_name("alice").is_none());
    change(&mut community, "alice", json!({ "event": "reactivate" })).unwrap();
    let alice = community.person("alice").unwrap();
    assert!(alice.is_valid() && !alice.signed && alice.name == "alice-deactivatedaccount");
    assert!(community.teams_of("alice").is_empty());
    community.add_person(serde_json::from_value(json!({ "name": "alice" })).unwrap(), NOW).unwrap();
    change(&mut community, "alice~2", json!({ "event": "deactivate" })).unwrap();
    assert_eq!(community.person("alice~2").unwrap().name, "alice-deactivatedaccount1");
}

/// launchpad.md, 3: accounts that are deactivated by an admin, suspended or deceased keep their memberships.
#[rstest::rstest]
#[case("deactivate-by-admin", AccountStatus::Deactivated)]
#[case("suspend", AccountStatus::Suspended)]
#[case("mark-deceased", AccountStatus::Deceased)]
fn account_keeps_its_memberships(#[case] event: &str, #[case] status: AccountStatus) {
    let mut community = community();
    change(&mut community, "alice", json!({ "event": event })).unwrap();
    let alice = community.person("alice").unwrap();
    assert_eq!((alice.status, alice.is_valid(), alice.signed, alice.name.as_str()), (status, false, true, "alice"));
    assert!(is_in(&mut community, "ubuntumembers", "alice"));
}

/// launchpad.md, 3: closed.
#[test]
fn closing_deletes_identifiers_and_memberships() {
    let mut community = community();
    let identifier = community.person("alice").unwrap().identifier.clone();
    change(&mut community, "alice", json!({ "event": "close" })).unwrap();
    let alice = community.person("alice").unwrap();
    assert_eq!((alice.name.as_str(), alice.display_name.as_str()), ("removed2", "Removed by request"));
    assert!(
        community.person_by_identifier(&identifier).is_none() && community.login_by_identifier(&identifier).is_some()
    );
    assert!(community.key_by_name("alice").is_none() && !is_in(&mut community, "ubuntumembers", "alice"));
}

/// launchpad.md, 2: the first login sets the date of a placeholder.
#[test]
fn first_login_dates_placeholder() {
    let mut community = community();
    change(&mut community, "paula", json!({ "event": "first-login" })).unwrap();
    let paula = community.person("paula").unwrap();
    assert_eq!((paula.date_created, paula.page()), (NOW, PageState::Shown));
    assert_eq!(change(&mut community, "paula", json!({ "event": "first-login" })), Err(ChangeError::WrongState));
}

/// launchpad.md, 3: one person can have several identifiers, and the older one stays.
#[test]
fn new_identifier_keeps_older_ones() {
    let mut community = community();
    let old = community.person("alice").unwrap().identifier.clone();
    change(&mut community, "alice", json!({ "openid_identifier": "newer" })).unwrap();
    for identifier in [old.as_str(), "newer"] {
        assert_eq!(&**community.person_by_identifier(identifier).unwrap().0, "alice");
    }
    assert_eq!(community.person("alice").unwrap().identifier, "newer");
    assert_eq!(change(&mut community, "bob", json!({ "openid_identifier": "newer" })), Err(ChangeError::AlreadyUsed));
    community.add_identifier("alice", "third", false).unwrap();
    assert_eq!(community.person("alice").unwrap().identifier, "newer");
}

#[test]
fn absent_person_has_no_name() {
    let community = community();
    assert!(community.person_by_name("nobody-here").is_none() && community.person("nobody-here").is_some());
}
