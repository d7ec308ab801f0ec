//! Memberships. launchpad.md does not cover them; they follow the WADL of launchpadlib, which needs them.

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::api_root::ApiRoot;
use crate::community::{self, Community};

/// A membership with the current names.
#[derive(Clone, Copy)]
pub(super) struct Membership<'a> {
    team: &'a str,
    member: &'a str,
    record: &'a community::Membership,
    owner: &'a str,
}

impl<'a> Membership<'a> {
    /// The membership of these keys.
    pub(super) fn of(community: &'a Community, team: &'a str, member: &'a str) -> Option<Self> {
        let (_, found) = community.team(team)?;
        let record = found.memberships.get(member)?;
        let owner = community.name_of(&found.owner);
        Some(Self { team: &found.name, member: community.name_of(member), record, owner })
    }

    pub(super) fn etag(&self, root: &ApiRoot) -> String {
        let community::Membership { status, joined, expires } = self.record;
        let expires = expires.map(|expires| expires.as_second()).unwrap_or_default();
        format!("\"{status:?}-{:x}-{expires:x}-{}\"", joined.as_second(), root.version())
    }
}

/// A membership as JSON of a version of the web service.
pub(super) struct MembershipJson<'a> {
    pub(super) membership: Membership<'a>,
    pub(super) root: &'a ApiRoot,
}

impl Serialize for MembershipJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { membership, root } = self;
        let team = root.entry(membership.team);
        let member = root.entry(membership.member);
        let link = format!("{team}/+member/{}", membership.member);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("self_link", &link)?;
        map.serialize_entry("web_link", &link)?;
        map.serialize_entry("resource_type_link", &root.kind("team_membership"))?;
        map.serialize_entry("http_etag", &membership.etag(root))?;
        map.serialize_entry("team_link", &team)?;
        map.serialize_entry("member_link", &member)?;
        map.serialize_entry("status", &membership.record.status)?;
        map.serialize_entry("date_joined", &format_time(membership.record.joined))?;
        map.serialize_entry("date_expires", &membership.record.expires.map(format_time))?;
        map.serialize_entry("last_change_comment", &())?;
        map.serialize_entry("last_changed_by_link", &root.entry(membership.owner))?;
        map.end()
    }
}

/// Launchpad writes an offset instead of `Z`.
fn format_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}
