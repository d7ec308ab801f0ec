use proptest::prelude::*;

use super::*;
use crate::community::{Domain, Launchpad, SignIn};

fn community() -> Community {
    let url = |text: &str| text.parse().unwrap();
    let domain = |domain: &str, team: &str| Domain {
        domain: DomainName::parse(domain).unwrap(),
        team: TeamName::parse(team).unwrap(),
        admins: vec![LaunchpadName::parse("ada").unwrap()],
        hidden_participants: 0,
    };
    Community {
        title: "Test".into(),
        help: url("https://example.org/help"),
        code_of_conduct: url("https://example.org/conduct"),
        sign_in: SignIn::OpenId2 {
            title: "One".into(),
            endpoint: url("https://login.example.org/+openid"),
            identifier_root: url("https://login.example.org/+id/"),
        },
        launchpad: Launchpad { api: url("https://api.example.org/") },
        rules: crate::community::Rules::default(),
        domains: vec![domain("one.test", "one"), domain("two.test", "two")],
    }
}

fn person() -> Person {
    Person {
        id: LaunchpadId(1),
        name: LaunchpadName::parse("alice").unwrap(),
        is_team: false,
        is_valid: true,
        signed_code_of_conduct: true,
    }
}

fn known(person: Person, teams: &[&str]) -> Standing {
    Standing::Known { person, teams: teams.iter().map(|team| TeamName::parse(team).unwrap()).collect() }
}

fn eligible(domains: &[&str]) -> Outcome {
    Outcome::Eligible { domains: domains.iter().map(|name| DomainName::parse(name).unwrap()).collect() }
}

#[rstest::rstest]
#[case::banned_comes_first(true, Standing::Unknown, Outcome::Banned)]
#[case::unknown(false, Standing::Unknown, Outcome::Unknown)]
#[case::suspended(false, Standing::Gone, Outcome::NotValid)]
#[case::invalid(false, known(Person { is_valid: false, signed_code_of_conduct: false, ..person() }, &["one"]), Outcome::NotValid)]
#[case::team(false, known(Person { is_team: true, ..person() }, &["one"]), Outcome::NotValid)]
#[case::unsigned(false, known(Person { signed_code_of_conduct: false, ..person() }, &[]), Outcome::CodeOfConductUnsigned)]
#[case::no_team(false, known(person(), &["other"]), Outcome::NoTeam)]
#[case::one(false, known(person(), &["one", "other"]), eligible(&["one.test"]))]
#[case::both_in_file_order(false, known(person(), &["two", "one"]), eligible(&["one.test", "two.test"]))]
fn rules_in_their_order(#[case] banned: bool, #[case] standing: Standing, #[case] expected: Outcome) {
    assert_eq!(decide(banned, &standing, &community()), expected);
}

proptest! {
    /// Nobody gets an address unless every single condition holds.
    #[test]
    fn eligible_means_every_condition(banned: bool, is_team: bool, is_valid: bool, signed: bool, one: bool, two: bool) {
        let mut teams = vec!["unrelated"];
        if one { teams.push("one"); }
        if two { teams.push("two"); }
        let person = Person { is_team, is_valid, signed_code_of_conduct: signed, ..person() };
        let outcome = decide(banned, &known(person, &teams), &community());
        let expected = !banned && !is_team && is_valid && signed && (one || two);
        let is_eligible = matches!(outcome, Outcome::Eligible { .. });
        prop_assert_eq!(is_eligible, expected);
    }
}
