//! A person or a team, with every field that Launchpad's description has of them.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::at::At;
use crate::community::{Community, Person, Team};

/// What Launchpad shows in place of what the reader may not see.
const HIDDEN: &str = "tag:launchpad.net:2008:redacted";
/// Whom the teams belong to.
pub(super) const OWNER: &str = "ubuntu-admin";
/// Lists of a person or team; each is at its own name below the entry.
const LISTS: [&str; 21] = [
    "admins",
    "confirmed_email_addresses",
    "deactivated_members",
    "expired_members",
    "gpg_keys",
    "invited_members",
    "irc_nicknames",
    "jabber_ids",
    "languages",
    "members",
    "members_details",
    "memberships_details",
    "open_membership_invitations",
    "participants",
    "ppas",
    "proposed_members",
    "recipes",
    "sshkeys",
    "sub_teams",
    "super_teams",
    "wiki_names",
];

/// A person or a team.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    Person(&'a Person),
    Team(&'a str, &'a Team),
}

impl<'a> Entry<'a> {
    /// Of this key.
    pub(super) fn of(community: &'a Community, key: &str) -> Option<Self> {
        let team = || community.team(key).map(|(name, team)| Self::Team(name, team));
        community.person(key).map(Self::Person).or_else(team)
    }

    pub(super) fn is_team(&self) -> bool {
        match self {
            Self::Person(person) => person.is_team,
            Self::Team(..) => true,
        }
    }

    /// A suspended account, which only admins see.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Person(person) if person.suspended)
    }

    /// Another one for every change of what is shown.
    pub(super) fn etag(&self, at: &At) -> String {
        let (id, revision) = match self {
            Self::Person(person) => (person.id, person.revision),
            Self::Team(_, team) => (team.id, 0),
        };
        format!("\"{id:x}-{revision:x}-{}\"", at.version())
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::Person(person) => &person.name,
            Self::Team(name, _) => name,
        }
    }
}

/// An entry as a version of the web service shows it.
pub(super) struct Shown<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) at: &'a At,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, at } = self;
        let (name, is_team) = (entry.name(), entry.is_team());
        let link = at.entry(name);
        let (id, is_valid, signed) = match entry {
            Entry::Person(person) => (person.id, person.is_valid && !person.suspended, person.signed),
            Entry::Team(_, team) => (team.id, true, false),
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("self_link", &link)?;
        map.serialize_entry("web_link", &link)?;
        map.serialize_entry("resource_type_link", &at.kind(if is_team { "team" } else { "person" }))?;
        map.serialize_entry("http_etag", &entry.etag(at))?;
        map.serialize_entry("id", &id)?;
        map.serialize_entry("name", name)?;
        map.serialize_entry("display_name", name)?;
        map.serialize_entry("is_team", &is_team)?;
        map.serialize_entry("is_valid", &is_valid)?;
        map.serialize_entry("is_ubuntu_coc_signer", &signed)?;
        map.serialize_entry("is_probationary", &false)?;
        map.serialize_entry("private", &false)?;
        map.serialize_entry("visibility", "Public")?;
        map.serialize_entry("hide_email_addresses", &true)?;
        map.serialize_entry("preferred_email_address_link", HIDDEN)?;
        map.serialize_entry("date_created", "2010-04-29T12:00:00+00:00")?;
        map.serialize_entry("time_zone", "UTC")?;
        map.serialize_entry("karma", &0)?;
        map.serialize_entry("mailing_list_auto_subscribe_policy", "Ask me when I join a team")?;
        for nothing in ["archive_link", "description", "homepage_content", "latitude", "longitude"] {
            map.serialize_entry(nothing, &())?;
        }
        for file in ["logo", "mugshot"] {
            map.serialize_entry(&format!("{file}_link"), &format!("{link}/{file}"))?;
        }
        for list in LISTS {
            map.serialize_entry(&format!("{list}_collection_link"), &format!("{link}/{list}"))?;
        }
        map.serialize_entry("team_owner_link", &is_team.then(|| at.entry(OWNER)))?;
        if is_team {
            map.serialize_entry("membership_policy", "Restricted Team")?;
            map.serialize_entry("subscription_policy", "Restricted Team")?;
            map.serialize_entry("renewal_policy", "invite them to renew their own membership")?;
            map.serialize_entry("default_membership_period", &730)?;
            map.serialize_entry("default_renewal_period", &730)?;
            map.serialize_entry("team_description", &())?;
        } else if at.is_devel() {
            map.serialize_entry("account_status", if is_valid { "Active" } else { "Deactivated" })?;
        }
        map.end()
    }
}
