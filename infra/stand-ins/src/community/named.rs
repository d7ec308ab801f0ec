//! People of the seed who show something, each one for a story.

use jiff::{SignedDuration, Timestamp};

use super::account::{AccountStatus, Presence};
use super::event::Event;
use super::{Community, Key};

/// A name that is longer than any local part may be.
pub(super) const LONG: &str = "a-name-that-goes-on-and-on-for-longer-than-a-local-part-is-allowed";
/// launchpad.md, 2: all accounts older than about mid-June 2005 have one value. Guess: the source does not publish the
/// production value; this is the one of its example.
const DATE_OF_2005: Timestamp = Timestamp::constant(1_118_815_200, 123_456_000);
/// launchpad.md, 5: the date of the team in its example.
const DATE_OF_DOCS: Timestamp = Timestamp::constant(1_328_173_200, 42_000);

impl Community {
    pub(super) fn add_named(&mut self, now: Timestamp) {
        let both = ["ubuntumembers", "kubuntu-members"];
        self.seed("alice", "gets addresses at ubuntu.com and kubuntu.org", &both, now);
        // A team within a team within a team: only participation tells that bob is in.
        self.seed("bob", "is a member through a team within a team", &["ubuntu-translators-core"], now);
        self.join("ubuntu-translators", "ubuntu-translators-core", now);
        self.join("ubuntumembers", "ubuntu-translators", now);
        self.seed("carol", "is in none of the teams", &[], now);
        let members = ["ubuntumembers"];
        self.seed("dave", "has not signed the Code of Conduct", &members, now).signed = false;
        self.seed("erin", "has an account that is not active", &members, now).status = AccountStatus::Deactivated;
        self.seed("frank", "is suspended: page 410, stays in the team", &members, now).status =
            AccountStatus::Suspended;
        "grace-old"
            .clone_into(&mut self.seed("grace", "was renamed; the login still says grace-old", &members, now).nickname);
        self.seed("grace-old", "took the name that grace gave up", &[], now);
        self.seed("heidi+tag", "has a plus in the name", &members, now);
        self.seed("ivan..dots", "has a name that is no address", &members, now);
        self.seed("judy.", "has a name that ends in a dot", &members, now);
        self.seed(LONG, "has a name of more than 64 characters", &members, now);
        self.seed("postmaster", "has a name that is reserved", &members, now);
        "loop@ubuntu.com"
            .clone_into(&mut self.seed("loop", "signs in with an address of the community", &members, now).email);
        self.seed("nobody-here", "has no Launchpad account", &[], now).presence = Presence::Nothing;
        self.forget_person("nobody-here");
        self.seed("smtp-tester", "is in the test team only", &["ubuntu-smtp-test"], now);
        self.seed("ubuntu-admin", "looks after the domains", &members, now);
        self.seed("victor", "was a member until the membership ran out", &members, now);
        self.expire("ubuntumembers", "victor", now - SignedDuration::from_hours(30 * 24));
        self.add_accounts(now);
        self.add_logins(now);
        self.add_example_members(now);
    }

    /// Rows of launchpad.md, 3. These people are in the test team, so that the other teams keep their sizes.
    fn add_accounts(&mut self, now: Timestamp) {
        let test = ["ubuntu-smtp-test"];
        self.seed("paula", "is a placeholder: page 404, the identifier works", &[], now).status =
            AccountStatus::Placeholder;
        self.seed("dora", "was deactivated by an admin and stays in the team", &test, now).status =
            AccountStatus::Deactivated;
        self.seed("dean", "has died; the account stays in the team", &test, now).status = AccountStatus::Deceased;
        self.seed("nora", "has no preferred e-mail address", &test, now).has_preferred_email = false;
        for (name, shows, event) in [
            ("clive", "closed the account: the identifier leads to nothing", Event::Close),
            ("doug", "deactivated the account and is in no team now", Event::Deactivate),
            ("mona", "was merged into merle: the login leads to merle", Event::MergeInto("merle".to_owned())),
        ] {
            if name == "mona" {
                let merle = self.seed("merle", "has three identifiers, one of them mona's", &test, now);
                let word = merle.word.chars().rev().collect::<String>();
                // Both are new here, so there is no other owner of the word.
                self.add_identifier("merle", &word, false).unwrap_or_default();
            }
            self.seed(name, shows, &test, now);
            // Each event is possible for an account that was just made.
            self.happen(&Key::from(name), event, now).unwrap_or_default();
        }
        for (name, shows) in [
            ("oda", "has the date of 2005 that otto and zoe have"),
            ("otto", "has the date of 2005 that oda and zoe have"),
        ] {
            self.seed(name, shows, &test, now).date_created = DATE_OF_2005;
        }
    }

    /// launchpad.md, 9: what Ubuntu One may send, or keep back.
    fn add_logins(&mut self, now: Timestamp) {
        let test = ["ubuntu-smtp-test"];
        self.seed("una", "unticks the e-mail address", &test, now).consent.insert("email".to_owned(), false);
        "quinn@localhost"
            .clone_into(&mut self.seed("quinn", "has an e-mail address without a domain", &test, now).email);
        self.seed("ines", "has a login at Ubuntu One that is not active", &test, now).has_active_login = false;
    }

    /// launchpad.md, 5: the team of its example, with a private team in a public one.
    fn add_example_members(&mut self, now: Timestamp) {
        let zoe = self.seed("zoe", "is in example-members through a private team", &["core-infrastructure"], now);
        "Zoe Zimmer".clone_into(&mut zoe.display_name);
        zoe.date_created = DATE_OF_2005;
        for (team, display_name) in [("core-infrastructure", "Core infrastructure"), ("example-docs", "Example docs")] {
            self.join("example-members", team, now);
            let key = self.team_key(team);
            let Some(inner) = self.teams.get_mut(&key) else { continue };
            display_name.clone_into(&mut inner.display_name);
            inner.is_private = team == "core-infrastructure";
            if team == "example-docs" {
                (inner.date_created, inner.owner) = (DATE_OF_DOCS, "alice".into());
            }
        }
    }

    /// Leaves only the login at Ubuntu One.
    fn forget_person(&mut self, key: &str) {
        self.names.retain(|_, of| **of != *key);
        self.identifiers.retain(|_, of| **of != *key);
    }
}
