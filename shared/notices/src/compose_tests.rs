use jiff::SignedDuration;
use mail_parser::{HeaderName as Name, MessageParser, MimeHeaders};
use membermail_core::address::Address;
use membermail_core::admin::{Permission, Permissions};
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::DomainChange;
use membermail_core::digest::Tally;
use membermail_core::guard::HoldReason;
use membermail_core::lifecycle::ChangeKind;
use membermail_core::member::{MemberId, PersonName};
use membermail_core::notice::{AdminNews, MemberNews, RoleNews};
use membermail_core::plan::Counts;
use proptest::prelude::*;
use rstest::rstest;
use ulid::Ulid;

use super::*;
use crate::{
    AdminNotice, DomainNews, FailureKind, FailureReport, LinkedSignIns, MemberEvent, MemberNotice, MissingAdmin,
    RoleNotice,
};

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn until() -> Timestamp {
    "2026-12-08T10:00:00Z".parse().unwrap()
}

fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

fn name(text: &str) -> PersonName {
    text.parse().unwrap()
}

fn site() -> Site {
    Site {
        community: "Ubuntu".into(),
        provider: "Ubuntu One".into(),
        source: "Launchpad".into(),
        url: "https://mail.ubuntu.example/".parse().unwrap(),
        help: "https://help.ubuntu.com/community/EmailAlias".parse().unwrap(),
    }
}

/// Another community.
fn example() -> Site {
    let community = membermail_communities::community("example").unwrap();
    Site::new(&community, "https://mail.community.example/".parse().unwrap())
}

fn settings() -> MailSettings {
    MailSettings::parse(
        r#"{ "relay": "smtps://relay.example", "from": "Ubuntu mail <noreply@notices.ubuntu.example>",
             "reply-to": "Ubuntu mail help <help@ubuntu.example>", "operators": "ops@ubuntu.example" }"#,
    )
    .unwrap()
}

fn news(news: MemberNews) -> Notice {
    Notice::Member(MemberNotice {
        name: Some(name("alice")),
        address: address("alice@ubuntu.com"),
        event: MemberEvent::AddressChanged(news),
        comment: None,
    })
}

fn suspended(reason: Reason) -> Notice {
    news(MemberNews::Suspended { reason })
}

fn banned_because(comment: &str) -> Notice {
    Notice::Member(MemberNotice {
        name: Some(name("alice")),
        address: address("alice@ubuntu.com"),
        event: MemberEvent::AddressChanged(MemberNews::Suspended { reason: Reason::Banned }),
        comment: comment.parse().ok(),
    })
}

fn documented(names: &[&str]) -> Option<MissingAdmin> {
    Some(MissingAdmin { documented: names.iter().map(|text| name(text)).collect() })
}

fn to_admins(news: DomainNews, missing_admin: Option<MissingAdmin>) -> Notice {
    Notice::Admins(AdminNotice { domain: "ubuntu.com".parse().unwrap(), news, missing_admin })
}

fn digest(changes: usize, others: Tally, missing_admin: Option<MissingAdmin>) -> Notice {
    let kinds = [
        AdminNews::Created,
        AdminNews::Removed(Reason::NotInTeam),
        AdminNews::Loop,
        AdminNews::Restored,
        AdminNews::Removed(Reason::Banned),
    ];
    let changes = (0..changes).map(|number| (address(&format!("member{number:03}@ubuntu.com")), kinds[number % 5]));
    to_admins(DomainNews::Digest { changes: changes.collect(), others, failing: 0 }, missing_admin)
}

fn held(missing_admin: Option<MissingAdmin>) -> Notice {
    let counts = Counts {
        participants: 612,
        active: 700,
        leave: 88,
        create: 3,
        removed: 88,
        unverified: 4,
        ..Counts::default()
    };
    let run = Ulid::from_string("01KAV0C1B5WQ0GZ0YB5R9E8QJ1").unwrap();
    let bound = HoldReason::Bound { kind: ChangeKind::Removals, count: 90, earlier: 2, of: 700, among: Status::Active };
    let held_for = vec![bound, HoldReason::Unverified { count: 4 }];
    to_admins(DomainNews::Held { run, counts: Some(counts), held_for, is_resent: false }, missing_admin)
}

fn resent() -> Notice {
    let Notice::Admins(AdminNotice { news: DomainNews::Held { run, counts, .. }, .. }) = held(None) else { panic!() };
    to_admins(DomainNews::Held { run, counts, held_for: Vec::new(), is_resent: true }, None)
}

