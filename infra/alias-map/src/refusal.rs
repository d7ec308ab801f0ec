//! What the sender of a refused mail reads: the text of a 550 (RFC 5321, 4.2.3) with a status code of RFC 3463.

use membermail_core::alias::{Reason, Status};

/// The result for `check_recipient_access` (access(5)). Postfix puts `Recipient address rejected` before the text.
///
/// It says what the sender can do with it, and not what is between the member and the community.
pub fn text(status: Status, reason: Reason) -> String {
    match (status, reason) {
        // Said of retired addresses too: the sender learns that no address of the domain will work again.
        (_, Reason::DomainRetired) => DOMAIN_RETIRED.to_owned(),
        // It has not been given up: an operator has to find its owner first.
        (_, Reason::Unassigned) => "550 5.2.1 This address is switched off".to_owned(),
        (Status::Retired, _) => "550 5.1.6 This address has been given up and is no longer in use".to_owned(),
        (_, Reason::Loop) => LOOP.to_owned(),
        (_, Reason::NotInTeam | Reason::CodeOfConductWithdrawn) => {
            "550 5.2.1 This address is switched off: its owner is no longer a member of the community".to_owned()
        }
        _ => "550 5.2.1 This address is switched off".to_owned(),
    }
}

/// Of an address in a retired domain, from the end of its grace period on.
pub const DOMAIN_RETIRED: &str = "550 5.1.6 The community has given up this domain: its addresses are no longer in use";

/// Of an address that forwards back into the community.
pub const LOOP: &str = "550 5.4.6 This address forwards to itself: its owner must set another destination";

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(Status::Suspended, Reason::Banned, "550 5.2.1 ")]
    #[case(Status::Suspended, Reason::NotInTeam, "550 5.2.1 ")]
    #[case(Status::Suspended, Reason::Loop, "550 5.4.6 ")]
    #[case(Status::Retired, Reason::NotInTeam, "550 5.1.6 ")]
    #[case(Status::Suspended, Reason::DomainRetired, "550 5.1.6 The community has given up this domain")]
    #[case(Status::Retired, Reason::DomainRetired, "550 5.1.6 The community has given up this domain")]
    #[case(Status::Retired, Reason::Unassigned, "550 5.2.1 ")]
    fn every_refusal_is_for_good_and_has_words(#[case] status: Status, #[case] reason: Reason, #[case] code: &str) {
        let text = text(status, reason);
        assert!(text.starts_with(code) && text.len() > code.len() && text.is_ascii(), "{text}");
    }

    #[rstest::rstest]
    #[case(Reason::Banned)]
    #[case(Reason::Deactivated)]
    #[case(Reason::AccountSuspended)]
    #[case(Reason::AccountClosed)]
    #[case(Reason::NoPreferredAddress)]
    #[case(Reason::NotValid)]
    fn account_state_stays_private(#[case] reason: Reason) {
        assert_eq!(text(Status::Suspended, reason), "550 5.2.1 This address is switched off");
    }
}
