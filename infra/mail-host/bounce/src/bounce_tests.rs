use proptest::prelude::*;

use super::*;
use crate::testing::{self, HOST};

fn parse(octets: &[u8]) -> Bounce {
    Bounce::parse(octets, &HOST.parse().unwrap())
}

#[rstest::rstest]
#[case::local("local-rejected", "failed 5.1.1 for alice@ubuntu.com")]
#[case::expired("local-expired", "failed 4.3.0 for alice@ubuntu.com")]
#[case::local_delay("local-delayed", "delayed 4.3.0 for alice@ubuntu.com")]
#[case::postfix("postfix", "failed 5.2.2 for alice@ubuntu.com")]
#[case::exim("exim", "failed 5.0.0 for ?")]
#[case::exchange("exchange", "failed 5.7.509 for alice@ubuntu.com")]
#[case::planted("planted", "failed 5.1.1 for alice.home@hidden-home.example")]
#[case::delayed("delayed", "delayed 4.2.2 for alice@ubuntu.com")]
fn report_has_codes_and_addresses(#[case] sample: &str, #[case] expected: &str) {
    let Bounce::Report(recipients, returned) = parse(&testing::sample(sample)) else { panic!("no report") };
    let [recipient] = &recipients[..] else { panic!("{recipients:?}") };
    let action = if recipient.action == Action::Failed { "failed" } else { "delayed" };
    let original = recipient.original_recipient.as_ref().map_or("?", Recipient::expose);
    assert_eq!(format!("{action} {} for {original}", recipient.status), expected);
    let destination = recipient.final_recipient.as_ref().map(Mailbox::expose);
    assert_eq!(destination, Some("alice.home@hidden-home.example"));
    if sample != "planted" {
        assert_eq!(returned.first_recipient().map(Recipient::expose), Some("alice@ubuntu.com"));
        assert_eq!(returned.message_id(), Some("lunch.1@mail.elsewhere.example"));
    }
}

#[rstest::rstest]
#[case("exim-old")]
#[case("qmail")]
#[case("exchange-old")]
fn unstructured_bounce_returns_the_header(#[case] sample: &str) {
    let Bounce::Unstructured(returned) = parse(&testing::sample(sample)) else { panic!("not unstructured") };
    assert_eq!(returned.first_recipient().map(Recipient::expose), Some("alice@ubuntu.com"));
    assert_eq!(returned.message_id(), Some("lunch.1@mail.elsewhere.example"));
}

#[rstest::rstest]
#[case("success", Ignored::Success)]
#[case("vacation", Ignored::AutoReply)]
#[case("read-receipt", Ignored::OtherReport)]
#[case("delay-warning", Ignored::Delay)]
fn other_mail_is_ignored(#[case] sample: &str, #[case] why: Ignored) {
    assert_eq!(parse(&testing::sample(sample)), Bounce::Ignored(why));
}

#[rstest::rstest]
#[case::auto_submitted("From: a@b.example\r\nAuto-Submitted: auto-generated\r\n", true)]
#[case::sent_by_hand("From: a@b.example\r\nAuto-Submitted: no\r\n", false)]
#[case::precedence("From: a@b.example\r\nPrecedence: auto_reply\r\n", true)]
#[case::vacation("From: a@b.example\r\nX-Autoreply: yes\r\n", true)]
#[case::mail_system("From: MAILER-DAEMON@b.example\r\nAuto-Submitted: auto-replied\r\n", false)]
#[case::postmaster("From: Postmaster@b.example\r\nPrecedence: bulk\r\n", false)]
#[case::no_author("Subject: failure\r\n", false)]
fn auto_reply_has_its_fields(#[case] header: &str, #[case] expected: bool) {
    let is_auto_reply = parse(format!("{header}\r\ntext\r\n").as_bytes()) == Bounce::Ignored(Ignored::AutoReply);
    assert_eq!(is_auto_reply, expected);
}

#[rstest::rstest]
#[case::no_action("Final-Recipient: rfc822; a@b.example\nStatus: 5.1.1", Some(1))]
#[case::no_code("Final-Recipient: rfc822; a@b.example\nAction: failed", Some(1))]
#[case::mixed("Action: delivered\nStatus: 2.0.0\n\nAction: failed\nStatus: 5.1.1", Some(1))]
#[case::two("Action: failed\nStatus: 5.1.1\n\nAction: delayed\nStatus: 4.1.1", Some(2))]
#[case::delivered("Action: expanded\nStatus: 2.0.0", Some(0))]
#[case::unreadable("Final-Recipient: rfc822; a@b.example", None)]
#[case::nothing("", None)]
fn recipients_have_an_outcome(#[case] blocks: &str, #[case] count: Option<usize>) {
    let status = format!("Reporting-MTA: dns; b.example\n\n{blocks}\n");
    assert_eq!(recipients(status.as_bytes()).map(|all| all.len()), count);
    assert_eq!(recipients(status.replace('\n', "\r\n").as_bytes()).map(|all| all.len()), count);
}

#[rstest::rstest]
#[case::plain("rfc822; Alice@Mail.Example", Some("Alice@Mail.Example"))]
#[case::a_label("rfc822;alice@xn--bcher-kva.example", Some("alice@xn--bcher-kva.example"))]
#[case::u_label("utf-8; alice@b\u{fc}cher.example", Some("alice@xn--bcher-kva.example"))]
#[case::other_local_part("utf-8; j\u{f6}rg@mail.example", None)]
#[case::angle_brackets("rfc822; <alice@mail.example>", Some("alice@mail.example"))]
#[case::other_type("x400; /c=us/", None)]
fn final_recipient_has_a_labels(#[case] value: &str, #[case] expected: Option<&str>) {
    let found = recipients(format!("Final-Recipient: {value}\nAction: failed\n").as_bytes()).unwrap();
    assert_eq!(found[0].final_recipient.as_ref().map(Mailbox::expose), expected);
}

#[test]
fn many_recipients_are_limited() {
    let status = "Action: failed\nStatus: 5.1.1\n\n".repeat(10_000);
    assert!(recipients(status.as_bytes()).unwrap().len() <= RECIPIENT_LIMIT + 1);
}

#[rstest::rstest]
#[case::messages("Content-Type: message/rfc822\n\n")]
#[case::multiparts("Content-Type: multipart/mixed; boundary=b\n\n--b\n")]
#[case::digests("Content-Type: multipart/digest; boundary=b\n\n--b\n\n")]
#[case::received("Received: ((((((((((((((((((\n")]
#[case::folded("A:\n ")]
#[case::nul("\0")]
#[case::eight_bit("\u{fc}")]
#[case::quotes("Content-Type: \"")]
fn deep_nesting_is_survived(#[case] unit: &str) {
    for prefix in ["", "Content-Type: multipart/report; boundary=b\n\n--b\n"] {
        parse(format!("{prefix}{}", unit.repeat(4_000_000 / unit.len())).as_bytes());
    }
}

#[test]
fn encoded_message_is_survived() {
    let inner = "Q29udGVudC1UeXBlOiBtZXNzYWdlL3JmYzgyMgoK".repeat(5_000);
    parse(format!("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}").as_bytes());
}

proptest! {
    #[test]
    fn any_octets_are_read(octets in prop::collection::vec(any::<u8>(), 0..2_000)) {
        parse(&octets);
    }

    /// A sample with some octets replaced.
    #[test]
    fn damaged_sample_is_read(
        sample in prop::sample::select(testing::SAMPLES.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut octets = testing::sample(sample);
        for (at, octet) in damage {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        parse(&octets);
    }
}