fn domain(change: DomainChange) -> Notice {
    to_admins(DomainNews::Changed { change, until: Some(until()) }, None)
}

fn failed(kind: FailureKind, counted: u64) -> Notice {
    Notice::Failure(FailureReport {
        kind,
        name: (counted > 0).then(|| name("alice")),
        step: "verify-member".into(),
        cause: "the source gave no answer that can be used: status 503".into(),
        request_id: "8f0e4cde-3f4f-4f0c-9a0f-5d2f8f1f0a11".into(),
        counted,
        quiet: SignedDuration::from_hours(24),
    })
}

/// The failure of a sync whose team is missing.
fn team(error: &str) -> Notice {
    let Notice::Failure(report) = failed(FailureKind::Message(error.into()), 0) else { panic!() };
    Notice::Failure(FailureReport { step: "sync-team".into(), cause: error.into(), ..report })
}

fn composed(notice: &Notice, language: Option<&str>) -> Vec<u8> {
    composed_for(&site(), notice, language)
}

fn composed_for(site: &Site, notice: &Notice, language: Option<&str>) -> Vec<u8> {
    let id = NoticeId::to_member(Ulid::from_string("01KAV0C1B5WQ0GZ0YB5R9E8QJ1").unwrap());
    let to = EmailAddress::parse("alice@mail.example").unwrap();
    let language = language.map(|tag| Language::parse(tag).unwrap());
    let addressing = Addressing { id: &id, to: &to, bounces_to: None, language: language.as_ref(), now: now() };
    compose(notice, addressing, &Texts::load().unwrap(), site, &settings()).unwrap().formatted()
}

/// The tags of all languages.
fn languages() -> Vec<String> {
    Texts::load().unwrap().each().map(|translator| translator.tag()).collect()
}

/// The message as a mail program shows it.
fn shown(bytes: &[u8]) -> String {
    let message = MessageParser::default().parse(bytes).unwrap();
    let language = message.header_raw(Name::ContentLanguage).unwrap_or_default();
    let text = message.body_text(0).unwrap();
    let html = message.body_html(0).unwrap();
    format!("Subject: {}\nContent-Language: {}\n\n{text}\n=====\n{html}", message.subject().unwrap(), language.trim(),)
        .replace('\r', "")
}

fn role(news: RoleNews) -> Notice {
    Notice::Role(RoleNotice { name: Some(name("alice")), domain: "ubuntu.com".parse().unwrap(), news })
}

fn about(event: MemberEvent) -> Notice {
    Notice::Member(MemberNotice {
        name: Some(name("alice")),
        address: address("alice@ubuntu.com"),
        event,
        comment: None,
    })
}

