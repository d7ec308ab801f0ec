//! People and teams of the seed that represent a specific case.

use jiff::{SignedDuration, Timestamp};

use super::account::{AccountStatus, Presence};
use super::event::Event;
use super::{Community, Key};

/// A name longer than the maximum of a local part.
pub(super) const LONG_NAME: &str = "a-name-that-goes-on-and-on-for-longer-than-a-local-part-is-allowed";
/// launchpad.md, 2: all accounts older than about mid-June 2005 share one value. Guess: the production value is not
/// published; this is the value of the example.
const DATE_OF_2005: Timestamp = Timestamp::constant(1_118_815_200, 123_456_000);
/// launchpad.md, 5: the date of the example team.
const DATE_OF_DOCS: Timestamp = Timestamp::constant(1_328_173_200, 42_000);

impl Community {
    pub(super) fn add_scenario_people(&mut self, now: Timestamp) {
        let both = ["ubuntumembers", "kubuntu-members"];
        self.add_seed_person("alice", "gets addresses at ubuntu.com and kubuntu.org", &both, now);
        // Nested twice, so that only the participants of the outer team include bob.
        self.add_seed_person("bob", "is a member through a team within a team", &["ubuntu-translators-core"], now);
        self.join("ubuntu-translators", "ubuntu-translators-core", now);
        self.join("ubuntumembers", "ubuntu-translators", now);
        self.add_seed_person("carol", "is in none of the teams", &[], now);
        let members = ["ubuntumembers"];
        self.add_seed_person("dave", "has not signed the Code of Conduct", &members, now).signed = false;
        self.add_seed_person("erin", "has an account that is not active", &members, now).status =
            AccountStatus::Deactivated;
        self.add_seed_person("frank", "is suspended: page 410, stays in the team", &members, now).status =
            AccountStatus::Suspended;
        "grace-old".clone_into(
            &mut self.add_seed_person("grace", "was renamed; the login still says grace-old", &members, now).nickname,
        );
        self.add_seed_person("grace-old", "took the name that grace gave up", &[], now);
        self.add_seed_person("heidi+tag", "has a plus in the name", &members, now);
        self.add_seed_person("ivan..dots", "has a name that is no address", &members, now);
        self.add_seed_person("judy.", "has a name that ends in a dot", &members, now);
        self.add_seed_person(LONG_NAME, "has a name of more than 64 characters", &members, now);
        self.add_seed_person("postmaster", "has a name that is reserved", &members, now);
        "loop@ubuntu.com".clone_into(
            &mut self.add_seed_person("loop", "signs in with an address of the community", &members, now).email,
        );
        self.add_seed_person("nobody-here", "has no Launchpad account", &[], now).presence = Presence::Absent;
        self.remove_from_launchpad("nobody-here");
        self.add_seed_person("smtp-tester", "is in the test team only", &["ubuntu-smtp-test"], now);
        self.add_seed_person("ubuntu-admin", "looks after the domains", &members, now);
        self.add_seed_person("victor", "was a member until the membership ran out", &members, now);
        self.expire("ubuntumembers", "victor", now - SignedDuration::from_hours(30 * 24));
        self.add_accounts(now);
        self.add_logins(now);
        self.add_example_members(now);
    }

    /// Rows of launchpad.md, 3. These people are in the test team, so that the other teams keep their sizes.
    fn add_accounts(&mut self, now: Timestamp) {
        let test = ["ubuntu-smtp-test"];
        self.add_seed_person("paula", "is a placeholder: page 404, the identifier works", &[], now).status =
            AccountStatus::Placeholder;
        self.add_seed_person("dora", "was deactivated by an admin and stays in the team", &test, now).status =
            AccountStatus::Deactivated;
        self.add_seed_person("dean", "has died; the account stays in the team", &test, now).status =
            AccountStatus::Deceased;
        self.add_seed_person("nora", "has no preferred e-mail address", &test, now).has_preferred_email = false;
        for (name, scenario, event) in [
            ("clive", "closed the account: the identifier leads to nothing", Event::Close),
            ("doug", "deactivated the account and is in no team now", Event::Deactivate),
            ("mona", "was merged into merle: the login leads to merle", Event::MergeInto("merle".to_owned())),
        ] {
            if name == "mona" {
                let merle = self.add_seed_person("merle", "has three identifiers, one of them mona's", &test, now);
                let identifier = merle.identifier.chars().rev().collect::<String>();
                // This cannot fail: the identifier is new.
                self.add_identifier("merle", &identifier, false).unwrap_or_default();
            }
            self.add_seed_person(name, scenario, &test, now);
            // This cannot fail: each event is allowed for a new account.
            self.apply_event(&Key::from(name), event, now).unwrap_or_default();
        }
        for (name, scenario) in [
            ("oda", "has the date of 2005 that otto and zoe have"),
            ("otto", "has the date of 2005 that oda and zoe have"),
        ] {
            self.add_seed_person(name, scenario, &test, now).date_created = DATE_OF_2005;
        }
    }

    /// launchpad.md, 9: fields that Ubuntu One sends or withholds.
    fn add_logins(&mut self, now: Timestamp) {
        let test = ["ubuntu-smtp-test"];
        self.add_seed_person("una", "unticks the e-mail address", &test, now).consent.insert("email".to_owned(), false);
        "quinn@localhost"
            .clone_into(&mut self.add_seed_person("quinn", "has an e-mail address without a domain", &test, now).email);
        self.add_seed_person("ines", "has a login at Ubuntu One that is not active", &test, now).has_active_login =
            false;
    }

    /// launchpad.md, 5: the example team, with a private team in a public one.
    fn add_example_members(&mut self, now: Timestamp) {
        let zoe =
            self.add_seed_person("zoe", "is in example-members through a private team", &["core-infrastructure"], now);
        "Zoe Zimmer".clone_into(&mut zoe.display_name);
        zoe.date_created = DATE_OF_2005;
        for (team, display_name) in [("core-infrastructure", "Core infrastructure"), ("example-docs", "Example docs")] {
            self.join("example-members", team, now);
            let key = self.ensure_team(team);
            let Some(inner) = self.teams.get_mut(&key) else { continue };
            display_name.clone_into(&mut inner.display_name);
            inner.is_private = team == "core-infrastructure";
            if team == "example-docs" {
                inner.date_created = DATE_OF_DOCS;
                inner.owner = "alice".into();
            }
        }
    }

    /// Removes the person from Launchpad, but keeps the login at Ubuntu One.
    fn remove_from_launchpad(&mut self, key: &str) {
        self.names.retain(|_, owner| **owner != *key);
        self.identifiers.retain(|_, owner| **owner != *key);
    }
}
