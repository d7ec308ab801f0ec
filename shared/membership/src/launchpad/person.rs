//! Who an identity belongs to on Launchpad, and their teams.

use std::collections::BTreeSet;

use membermail_core::eligibility::{Person, Standing};
use membermail_core::member::{ClaimedIdentifier, LaunchpadId, LaunchpadName, TeamName};
use serde::Deserialize;
use tracing::debug;

use crate::client::Client;
use crate::collection;
use crate::error::Error;
use crate::retry::Patience;

/// The part of a person that the rules need. Each field has to be there, and be of its type.
#[derive(Deserialize)]
pub(crate) struct PersonAnswer {
    pub(crate) id: LaunchpadId,
    name: LaunchpadName,
    is_team: bool,
    is_valid: bool,
    is_ubuntu_coc_signer: bool,
    /// Needed only of somebody whose teams matter.
    super_teams_collection_link: Option<String>,
}

impl PersonAnswer {
    pub(crate) fn into_person(self) -> Person {
        Person {
            id: self.id,
            name: self.name,
            is_team: self.is_team,
            is_valid: self.is_valid,
            signed_code_of_conduct: self.is_ubuntu_coc_signer,
        }
    }
}

#[derive(Deserialize)]
struct TeamAnswer {
    name: TeamName,
}

impl Client {
    /// Asks Launchpad who signs in with this identity, and for all their teams, through sub-teams too.
    ///
    /// The teams are read only of somebody who is valid, no team, and has signed the Code of Conduct; of all others
    /// the set is empty, as no rule looks at it. Teams that are private are not among them. An account whose page
    /// stays gone (410) for the whole patience is [`Standing::Gone`]; one that is not found (404) is an error.
    pub async fn standing(&self, id: &ClaimedIdentifier) -> Result<Standing, Error> {
        let patience = self.start();
        let answer = match self.person(id, &patience).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(Standing::Unknown),
            Err(Error::Status { code: 410, .. }) => return Ok(Standing::Gone),
            Err(error) => return Err(error),
        };
        let link = answer.super_teams_collection_link.clone();
        let person = answer.into_person();
        let teams = if person.is_valid && !person.is_team && person.signed_code_of_conduct {
            self.teams(link.as_deref(), &patience).await?
        } else {
            BTreeSet::new()
        };
        Ok(Standing::Known { person, teams })
    }

    /// `getByOpenIDIdentifier` answers `null` for an identity that nobody has. It is in `devel` only.
    async fn person(&self, id: &ClaimedIdentifier, patience: &Patience) -> Result<Option<PersonAnswer>, Error> {
        let mut url = self.url("devel/people");
        url.query_pairs_mut().append_pair("ws.op", "getByOpenIDIdentifier").append_pair("identifier", id.as_str());
        self.get(&url, "a person", patience).await
    }

    async fn teams(&self, link: Option<&str>, patience: &Patience) -> Result<BTreeSet<TeamName>, Error> {
        let link = link.ok_or(Error::Malformed { what: "a person without a link to their teams" })?;
        let name = |team: &TeamAnswer| team.name.clone();
        let teams = collection::read(self, &self.link(link)?, "the teams of a person", name, patience).await?;
        if teams.hidden > 0 {
            debug!(hidden = teams.hidden, "some teams of the person are private");
        }
        Ok(teams.entries.into_keys().collect())
    }
}
