//! The fields that are read of an answer, each strictly by type. No other field is read.

use jiff::Timestamp;
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{Fingerprint, LaunchpadName, TeamName};
use membermail_core::roster::RosterEntry;
use serde::Deserialize;

use super::error::Error;

/// The text in the place of a value that the reader may not see.
pub(crate) const REDACTED: &str = "tag:launchpad.net:2008:redacted";

/// A person or team as `devel` describes them.
#[derive(Debug, Deserialize)]
pub(crate) struct PersonAnswer {
    name: LaunchpadName,
    date_created: Timestamp,
    is_team: bool,
    is_valid: bool,
    is_ubuntu_coc_signer: bool,
    account_status: String,
}

impl PersonAnswer {
    /// Reads the account; a redacted status is malformed.
    pub(crate) fn into_person(self) -> Result<Person, Error> {
        if self.account_status == REDACTED {
            return Err(Error::Malformed { what: "a redacted account status" });
        }
        Ok(Person {
            account: account(&self.account_status, self.is_valid, self.is_team),
            name: self.name,
            fingerprint: fingerprint(self.date_created),
            signed_code_of_conduct: self.is_ubuntu_coc_signer,
        })
    }
}

/// Maps the words of `account_status` (`lib/lp/registry/interfaces/person.py`). `is_valid` means "Active and with a
/// preferred address", so that the two together name the state.
fn account(status: &str, is_valid: bool, is_team: bool) -> Account {
    match status {
        _ if is_team => Account::Inactive,
        "Active" if is_valid => Account::Active,
        "Active" => Account::NoPreferredAddress,
        "Placeholder" | "Unactivated" => Account::NeverActivated,
        "Deactivated" => Account::Deactivated,
        "Suspended" => Account::Suspended,
        "Closed" => Account::Closed,
        _ => Account::Inactive,
    }
}

/// An entry of a team's participants: a person, or a team within the team.
#[derive(Debug, Deserialize)]
pub(crate) struct ParticipantAnswer {
    name: LaunchpadName,
    date_created: Timestamp,
    is_team: bool,
    is_valid: bool,
    is_ubuntu_coc_signer: bool,
}

impl ParticipantAnswer {
    /// The entry of a person; none of a team, whose people are on the pages themselves.
    pub(crate) fn into_entry(self) -> Option<RosterEntry> {
        (!self.is_team).then(|| RosterEntry {
            fingerprint: fingerprint(self.date_created),
            name: self.name,
            is_valid: self.is_valid,
            signed_code_of_conduct: self.is_ubuntu_coc_signer,
        })
    }
}

/// A team as a page of its own. A person can have the name.
#[derive(Debug, Deserialize)]
pub(crate) struct TeamAnswer {
    is_team: bool,
    date_created: Timestamp,
}

impl TeamAnswer {
    /// The team under the name that was asked for; none, if a person has the name.
    pub(crate) fn into_group(self, name: &TeamName) -> Option<Group> {
        self.is_team.then(|| Group { name: name.clone(), fingerprint: fingerprint(self.date_created) })
    }
}

/// An entry of a person's teams.
#[derive(Debug, Deserialize)]
pub(crate) struct GroupAnswer {
    name: String,
    date_created: Timestamp,
}

impl GroupAnswer {
    /// The team; none, if its name is one that no team of a community file can have. A redacted name is malformed: a team
    /// that is skipped reads like "not in the team".
    pub(crate) fn into_group(self) -> Result<Option<Group>, Error> {
        if self.name == REDACTED {
            return Err(Error::Malformed { what: "a redacted team name" });
        }
        let fingerprint = fingerprint(self.date_created);
        Ok(TeamName::parse(&self.name).ok().map(|name| Group { name, fingerprint }))
    }
}

fn fingerprint(date_created: Timestamp) -> Fingerprint {
    Fingerprint(date_created.as_microsecond())
}