#[rstest]
#[case::created("created", news(MemberNews::Created))]
#[case::unconfirmed("unconfirmed", about(MemberEvent::Unconfirmed))]
#[case::deleted("deleted", news(MemberNews::Deleted { until: until() }))]
#[case::renamed("renamed", news(MemberNews::Renamed { from: Some(address("alice-old@ubuntu.com")) }))]
#[case::renamed_without_former("renamed-alone", news(MemberNews::Renamed { from: None }))]
#[case::leaving("leaving", news(MemberNews::Leaving { reason: Reason::NotInTeam, until: until() }))]
#[case::restored("restored", news(MemberNews::Restored))]
#[case::returned("returned", news(MemberNews::Returned))]
#[case::suspended("suspended", suspended(Reason::NotInTeam))]
#[case::loops("loop", suspended(Reason::Loop))]
#[case::not_valid("not-valid", suspended(Reason::NotValid))]
#[case::deactivated("deactivated", suspended(Reason::Deactivated))]
#[case::account_suspended("account-suspended", suspended(Reason::AccountSuspended))]
#[case::account_closed("account-closed", suspended(Reason::AccountClosed))]
#[case::no_preferred_address("no-preferred-address", suspended(Reason::NoPreferredAddress))]
#[case::linked("linked", Notice::Linked(LinkedSignIns { name: Some(name("alice")) }))]
#[case::appointed("appointed", role(RoleNews::Appointed(Permissions::all())))]
#[case::permissions_changed("permissions-changed", role(RoleNews::Changed([Permission::View, Permission::Decide].into_iter().collect())))]
#[case::no_admin_any_more("no-admin-any-more", role(RoleNews::Removed))]
#[case::unsigned("unsigned", suspended(Reason::CodeOfConductWithdrawn))]
#[case::banned("banned", suspended(Reason::Banned))]
#[case::banned_for_reason("banned-reason", banned_because("You sent advertisements."))]
#[case::ban_lifted("ban-lifted", suspended(Reason::BanLifted))]
#[case::domain_retired("domain-retired", suspended(Reason::DomainRetired))]
#[case::destination("destination", Notice::Member(MemberNotice {
    name: Some(name("alice")),
    address: address("alice@ubuntu.com"),
    event: MemberEvent::DestinationRejectsMail("550 5.1.1".parse().unwrap()),
    comment: None,
}))]
#[case::refused_message("destination-message", Notice::Member(MemberNotice {
    name: Some(name("alice")),
    address: address("alice@ubuntu.com"),
    event: MemberEvent::DestinationRejectsMail("550 5.7.1".parse().unwrap()),
    comment: None,
}))]
#[case::one_destination("one-destination", about(MemberEvent::OneDestinationRejectsMail("550 5.2.2".parse().unwrap())))]
#[case::failing("failing", about(MemberEvent::DestinationFails { since: now(), reply: "5.2.2".parse().unwrap() }))]
#[case::digest_of_one("digest-1", digest(1, Tally::default(), None))]
#[case::digest_with_failing_addresses("digest-1-failing", to_admins(DomainNews::Digest {
    changes: vec![(address("alice@ubuntu.com"), AdminNews::Created)],
    others: Tally::default(),
    failing: 1_204,
}, None))]
#[case::digest("digest-5", digest(5, Tally::default(), documented(&["ubuntu-admin", "jane"])))]
#[case::large_digest("digest-500", digest(500, Tally::default(), None))]
#[case::digest_of_one_other("digest-1-more", digest(0, Tally { removed: 1, ..Tally::default() }, None))]
#[case::digest_of_first_sync("digest-400000", digest(3, Tally { created: 399_000, removed: 997, ..Tally::default() }, None))]
#[case::held("held", held(None))]
#[case::held_without_admin("held-no-admin", held(documented(&[])))]
#[case::resent("release-resent", resent())]
#[case::verified("domain-verified", domain(DomainChange::Verified))]
#[case::record_gone("domain-record-gone", domain(DomainChange::RecordGone))]
#[case::lapsed("domain-lapsed", domain(DomainChange::Lapsed))]
#[case::record_back("domain-restored", domain(DomainChange::Restored))]
#[case::unverified("domain-unverified", domain(DomainChange::Unverified))]
#[case::unlisted("domain-unlisted", domain(DomainChange::Unlisted))]
#[case::retiring("domain-retiring", domain(DomainChange::Retiring))]
#[case::retirement_cancelled("domain-retirement-cancelled", domain(DomainChange::RetirementCancelled))]
#[case::failed("failed", failed(FailureKind::Message("the source gave no answer that can be used".into()), 0))]
#[case::failed_again("failed-again", failed(FailureKind::Message("the source gave no answer that can be used".into()), 3))]
#[case::team_missing("failed-team", team("the team ubuntumembers of ubuntu.com cannot be found"))]
#[case::refused("refused", failed(FailureKind::Notice("550 5.1.1".parse().unwrap()), 1))]
fn mail_matches_snapshot_in_each_language(#[case] snapshot: &str, #[case] notice: Notice) {
    for language in languages() {
        insta::assert_snapshot!(format!("{snapshot}.{language}"), shown(&composed(&notice, Some(&language))));
        let other = shown(&composed_for(&example(), &notice, Some(&language)));
        assert!(!other.contains("Launchpad") && !other.contains("Ubuntu"), "{other}");
    }
}

