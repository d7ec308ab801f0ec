//! How a trial is told: step by step for people, and never with where an address forwards to.

use std::fmt;

use super::{Kind, Outcome, Tested, Trial, Try};

/// What stands in the place of somebody's address.
const HIDDEN: &str = "(address)";

impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { destination, to, relay, status, code, reply, after_seconds } = self;
        let number = if *destination > 1 { format!(" {destination}") } else { String::new() };
        writeln!(f, "goes to        {}{number}, by {relay}", to.in_words())?;
        let status = if status == "sent" { "delivered" } else { status };
        write!(f, "{status:<13}  after {after_seconds} s: {code} {reply}")
    }
}

impl Kind {
    fn in_words(self) -> &'static str {
        match self {
            Self::Member => "the member's own mailbox",
            Self::Admin => "an admin of the domain",
            Self::AsItWas => "the same address: this mail host does not know it as ours",
        }
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.outcome {
            Outcome::Delivered => "mail arrives",
            Outcome::Unknown => "there is no such address",
            Outcome::Refused => "mail is refused",
            Outcome::Later => "mail waits at its sender",
            Outcome::Bounced => "mail comes back from its destination",
            Outcome::Deferred => "mail waits for its destination",
            Outcome::Queued => "nobody knows yet",
        };
        writeln!(f, "{}: {what} ({} s)", self.address, self.seconds)
    }
}

/// A server's words without anybody's address but the tested one: they often hold the one that it was asked for.
pub(super) fn without_addresses(words: &str, tested: &Tested, destination: &str) -> String {
    let local = destination.rsplit_once('@').map_or("", |(local, _)| local);
    let hides = |word: &str| {
        let own = word.eq_ignore_ascii_case(&tested.address) || word.eq_ignore_ascii_case(&tested.local);
        !own && (word.contains('@') || !local.is_empty() && word.eq_ignore_ascii_case(local))
    };
    let mut told = String::with_capacity(words.len());
    let mut word = String::new();
    for letter in words.chars().chain([' ']) {
        if !letter.is_whitespace() && !"<>()[]{}\"',;:".contains(letter) {
            word.push(letter);
            continue;
        }
        // A full stop may end a sentence; no domain is told by it.
        let bare = word.trim_end_matches('.');
        if hides(bare) {
            told.push_str(HIDDEN);
            told.push_str(&word[bare.len()..]);
        } else {
            told.push_str(&word);
        }
        word.clear();
        told.push(letter);
    }
    told.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn nobodys_address_is_told(#[case] words: &str, #[case] told: &str) {
        let tested = Tested::parse("alice@ubuntu.com").unwrap();
        assert_eq!(without_addresses(words, &tested, "secret.name@b.example"), told);
    }

    proptest::proptest! {
        /// Wherever it stands in what a server says.
        #[test]
        fn the_destination_is_never_told(before in "[ -~]{0,20}", after in "[ -~]{0,20}") {
            let tested = Tested::parse("alice@ubuntu.com").unwrap();
            let told = without_addresses(&format!("{before} <secret.name@b.example> {after}"), &tested, "secret.name@b.example");
            proptest::prop_assert!(!told.contains("secret.name@b.example"), "{}", told);
        }
    }

    #[test]
    fn a_try_is_two_lines() {
        let status = |status: &str| {
            let (relay, code, reply) =
                ("mx.b.example[192.0.2.1]:25".to_owned(), "2.0.0".to_owned(), "250 OK".to_owned());
            let (to, after_seconds) = (Kind::Member, 0.31);
            Try { destination: 1, to, relay, status: status.to_owned(), code, reply, after_seconds }.to_string()
        };
        insta::assert_snapshot!(format!("{}\n{}", status("deferred"), status("sent")));
    }
}
