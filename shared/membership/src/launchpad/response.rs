//! The fields that the client reads from responses, strictly typed. It ignores all other fields.

use jiff::Timestamp;
use membermail_core::eligibility::{Account, Group, Person};
use membermail_core::member::{Fingerprint, PersonName, TeamName};
use membermail_core::roster::RosterEntry;
use serde::Deserialize;

use crate::error::Error;

/// What Launchpad returns instead of a value that the client may not see.
pub(crate) const REDACTED: &str = "tag:launchpad.net:2008:redacted";

/// A person or team in the `devel` version of the API.
#[derive(Debug, Deserialize)]
pub(crate) struct PersonResponse {
    name: PersonName,
    date_created: Timestamp,
    is_team: bool,
    is_valid: bool,
    is_ubuntu_coc_signer: bool,
    account_status: String,
}

impl PersonResponse {
    /// Converts to a person; a redacted account status is malformed.
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

/// Maps `account_status` (`lib/lp/registry/interfaces/person.py`). `is_valid` means "Active and with a preferred address", so
/// the two together determine the state.
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

/// A participant of a team: a person, or a team within the team.
#[derive(Debug, Deserialize)]
pub(crate) struct ParticipantResponse {
    name: PersonName,
    date_created: Timestamp,
    is_team: bool,
    is_valid: bool,
    is_ubuntu_coc_signer: bool,
}

impl ParticipantResponse {
    /// Converts to a roster entry; none for a team, whose people are listed themselves.
    pub(crate) fn into_entry(self) -> Option<RosterEntry> {
        (!self.is_team).then(|| RosterEntry {
            fingerprint: fingerprint(self.date_created),
            name: self.name,
            is_valid: self.is_valid,
            signed_code_of_conduct: self.is_ubuntu_coc_signer,
        })
    }
}

/// A team by name. The name can also belong to a person.
#[derive(Debug, Deserialize)]
pub(crate) struct TeamResponse {
    is_team: bool,
    date_created: Timestamp,
}

impl TeamResponse {
    /// The team with the requested name; none if the name belongs to a person.
    pub(crate) fn into_group(self, name: &TeamName) -> Option<Group> {
        self.is_team.then(|| Group { name: name.clone(), fingerprint: fingerprint(self.date_created) })
    }
}

/// A team of a person.
#[derive(Debug, Deserialize)]
pub(crate) struct GroupResponse {
    name: String,
    date_created: Timestamp,
}

impl GroupResponse {
    /// The team; none if its name is not allowed in a community file. A redacted name is malformed, because skipping it would
    /// look like "not in the team".
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
