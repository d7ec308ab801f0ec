//! The reply text of refused mail: a 550 or 450 (RFC 5321, 4.2.3) with an enhanced status code (RFC 3463).

use membermail_core::alias::{Reason, Status};

/// The result for `check_recipient_access` (access(5)). Postfix puts `Recipient address rejected` before the text.
///
/// Anybody can ask for any address and no mail is needed, so a reply says nothing about the person: all suspended addresses
/// have the same one.
pub fn text(status: Status, reason: Reason) -> &'static str {
    match (status, reason) {
        // Not about a person, and first: the sender should know that no address of the domain will work again.
        (_, Reason::DomainRetired) => DOMAIN_RETIRED,
        // Not given up: it can work again once an operator assigns it to its owner.
        (_, Reason::Unassigned) => SUSPENDED,
        (Status::Retired, _) => RETIRED,
        _ => SUSPENDED,
    }
}

/// For every suspended address, one that its owner has paused for good, and one whose destination was not confirmed in time.
pub const SUSPENDED: &str = "550 5.2.1 This address is switched off";

/// For an address that its owner has paused for now, and for one whose destination is not confirmed yet.
pub const LATER: &str = "450 4.2.1 This address cannot take mail just now; please try again later";

/// For an address that its owner has given up.
const RETIRED: &str = "550 5.1.6 This address has been given up and is no longer in use";

/// For an address in a retired domain, after its grace period.
const DOMAIN_RETIRED: &str = "550 5.1.6 The community has given up this domain: its addresses are no longer in use";

/// For an address whose destinations are all at this host.
pub const LOOP: &str = "550 5.4.6 Mail to this address would come back to this host";

/// For a sender in the return-path domain that is no return path, or no longer.
pub const FORGED_RETURN_PATH: &str = "550 5.7.1 This return path is not valid, or no longer";

/// For a sender to which no return path can be made.
pub const UNUSABLE_SENDER: &str = "553 5.1.7 Bounces could not be sent to this address";

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn suspended_address_never_tells_why() {
        for reason in Reason::iter().filter(|reason| *reason != Reason::DomainRetired) {
            assert_eq!(text(Status::Suspended, reason), "550 5.2.1 This address is switched off", "{reason}");
        }
    }

    #[test]
    fn retired_address_never_tells_why() {
        let about_an_owner = |reason: &Reason| !matches!(reason, Reason::DomainRetired | Reason::Unassigned);
        for reason in Reason::iter().filter(about_an_owner) {
            assert_eq!(text(Status::Retired, reason), RETIRED, "{reason}");
        }
    }

    #[rstest::rstest]
    #[case::assignable(Status::Retired, Reason::Unassigned, SUSPENDED)]
    #[case::suspended(Status::Suspended, Reason::DomainRetired, DOMAIN_RETIRED)]
    #[case::retired(Status::Retired, Reason::DomainRetired, DOMAIN_RETIRED)]
    fn special_reasons_have_their_reply(#[case] status: Status, #[case] reason: Reason, #[case] expected: &str) {
        assert_eq!(text(status, reason), expected);
    }

    #[rstest::rstest]
    #[case(SUSPENDED, "550 5.2.1 ")]
    #[case(LATER, "450 4.2.1 ")]
    #[case(RETIRED, "550 5.1.6 ")]
    #[case(DOMAIN_RETIRED, "550 5.1.6 ")]
    #[case(LOOP, "550 5.4.6 ")]
    #[case(FORGED_RETURN_PATH, "550 5.7.1 ")]
    #[case(UNUSABLE_SENDER, "553 5.1.7 ")]
    fn refusal_has_code_and_explanation(#[case] text: &str, #[case] code: &str) {
        assert!(text.starts_with(code) && text.len() > code.len() && text.is_ascii(), "{text}");
    }
}
