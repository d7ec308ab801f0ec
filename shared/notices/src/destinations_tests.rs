use mail_parser::MessageParser;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::notice::NoticeId;
use membermail_texts::Texts;
use rstest::rstest;

use super::*;
use crate::{Addressing, MailSettings, Notice, compose};

const CODE: &str = "BCDF-2345";

/// The tags of all languages.
fn languages() -> Vec<String> {
    Texts::load().unwrap().each().map(|translator| translator.tag()).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn code() -> Code {
    Code::parse(CODE).unwrap()
}

fn destination() -> DestinationId {
    DestinationId::parse("01KAV0C1B5WQ0GZ0YB5R9E8QJ1").unwrap()
}

fn undo() -> Option<Undo> {
    let member = MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
    let change = Ulid::from_string("01KAV0C1B5WQ0GZ0YB5R9E8QJ2").unwrap();
    Some(Undo { member, change, code: code(), until: at("2026-11-27T10:00:00Z") })
}

fn to_new_mailbox() -> Notice {
    Notice::Code(MailboxCode { destination: destination(), code: code(), until: at("2026-11-24T10:30:00Z") })
}

fn changed(event: MailboxEvent, undo: Option<Undo>) -> Notice {
    let name = Some("alice".parse().unwrap());
    Notice::Mailbox(MailboxNotice { name, event, at: at("2026-11-24T10:00:00Z"), undo })
}

fn alice() -> Address {
    "alice@ubuntu.com".to_owned().try_into().unwrap()
}

fn test_message() -> Notice {
    Notice::Test(TestMessage { name: Some("alice".parse().unwrap()), address: alice() })
}

/// Subject, text and HTML of a notice.
fn composed(notice: &Notice, to: &str, language: &str) -> [String; 3] {
    let site = Site {
        community: "Ubuntu".into(),
        provider: "Ubuntu One".into(),
        source: "Launchpad".into(),
        url: "https://mail.ubuntu.example/".parse().unwrap(),
        help: "https://help.ubuntu.com/community/EmailAlias".parse().unwrap(),
    };
    let settings = MailSettings::parse(
        r#"{ "relay": "smtps://relay.example", "from": "Ubuntu mail <noreply@notices.ubuntu.example>",
             "reply-to": "help@ubuntu.example", "operators": "ops@ubuntu.example" }"#,
    );
    let id = NoticeId::of_code(Ulid::nil());
    let to = EmailAddress::parse(to).unwrap();
    let language = Language::parse(language).unwrap();
    let now = at("2026-11-24T10:01:00Z");
    let addressing = Addressing { id: &id, to: &to, bounces_to: None, language: Some(&language), now };
    let mail = compose(notice, addressing, &Texts::load().unwrap(), &site, &settings.unwrap()).unwrap().formatted();
    let message = MessageParser::default().parse(&mail).unwrap();
    let [text, html] = [message.body_text(0), message.body_html(0)].map(|body| body.unwrap().replace('\r', ""));
    assert_eq!(message.to().unwrap().first().unwrap().address(), Some(to.expose()));
    [message.subject().unwrap().to_owned(), text, html]
}

#[rstest]
#[case::code("code", to_new_mailbox())]
#[case::requested("requested", changed(MailboxEvent::Requested, None))]
#[case::confirmed("confirmed", changed(MailboxEvent::Confirmed, undo()))]
#[case::removed("removed", changed(MailboxEvent::Removed, undo()))]
#[case::redirected("redirected", changed(MailboxEvent::Redirected(alice()), undo()))]
#[case::without_undo("redirected-no-undo", changed(MailboxEvent::Redirected(alice()), None))]
#[case::reverted("reverted", changed(MailboxEvent::Reverted, None))]
#[case::account_added("account-added", changed(MailboxEvent::AccountAdded("Example GitLab".into()), None))]
#[case::account_removed("account-removed", changed(MailboxEvent::AccountRemoved("Example GitLab".into()), None))]
#[case::test_message("test", test_message())]
fn mail_matches_snapshot_in_each_language(#[case] snapshot: &str, #[case] notice: Notice) {
    for language in &languages() {
        let [subject, text, html] = composed(&notice, "alice@mail.example", language);
        insta::assert_snapshot!(
            format!("{snapshot}.{language}"),
            format!("Subject: {subject}\n\n{text}\n=====\n{html}")
        );
    }
}

/// The new mailbox can be a stranger's.
#[test]
fn code_mail_tells_nothing_about_member() {
    for language in &languages() {
        let parts = composed(&to_new_mailbox(), "eve@mail.example", language);
        for told in ["alice", "ubuntu.com/", "@ubuntu.com", "01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
            assert!(parts.iter().all(|part| !part.contains(told)), "{told} in {parts:?}");
        }
        let link = format!("https://mail.ubuntu.example/confirm?destination={}&code={CODE}", destination());
        assert!(parts[1].contains(&link) && parts[2].contains(&link.replace('&', "&#38;")), "{}", parts[2]);
    }
}

/// The link alone reverts nothing: a link scanner has no code.
#[test]
fn undo_link_has_no_code() {
    for language in &languages() {
        let [_, text, html] = composed(&changed(MailboxEvent::Confirmed, undo()), "alice@mail.example", language);
        for part in [text, html] {
            let links: Vec<_> =
                part.split("https://").skip(1).map(|link| link.split(['"', '\n', ' ']).next()).collect();
            assert!(links.iter().flatten().any(|link| link.contains("/undo?change=01ARZ3NDEKTSV4RRFFQ69G5FAV.")));
            assert!(links.iter().flatten().all(|link| !link.contains("BCDF")), "{links:?}");
            assert!(part.contains(CODE));
        }
    }
}

/// Subjects show on locked screens.
#[test]
fn subject_contains_no_code() {
    for notice in [to_new_mailbox(), changed(MailboxEvent::Confirmed, undo())] {
        for language in &languages() {
            assert!(!composed(&notice, "alice@mail.example", language)[0].contains("BCDF"));
        }
    }
}

#[test]
fn code_is_sent_to_idn_mailbox() {
    let [_, text, _] = composed(&to_new_mailbox(), "alice@bücher.example", "de");
    assert!(text.contains(CODE));
    assert!(EmailAddress::parse("älice@mail.example").is_err(), "SMTPUTF8 is refused before");
}

#[test]
fn debug_output_has_no_code() {
    let shown = format!("{:?} {:?}", to_new_mailbox(), changed(MailboxEvent::Confirmed, undo()));
    assert!(!shown.contains("BCDF"), "{shown}");
}
