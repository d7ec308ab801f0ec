//! The initial directory. It is deterministic: users, groups and ids are always the same.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::change::{NewGroup, UserChange};
use super::{Directory, User, UserState};
use crate::gitlab::READER;

const GUEST: u8 = 10;
const REPORTER: u8 = 20;
const DEVELOPER: u8 = 30;
const MAINTAINER: u8 = 40;
const OWNER: u8 = 50;

/// The group of the first domain of shared/communities/example.toml.
const MEMBERS: &str = "community/members";
/// The group of its second domain.
const ART: &str = "community/members/art";
/// A group above the others, whose members are inherited.
const TOP: &str = "community";
/// A group that is invited to [`MEMBERS`].
const PARTNERS: &str = "partners";

impl Directory {
    /// Creates the initial directory, with about this many direct members of `community/members`.
    pub fn seeded(members: usize, now: Timestamp) -> Self {
        let mut directory = Self { last_user: 1_000, ..Self::default() };
        // The ids of shared/communities/example.toml.
        for (id, full_path) in [(40, TOP), (42, MEMBERS), (43, ART), (50, PARTNERS)] {
            let new = NewGroup { full_path: full_path.to_owned(), id: Some(id), ..NewGroup::default() };
            // This cannot fail: the groups are new, and parents come first.
            directory.add_group(new, now - SignedDuration::from_hours(24 * 900)).unwrap_or_default();
        }
        directory.add_people(now);
        directory.add_accounts(now);
        for number in 1..=99 {
            directory.seed(&format!("pat{number:02}"), "a member, for trying things", &[(MEMBERS, DEVELOPER)], now);
        }
        let rest = members.saturating_sub(directory.groups.get(&42).map_or(0, |group| group.members.len()));
        for number in 1..=rest {
            directory.seed(&format!("member{number:05}"), "", &[(MEMBERS, DEVELOPER)], now);
        }
        if let Some(members) = directory.groups.get_mut(&42) {
            members.invited.push(super::Invitation { group: 50, access_level: DEVELOPER });
        }
        directory
    }

    fn add_people(&mut self, now: Timestamp) {
        let member = [(MEMBERS, DEVELOPER)];
        self.seed("ada", "is the admin of the domains", &[(MEMBERS, OWNER)], now);
        self.seed("alice", "is in both groups", &[(MEMBERS, DEVELOPER), (ART, MAINTAINER)], now);
        self.seed("bob", "is a member of the group above", &[(TOP, MAINTAINER)], now);
        self.seed("carol", "is in none of the groups", &[], now);
        self.seed("iris", "is in a group that is invited as developers", &[(PARTNERS, OWNER)], now);
        self.seed("rita", "is a reporter, which is too low", &[(MEMBERS, REPORTER)], now);
        self.seed("gus", "is a guest, and a developer in the group above", &[(MEMBERS, GUEST), (TOP, DEVELOPER)], now);
        self.seed("heidi_under", "has an underscore in the username", &member, now);
        self.seed("Ivan.Upper", "has upper-case letters in the username", &member, now);
        self.seed("postmaster", "has a username that is reserved", &member, now);
        if let Some(una) = self.seed("una", "has an address that is not verified", &member, now) {
            una.is_email_verified = false;
        }
        if let Some(quinn) = self.seed("quinn", "has an address without a domain", &member, now) {
            "quinn@localhost".clone_into(&mut quinn.email);
        }
        self.seed("victor", "was a member until yesterday, and is still listed", &member, now);
        let yesterday = Offset::UTC.to_datetime(now - SignedDuration::from_hours(24)).date();
        let victor = self.user("victor").map(|user| user.id).unwrap_or_default();
        if let Some(membership) = self.groups.get_mut(&42).and_then(|group| group.members.get_mut(&victor)) {
            membership.expires_at = Some(yesterday);
        }
        self.seed(READER, "reads the API for Membermail", &[], now);
    }

    /// One account of each state, and a bot.
    fn add_accounts(&mut self, now: Timestamp) {
        let member = [(MEMBERS, DEVELOPER)];
        for (name, scenario, state) in [
            ("frank", "is blocked and stays in the group", UserState::Blocked),
            ("lars", "is blocked since LDAP has no such person", UserState::LdapBlocked),
            ("bela", "is banned", UserState::Banned),
            ("erin", "is deactivated", UserState::Deactivated),
            ("penny", "waits for the approval of an admin", UserState::BlockedPendingApproval),
        ] {
            if let Some(user) = self.seed(name, scenario, &member, now) {
                user.state = state;
            }
        }
        // The name of a bot of a group access token: doc/user/group/settings/group_access_tokens.md.
        let name = "group_42_bot_0123456789abcdef0123456789abcdef";
        if let Some(bot) = self.seed(name, "is the bot of a token", &member, now) {
            bot.is_bot = true;
        }
    }

    fn seed(
        &mut self,
        username: &str,
        scenario: &'static str,
        groups: &[(&str, u8)],
        now: Timestamp,
    ) -> Option<&mut User> {
        let joined = now - SignedDuration::from_hours(24 * 400);
        let id = self.add_user(username, None, UserChange::default(), joined).ok()?;
        for (group, level) in groups {
            self.join(group, id, *level, joined).ok()?;
        }
        let user = self.users.get_mut(&id)?;
        user.scenario = scenario;
        Some(user)
    }
}
