use super::*;
use crate::testing::{self, HOST};

fn parse(sample: &[u8]) -> Bounce {
    Bounce::parse(sample, &HOST.parse().unwrap())
}

fn claim_of(sample: &[u8], origin: Origin) -> Claim {
    let claims = claims(&parse(sample), origin).unwrap();
    let [claim] = &claims[..] else { panic!("{claims:?}") };
    claim.clone()
}

fn text(recipient: Option<&Recipient>) -> &str {
    recipient.map_or("?", Recipient::expose)
}

#[rstest::rstest]
#[case("local-rejected", Origin::Local, "5.1.1", Some("5.1.1"))]
#[case::expired("local-expired", Origin::Local, "4.4.7", Some("4.4.7"))]
#[case::delayed("local-delayed", Origin::Local, "4.3.0", Some("4.4.1"))]
#[case::delayed_elsewhere("delayed", Origin::Outside, "4.2.2", None)]
#[case::private_code("exchange", Origin::Outside, "5.7.0", Some("5.7.509"))]
#[case::unstructured("qmail", Origin::Outside, "5.0.0", Some("5.0.0"))]
fn status_is_generic_for_the_sender(
    #[case] sample: &str,
    #[case] origin: Origin,
    #[case] status: &str,
    #[case] reply: Option<&str>,
) {
    let claim = claim_of(&testing::sample(sample), origin);
    assert_eq!(claim.status.to_string(), status);
    assert_eq!(claim.reply.map(|reply| reply.to_string()).as_deref(), reply);
    assert_eq!(text(claim.told.as_ref()), "alice@ubuntu.com");
}

#[rstest::rstest]
#[case::report("exim", Some("alice@ubuntu.com"))]
#[case::unstructured("qmail", None)]
fn failing_alias_needs_a_report(#[case] sample: &str, #[case] expected: Option<&str>) {
    let claim = claim_of(&testing::sample(sample), Origin::Outside);
    assert_eq!(claim.failing.as_ref().map(Recipient::expose), expected);
}

/// A destination that forwards to another address of ours.
#[test]
fn second_passage_names_the_first_address() {
    let second = "Received: from mx.hidden-home.example\r\n\tby mail.membermail.test (Postfix) with ESMTPS id 5X\r\n\tfor <bob@ubuntu.com>; Sat, 28 Nov 2026 22:11:21 +0000 (UTC)\r\nReceived: from client.example";
    let sample = String::from_utf8(testing::sample("local-rejected")).unwrap();
    let sample = sample.replace("rfc822;alice@", "rfc822;bob@").replacen("Received: from client.example", second, 1);
    let claim = claim_of(sample.as_bytes(), Origin::Local);
    assert_eq!(text(claim.told.as_ref()), "alice@ubuntu.com");
    assert_eq!(text(claim.failing.as_ref()), "bob@ubuntu.com");
    let quoted = Quoted::choose(&parse(sample.as_bytes()), Origin::Local, &testing::sender());
    assert_eq!(quoted.fields.len(), 1, "{quoted:?}");
}

#[rstest::rstest]
#[case::local("local-rejected", Origin::Local, "Date Subject From To Message-ID")]
#[case::outside("postfix", Origin::Outside, "Message-ID")]
#[case::unstructured("qmail", Origin::Outside, "Message-ID")]
#[case::other_message_id("planted", Origin::Outside, "")]
fn quoted_fields_are_the_senders(#[case] sample: &str, #[case] origin: Origin, #[case] expected: &str) {
    let quoted = Quoted::choose(&parse(&testing::sample(sample)), origin, &testing::sender());
    let names: Vec<_> = quoted.fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.join(" "), expected);
    assert_eq!(quoted.message_id.is_some(), !expected.is_empty());
}

#[rstest::rstest]
#[case("elsewhere.example", true)]
#[case("Mail.Elsewhere.example", true)]
#[case("else.where.example", false)]
#[case("notelsewhere.example", false)]
#[case("example", false)]
fn domain_contains_its_subdomains(#[case] name: &str, #[case] expected: bool) {
    assert_eq!(is_within(name, "elsewhere.example"), expected);
}

fn told(recipient: Option<&str>, action: Action) -> Told {
    Told { recipient: recipient.and_then(Recipient::parse), action, status: Status::UNKNOWN }
}

#[rstest::rstest]
#[case::admins(&[(Some("abuse@ubuntu.com"), Action::Delayed), (Some("abuse@ubuntu.com"), Action::Failed)], &[(Some("abuse@ubuntu.com"), Action::Failed)])]
#[case::unknown_beside_name(&[(None, Action::Failed), (Some("a@ubuntu.com"), Action::Delayed)], &[(Some("a@ubuntu.com"), Action::Delayed)])]
#[case::only_unknown(&[(None, Action::Failed), (None, Action::Delayed)], &[(None, Action::Failed)])]
#[case::two(&[(Some("a@ubuntu.com"), Action::Failed), (Some("b@ubuntu.com"), Action::Failed)], &[(Some("a@ubuntu.com"), Action::Failed), (Some("b@ubuntu.com"), Action::Failed)])]
fn address_is_told_once(#[case] all: &[(Option<&str>, Action)], #[case] expected: &[(Option<&str>, Action)]) {
    let all = all.iter().map(|(recipient, action)| told(*recipient, *action));
    let expected: Vec<_> = expected.iter().map(|(recipient, action)| told(*recipient, *action)).collect();
    assert_eq!(merge(all), expected);
}
