use askama::Template;
use membermail_core::address::{Address, LocalPart, LocalPartError};
use membermail_core::alias::{Reason, Status};
use membermail_core::community::SignIn;
use membermail_core::member::{Fingerprint, LaunchpadName, MemberId, ObservedName};

use super::*;
use crate::assets;

/// A community as a file would give it.
fn community() -> Community {
    serde_json::from_value(serde_json::json!({
        "title": "Ubuntu",
        "help": "https://help.example.org/",
        "code-of-conduct": "https://launchpad.net/codeofconduct",
        "sign-in": {
            "protocol": "openid-2.0",
            "title": "Ubuntu One",
            "endpoint": "https://login.example.org/+openid",
            "identifier-root": "https://login.example.org/+id/",
        },
        "launchpad": { "api": "https://api.example.org/", "identifier-roots": ["https://login.example.org/+id/"] },
        "domains": [{ "domain": "ubuntu.com", "team": "ubuntumembers", "admins": ["ada"] }],
    }))
    .unwrap()
}

fn site(community: &Community) -> Site<'_> {
    let SignIn::OpenId2 { title, .. } = &community.sign_in;
    Site { base: "/live", community: &community.title, help: community.help.as_str(), provider: title, sign_out: None }
}

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

fn alias(status: Status, reason: Reason) -> (Alias, Option<EmailAddress>) {
    let alias = Alias {
        address: Address { local_part: LocalPart::parse("alice").unwrap(), domain: domain("ubuntu.com") },
        member: MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(),
        known_as: ObservedName {
            name: LaunchpadName::parse("alice").unwrap(),
            fingerprint: Fingerprint(7),
            observed_at: "2026-11-24T10:00:00Z".parse().unwrap(),
        },
        status,
        reason,
        since: "2026-11-24T10:00:00Z".parse().unwrap(),
        until: (status == Status::Leaving).then(|| "2026-12-08T10:00:00Z".parse().unwrap()),
        version: 1,
        erase_pending: false,
    };
    let destination = (status != Status::Retired).then(|| EmailAddress::parse("alice@mail.example").unwrap());
    (alias, destination)
}

fn eligible() -> Outcome {
    Outcome::Eligible { domains: vec![domain("ubuntu.com"), domain("kubuntu.org")] }
}

/// One line a row, so that a snapshot of all states reads like a table.
fn words(facts: &Facts<'_>) -> String {
    let view = View::of(facts, &community());
    let mut text = format!("{} | {} | refresh {:?}\n", view.heading, view.text, view.refresh);
    if let Some(link) = &view.link {
        text.push_str(&format!("  -> {} ({})\n", link.label, link.href));
    }
    if let Some(check) = &view.check_again {
        let weight = if check.is_main { "main" } else { "beside" };
        text.push_str(&format!("  -> Check again, {weight} {}\n", check.hint));
    }
    for row in &view.rows {
        text.push_str(&format!("  [{}] {}: {} {}\n", row.mood.class(), row.title, row.state, row.advice));
    }
    text
}

/// The names of assets change with each change of the look; that is not what these tests are about.
fn rendered(page: &impl Template) -> String {
    let plain = [(assets::STYLE, "style.css"), (assets::PROGRESS, "progress.js"), (assets::ICON, "icon.svg")];
    plain.iter().fold(page.render().unwrap(), |text, (asset, name)| text.replace(&asset.name(), name))
}

