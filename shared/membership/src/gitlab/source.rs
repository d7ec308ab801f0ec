//! GitLab as a membership source.

use std::collections::BTreeSet;

use async_trait::async_trait;
use membermail_core::eligibility::{Group, Person};
use membermail_core::member::{Fingerprint, Identity, TeamName};
use tracing::debug;
use url::Url;

use super::client::Client;
use super::members::{PageNumber, WHAT};
use super::response::{GroupResponse, MemberResponse, UserResponse};
use crate::error::Error;
use crate::http::decode;
use crate::retry::Budget;
use crate::source::{PageCursor, RosterPage, Source};

#[async_trait]
impl Source for Client {
    fn is_authority_on(&self, identity: &Identity) -> bool {
        identity.issuer == self.settings().issuer && user_id(identity).is_some()
    }

    async fn person(&self, identity: &Identity) -> Result<Option<Person>, Error> {
        let Some(id) = user_id(identity).filter(|_| self.is_authority_on(identity)) else { return Ok(None) };
        let url = self.url(&format!("users/{id}"));
        let budget = self.start_lookup();
        let user = self.get(&url, "a user", &budget, |_, body| decode::<UserResponse>(body, "a user")).await;
        absent_to_none(user)?.map(|user| user.into_person(id)).transpose()
    }

    async fn groups(&self, person: &Person) -> Result<BTreeSet<Group>, Error> {
        let budget = self.start_lookup();
        let mut groups = BTreeSet::new();
        for path in &self.settings().groups {
            let group = match self.cached_group(path) {
                Some(group) => Some(group),
                None => self.fetch_group(path, &budget).await?,
            };
            if let Some(group) = group
                && self.is_member(&group, person.fingerprint, &budget).await?
            {
                groups.insert(group);
            }
        }
        debug!(groups = groups.len(), "read the groups of a person");
        Ok(groups)
    }

    async fn group(&self, name: &TeamName) -> Result<Option<Group>, Error> {
        // Only syncs call this, so the timeout is that of a page.
        self.fetch_group(name, &self.start_page()).await
    }

    async fn roster_page(&self, group: &Group, cursor: PageCursor) -> Result<RosterPage, Error> {
        let at = PageNumber::of(cursor)?;
        let url = self.members_url(group.fingerprint, at);
        let page = self.get(&url, WHAT, &self.start_page(), |headers, body| self.read_members(at, headers, body)).await;
        page.map_err(|error| if error.is_absent() { Error::NoSuchTeam } else { error })
    }
}

impl Client {
    /// Fetches a group by its path and caches it.
    async fn fetch_group(&self, path: &TeamName, budget: &Budget) -> Result<Option<Group>, Error> {
        let url = self.group_url(path);
        let group = self.get(&url, "a group", budget, |_, body| decode::<GroupResponse>(body, "a group")).await;
        let group = absent_to_none(group)?.and_then(|group| group.into_group(path));
        self.cache_group(path, group.as_ref());
        Ok(group)
    }

    /// Whether the user is a member of the group, directly or through a group above it, at the minimum access level.
    async fn is_member(&self, group: &Group, user: Fingerprint, budget: &Budget) -> Result<bool, Error> {
        const WHAT: &str = "a member of a group";
        let url = self.url(&format!("groups/{}/members/all/{user}", group.fingerprint));
        let member = self.get(&url, WHAT, budget, |_, body| decode::<MemberResponse>(body, WHAT)).await;
        match absent_to_none(member)? {
            None => Ok(false),
            Some(member) if !member.is_about(user.0) => Err(Error::Malformed { what: WHAT }),
            Some(member) => member.counts(self.settings().minimum_access_level, self.now()),
        }
    }

    pub(crate) fn group_url(&self, path: &TeamName) -> Url {
        // The whole path is one segment. `+` is no character of a path at GitLab.
        let segment = path.as_str().replace('/', "%2F").replace('+', "%2B");
        let mut url = self.url(&format!("groups/{segment}"));
        url.set_query(Some("with_projects=false"));
        url
    }
}

/// The user id that is the subject of an identity, as GitLab writes it: a decimal number without a leading zero.
pub(crate) fn user_id(identity: &Identity) -> Option<i64> {
    let text = identity.subject.as_str();
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}

fn absent_to_none<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}
