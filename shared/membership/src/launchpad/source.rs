//! Launchpad as a membership source.

use std::collections::BTreeSet;

use async_trait::async_trait;
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, LaunchpadName, TeamName};
use tracing::debug;
use url::Url;

use super::answer::{GroupAnswer, ParticipantAnswer, PersonAnswer, TeamAnswer};
use super::client::Client;
use super::error::Error;
use super::identifier;
use super::pages::Page;
use super::retry::Budget;
use crate::source::{PageCursor, RosterPage, Source};

/// The most pages of one person's teams: 6,000 teams.
const MOST_GROUP_PAGES: usize = 20;
/// 1 July 2005 in microseconds. All accounts of before mid-June 2005 share one date, because a single statement filled the
/// column when it was added.
const DATES_BEGIN: Fingerprint = Fingerprint(1_120_176_000_000_000);

#[async_trait]
impl Source for Client {
    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
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
        let (mut groups, mut unusable) = (BTreeSet::new(), 0_u64);
        let mut cursor = PageCursor::default();
        for _ in 0..MOST_GROUP_PAGES {
            let page: Page<GroupAnswer> = self.page(&list, WHAT, cursor, &budget).await?;
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
        // Syncs read it, which wait for it as for a page.
        let (url, budget) = (self.group_url(name), Budget::for_requests(self.settings().page_timeout));
        match self.get::<TeamAnswer>(&url, "a team", &budget).await {
            Ok(answer) => Ok(answer.into_group(name)),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn roster_page(&self, group: &TeamName, cursor: PageCursor) -> Result<RosterPage, Error> {
        const WHAT: &str = "the participants of a team";
        let list = self.roster_url(group);
        let budget = Budget::for_requests(self.settings().page_timeout);
        let absent = |error: Error| if error.is_absent() { Error::NoSuchTeam } else { error };
        let page: Page<ParticipantAnswer> = self.page(&list, WHAT, cursor, &budget).await.map_err(absent)?;
        let entries = page.entries.len() as u64;
        let read: Vec<_> = page.entries.into_iter().flatten().collect();
        // One malformed entry is an odd account; a page of nothing else is another format.
        if read.is_empty() && entries > 1 {
            return Err(Error::Malformed { what: WHAT });
        }
        let malformed = entries - read.len() as u64 + page.skipped;
        if malformed > 0 {
            debug!(malformed, "skipped malformed participants of a team");
        }
        Ok(RosterPage {
            people: read.into_iter().filter_map(ParticipantAnswer::into_entry).collect(),
            shown: entries + page.skipped,
            malformed,
            total: page.total,
            next: page.next,
        })
    }

    fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        fingerprint < DATES_BEGIN
    }
}

impl Client {
    /// Asks `getByOpenIDIdentifier`, which answers `null` for an identifier without an account. It exists in `devel` only.
    async fn person_by(&self, identifier: &str, budget: &Budget) -> Result<Option<Person>, Error> {
        let answer: Option<PersonAnswer> = self.get(&self.person_url(identifier), "a person", budget).await?;
        answer.map(PersonAnswer::into_person).transpose()
    }

    /// The pairs are form-encoded, which turns `+` into `%2B`: a bare `+` would be read as a blank.
    pub(crate) fn person_url(&self, identifier: &str) -> Url {
        let mut url = self.url("devel/people");
        url.query_pairs_mut().append_pair("ws.op", "getByOpenIDIdentifier").append_pair("identifier", identifier);
        url
    }

    pub(crate) fn groups_url(&self, name: &LaunchpadName) -> Url {
        self.url(&format!("devel/~{name}/super_teams"))
    }

    pub(crate) fn group_url(&self, name: &TeamName) -> Url {
        self.url(&format!("1.0/~{name}"))
    }

    pub(crate) fn roster_url(&self, name: &TeamName) -> Url {
        self.url(&format!("1.0/~{name}/participants"))
    }
}
