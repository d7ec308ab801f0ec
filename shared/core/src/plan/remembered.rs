//! Planning with the roster of an earlier reading, in a run that does not read the team.
//!
//! A remembered entry shows that nothing has changed, and nothing else: a member whose addresses change is in the team by
//! the word of the source in this run. A plan that removes an address is not carried out on a remembered roster at all.

use super::{Plan, Planner};
use crate::alias::{Alias, Reason, Status};
use crate::lifecycle::tend;
use crate::member::{MemberId, ObservedName};

impl Planner<'_> {
    /// Whether the roster shows that this member, who is called so now, is in the team. Without that the source is asked
    /// for their groups.
    pub fn shows_membership(&self, member: MemberId, known_as: &ObservedName) -> bool {
        self.is_listed(known_as) && (!self.roster.is_remembered() || self.is_unchanged(member, known_as))
    }

    /// Whether what is known of a member removes an address, so that a remembered roster will not do.
    pub fn needs_reading(&self, member: MemberId) -> bool {
        let eligible = match self.answers.get(&member) {
            _ if self.banned.contains(&member) => Err(Reason::Banned),
            Some(evidence) => evidence.eligible,
            None => return false,
        };
        let removes = |alias: &Alias| {
            let action = tend(alias, eligible, self.rules, self.now).filter(|_| !self.is_newer(alias));
            action.is_some_and(|action| action.removes())
        };
        self.roster.is_remembered() && self.aliases_of(member).any(removes)
    }

    fn aliases_of(&self, member: MemberId) -> impl Iterator<Item = &Alias> {
        let places = self.by_member.get(&member).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|place| self.aliases.get(usize::try_from(*place).ok()?))
    }

    /// Whether the member's addresses are all active under this name, so that being in the team changes none.
    fn is_unchanged(&self, member: MemberId, known_as: &ObservedName) -> bool {
        let mut own = self.aliases_of(member).peekable();
        own.peek().is_some() && own.all(|alias| alias.status == Status::Active && alias.known_as.is_same_as(known_as))
    }
}

impl Plan {
    /// Whether the team has to be read before the plan is carried out: it removes something, or may have to.
    pub fn needs_reading(&self) -> bool {
        self.counts.unverified > 0 || self.steps.iter().any(|step| step.action.removes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::community::Rules;
    use crate::member::{Fingerprint, LaunchpadName};
    use crate::plan::Evidence;
    use crate::roster::{Roster, RosterEntry};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn member() -> MemberId {
        MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap()
    }

    fn observed(name: &str) -> ObservedName {
        ObservedName { name: LaunchpadName::parse(name).unwrap(), fingerprint: Fingerprint(7), observed_at: NOW }
    }

    /// Ada's address in this state, an hour old; the grace period ends in a week.
    fn alias(status: Status) -> Alias {
        Alias {
            address: "ada@ubuntu.com".to_owned().try_into().unwrap(),
            member: member(),
            known_as: observed("ada"),
            status,
            reason: Reason::NotInTeam,
            since: NOW - SignedDuration::from_hours(1),
            until: (status == Status::Leaving).then(|| NOW + SignedDuration::from_hours(24 * 7)),
            version: 1,
            erase_pending: false,
        }
    }

    /// The roster lists Ada under her name.
    fn planner<'a>(
        aliases: Vec<Alias>,
        is_remembered: bool,
        banned: &'a BTreeSet<MemberId>,
        rules: &'a Rules,
    ) -> Planner<'a> {
        let name = LaunchpadName::parse("ada").unwrap();
        let entry = RosterEntry { name, fingerprint: Fingerprint(7), is_valid: true, signed_code_of_conduct: true };
        let read = Roster::new(vec![entry]);
        let roster = if is_remembered { Roster::remembered(&read.names()) } else { read };
        Planner::new("ubuntu.com".parse().unwrap(), roster, aliases, banned, true, rules, NOW)
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
        let (banned, rules) = (BTreeSet::new(), Rules::default());
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
        planner.answer(member(), Evidence { owner: member(), known_as: Some(observed("ada")), eligible });
        assert_eq!(planner.needs_reading(member()), expected);
    }
}
