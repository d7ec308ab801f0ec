//! A person or a team, field by field as launchpad.md, section 1, has them.

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use sha1::{Digest, Sha1};

use super::at::At;
use crate::community::{AccountStatus, Community, PageState, Person, Team};

/// The text in the place of a value that the reader may not see.
pub(super) const REDACTED: &str = "tag:launchpad.net:2008:redacted";
/// Lists of a person or team; each is at its own name below the entry.
const LISTS: [&str; 22] = [
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
    "social_accounts",
    "sshkeys",
    "sub_teams",
    "super_teams",
    "wiki_names",
];

/// A person or a team, with the name of the team's owner.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    Person(&'a Person),
    Team(&'a Team, &'a str),
}

impl<'a> Entry<'a> {
    /// The entry of this key.
    pub(super) fn of(community: &'a Community, key: &str) -> Option<Self> {
        let team = || community.team(key).map(|(_, team)| Self::Team(team, community.name_of(&team.owner)));
        community.person(key).map(Self::Person).or_else(team)
    }

    pub(super) fn is_team(&self) -> bool {
        matches!(self, Self::Team(..))
    }

    /// launchpad.md, 3 and 6: 410 for a suspended person; 404 for a placeholder, a merged person and a private team.
    pub(super) fn page(&self) -> PageState {
        match self {
            Self::Person(person) => person.page(),
            Self::Team(team, _) if team.is_private => PageState::Missing,
            Self::Team(..) => PageState::Shown,
        }
    }

    pub(super) fn name(&self) -> &'a str {
        match self {
            Self::Person(person) => &person.name,
            Self::Team(team, _) => &team.name,
        }
    }

    fn display_name(&self) -> &'a str {
        match self {
            Self::Person(person) => &person.display_name,
            Self::Team(team, _) => &team.display_name,
        }
    }

    fn date_created(&self) -> Timestamp {
        match self {
            Self::Person(person) => person.date_created,
            Self::Team(team, _) => team.date_created,
        }
    }

    fn values(&self) -> Values<'a> {
        match self {
            Self::Person(person) => Values {
                is_valid: person.is_valid(),
                signed: person.signed,
                has_preferred_email: person.has_preferred_email,
                status: person.status,
                karma: person.karma,
                description: person.description.as_deref(),
                time_zone: &person.time_zone,
            },
            // 1: a team's `is_valid` is true, it is no signer, its status is "Unactivated"; 5: it has no address.
            Self::Team(..) => Values {
                is_valid: true,
                signed: false,
                has_preferred_email: false,
                status: AccountStatus::Unactivated,
                karma: 0,
                description: None,
                time_zone: "UTC",
            },
        }
    }

    /// launchpad.md, 1: a hash over the field values, karma too.
    pub(super) fn etag(&self, at: &At) -> String {
        let Values { is_valid, signed, has_preferred_email, status, karma, description, time_zone } = self.values();
        let owner = if let Self::Team(_, owner) = self { owner } else { "" };
        let fixed = format!(
            "{}\n{}\n{owner}\n{status:?}\n{is_valid}\n{signed}\n{has_preferred_email}\n{karma}\n{}",
            at.version(),
            self.name(),
            self.date_created(),
        );
        let free = Sha1::new().chain_update(self.display_name()).chain_update("\n").chain_update(time_zone);
        let free = free.chain_update("\n").chain_update(description.unwrap_or_default());
        format!("\"{}-{}\"", hex(&Sha1::digest(fixed)), hex(&free.finalize()))
    }
}

struct Values<'a> {
    is_valid: bool,
    signed: bool,
    has_preferred_email: bool,
    status: AccountStatus,
    karma: i64,
    description: Option<&'a str>,
    time_zone: &'a str,
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// launchpad.md, 2: ISO 8601 in UTC with microseconds; the fraction is missing where it is zero.
fn date(time: Timestamp) -> String {
    let form =
        if time.subsec_nanosecond() / 1_000 == 0 { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%dT%H:%M:%S.%6f+00:00" };
    time.strftime(form).to_string()
}

/// An entry as a version of the web service shows it.
pub(super) struct Shown<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) at: &'a At,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, at } = self;
        let (name, is_team, values) = (entry.name(), entry.is_team(), entry.values());
        let link = at.entry(name);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("self_link", &link)?;
        map.serialize_entry("web_link", &format!("https://launchpad.net/~{name}"))?;
        map.serialize_entry("resource_type_link", &at.kind(if is_team { "team" } else { "person" }))?;
        map.serialize_entry("http_etag", &entry.etag(at))?;
        // 1: a string in the place of a number.
        map.serialize_entry("id", REDACTED)?;
        map.serialize_entry("name", name)?;
        map.serialize_entry("display_name", entry.display_name())?;
        map.serialize_entry("is_team", &is_team)?;
        map.serialize_entry("is_valid", &values.is_valid)?;
        map.serialize_entry("is_ubuntu_coc_signer", &values.signed)?;
        map.serialize_entry("is_probationary", &false)?;
        map.serialize_entry("private", &false)?;
        map.serialize_entry("visibility", "Public")?;
        map.serialize_entry("date_created", &date(entry.date_created()))?;
        map.serialize_entry("karma", &values.karma)?;
        map.serialize_entry("description", &values.description)?;
        map.serialize_entry("hide_email_addresses", &true)?;
        // 1: null says that there is no preferred address; it is never the address.
        map.serialize_entry("preferred_email_address_link", &values.has_preferred_email.then_some(REDACTED))?;
        map.serialize_entry("mailing_list_auto_subscribe_policy", "Ask me when I join a team")?;
        map.serialize_entry("time_zone", values.time_zone)?;
        for nothing in ["archive_link", "homepage_content", "latitude", "longitude"] {
            map.serialize_entry(nothing, &())?;
        }
        for file in ["logo", "mugshot"] {
            map.serialize_entry(&format!("{file}_link"), &format!("{link}/{file}"))?;
        }
        for list in LISTS {
            map.serialize_entry(&format!("{list}_collection_link"), &format!("{link}/{list}"))?;
        }
        let owner = if let Entry::Team(_, owner) = entry { Some(at.entry(owner)) } else { None };
        map.serialize_entry("team_owner_link", &owner)?;
        if is_team {
            // 1: the names of these fields. Guess: their values.
            map.serialize_entry("membership_policy", "Restricted Team")?;
            map.serialize_entry("subscription_policy", "Restricted Team")?;
            map.serialize_entry("renewal_policy", "invite them to renew their own membership")?;
            map.serialize_entry("default_membership_period", &730)?;
            map.serialize_entry("default_renewal_period", &730)?;
            map.serialize_entry("team_description", &())?;
        }
        // 1: two fields more under `devel`.
        if at.is_devel() {
            map.serialize_entry("account_status", &values.status)?;
            map.serialize_entry("account_status_history", REDACTED)?;
        }
        map.end()
    }
}
