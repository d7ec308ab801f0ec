//! The output of a test: one step after the other, without the destinations.

use std::fmt;

use super::{Attempt, Report, TestedAddress};

/// The replacement of an address.
const REDACTED: &str = "(address)";

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, kind, relay, status, code, reply, after_seconds } = self;
        let number = if *destination > 1 { format!(" {destination}") } else { String::new() };
        writeln!(f, "sent to        {kind}{number}, via {relay}")?;
        let status = if status == "sent" { "delivered" } else { status };
        write!(f, "{status:<13}  after {after_seconds} s: {code} {reply}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} ({} s)", self.address, self.outcome, self.seconds)
    }
}

/// Redacts every address except the tested one. Replies of servers often contain the destination.
pub(super) fn redact_addresses(text: &str, tested: &TestedAddress, destination: &str) -> String {
    let local = destination.rsplit_once('@').map_or("", |(local, _)| local);
    let mut redacted = String::with_capacity(text.len());
    let mut word = String::new();
    for letter in text.chars().chain([' ']) {
        if !letter.is_whitespace() && !"<>()[]{}\"',;:".contains(letter) {
            word.push(letter);
            continue;
        }
        // A full stop can end a sentence.
        let bare = word.trim_end_matches('.');
        let is_tested = bare.eq_ignore_ascii_case(&tested.address) || bare.eq_ignore_ascii_case(&tested.local);
        let is_local = !local.is_empty() && bare.eq_ignore_ascii_case(local);
        if !is_tested && (bare.contains('@') || is_local) {
            redacted.push_str(REDACTED);
            redacted.push_str(&word[bare.len()..]);
        } else {
            redacted.push_str(&word);
        }
        word.clear();
        redacted.push(letter);
    }
    redacted.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alias::delivery_test::test_attempt;

    #[rstest::rstest]
    #[case("250 OK", "250 OK")]
    #[case(
        "host mx.b.example[192.0.2.1] said: 550 5.1.1 <Secret.Name@b.example>: no such user",
        "host mx.b.example[192.0.2.1] said: 550 5.1.1 <(address)>: no such user"
    )]
    #[case("550 No such user secret.name here.", "550 No such user (address) here.")]
    #[case("550 nobody is 'secret.name'.", "550 nobody is '(address)'.")]
    #[case("550 secret.name@b.example.", "550 (address).")]
    #[case("mail to alice@ubuntu.com from SRS0=x=y=e.example=bob@srs.us", "mail to alice@ubuntu.com from (address)")]
    #[case("user=secret.name@b.example over quota", "(address) over quota")]
    fn other_addresses_are_redacted(#[case] text: &str, #[case] expected: &str) {
        let tested = TestedAddress::parse("alice@ubuntu.com").unwrap();
        assert_eq!(redact_addresses(text, &tested, "secret.name@b.example"), expected);
    }

    proptest::proptest! {
        #[test]
        fn destination_is_redacted_anywhere(before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let tested = TestedAddress::parse("alice@ubuntu.com").unwrap();
            let text = format!("{before} <secret.name@b.example> {after}");
            let redacted = redact_addresses(&text, &tested, "secret.name@b.example");
            proptest::prop_assert!(!redacted.contains("secret.name@b.example"), "{}", redacted);
        }
    }

    #[test]
    fn attempt_has_two_lines() {
        insta::assert_snapshot!(format!("{}\n{}", test_attempt(1, "deferred"), test_attempt(1, "sent")));
    }
}
