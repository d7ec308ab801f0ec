use jiff::SignedDuration;
use mail_parser::{HeaderName as Name, MessageParser};
use membermail_core::address::{Address, DomainName};
use membermail_core::alias::{Reason, Status};
use membermail_core::audit::DomainChange;
use membermail_core::digest::Tally;
use membermail_core::guard::{HoldReason, Kind};
use membermail_core::member::LaunchpadName;
use membermail_core::notice::{AdminNews, MemberNews};
use membermail_core::plan::Counts;
use rstest::rstest;
use ulid::Ulid;

use super::*;
use crate::{Digest, DomainNews, Failed, Held, Linked, Member, Said, What, WithoutAdmin};

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn until() -> Timestamp {
    "2026-12-08T10:00:00Z".parse().unwrap()
}

fn address(text: &str) -> Address {
    text.to_owned().try_into().unwrap()
}

fn name(text: &str) -> LaunchpadName {
    text.parse().unwrap()
}

fn site() -> Site {
    Site {
        community: "Ubuntu".into(),
        provider: "Ubuntu One".into(),
        url: "https://mail.ubuntu.example/".parse().unwrap(),
        help: "https://help.ubuntu.com/community/EmailAlias".parse().unwrap(),
    }
}

fn settings() -> MailSettings {
    MailSettings::parse(
        r#"{ "relay": "smtps://relay.example", "from": "Ubuntu mail <noreply@notices.ubuntu.example>",
             "reply-to": "Ubuntu mail help <help@ubuntu.example>", "operators": "ops@ubuntu.example" }"#,
    )
    .unwrap()
}

fn news(news: MemberNews) -> Notice {
    Notice::Member(Member { name: Some(name("alice")), address: address("alice@ubuntu.com"), said: Said::News(news) })
}

fn suspended(reason: Reason) -> Notice {
    news(MemberNews::Suspended { reason })
}

fn documented(names: &[&str]) -> Option<WithoutAdmin> {
    Some(WithoutAdmin { documented: names.iter().map(|text| name(text)).collect() })
}

fn digest(changes: usize, others: Tally, without_admin: Option<WithoutAdmin>) -> Notice {
    let kinds = [
        AdminNews::Created,
        AdminNews::Removed(Reason::NotInTeam),
        AdminNews::Loop,
        AdminNews::Restored,
        AdminNews::Removed(Reason::Banned),
    ];
    let news = (0..changes).map(|number| (address(&format!("member{number:03}@ubuntu.com")), kinds[number % 5]));
    Notice::Digest(Digest { domain: "ubuntu.com".parse().unwrap(), news: news.collect(), others, without_admin })
}

fn held(without_admin: Option<WithoutAdmin>) -> Notice {
    let counts =
        Counts { participants: 612, active: 700, leave: 88, create: 3, taken: 88, unverified: 4, ..Counts::default() };
    let run = Ulid::from_string("01KAV0C1B5WQ0GZ0YB5R9E8QJ1").unwrap();
    let bound = HoldReason::Bound { kind: Kind::Removals, count: 90, earlier: 2, of: 700, among: Status::Active };
    let held_for = vec![bound, HoldReason::Unverified { count: 4 }];
    let (domain, counts) = ("ubuntu.com".parse().unwrap(), Some(counts));
    Notice::Held(Held { domain, run, counts, held_for, is_resent: false, without_admin })
}

fn resent() -> Notice {
    let Notice::Held(held) = held(None) else { panic!("it is held") };
    Notice::Held(Held { is_resent: true, held_for: Vec::new(), ..held })
}

fn domain(did: DomainChange) -> Notice {
    let domain = "ubuntu.com".parse().unwrap();
    Notice::Domain(DomainNews { domain, did, until: Some(until()), without_admin: None })
}

fn failed(what: What, counted: u64) -> Notice {
    Notice::Failed(Failed {
        what,
        name: (counted > 0).then(|| name("alice")),
        step: "verify-member".into(),
        cause: "Launchpad gave no answer that can be used: status 503".into(),
        request_id: "8f0e4cde-3f4f-4f0c-9a0f-5d2f8f1f0a11".into(),
        counted,
        quiet: SignedDuration::from_hours(24),
    })
}

/// A sync that has no team to read, as its error says it.
fn team(error: &str) -> Notice {
    Notice::Failed(Failed {
        what: What::Message(error.into()),
        name: None,
        step: "sync-team".into(),
        cause: error.into(),
        request_id: "8f0e4cde-3f4f-4f0c-9a0f-5d2f8f1f0a11".into(),
        counted: 0,
        quiet: SignedDuration::from_hours(24),
    })
}

