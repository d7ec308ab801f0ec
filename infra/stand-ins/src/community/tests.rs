//! The community and its changes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::named::LONG;
use super::*;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 1_000);

fn seeded(people: usize, all_in: Option<&str>) -> Community {
    Community::seeded(&Seed { people, all_in: all_in.map(str::to_owned), now: NOW })
}

fn community() -> Community {
    seeded(100, None)
}

fn change(community: &mut Community, key: &str, change: Value) -> Result<(), ChangeError> {
    community.change(key, serde_json::from_value(change).unwrap(), NOW)
}

fn is_in(community: &mut Community, team: &str, key: &str) -> bool {
    community.participants(team).iter().any(|member| &**member == key)
}

#[test]
fn seed_has_unique_ids_and_words() {
    let community = seeded(2_000, None);
    assert_eq!(community.people.len(), 2_000);
    let ids: std::collections::BTreeSet<_> = community.people().map(|(_, person)| person.id).collect();
    assert_eq!(ids.len(), 2_000);
    assert_eq!(community.logins.len(), community.people().map(|(_, person)| person.words.len()).sum::<usize>());
}

#[test]
fn seed_shares_only_the_2005_date() {
    let community = seeded(2_000, None);
    let mut by_date = BTreeMap::<_, Vec<_>>::new();
    for (key, person) in community.people() {
        by_date.entry(person.date_created).or_default().push(&**key);
    }
    by_date.retain(|_, keys| keys.len() > 1);
    assert_eq!(by_date.into_values().collect::<Vec<_>>(), [["oda", "otto", "zoe"]]);
}

