//! Whether an admin can have an address restored. The membership source decides: the admin only requests the check.

use crate::alias::{Alias, Reason, Status};

/// Why a check of its member cannot restore an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRestorable {
    /// It is active.
    Active,
    /// Its member deleted it, and only they can restore it.
    Deleted,
    /// Its member is banned: the ban has to be lifted first.
    Banned,
    /// It has no mailbox to forward to: its member has to choose one.
    Loop,
    /// The community gives up the domain.
    DomainRetired,
    /// Its data is erased, or its owner is not known: its member gets it back by signing in, or an operator assigns it.
    Ended,
}

/// Decides whether an eligible member would get the address back.
pub fn can_restore(alias: &Alias) -> Result<(), NotRestorable> {
    match (alias.status, alias.reason) {
        (Status::Active, _) => Err(NotRestorable::Active),
        (Status::Retired, _) | (_, Reason::Unassigned | Reason::Erased) => Err(NotRestorable::Ended),
        (_, Reason::Deleted) => Err(NotRestorable::Deleted),
        (_, Reason::Banned) => Err(NotRestorable::Banned),
        (_, Reason::Loop) => Err(NotRestorable::Loop),
        (_, Reason::DomainRetired) => Err(NotRestorable::DomainRetired),
        (
            Status::Leaving | Status::Suspended,
            Reason::Eligible
            | Reason::NotInTeam
            | Reason::NotValid
            | Reason::Deactivated
            | Reason::AccountSuspended
            | Reason::AccountClosed
            | Reason::NoPreferredAddress
            | Reason::CodeOfConductWithdrawn
            | Reason::BanLifted
            | Reason::Returning,
        ) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::testing::alias;

    #[rstest]
    #[case(Status::Active, Reason::Eligible, Err(NotRestorable::Active))]
    #[case(Status::Leaving, Reason::NotInTeam, Ok(()))]
    #[case(Status::Suspended, Reason::NotInTeam, Ok(()))]
    #[case(Status::Suspended, Reason::BanLifted, Ok(()))]
    #[case(Status::Suspended, Reason::Returning, Ok(()))]
    #[case(Status::Suspended, Reason::Deleted, Err(NotRestorable::Deleted))]
    #[case(Status::Suspended, Reason::Banned, Err(NotRestorable::Banned))]
    #[case(Status::Suspended, Reason::Loop, Err(NotRestorable::Loop))]
    #[case(Status::Leaving, Reason::DomainRetired, Err(NotRestorable::DomainRetired))]
    #[case(Status::Suspended, Reason::Unassigned, Err(NotRestorable::Ended))]
    #[case(Status::Retired, Reason::NotInTeam, Err(NotRestorable::Ended))]
    #[case(Status::Retired, Reason::Deleted, Err(NotRestorable::Ended))]
    fn check_restores_what_eligibility_ended(
        #[case] status: Status,
        #[case] reason: Reason,
        #[case] expected: Result<(), NotRestorable>,
    ) {
        assert_eq!(can_restore(&alias(status, reason)), expected);
    }
}