fn written(notice: &Notice, language: Option<&str>) -> Vec<u8> {
    let id = NoticeId::to_member(Ulid::from_string("01KAV0C1B5WQ0GZ0YB5R9E8QJ1").unwrap());
    let to = EmailAddress::parse("alice@mail.example").unwrap();
    let language = language.map(|tag| Language::parse(tag).unwrap());
    let addressed = Addressed { id: &id, to: &to, language: language.as_ref(), now: now() };
    compose(notice, addressed, &Texts::load().unwrap(), &site(), &settings()).unwrap().formatted()
}

/// The message as a reader's mail program sees it.
fn shown(bytes: &[u8]) -> String {
    let message = MessageParser::default().parse(bytes).unwrap();
    let language = message.header_raw(Name::ContentLanguage).unwrap_or_default();
    let (text, html) = (message.body_text(0).unwrap(), message.body_html(0).unwrap());
    format!("Subject: {}\nContent-Language: {}\n\n{text}\n=====\n{html}", message.subject().unwrap(), language.trim(),)
        .replace('\r', "")
}

#[rstest]
#[case::created("created", news(MemberNews::Created))]
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
#[case::linked("linked", Notice::Linked(Linked { name: Some(name("alice")) }))]
#[case::unsigned("unsigned", suspended(Reason::CodeOfConductWithdrawn))]
#[case::banned("banned", suspended(Reason::Banned))]
#[case::ban_lifted("ban-lifted", suspended(Reason::BanLifted))]
#[case::domain_retired("domain-retired", suspended(Reason::DomainRetired))]
#[case::destination("destination", Notice::Member(Member {
    name: Some(name("alice")),
    address: address("alice@ubuntu.com"),
    said: Said::DestinationFails("550 5.1.1".parse().unwrap()),
}))]
#[case::digest_of_one("digest-1", digest(1, Tally::default(), None))]
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
#[case::failed("failed", failed(What::Message("Launchpad gave no answer that can be used".into()), 0))]
#[case::failed_again("failed-again", failed(What::Message("Launchpad gave no answer that can be used".into()), 3))]
#[case::team_missing("failed-team", team("the team ubuntumembers of ubuntu.com cannot be found on Launchpad"))]
#[case::refused("refused", failed(What::Notice("550 5.1.1".parse().unwrap()), 1))]
fn every_mail_in_every_language(#[case] what: &str, #[case] notice: Notice) {
    for language in ["en", "ar"] {
        insta::assert_snapshot!(format!("{what}.{language}"), shown(&written(&notice, Some(language))));
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
fn every_reason_has_its_texts(#[case] reason: Reason) {
    let domain = "ubuntu.com".parse().unwrap();
    let change = if reason == Reason::Loop { AdminNews::Loop } else { AdminNews::Removed(reason) };
    let news = vec![(address("alice@ubuntu.com"), change)];
    for language in ["en", "ar"] {
        let digest = Notice::Digest(Digest {
            domain: DomainName::clone(&domain),
            news: news.clone(),
            others: Tally::default(),
            without_admin: None,
        });
        for notice in [suspended(reason), digest] {
            let text = shown(&written(&notice, Some(language)));
            for id in ["reason-", "next-", "news-removed-"] {
                // A text that is missing shows as its id.
                assert!(!text.contains(&format!("{id}{}", reason.as_str())), "{text}");
            }
        }
    }
}

#[test]
fn headers_are_those_of_a_machine_that_means_well() {
    let text = String::from_utf8(written(&news(MemberNews::Created), None)).unwrap();
    let headers = text.split("\r\n\r\n").next().unwrap();
    insta::assert_snapshot!("headers", headers.replace('\r', ""));
}

#[test]
fn the_same_notice_is_the_same_message() {
    let notice = news(MemberNews::Created);
    assert_eq!(written(&notice, Some("ar")), written(&notice, Some("ar")));
}

#[test]
fn what_others_wrote_is_no_html_of_ours() {
    let cause = "<script>alert(1)</script>\r\nBcc: eve@example.org".to_owned();
    let Notice::Failed(failed) = failed(What::Message("<b>\r\nBcc: eve@example.org".into()), 0) else { panic!() };
    let bytes = written(&Notice::Failed(Failed { cause, ..failed }), None);
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert!(message.bcc().is_none());
    let html = message.body_html(0).unwrap();
    assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
}

#[test]
fn a_letter_shows_nothing() {
    let id = NoticeId::of_failure("1");
    let to = EmailAddress::parse("alice@mail.example").unwrap();
    let addressed = Addressed { id: &id, to: &to, language: None, now: now() };
    let letter = compose(&held(None), addressed, &Texts::load().unwrap(), &site(), &settings()).unwrap();
    assert_eq!(
        format!("{letter:?} {:?}", settings()),
        "Letter([redacted]) MailSettings { host: \"relay.example\", port: 465, encryption: Tls, .. }"
    );
}
