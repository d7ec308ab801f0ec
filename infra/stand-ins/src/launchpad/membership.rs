//! A membership. No sheet states it: launchpadlib's own description of the web service does, and browses it.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::at::At;
use crate::community::{Community, Membership};

/// A membership with the names of just now.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    team: &'a str,
    member: &'a str,
    membership: &'a Membership,
    owner: &'a str,
}

impl<'a> Held<'a> {
    /// Of these keys.
    pub(super) fn of(community: &'a Community, team: &'a str, member: &'a str) -> Option<Self> {
        let (_, found) = community.team(team)?;
        let membership = found.memberships.get(member)?;
        let owner = community.name_of(&found.owner);
        Some(Self { team: &found.name, member: community.name_of(member), membership, owner })
    }

    pub(super) fn etag(&self, at: &At) -> String {
        let Membership { status, joined, expires } = self.membership;
        let expires = expires.map(|expires| expires.as_second()).unwrap_or_default();
        format!("\"{status:?}-{:x}-{expires:x}-{}\"", joined.as_second(), at.version())
    }
}

/// A membership as a version of the web service shows it.
pub(super) struct Shown<'a> {
    pub(super) held: Held<'a>,
    pub(super) at: &'a At,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { held, at } = self;
        let (team, member) = (at.entry(held.team), at.entry(held.member));
        let link = format!("{team}/+member/{}", held.member);
        // As Launchpad writes them, with an offset.
        let time = |time: jiff::Timestamp| time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("self_link", &link)?;
        map.serialize_entry("web_link", &link)?;
        map.serialize_entry("resource_type_link", &at.kind("team_membership"))?;
        map.serialize_entry("http_etag", &held.etag(at))?;
        map.serialize_entry("team_link", &team)?;
        map.serialize_entry("member_link", &member)?;
        map.serialize_entry("status", &held.membership.status)?;
        map.serialize_entry("date_joined", &time(held.membership.joined))?;
        map.serialize_entry("date_expires", &held.membership.expires.map(time))?;
        map.serialize_entry("last_change_comment", &())?;
        map.serialize_entry("last_changed_by_link", &at.entry(held.owner))?;
        map.end()
    }
}