#[rstest]
#[case(Reason::Eligible)]
#[case(Reason::Loop)]
#[case(Reason::NotInTeam)]
#[case(Reason::NotValid)]
#[case(Reason::Deactivated)]
#[case(Reason::AccountSuspended)]
#[case(Reason::AccountClosed)]
#[case(Reason::NoPreferredAddress)]
#[case(Reason::CodeOfConductWithdrawn)]
#[case(Reason::Banned)]
#[case(Reason::BanLifted)]
#[case(Reason::DomainRetired)]
#[case(Reason::Unassigned)]
#[case(Reason::Deleted)]
#[case(Reason::Returning)]
#[case(Reason::Erased)]
fn every_reason_has_texts(#[case] reason: Reason) {
    let change = if reason == Reason::Loop { AdminNews::Loop } else { AdminNews::Removed(reason) };
    let changes = vec![(address("alice@ubuntu.com"), change)];
    for language in languages() {
        let digest =
            to_admins(DomainNews::Digest { changes: changes.clone(), others: Tally::default(), failing: 0 }, None);
        for notice in [suspended(reason), digest] {
            let text = shown(&composed(&notice, Some(&language)));
            for id in ["reason-", "next-", "news-removed-"] {
                // A missing text is shown as its id.
                assert!(!text.contains(&format!("{id}{reason}")), "{text}");
            }
        }
    }
}

#[test]
fn headers_mark_automatic_mail() {
    let text = String::from_utf8(composed(&news(MemberNews::Created), None)).unwrap();
    let headers = text.split("\r\n\r\n").next().unwrap();
    insta::assert_snapshot!("headers", headers.replace('\r', ""));
}

#[test]
fn composing_is_deterministic() {
    let notice = news(MemberNews::Created);
    assert_eq!(composed(&notice, Some("ar")), composed(&notice, Some("ar")));
}

/// The parts of a notice with this id, and its boundary.
fn parts_and_boundary(id: &NoticeId) -> (usize, String) {
    let to = EmailAddress::parse("alice@mail.example").unwrap();
    let addressing = Addressing { id, to: &to, bounces_to: None, language: None, now: now() };
    let notice = news(MemberNews::Created);
    let bytes = compose(&notice, addressing, &Texts::load().unwrap(), &site(), &settings()).unwrap().formatted();
    let message = MessageParser::default().parse(&bytes).unwrap();
    let boundary = message.content_type().and_then(|mime| mime.attribute("boundary")).unwrap().to_owned();
    (message.parts.len() - 1, boundary)
}

#[test]
fn longest_id_has_valid_boundary() {
    let member = MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let label = "a".repeat(63);
    let domain = format!("{label}.{label}.{label}.{}.org", "b".repeat(57)).parse().unwrap();
    let (parts, boundary) = parts_and_boundary(&NoticeId::of_destination(member, &domain, now()));
    assert_eq!((parts, boundary.len()), (2, 70), "{boundary}");
}

proptest! {
    #[test]
    fn boundary_is_valid(id in ".{0,300}") {
        let boundary = boundary(&NoticeId::of_failure(&id));
        prop_assert!((1..=70).contains(&boundary.len()), "{}", boundary);
        prop_assert!(boundary.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"'()+_,-./:=?".contains(&byte)));
    }

    #[test]
    fn boundary_separates_parts(id in "[A-Za-z0-9.-]{0,300}") {
        let (parts, boundary) = parts_and_boundary(&NoticeId::of_failure(&id));
        prop_assert!(parts == 2 && boundary.len() <= 70, "{} parts by {}", parts, boundary);
    }
}

#[test]
fn foreign_text_is_escaped() {
    let cause = "<script>alert(1)</script>\r\nBcc: eve@example.org".to_owned();
    let Notice::Failure(report) = failed(FailureKind::Message("<b>\r\nBcc: eve@example.org".into()), 0) else {
        panic!()
    };
    let bytes = composed(&Notice::Failure(FailureReport { cause, ..report }), None);
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert!(message.bcc().is_none());
    let html = message.body_html(0).unwrap();
    assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
    let bytes = composed(&banned_because("<script>alert(1)</script>\r\nBcc: eve@example.org"), None);
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert!(message.bcc().is_none());
    let html = message.body_html(0).unwrap();
    assert!(html.contains("alert(1)") && !html.contains("<script>"), "{html}");
}

#[test]
fn debug_output_is_redacted() {
    let id = NoticeId::of_failure("1");
    let to = EmailAddress::parse("alice@mail.example").unwrap();
    let addressing = Addressing { id: &id, to: &to, bounces_to: None, language: None, now: now() };
    let mail = compose(&held(None), addressing, &Texts::load().unwrap(), &site(), &settings()).unwrap();
    assert_eq!(
        format!("{mail:?} {:?}", settings()),
        "ComposedMail([redacted]) MailSettings { host: \"relay.example\", port: 465, encryption: Tls, .. }"
    );
}
