//! Launchpad as a membership source.

use std::collections::BTreeSet;

use async_trait::async_trait;
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, PersonName, TeamName};
use tracing::debug;
use url::Url;

use super::client::Client;
use super::identifier;
use super::pages::Page;
use super::response::{GroupResponse, ParticipantResponse, PersonResponse, TeamResponse};
use crate::error::Error;
use crate::retry::Budget;
use crate::source::{PageCursor, RosterPage, Source};

/// Maximum pages of a person's teams (6,000 teams).
const MAX_GROUP_PAGES: usize = 20;
/// 1 July 2005 in microseconds. All accounts from before mid-June 2005 share one date, because a single SQL statement filled
/// the column when it was added.
const FIRST_UNIQUE_DATE: Fingerprint = Fingerprint(1_120_176_000_000_000);

#[async_trait]
impl Source for Client {
    fn is_authority_on(&self, identity: &Identity) -> bool {
        self.settings().issuers.contains(&identity.issuer)
    }

    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        if !self.is_authority_on(identity) {
            return Ok(None);
        }
        let budget = self.start_lookup();
        let identifier = identity.subject.as_str();
        if let Some(person) = self.person_by(identifier, &budget).await? {
            return Ok(Some(person));
        }
        match identifier::under_other_root(identifier, &self.settings().identifier_roots) {
            Some(other) => self.person_by(&other, &budget).await,
            None => Ok(None),
        }
    }

    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error> {
        const WHAT: &str = "the teams of a person";
        let budget = self.start_lookup();
        let list = self.groups_url(&person.name);
        let mut groups = BTreeSet::new();
        let mut unusable = 0_u64;
        let mut cursor = PageCursor::default();
        for _ in 0..MAX_GROUP_PAGES {
            let page: Page<GroupResponse> = self.page(&list, WHAT, cursor, &budget).await?;
            if page.skipped > 0 {
                return Err(Error::TooLarge);
            }
            for entry in page.entries {
                match entry.ok_or(Error::Malformed { what: WHAT })?.into_group()? {
                    Some(group) => drop(groups.insert(group)),
                    None => unusable += 1,
                }
            }
            let Some(next) = page.next else {
                debug!(groups = groups.len(), total = page.total, unusable, "read the teams of a person");
                return Ok(groups);
            };
            cursor = next;
        }
        Err(Error::TooManyPages)
    }

    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error> {
        // Only syncs call this, so the timeout is that of a page.
        let url = self.group_url(name);
        let budget = Budget::for_requests(self.settings().page_timeout);
        match self.get::<TeamResponse>(&url, "a team", &budget).await {
            Ok(team) => Ok(team.into_group(name)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn roster_page(&self, group: &Group, cursor: PageCursor) -> Result<RosterPage, Error> {
        const WHAT: &str = "the participants of a team";
        let list = self.roster_url(&group.name);
        let budget = Budget::for_requests(self.settings().page_timeout);
        let page = self.page::<ParticipantResponse>(&list, WHAT, cursor, &budget).await;
        let page = page.map_err(|error| if error.is_absent() { Error::NoSuchTeam } else { error })?;
        let entries = page.entries.len() as u64;
        let read: Vec<_> = page.entries.into_iter().flatten().collect();
        // A single malformed entry is an unusual account; a page with only malformed entries has another format.
        if read.is_empty() && entries > 1 {
            return Err(Error::Malformed { what: WHAT });
        }
        let malformed = entries - read.len() as u64 + page.skipped;
        if malformed > 0 {
            debug!(malformed, "skipped malformed participants of a team");
        }
        Ok(RosterPage {
            people: read.into_iter().filter_map(ParticipantResponse::into_entry).collect(),
            shown: entries + page.skipped,
            malformed,
            total: Some(page.total),
            next: page.next,
        })
    }

    fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        fingerprint < FIRST_UNIQUE_DATE
    }
}

impl Client {
    /// Calls `getByOpenIDIdentifier`, which returns `null` for an identifier without an account. Only `devel` has it.
    async fn person_by(&self, identifier: &str, budget: &Budget) -> Result<Option<Person>, Error> {
        let person: Option<PersonResponse> = self.get(&self.person_url(identifier), "a person", budget).await?;
        person.map(PersonResponse::into_person).transpose()
    }

    /// Form encoding turns `+` into `%2B`; a bare `+` would be decoded as a space.
    pub(crate) fn person_url(&self, identifier: &str) -> Url {
        let mut url = self.url("devel/people");
        url.query_pairs_mut().append_pair("ws.op", "getByOpenIDIdentifier").append_pair("identifier", identifier);
        url
    }

    pub(crate) fn groups_url(&self, name: &PersonName) -> Url {
        self.url(&format!("devel/~{name}/super_teams"))
    }

    pub(crate) fn group_url(&self, name: &TeamName) -> Url {
        self.url(&format!("1.0/~{name}"))
    }

    pub(crate) fn roster_url(&self, name: &TeamName) -> Url {
        self.url(&format!("1.0/~{name}/participants"))
    }
}
