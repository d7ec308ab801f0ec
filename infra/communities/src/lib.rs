//! The communities that this build knows: one TOML file each in this folder, checked when it is built.

#[cfg(test)]
mod check;

use membermail_core::community::Community;

/// File names without their ending, each with its community as JSON; written by the build script.
const COMMUNITIES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/communities.rs"));

/// The community of `infra/communities/NAME.toml`.
pub fn community(name: &str) -> Result<Community, UnknownCommunity> {
    COMMUNITIES
        .iter()
        .find(|(known, _)| *known == name)
        .and_then(|(_, json)| serde_json::from_str(json).ok())
        .ok_or_else(|| UnknownCommunity(name.to_owned()))
}

/// No file of that name was there when this was built.
#[derive(Debug, thiserror::Error)]
#[error("no community {0:?}: there is no infra/communities/{0}.toml in this build")]
pub struct UnknownCommunity(String);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use membermail_core::alias::{Alias, Reason, Status};
    use membermail_core::community::Rules;
    use membermail_core::guard::{self, History, Verdict};
    use membermail_core::lifecycle::Action;
    use membermail_core::member::{Fingerprint, MemberId, ObservedName};
    use membermail_core::plan::{Evidence, Plan, Planner};
    use membermail_core::random::CountingRandom;
    use membermail_core::roster::Roster;

    use super::*;

    const UBUNTU: &str = include_str!("../ubuntu.toml");

    #[test]
    fn every_community_of_the_build_is_there() {
        for (name, _) in COMMUNITIES {
            assert!(community(name).is_ok(), "{name}");
        }
        assert!(community("nowhere").is_err());
    }

    #[test]
    fn a_community_has_the_domains_of_its_file_in_their_order() {
        let file = UBUNTU.lines().filter_map(|line| line.strip_prefix("domain = \"")?.strip_suffix('"'));
        let ubuntu = community("ubuntu").unwrap();
        assert!(!ubuntu.domains.is_empty());
        assert_eq!(ubuntu.domain_names().map(|domain| domain.as_str()).collect::<Vec<_>>(), file.collect::<Vec<_>>());
    }

    /// What a new domain asks of a developer is this, and nothing elsewhere.
    #[test]
    fn a_domain_more_is_a_change_of_the_file() {
        let more = "\n[[domains]]\ndomain = \"one-more.example\"\nteam = \"one-more\"\nadmins = [\"ubuntu-admin\"]\n";
        let community = check::read(&format!("{UBUNTU}{more}")).unwrap();
        assert_eq!(community.domains.len(), super::community("ubuntu").unwrap().domains.len() + 1);
    }

    /// What the file says is what there is where it says nothing.
    #[test]
    fn ubuntu_has_the_usual_rules() {
        assert!(UBUNTU.contains("[rules]"));
        assert_eq!(community("ubuntu").unwrap().rules, Rules::default());
    }

    /// The plan by the rules of a file, where four of nine members with an active address left, and one with a suspended
    /// address did before.
    fn planned(rules: &str) -> (Plan, bool) {
        let (before, after) = UBUNTU.split_once("[rules]").unwrap();
        let domains = &after[after.find("[[domains]]").unwrap()..];
        let community = check::read(&format!("{before}[rules]\n{rules}\n{domains}")).unwrap();
        let now: jiff::Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let domain = community.domains[0].domain.clone();
        let random = CountingRandom::default();
        let alias = |number: i64| {
            let (status, reason) = match number {
                9 => (Status::Suspended, Reason::NotInTeam),
                _ => (Status::Active, Reason::Eligible),
            };
            let name = format!("member{number}");
            let known_as = ObservedName {
                name: name.parse().unwrap(),
                fingerprint: Fingerprint(number),
                observed_at: "2026-10-24T10:00:00Z".parse().unwrap(),
            };
            Alias {
                address: format!("{name}@{domain}").try_into().unwrap(),
                member: MemberId::new(now, &random),
                known_as,
                status,
                reason,
                since: "2026-10-24T10:00:00Z".parse().unwrap(),
                until: None,
                version: 1,
                erase_pending: false,
            }
        };
        let (aliases, banned) = ((0..10).map(alias).collect(), BTreeSet::new());
        let rules = &community.rules;
        let mut planner = Planner::new(domain.clone(), Roster::default(), aliases, &banned, true, rules, now);
        for (place, member) in planner.due().into_iter().enumerate() {
            let eligible = if (4..9).contains(&place) { Ok(()) } else { Err(Reason::NotInTeam) };
            planner.answer(member, Evidence { owner: member, known_as: None, eligible });
        }
        let plan = planner.finish();
        let is_held = guard::check(&plan, &History::default(), rules) != Verdict::Pass;
        (plan, is_held)
    }

    #[test]
    fn plans_are_made_by_the_rules_of_the_file() {
        let until = |plan: &Plan| match plan.steps[0].action {
            Action::Leave { until, .. } => until.to_string(),
            ref other => panic!("{other:?}"),
        };
        let (usual, is_held) = planned("");
        assert_eq!((until(&usual).as_str(), usual.counts.retire, is_held), ("2026-12-08T10:00:00Z", 0, false));
        let (short, is_held) = planned("leaving-days = 3\nretire-after-days = 30\nhold-above-count = 3");
        assert_eq!((until(&short).as_str(), short.counts.retire, is_held), ("2026-11-27T10:00:00Z", 1, true));
    }

    #[rstest::rstest]
    #[case("hold-above-count = 3\nhold-above-percent = 44", true)]
    #[case("hold-above-count = 3\nhold-above-percent = 45", false)]
    #[case("hold-small-team-percent = 44", true)]
    #[case("hold-small-team-percent = 45", false)]
    #[case("retire-after-days = 30\nhold-above-ends = 0", true)]
    fn plan_is_held_by_the_files_rules(#[case] rules: &str, #[case] expected: bool) {
        assert_eq!(planned(rules).1, expected);
    }

    #[rstest::rstest]
    #[case("leaving-days = 14", "leaving-days = 0", "leaving-days is 0: an address would end without a grace period")]
    #[case(
        "retire-after-days = 180",
        "retire-after-days = 0",
        "retire-after-days is 0: personal data would be deleted"
    )]
    #[case("addresses-per-domain = 3", "addresses-per-domain = 0", "addresses-per-domain is 0: no member could have")]
    #[case(
        "hold-above-percent = 10",
        "hold-above-percent = 100",
        "hold-above-percent is 100: a plan would not be held"
    )]
    #[case(
        "hold-above-percent = 10",
        "hold-above-percent = 101",
        "hold-above-percent is 101: a plan would not be held"
    )]
    #[case("hold-small-team-percent = 50", "hold-small-team-percent = 100", "hold-small-team-percent is 100: a plan")]
    #[case("hold-above-grants-percent = 10", "hold-above-grants-percent = 100", "hold-above-grants-percent is 100: a")]
    #[case("hold-above-ends-percent = 2", "hold-above-ends-percent = 100", "hold-above-ends-percent is 100: a plan")]
    #[case("hold-above-count = 5", "hold-above-count = 1001", "hold-above-count is 1001: use 1000 at most")]
    #[case("hold-above-grants = 20", "hold-above-grants = 4000000000", "hold-above-grants is 4000000000: use 1000")]
    #[case("hold-above-ends = 3", "hold-above-ends = 1001", "hold-above-ends is 1001: use 1000 at most")]
    #[case("full-read-hours = 6", "full-read-hours = 25", "full-read-hours is 25: a team is read once in 24 hours")]
    fn void_rule_is_refused_with_its_line(#[case] good: &str, #[case] bad: &str, #[case] reason: &str) {
        let mistakes = check::read(&UBUNTU.replacen(good, bad, 1)).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert_eq!(mistakes[0].line, line_of(good));
        assert!(mistakes[0].reason.starts_with(reason), "{}", mistakes[0].reason);
    }

    fn line_of(needle: &str) -> usize {
        UBUNTU.lines().position(|line| line == needle).unwrap() + 1
    }

    #[rstest::rstest]
    #[case::not_a_domain("domain = \"lubuntu.me\"", "domain = \"lubuntu\"", "not a domain")]
    #[case::not_a_team("team = \"lubuntu-members\"", "team = \"Lubuntu Members\"", "not a Launchpad name")]
    #[case::unknown_key("team = \"lubuntu-members\"", "teem = \"lubuntu-members\"", "unknown field `teem`")]
    #[case::no_time("team = \"lubuntu-members\"", "team = \"lubuntu-members\"\nteam-created = \"2006\"", "")]
    #[case::no_identity("team = \"lubuntu-members\"", "team = \"lubuntu-members\"\nadmin-identities = [\"ada\"]", "")]
    #[case::no_url("api = \"https://api.launchpad.net/\"", "api = \"launchpad\"", "relative URL")]
    fn a_broken_file_is_refused_with_its_line(#[case] good: &str, #[case] bad: &str, #[case] reason: &str) {
        let mistakes = check::read(&UBUNTU.replacen(good, bad, 1)).unwrap_err();
        assert_eq!(mistakes[0].line, line_of(good) + bad.lines().count() - 1);
        assert!(mistakes[0].reason.contains(reason), "{}", mistakes[0].reason);
    }

    #[test]
    fn a_domain_without_an_admin_or_listed_twice_is_refused() {
        let text = UBUNTU.replacen("domain = \"lubuntu.me\"", "domain = \"ubuntu.com\"", 1).replacen(
            "[\"ubuntu-admin\"]",
            "[]",
            1,
        );
        let mistakes = check::read(&text).unwrap_err();
        let reasons: Vec<_> = mistakes.iter().map(|mistake| mistake.reason.as_str()).collect();
        assert_eq!(reasons, ["ubuntu.com has no admin: name at least one", "ubuntu.com is listed twice"]);
        assert_eq!(mistakes[0].line, line_of("domain = \"ubuntu.com\"") - 1);
    }
}
