use std::sync::LazyLock;

use askama::Template;
use membermail_core::address::{Address, LocalPart, LocalPartError};
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::destination::{Confirmation, ConfirmedBy, Destination, DestinationId};
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{Fingerprint, MemberId, ObservedName, PersonName};
use membermail_texts::Texts;
use strum::IntoEnumIterator;

use super::*;
use crate::assets;
use crate::layout::{Message, Next};
use crate::public_url::PublicUrl;

static NONE_FAILING: BTreeMap<Address, Failing> = BTreeMap::new();
static MAILBOXES: LazyLock<Vec<Mailbox>> = LazyLock::new(|| vec![mailbox(1, "alice@mail.example")]);
const NOW: &str = "2026-11-28T12:00:00Z";

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
        "members": {
            "source": "launchpad",
            "api": "https://api.example.org/",
            "identifier-roots": ["https://login.example.org/+id/"],
        },
        "domains": [{ "domain": "ubuntu.com", "team": "ubuntumembers", "admins": ["ada"] }],
    }))
    .unwrap()
}

/// What the pages are rendered with.
struct Rendering {
    community: Community,
    texts: Texts,
    public_url: PublicUrl,
}

impl Rendering {
    fn new() -> Self {
        let configured = "https://mail.example.org/live".parse().unwrap();
        let public_url = PublicUrl::for_request(Some(&configured), &Default::default()).unwrap();
        Self { community: community(), texts: Texts::load().unwrap(), public_url }
    }

    /// A page for a visitor.
    fn site(&self, language: &str) -> Site<'_> {
        let site = Site::new(&self.public_url, &self.community, &self.texts, &Default::default());
        site.in_language(Some(&Language::parse(language).unwrap()))
    }

    /// The account page.
    fn account(&self, state: &AccountState<'_>, csrf_token: Option<String>, language: &str) -> String {
        let site = Site { csrf_token, ..self.site(language) };
        let view = View::new(state, &self.community, site.wording);
        rendered(&Account { site, view })
    }
}

/// The tags of all languages.
fn languages() -> Vec<String> {
    Texts::load().unwrap().each().map(|translator| translator.tag()).collect()
}

/// The content of the account page in English.
fn view(state: &AccountState<'_>) -> View {
    view_in(state, "en")
}

fn view_in(state: &AccountState<'_>, language: &str) -> View {
    let rendering = Rendering::new();
    View::new(state, &rendering.community, rendering.site(language).wording)
}

fn domain(name: &str) -> DomainName {
    DomainName::parse(name).unwrap()
}

/// A mailbox that was confirmed by a code.
fn mailbox(number: u64, address: &str) -> Mailbox {
    let created: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
    let mut destination = Destination::new(destination_id(number), false, created);
    destination.confirmed = Some(Confirmation { at: created, by: ConfirmedBy::Code });
    Mailbox { destination, address: EmailAddress::parse(address).unwrap(), is_own: true }
}

fn destination_id(number: u64) -> DestinationId {
    DestinationId::parse(&Ulid::from_parts(number, 0).to_string()).unwrap()
}

