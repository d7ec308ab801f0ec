//! Planning with the roster of an earlier reading, in a run that does not read the team.
//!
//! A remembered entry only confirms unchanged members. A grant needs the membership source in this run, and a plan that
//! removes an address needs a new reading of the team.

use super::{Plan, Planner};
use crate::alias::Status;
use crate::lifecycle::next_action;
use crate::member::{MemberId, ObservedName};

impl Planner<'_> {
    /// Whether the roster shows that this member is in the team under this name. Otherwise the source is asked for their
    /// groups.
    pub fn shows_membership(&self, member: MemberId, known_as: &ObservedName) -> bool {
        self.compared.is_listed(known_as)
            && (!self.compared.roster.is_remembered() || self.is_unchanged(member, known_as))
    }

    /// Whether the evidence about a member removes an address, which needs a new reading of the team.
    pub fn needs_reading(&self, member: MemberId) -> bool {
        let Some(eligible) = self.eligible(member) else { return false };
        let mut aliases = self.compared.aliases_of(member).filter(|alias| !self.compared.is_newer(alias));
        self.compared.roster.is_remembered()
            && aliases.any(|alias| {
                let action = next_action(alias, eligible, self.compared.rules, self.compared.now);
                action.is_some_and(|action| action.is_removal())
            })
    }

    /// Whether all addresses of the member are active under this name, so that membership changes none.
    fn is_unchanged(&self, member: MemberId, known_as: &ObservedName) -> bool {
        let mut own = self.compared.aliases_of(member).peekable();
        own.peek().is_some() && own.all(|alias| alias.status == Status::Active && alias.known_as.is_same_as(known_as))
    }
}

impl Plan {
    /// Whether the team has to be read before the plan is applied: it removes an address, or may have to.
    pub fn needs_reading(&self) -> bool {
        self.counts.unverified > 0 || self.steps.iter().any(|step| step.action.is_removal())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::Timestamp;

    use super::*;
    use crate::alias::{Alias, Reason};
    use crate::community::Rules;
    use crate::member::{Fingerprint, PersonName};
    use crate::plan::{Comparison, Evidence};
    use crate::roster::{Roster, RosterEntry};
    use crate::testing::{self, hours, members};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn member() -> MemberId {
        let [member] = members();
        member
    }

    fn observed(name: &str) -> ObservedName {
        testing::observed(name, 7, NOW)
    }

    /// Ada's address in this state, an hour old; the grace period ends in a week.
    fn alias(status: Status) -> Alias {
        Alias {
            known_as: observed("ada"),
            since: NOW - hours(1),
            until: (status == Status::Leaving).then(|| NOW + hours(24 * 7)),
            ..testing::alias(status, Reason::NotInTeam)
        }
    }

    /// The roster lists Ada under her name.
    fn planner<'a>(
        aliases: Vec<Alias>,
        is_remembered: bool,
        banned: &'a BTreeSet<MemberId>,
        rules: &'a Rules,
    ) -> Planner<'a> {
        let name = PersonName::parse("ada").unwrap();
        let entry = RosterEntry { name, fingerprint: Fingerprint(7), is_valid: true, signed_code_of_conduct: true };
        let read = Roster::new(vec![entry]);
        let roster = if is_remembered { Roster::remembered(&read.names()) } else { read };
        Planner::new(Comparison::new("ubuntu.com".parse().unwrap(), roster, aliases, banned, true, rules, NOW))
    }

    #[rstest::rstest]
    #[case::unchanged(true, Some(Status::Active), "ada", true)]
    #[case::address_would_be_restored(true, Some(Status::Leaving), "ada", false)]
    #[case::address_would_be_new(true, None, "ada", false)]
    #[case::another_name_than_listed(true, Some(Status::Active), "eve", false)]
    #[case::read_in_this_run(false, Some(Status::Leaving), "ada", true)]
    #[case::read_and_not_listed(false, Some(Status::Active), "eve", false)]
    fn remembered_entry_shows_unchanged_members(
        #[case] is_remembered: bool,
        #[case] status: Option<Status>,
        #[case] name: &str,
        #[case] expected: bool,
    ) {
        let banned = BTreeSet::new();
        let rules = Rules::default();
        let planner = planner(status.map(alias).into_iter().collect(), is_remembered, &banned, &rules);
        assert_eq!(planner.shows_membership(member(), &observed(name)), expected);
    }

    #[rstest::rstest]
    #[case::eligible(true, Status::Active, Ok(()), false, false)]
    #[case::back(true, Status::Leaving, Ok(()), false, false)]
    #[case::left(true, Status::Active, Err(Reason::NotInTeam), false, true)]
    #[case::still_leaving(true, Status::Leaving, Err(Reason::NotInTeam), false, false)]
    #[case::banned(true, Status::Active, Ok(()), true, true)]
    #[case::left_by_a_read_roster(false, Status::Active, Err(Reason::NotInTeam), false, false)]
    fn removal_needs_reading(
        #[case] is_remembered: bool,
        #[case] status: Status,
        #[case] eligible: Result<(), Reason>,
        #[case] is_banned: bool,
        #[case] expected: bool,
    ) {
        let banned: BTreeSet<_> = is_banned.then(member).into_iter().collect();
        let rules = Rules::default();
        let mut planner = planner(vec![alias(status)], is_remembered, &banned, &rules);
        planner.add_evidence(member(), Evidence { owner: member(), known_as: Some(observed("ada")), eligible });
        assert_eq!(planner.needs_reading(member()), expected);
    }
}