#[test]
fn seed_is_as_large_as_asked() {
    let mut large = seeded(12_000, None);
    assert_eq!(large.people.len(), 12_000);
    assert!(large.participants("ubuntumembers").len() > 10_000);
    let mut all = seeded(1_100, Some("kubuntu-members"));
    assert!(all.participants("kubuntu-members").len() > 900);
    assert!(LONG.len() > 64);
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
fn participants_lack_members_who_expired() {
    let mut community = community();
    assert_eq!(community.team("ubuntumembers").unwrap().1.memberships["victor"].status, Status::Expired);
    assert!(!is_in(&mut community, "ubuntumembers", "victor"));
}

#[test]
fn name_is_free_once_given_up() {
    let mut community = community();
    assert_eq!(change(&mut community, "bob", json!({ "name": "alice" })), Err(ChangeError::Taken));
    change(&mut community, "alice", json!({ "name": "alice2" })).unwrap();
    change(&mut community, "bob", json!({ "name": "alice" })).unwrap();
    assert_eq!(&**community.by_name("alice").unwrap().0, "bob");
    assert_eq!(&**community.by_name("alice2").unwrap().0, "alice");
    assert!(community.by_name("bob").is_none());
}

#[test]
fn team_takes_a_name_given_up() {
    let mut community = community();
    change(&mut community, "alice", json!({ "name": "alice2" })).unwrap();
    let team = json!({ "name": "alice", "members": ["bob"], "join": ["ubuntumembers"] });
    let key = community.add_new_team(serde_json::from_value(team).unwrap(), NOW).unwrap();
    assert_eq!((&*key, community.key_of("alice")), ("alice~2", Some(key.clone())));
    assert!(community.person("alice").is_some() && is_in(&mut community, "ubuntumembers", "alice~2"));
    let rename = serde_json::from_value(json!({ "name": "alices" })).unwrap();
    community.change_team(&key, rename, NOW).unwrap();
    assert!(community.key_of("alice").is_none());
    community.remove_team("alices").unwrap();
    assert!(community.key_of("alices").is_none() && !is_in(&mut community, "ubuntumembers", "alice~2"));
}

#[rstest::rstest]
#[case("a team's", "ubuntumembers", ChangeError::Taken)]
#[case("a placeholder's", "paula", ChangeError::Taken)]
#[case("a merged person's", "mona-merged", ChangeError::Taken)]
#[case("not Launchpad's", "Al Ice", ChangeError::NotAName)]
fn name_is_refused(#[case] _kind: &str, #[case] name: &str, #[case] expected: ChangeError) {
    assert_eq!(change(&mut community(), "alice", json!({ "name": name })), Err(expected));
}

/// launchpad.md, 7: one character, and no maximum.
#[rstest::rstest]
#[case("x")]
#[case(&"long-".repeat(80))]
fn name_is_given_when_strange(#[case] name: &str) {
    let mut community = community();
    change(&mut community, "alice", json!({ "name": name })).unwrap();
    assert!(community.by_name(name).is_some());
}

#[test]
fn lists_follow_the_changes() {
    let mut community = community();
    assert!(is_in(&mut community, "ubuntumembers", "alice") && !is_in(&mut community, "ubuntumembers", "carol"));
    change(&mut community, "carol", json!({ "join": ["ubuntumembers"] })).unwrap();
    change(&mut community, "alice", json!({ "expire": ["ubuntumembers"] })).unwrap();
    assert!(!is_in(&mut community, "ubuntumembers", "alice") && is_in(&mut community, "ubuntumembers", "carol"));
    change(&mut community, "alice", json!({ "teams": ["ubuntumembers"] })).unwrap();
    change(&mut community, "carol", json!({ "teams": [] })).unwrap();
    assert!(is_in(&mut community, "ubuntumembers", "alice") && !is_in(&mut community, "ubuntumembers", "carol"));
    let absent = change(&mut community, "alice", json!({ "leave": ["lubuntu-members"] }));
    assert_eq!(absent, Err(ChangeError::NoMember));
}

#[test]
fn display_name_moves_its_person() {
    let mut community = community();
    let first = |community: &mut Community| community.participants("example-members")[0].to_string();
    assert_eq!(first(&mut community), "core-infrastructure");
    change(&mut community, "zoe", json!({ "display_name": "1. Aaron" })).unwrap();
    assert_eq!(first(&mut community), "zoe");
}

#[test]
fn person_leaves_nothing_when_removed() {
    let mut community = community();
    let walter = || serde_json::from_value(json!({ "name": "walter", "teams": ["ubuntumembers"] })).unwrap();
    community.add(walter(), NOW).unwrap();
    assert_eq!(community.add(walter(), NOW), Err(ChangeError::Taken));
    let word = community.by_name("walter").unwrap().1.word.clone();
    assert!(community.teams_of("walter").contains("ubuntumembers"));
    community.remove("walter").unwrap();
    assert!(community.by_name("walter").is_none() && community.login_of(&word).is_none());
    assert_eq!(community.remove("walter"), Err(ChangeError::UnknownKey));
}

/// launchpad.md, 3: merge A into B.
#[test]
fn merge_hands_everything_to_the_survivor() {
    let mut community = community();
    let word = community.person("alice").unwrap().word.clone();
    let (early, late) = ("2005-06-15T06:00:00Z", "2020-01-01T00:00:00Z");
    change(&mut community, "alice", json!({ "date_created": early })).unwrap();
    change(&mut community, "carol", json!({ "date_created": late, "event": "suspend" })).unwrap();
    change(&mut community, "alice", json!({ "event": { "merge-into": "carol" } })).unwrap();
    assert_eq!(&**community.by_identifier(&word).unwrap().0, "carol");
    assert_eq!(&**community.login_of(&word).unwrap().0, "alice");
    assert!(community.key_of("alice").is_none() && community.key_of("alice-merged").is_some());
    assert!(is_in(&mut community, "kubuntu-members", "carol") && !is_in(&mut community, "kubuntu-members", "alice"));
    assert_eq!(community.person("carol").unwrap().date_created, early.parse().unwrap());
    assert_eq!(change(&mut community, "alice", json!({ "event": "close" })), Err(ChangeError::Impossible));
    community.add(serde_json::from_value(json!({ "name": "alice" })).unwrap(), NOW).unwrap();
    change(&mut community, "alice~2", json!({ "event": { "merge-into": "carol" } })).unwrap();
    assert!(community.key_of("alice-merged1").is_some());
}

/// launchpad.md, 3: deactivation by the user, in two phases, and reactivation.
#[test]
fn deactivation_happens_in_two_phases() {
    let mut community = community();
    change(&mut community, "alice", json!({ "event": "begin-deactivation" })).unwrap();
    let alice = community.person("alice").unwrap();
    assert!(!alice.is_valid() && !alice.signed && alice.name == "alice");
    assert!(is_in(&mut community, "ubuntumembers", "alice"));
    change(&mut community, "alice", json!({ "event": "finish-deactivation" })).unwrap();
    assert!(!is_in(&mut community, "ubuntumembers", "alice") && community.key_of("alice").is_none());
    change(&mut community, "alice", json!({ "event": "reactivate" })).unwrap();
    let alice = community.person("alice").unwrap();
    assert!(alice.is_valid() && !alice.signed && alice.name == "alice-deactivatedaccount");
    assert!(community.teams_of("alice").is_empty());
    community.add(serde_json::from_value(json!({ "name": "alice" })).unwrap(), NOW).unwrap();
    change(&mut community, "alice~2", json!({ "event": "deactivate" })).unwrap();
    assert_eq!(community.person("alice~2").unwrap().name, "alice-deactivatedaccount1");
}

/// launchpad.md, 3: deactivated by an admin, suspended, deceased: stays in.
#[rstest::rstest]
#[case("deactivate-by-admin", AccountStatus::Deactivated)]
#[case("suspend", AccountStatus::Suspended)]
#[case("mark-deceased", AccountStatus::Deceased)]
fn account_stays_in_its_teams(#[case] event: &str, #[case] status: AccountStatus) {
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
    let word = community.person("alice").unwrap().word.clone();
    change(&mut community, "alice", json!({ "event": "close" })).unwrap();
    let alice = community.person("alice").unwrap();
    assert_eq!((alice.name.as_str(), alice.display_name.as_str()), ("removed2", "Removed by request"));
    assert!(community.by_identifier(&word).is_none() && community.login_of(&word).is_some());
    assert!(community.key_of("alice").is_none() && !is_in(&mut community, "ubuntumembers", "alice"));
}

/// launchpad.md, 2: a placeholder gets *now* at its first login.
#[test]
fn first_login_dates_a_placeholder() {
    let mut community = community();
    change(&mut community, "paula", json!({ "event": "first-login" })).unwrap();
    let paula = community.person("paula").unwrap();
    assert_eq!((paula.date_created, paula.page()), (NOW, PageState::Shown));
    assert_eq!(change(&mut community, "paula", json!({ "event": "first-login" })), Err(ChangeError::Impossible));
}

/// launchpad.md, 3: one person can have several identifiers, and the older one stays.
#[test]
fn word_is_added_to_older_ones() {
    let mut community = community();
    let old = community.person("alice").unwrap().word.clone();
    change(&mut community, "alice", json!({ "word": "newword" })).unwrap();
    for word in [old.as_str(), "newword"] {
        assert_eq!(&**community.by_identifier(word).unwrap().0, "alice");
    }
    assert_eq!(community.person("alice").unwrap().word, "newword");
    assert_eq!(change(&mut community, "bob", json!({ "word": "newword" })), Err(ChangeError::Taken));
    community.add_identifier("alice", "third", false).unwrap();
    assert_eq!(community.person("alice").unwrap().word, "newword");
}

#[test]
fn unknown_person_has_no_name() {
    let community = community();
    assert!(community.by_name("nobody-here").is_none() && community.person("nobody-here").is_some());
}
