use proptest::prelude::*;
use strum::VariantArray;

use super::*;
use crate::community::{Domain, Launchpad, Members, OpenId2, SignIn};

const CREATED: i64 = 1_100_000_000_000_000;

fn url(text: &str) -> url::Url {
    text.parse().unwrap()
}

fn domain(domain: &str, team: &str) -> Domain {
    Domain {
        domain: DomainName::parse(domain).unwrap(),
        team: TeamName::parse(team).unwrap(),
        team_created: None,
        group_id: None,
        admins: vec![PersonName::parse("ada").unwrap()],
        admin_identities: Vec::new(),
    }
}

fn community() -> Community {
    Community {
        title: "Test".into(),
        help: url("https://example.org/help"),
        code_of_conduct: Some(url("https://example.org/conduct")),
        sign_in: SignIn::OpenId2(OpenId2 {
            title: "One".into(),
            endpoint: url("https://login.example.org/+openid"),
            trust_email: false,
            identifier_root: url("https://login.example.org/+id/"),
        }),
        former_sign_in: None,
        members: Members::Launchpad(Launchpad {
            title: "Launchpad".into(),
            api: url("https://api.example.org/"),
            identifier_roots: Vec::new(),
        }),
        rules: crate::community::Rules::default(),
        mail_hosts: Vec::new(),
        domains: vec![domain("one.test", "one"), domain("two.test", "two")],
    }
}

fn person(account: Account) -> Person {
    let name = PersonName::parse("alice").unwrap();
    Person { name, fingerprint: Fingerprint(7), account, signed_code_of_conduct: true }
}

fn known(person: Person, teams: &[&str]) -> Standing {
    let groups = teams.iter().map(|team| Group { name: team.parse().unwrap(), fingerprint: Fingerprint(CREATED) });
    Standing::Known { person, groups: groups.collect() }
}

fn eligible(domains: &[&str]) -> Outcome {
    Outcome::Eligible { domains: domains.iter().map(|name| DomainName::parse(name).unwrap()).collect() }
}

fn pins(pins: &[(&str, TeamPin)]) -> BTreeMap<DomainName, TeamPin> {
    pins.iter().map(|(domain, pin)| (DomainName::parse(domain).unwrap(), *pin)).collect()
}

#[rstest::rstest]
#[case::banned_comes_first(true, Standing::Unknown, Outcome::Banned)]
#[case::unknown(false, Standing::Unknown, Outcome::Unknown)]
#[case::closed(false, Standing::Closed, Outcome::Closed)]
#[case::no_address(false, known(person(Account::NoPreferredAddress), &["one"]), Outcome::NoPreferredAddress)]
#[case::placeholder(false, known(person(Account::NeverActivated), &["one"]), Outcome::NeverActivated)]
#[case::deactivated(false, known(person(Account::Deactivated), &["one"]), Outcome::Deactivated)]
#[case::suspended(false, known(person(Account::Suspended), &["one"]), Outcome::Suspended)]
#[case::closed_account(false, known(person(Account::Closed), &["one"]), Outcome::Closed)]
#[case::other_state(false, known(person(Account::Inactive), &["one"]), Outcome::NotValid)]
#[case::unsigned(
    false,
    known(Person { signed_code_of_conduct: false, ..person(Account::Active) }, &[]),
    Outcome::CodeOfConductUnsigned
)]
#[case::account_before_signature(
    false,
    known(Person { signed_code_of_conduct: false, ..person(Account::Deactivated) }, &["one"]),
    Outcome::Deactivated
)]
#[case::no_team(false, known(person(Account::Active), &["other"]), Outcome::NoTeam)]
#[case::one(false, known(person(Account::Active), &["one", "other"]), eligible(&["one.test"]))]
#[case::both_in_file_order(
    false,
    known(person(Account::Active), &["two", "one"]),
    eligible(&["one.test", "two.test"])
)]
fn rules_apply_in_order(#[case] banned: bool, #[case] standing: Standing, #[case] expected: Outcome) {
    assert_eq!(decide(banned, &standing, &community(), &BTreeMap::new()), expected);
}

const PIN: TeamPin = TeamPin { fingerprint: Some(Fingerprint(CREATED)), has_problem: false };
const ANOTHER: TeamPin = TeamPin { fingerprint: Some(Fingerprint(1)), has_problem: false };
const PROBLEM: TeamPin = TeamPin { fingerprint: Some(Fingerprint(CREATED)), has_problem: true };

#[rstest::rstest]
#[case::pinned(&[("one.test", PIN)], &["one"], eligible(&["one.test"]))]
#[case::another_team_has_the_name(&[("one.test", ANOTHER)], &["one"], Outcome::TeamsUnavailable)]
#[case::other_domains_go_on(&[("one.test", ANOTHER)], &["one", "two"], eligible(&["two.test"]))]
#[case::team_has_another_name(&[("one.test", PROBLEM)], &["one-renamed"], Outcome::TeamsUnavailable)]
#[case::problem_gives_nothing(&[("one.test", PROBLEM)], &["one"], Outcome::TeamsUnavailable)]
fn team_counts_by_its_pin(#[case] known_pins: &[(&str, TeamPin)], #[case] teams: &[&str], #[case] expected: Outcome) {
    let standing = known(person(Account::Active), teams);
    assert_eq!(decide(false, &standing, &community(), &pins(known_pins)), expected);
}

#[test]
fn file_pin_counts_before_recorded_one() {
    let mut community = community();
    community.domains[0].team_created = Some(Timestamp::from_microsecond(CREATED).unwrap());
    let standing = known(person(Account::Active), &["one"]);
    assert_eq!(decide(false, &standing, &community, &pins(&[("one.test", ANOTHER)])), eligible(&["one.test"]));
    community.domains[0].team_created = Some(Timestamp::from_microsecond(1).unwrap());
    let outcome = decide(false, &standing, &community, &pins(&[("one.test", PIN)]));
    assert_eq!(outcome, Outcome::TeamsUnavailable);
}

proptest! {
    /// No address without every single condition.
    #[test]
    fn eligible_means_every_condition(
        banned: bool, account in prop::sample::select(Account::VARIANTS), signed: bool, one: bool, two: bool, problem: bool,
    ) {
        let mut teams = vec!["unrelated"];
        if one { teams.push("one"); }
        if two { teams.push("two"); }
        let person = Person { signed_code_of_conduct: signed, ..person(account) };
        let pins = if problem { pins(&[("one.test", PROBLEM)]) } else { BTreeMap::new() };
        let outcome = decide(banned, &known(person, &teams), &community(), &pins);
        let expected = !banned && account == Account::Active && signed && ((one && !problem) || two);
        prop_assert_eq!(matches!(outcome, Outcome::Eligible { .. }), expected);
    }
}
