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

    fn line_of(needle: &str) -> usize {
        UBUNTU.lines().position(|line| line == needle).unwrap() + 1
    }

    #[rstest::rstest]
    #[case::not_a_domain("domain = \"lubuntu.me\"", "domain = \"lubuntu\"", "not a domain")]
    #[case::not_a_team("team = \"lubuntu-members\"", "team = \"Lubuntu Members\"", "not a Launchpad name")]
    #[case::unknown_key("team = \"lubuntu-members\"", "teem = \"lubuntu-members\"", "unknown field `teem`")]
    #[case::no_url("api = \"https://api.launchpad.net/\"", "api = \"launchpad\"", "relative URL")]
    fn a_broken_file_is_refused_with_its_line(#[case] good: &str, #[case] bad: &str, #[case] reason: &str) {
        let mistakes = check::read(&UBUNTU.replacen(good, bad, 1)).unwrap_err();
        assert_eq!(mistakes[0].line, line_of(good));
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
