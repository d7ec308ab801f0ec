use super::*;
use crate::address::Recipient;
use crate::testing::{self, HOST};

fn told(recipient: Option<&str>, action: Action, status: &str) -> Told {
    let status = Status::parse(status).unwrap();
    Told { recipient: recipient.map(|text| Recipient::parse(text).unwrap()), action, status }
}

fn report(told: &[Told], quoted: &Quoted, sender: &Mailbox) -> String {
    let host = HOST.parse().unwrap();
    let at = "2026-11-28T22:11:22Z".parse().unwrap();
    let report = Report { host: &host, sender, told, quoted, at, random: [7; 16] };
    String::from_utf8(report.to_mail()).unwrap()
}

fn quoted() -> Quoted {
    let fields = [
        ("Date", "Sat, 28 Nov 2026 22:11:19 +0000"),
        ("Subject", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n and more"),
        ("Message-ID", "<lunch.1@elsewhere.example>"),
    ];
    let fields = fields.map(|(name, value)| (name, value.to_owned())).to_vec();
    Quoted { fields, message_id: Some("lunch.1@elsewhere.example".to_owned()) }
}

#[rstest::rstest]
#[case::failed("failed", &[told(Some("alice@ubuntu.com"), Action::Failed, "5.2.2")])]
#[case::delayed("delayed", &[told(Some("alice@ubuntu.com"), Action::Delayed, "4.4.1")])]
#[case::expired("expired", &[told(Some("alice+news@ubuntu.com"), Action::Failed, "4.4.7")])]
#[case::two("two", &[told(Some("alice@ubuntu.com"), Action::Failed, "5.7.1"), told(Some("bob@kubuntu.org"), Action::Delayed, "4.2.0")])]
fn report_names_the_address(#[case] name: &str, #[case] told: &[Told]) {
    insta::assert_snapshot!(name, report(told, &quoted(), &testing::sender()).replace("\r\n", "\n"));
}

#[test]
fn unknown_address_is_not_named() {
    let report = report(&[told(None, Action::Failed, "5.0.0")], &Quoted::default(), &testing::sender());
    insta::assert_snapshot!("unknown", report.replace("\r\n", "\n"));
}

#[rstest::rstest]
#[case("5.1.1", "not available", "another way")]
#[case("5.2.2", "is full", "another way")]
#[case("5.2.3", "too large", "smaller message")]
#[case("5.3.4", "too large", "smaller message")]
#[case("5.4.6", "in circles", "another way")]
#[case("5.6.1", "not supported", "change the message")]
#[case("5.7.1", "policy", "change the message")]
#[case("5.0.0", "no further reason", "another way")]
#[case("5.4.4", "no further reason", "another way")]
fn explanation_follows_the_status(#[case] status: &str, #[case] what: &str, #[case] next: &str) {
    let explained = explanation(&told(None, Action::Failed, status));
    assert!(explained.0.contains(what) && explained.1.contains(next), "{explained:?}");
}

#[rstest::rstest]
#[case("\"john doe\"@elsewhere.example")]
#[case("dot.@carrier.example")]
#[case("user@[192.0.2.1]")]
#[case::long(&format!("{}@{}.example", "l".repeat(200), "d".repeat(60)))]
fn report_is_ascii_with_short_lines(#[case] sender: &str) {
    let report =
        report(&[told(Some("alice@ubuntu.com"), Action::Failed, "5.1.1")], &quoted(), &Mailbox::parse(sender).unwrap());
    assert!(report.is_ascii() && report.contains(&format!("To: <{sender}>")), "{report}");
    assert!(report.split("\r\n").all(|line| line.len() < 998 && !line.contains(['\r', '\n'])), "{report}");
}