fn alias(status: Status, reason: Reason) -> StoredAlias {
    let alias = Alias {
        address: Address { local_part: LocalPart::parse("alice").unwrap(), domain: domain("ubuntu.com") },
        member: MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(),
        known_as: ObservedName {
            name: PersonName::parse("alice").unwrap(),
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
    let destinations = if status == Status::Retired { Vec::new() } else { vec![destination_id(1)] };
    StoredAlias { alias, destinations, paused: None }
}

fn eligible() -> Outcome {
    Outcome::Eligible { domains: vec![domain("ubuntu.com"), domain("kubuntu.org")] }
}

/// An account without addresses.
fn state(check: CheckState, outcome: Option<&Outcome>) -> AccountState<'_> {
    AccountState {
        check,
        outcome,
        ban_reason: None,
        aliases: &[],
        mailboxes: &MAILBOXES,
        tests: &[],
        test_id: Some(Ulid::from_parts(7, 7)),
        session_epoch: 0,
        failing: &NONE_FAILING,
        refusals: &[],
        now: NOW.parse().unwrap(),
    }
}

/// One line per row, so that a snapshot of all states reads like a table.
fn as_text(state: &AccountState<'_>, language: &str) -> String {
    let view = view_in(state, language);
    let mut text = format!("{} | {} | refresh {:?}\n", view.heading, view.text, view.refresh);
    if let Some(link) = &view.link {
        text.push_str(&format!("  -> {} ({})\n", link.label, link.href));
    }
    if let Some(check) = &view.check_again {
        let weight = if check.is_main { "main" } else { "beside" };
        text.push_str(&format!("  -> Check again, {weight} {}\n", check.hint));
    }
    for Row { title, state, mood, failure, advice, .. } in &view.rows {
        let failure = if failure.is_empty() { String::new() } else { format!(" {failure}") };
        text.push_str(&format!("  [{mood}] {title}: {state}{failure} {advice}\n"));
    }
    text
}

/// Replaces the hashes in asset names, which change with every edit of the style sheet.
fn rendered(page: &impl Template) -> String {
    let plain = [(assets::STYLE, "style.css"), (assets::PROGRESS, "progress.js"), (assets::ICON, "icon.svg")];
    plain.iter().fold(page.render().unwrap(), |text, (asset, name)| text.replace(&asset.name(), name))
}

#[test]
fn every_outcome_is_described() {
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
    for language in &languages() {
        let mut text = String::new();
        for check in [CheckState::Pending, CheckState::Delayed, CheckState::GivenUp, CheckState::Done] {
            text.push_str(&as_text(&state(check, None), language));
        }
        for outcome in &outcomes {
            text.push_str(&as_text(&state(CheckState::Done, Some(outcome)), language));
        }
        insta::assert_snapshot!(format!("every_outcome_is_described.{language}"), text);
    }
}

#[test]
fn every_address_state_is_described() {
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
    let outcome = eligible();
    let state = AccountState {
        aliases: &states.map(|(status, reason)| alias(status, reason)),
        refusals: &refusals.map(|refusal| (domain("kubuntu.org"), refusal)),
        ..state(CheckState::Done, Some(&outcome))
    };
    for language in &languages() {
        insta::assert_snapshot!(format!("every_address_state_is_described.{language}"), as_text(&state, language));
    }
}

/// Failed deliveries at an alias.
fn failing(since: &str, last: &str, reply: &str) -> BTreeMap<Address, Failing> {
    let alias = alias(Status::Active, Reason::Eligible).alias;
    let since = since.parse().unwrap();
    let reply = reply.parse().unwrap();
    [(alias.address, Failing { since, last: last.parse().unwrap(), reply, count: 3, notified: None })].into()
}

#[test]
fn every_kind_of_failure_is_described() {
    let failures = [
        (Status::Active, "2026-11-26T10:00:00Z", "5.2.2"),
        (Status::Active, "2026-11-28T10:00:00Z", "550"),
        (Status::Active, "2026-11-26T10:00:00Z", "5.7.1"),
        (Status::Active, "2026-11-26T10:00:00Z", "4.4.1"),
        (Status::Leaving, "2026-11-26T10:00:00Z", "5.1.1"),
        (Status::Suspended, "2026-11-26T10:00:00Z", "5.1.1"),
    ];
    for language in &languages() {
        let mut text = String::new();
        for (status, since, reply) in failures {
            let reason = if status == Status::Active { Reason::Eligible } else { Reason::NotInTeam };
            let aliases = &[alias(status, reason)];
            let failing = &failing(since, "2026-11-28T12:00:00Z", reply);
            text.push_str(&as_text(&AccountState { aliases, failing, ..state(CheckState::Done, None) }, language));
        }
        insta::assert_snapshot!(format!("every_kind_of_failure_is_described.{language}"), text);
    }
}

#[test]
fn page_of_failing_address() {
    for language in &languages() {
        let outcome = eligible();
        let aliases = &[alias(Status::Active, Reason::Eligible)];
        let failing = &failing("2026-11-26T10:00:00Z", "2026-11-28T12:00:00Z", "5.2.2");
        let state = AccountState { aliases, failing, ..state(CheckState::Done, Some(&outcome)) };
        let page = Rendering::new().account(&state, Some("token".into()), language);
        insta::assert_snapshot!(format!("page_of_failing_address.{language}"), page);
    }
}

#[test]
fn refusal_is_shown_if_eligible() {
    let refusals = [
        (domain("kubuntu.org"), Refusal::Name(LocalPartError::Reserved)),
        (domain("xubuntu.org"), Refusal::DomainNotVerified),
    ];
    for (outcome, titles) in [
        (Some(eligible()), &["kubuntu.org", "ubuntu.com"][..]),
        (None, &[]),
        (Some(Outcome::NoTeam), &[]),
        (Some(Outcome::CodeOfConductUnsigned), &[]),
        (Some(Outcome::Banned), &[]),
    ] {
        let state = AccountState { refusals: &refusals, ..state(CheckState::Done, outcome.as_ref()) };
        let rows = view(&state).rows;
        assert!(rows.iter().map(|row| &row.title).eq(titles), "{outcome:?}: {rows:?}");
    }
}

#[test]
fn check_again_carries_the_csrf_token() {
    let signed_in = check_form(Some("token".into())).unwrap();
    assert!(signed_in.contains("<input type=\"hidden\" name=\"csrf\" value=\"token\">"), "{signed_in}");
    assert!(signed_in.contains("<button>Check again</button>"), "{signed_in}");
    assert_eq!(check_form(None), None);
}

fn check_form(csrf_token: Option<String>) -> Option<String> {
    let page = Rendering::new().account(&state(CheckState::GivenUp, None), csrf_token, "en");
    let begin = page.find("<form class=\"next\" method=\"post\" action=\"/live/check\">")?;
    page[begin..].split("</form>").next().map(str::to_owned)
}

#[test]
fn banned_member_cannot_check_again() {
    assert_eq!(view(&state(CheckState::Done, Some(&Outcome::Banned))).check_again, None);
}

#[test]
fn banned_member_reads_reason() {
    let reason = "You sent <b>advertisements</b>.".parse().unwrap();
    let banned = AccountState { ban_reason: Some(&reason), ..state(CheckState::Done, Some(&Outcome::Banned)) };
    for language in &languages() {
        let page = Rendering::new().account(&banned, Some("token".into()), language);
        assert!(page.contains("You sent &#60;b&#62;advertisements&#60;/b&#62;."), "{page}");
        let page = Rendering::new().account(&AccountState { ban_reason: None, ..banned }, None, language);
        assert!(!page.contains("advertisements"), "{page}");
    }
}

#[test]
fn member_page() {
    for language in &languages() {
        let outcome = eligible();
        let aliases = &[alias(Status::Active, Reason::Eligible)];
        let state = AccountState { aliases, ..state(CheckState::Done, Some(&outcome)) };
        let page = Rendering::new().account(&state, Some("token".into()), language);
        insta::assert_snapshot!(format!("member_page.{language}"), page);
    }
}

#[test]
fn welcome_page() {
    for language in &languages() {
        let rendering = Rendering::new();
        let page = Welcome { site: rendering.site(language), community: &rendering.community };
        insta::assert_snapshot!(format!("welcome_page.{language}"), rendered(&page));
    }
}

#[test]
fn message_page() {
    for language in &languages() {
        let rendering = Rendering::new();
        let page = Message::new(rendering.site(language), "sign-in-timed-out", Next::SIGN_IN);
        insta::assert_snapshot!(format!("message_page.{language}"), rendered(&page));
    }
}

/// A missing text would be shown as its id.
#[test]
fn every_reason_has_advice() {
    for language in &languages() {
        for reason in Reason::iter() {
            for status in [Status::Leaving, Status::Suspended, Status::Retired] {
                let row = view_in(
                    &AccountState { aliases: &[alias(status, reason)], ..state(CheckState::Done, None) },
                    language,
                );
                let text = format!("{row:?}");
                assert!(!text.contains("advice-") && !text.contains("address-"), "{text}");
            }
        }
    }
}

#[path = "self_service_tests.rs"]
mod self_service;

#[path = "other_pages_tests.rs"]
mod other_pages;

#[path = "example_community_tests.rs"]
mod example_community;