#[test]
fn every_outcome_has_its_words() {
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
        eligible(),
    ];
    let mut text = String::new();
    for progress in [Progress::Pending, Progress::Delayed, Progress::GivenUp, Progress::Done] {
        text.push_str(&words(&Facts { progress, outcome: None, aliases: &[], refusals: &[] }));
    }
    for outcome in &outcomes {
        text.push_str(&words(&Facts { progress: Progress::Done, outcome: Some(outcome), aliases: &[], refusals: &[] }));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_state_of_an_address_has_its_words() {
    let states = [
        (Status::Active, Reason::Eligible),
        (Status::Leaving, Reason::NotInTeam),
        (Status::Leaving, Reason::NotValid),
        (Status::Leaving, Reason::Deactivated),
        (Status::Leaving, Reason::AccountSuspended),
        (Status::Leaving, Reason::AccountClosed),
        (Status::Leaving, Reason::NoPreferredAddress),
        (Status::Leaving, Reason::CodeOfConductWithdrawn),
        (Status::Leaving, Reason::DomainRetired),
        (Status::Suspended, Reason::Loop),
        (Status::Suspended, Reason::Banned),
        (Status::Suspended, Reason::NotInTeam),
        (Status::Suspended, Reason::BanLifted),
        (Status::Suspended, Reason::DomainRetired),
        (Status::Retired, Reason::Unassigned),
        (Status::Retired, Reason::NotInTeam),
    ];
    let refusals = [
        Refusal::Taken,
        Refusal::DomainNotVerified,
        Refusal::TeamUnavailable,
        Refusal::TooMany,
        Refusal::Name(LocalPartError::SubAddress),
        Refusal::Name(LocalPartError::NotChosen),
        Refusal::Name(LocalPartError::Reserved),
        Refusal::Name(LocalPartError::TooLong),
        Refusal::Name(LocalPartError::NotADotAtom),
    ];
    let facts = Facts {
        progress: Progress::Done,
        outcome: Some(&eligible()),
        aliases: &states.map(|(status, reason)| alias(status, reason)),
        refusals: &refusals.map(|refusal| (domain("kubuntu.org"), refusal)),
    };
    insta::assert_snapshot!(words(&facts));
}

#[test]
fn a_refusal_is_told_to_those_who_are_eligible_there() {
    let refusals = [
        (domain("kubuntu.org"), Refusal::Name(LocalPartError::Reserved)),
        (domain("xubuntu.org"), Refusal::DomainNotVerified),
    ];
    let titles = |outcome: Option<&Outcome>| -> Vec<String> {
        let facts = Facts { progress: Progress::Done, outcome, aliases: &[], refusals: &refusals };
        View::of(&facts, &community()).rows.into_iter().map(|row| row.title).collect()
    };
    assert_eq!(titles(Some(&eligible())), ["kubuntu.org", "ubuntu.com"]);
    for outcome in [None, Some(Outcome::NoTeam), Some(Outcome::CodeOfConductUnsigned), Some(Outcome::Banned)] {
        assert_eq!(titles(outcome.as_ref()), [""; 0], "{outcome:?}");
    }
}

#[test]
fn check_again_carries_the_csrf_token() {
    let community = community();
    let facts = Facts { progress: Progress::GivenUp, outcome: None, aliases: &[], refusals: &[] };
    let form = |sign_out: Option<String>| {
        let site = Site { sign_out, ..site(&community) };
        let page = rendered(&Account { site, view: View::of(&facts, &community) });
        let begin = page.find("<form class=\"next\" method=\"post\" action=\"/live/check\">");
        begin.map(|begin| page[begin..].split("</form>").next().unwrap_or_default().to_owned())
    };
    let signed_in = form(Some("token".into())).unwrap();
    assert!(signed_in.contains("<input type=\"hidden\" name=\"csrf\" value=\"token\">"), "{signed_in}");
    assert!(signed_in.contains("<button>Check again</button>"), "{signed_in}");
    assert_eq!(form(None), None);
}

#[test]
fn banned_member_cannot_check_again() {
    let facts = Facts { progress: Progress::Done, outcome: Some(&Outcome::Banned), aliases: &[], refusals: &[] };
    assert_eq!(View::of(&facts, &community()).check_again, None);
}

#[test]
fn the_page_of_a_member() {
    let community = community();
    let outcome = eligible();
    let facts = Facts {
        progress: Progress::Done,
        outcome: Some(&outcome),
        aliases: &[alias(Status::Active, Reason::Eligible)],
        refusals: &[],
    };
    let site = Site { sign_out: Some("token".into()), ..site(&community) };
    let page = Account { site, view: View::of(&facts, &community) };
    insta::assert_snapshot!(rendered(&page));
}

#[test]
fn the_page_of_a_stranger() {
    let community = community();
    insta::assert_snapshot!(rendered(&Welcome { site: site(&community), domains: &community.domains }));
}
