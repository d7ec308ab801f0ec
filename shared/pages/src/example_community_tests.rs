//! The pages of another community.

use super::*;

/// What a page of another community must not name.
const FOREIGN: [&str; 4] = ["Launchpad", "launchpad", "Ubuntu", "ubuntu"];

fn example() -> Rendering {
    Rendering { community: membermail_communities::community("example").unwrap(), ..Rendering::new() }
}

fn is_own(page: &str) -> bool {
    FOREIGN.iter().all(|name| !page.contains(name))
}

#[test]
fn pages_name_no_other_community() {
    let rendering = example();
    let own = domain("community.example");
    let outcomes = [
        Outcome::Banned,
        Outcome::Unknown,
        Outcome::NeverActivated,
        Outcome::Deactivated,
        Outcome::Suspended,
        Outcome::NoPreferredAddress,
        Outcome::Closed,
        Outcome::NotValid,
        Outcome::CodeOfConductUnsigned,
        Outcome::NoTeam,
        Outcome::TeamsUnavailable,
        Outcome::Eligible { domains: vec![own.clone()] },
    ];
    let refusals = [
        Refusal::Name(LocalPartError::NotChosen),
        Refusal::Name(LocalPartError::NotADotAtom),
        Refusal::DomainNotVerified,
    ];
    let refusals = refusals.map(|refusal| (own.clone(), refusal));
    let mut aliases = Vec::new();
    for reason in Reason::iter() {
        for status in [Status::Active, Status::Leaving, Status::Suspended, Status::Retired] {
            let mut stored = alias(status, reason);
            stored.alias.address.domain = own.clone();
            aliases.push(stored);
        }
    }
    for language in &languages() {
        let page = |state: &AccountState<'_>| rendering.account(state, Some("token".into()), language);
        for check in [CheckState::Pending, CheckState::Delayed, CheckState::GivenUp, CheckState::Done] {
            let page = page(&state(check, None));
            assert!(is_own(&page), "{page}");
        }
        for outcome in &outcomes {
            let page = page(&AccountState {
                aliases: &aliases,
                refusals: &refusals,
                ..state(CheckState::Done, Some(outcome))
            });
            assert!(is_own(&page), "{page}");
        }
        let welcome = Welcome { site: rendering.site(language), community: &rendering.community };
        let page = rendered(&welcome);
        assert!(is_own(&page) && page.contains("Example GitLab"), "{page}");
        assert!(page.contains("href=\"https://gitlab.community.example/community/members\""), "{page}");
    }
}

#[test]
fn source_without_page_offers_check_alone() {
    let rendering = example();
    let wording = rendering.site("en").wording;
    let step = |outcome: Outcome| {
        let view = View::new(&state(CheckState::Done, Some(&outcome)), &rendering.community, wording);
        (view.link.map(|link| link.href), view.check_again.is_some())
    };
    let server = Some("https://gitlab.community.example/".to_owned());
    assert_eq!(step(Outcome::Deactivated), (server, true));
    assert_eq!(step(Outcome::Suspended), (None, true));
    assert_eq!(step(Outcome::NoPreferredAddress), (None, true));
}
