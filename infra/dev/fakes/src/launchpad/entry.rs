//! Entries of people and teams (launchpad.md, section 1).

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use sha1::{Digest, Sha1};

use super::api_root::ApiRoot;
use crate::community::{AccountStatus, Community, PageState, Person, Team};

/// The replacement of values that the client may not see.
pub(super) const REDACTED: &str = "tag:launchpad.net:2008:redacted";
/// Collections of a person or team, with their names below the entry.
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

/// A person, or a team with the name of its owner.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    Person(&'a Person),
    Team(&'a Team, &'a str),
}

impl<'a> Entry<'a> {
    /// The entry with this key.
    pub(super) fn of(community: &'a Community, key: &str) -> Option<Self> {
        if let Some(person) = community.person(key) {
            return Some(Self::Person(person));
        }
        let (_, team) = community.team(key)?;
        Some(Self::Team(team, community.name_of(&team.owner)))
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

    fn values(&self) -> Values<'a> {
        match self {
            Self::Person(person) => Values {
                display_name: &person.display_name,
                date_created: person.date_created,
                is_valid: person.is_valid(),
                signed: person.signed,
                has_preferred_email: person.has_preferred_email,
                status: person.status,
                karma: person.karma,
                description: person.description.as_deref(),
                time_zone: &person.time_zone,
            },
            // 1: a team is valid, no signer of the Code of Conduct, and "Unactivated"; 5: it has no address.
            Self::Team(team, _) => Values {
                display_name: &team.display_name,
                date_created: team.date_created,
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

    /// launchpad.md, 1: a hash of the field values, including karma.
    pub(super) fn etag(&self, root: &ApiRoot) -> String {
        let mut values = self.values();
        let description = values.description.take().unwrap_or_default();
        let owner = if let Self::Team(_, owner) = self { owner } else { "" };
        let fields = format!("{} {} {owner} {values:?}", root.version(), self.name());
        format!("\"{}-{}\"", hex(&Sha1::digest(fields)), hex(&Sha1::digest(description)))
    }
}

#[derive(Debug)]
struct Values<'a> {
    display_name: &'a str,
    date_created: Timestamp,
    is_valid: bool,
    signed: bool,
    has_preferred_email: bool,
    status: AccountStatus,
    karma: i64,
    description: Option<&'a str>,
    time_zone: &'a str,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// launchpad.md, 2: ISO 8601 in UTC with microseconds; a fraction of zero is omitted.
fn date(time: Timestamp) -> String {
    let format =
        if time.subsec_nanosecond() / 1_000 == 0 { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%dT%H:%M:%S.%6f+00:00" };
    time.strftime(format).to_string()
}

/// An entry as JSON of a version of the web service.
pub(super) struct EntryJson<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) root: &'a ApiRoot,
}

impl Serialize for EntryJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { entry, root } = self;
        let name = entry.name();
        let is_team = entry.is_team();
        let values = entry.values();
        let link = root.entry(name);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("self_link", &link)?;
        map.serialize_entry("web_link", &format!("https://launchpad.net/~{name}"))?;
        map.serialize_entry("resource_type_link", &root.kind(if is_team { "team" } else { "person" }))?;
        map.serialize_entry("http_etag", &entry.etag(root))?;
        // 1: a string instead of a number.
        map.serialize_entry("id", REDACTED)?;
        map.serialize_entry("name", name)?;
        map.serialize_entry("display_name", values.display_name)?;
        map.serialize_entry("is_team", &is_team)?;
        map.serialize_entry("is_valid", &values.is_valid)?;
        map.serialize_entry("is_ubuntu_coc_signer", &values.signed)?;
        map.serialize_entry("is_probationary", &false)?;
        map.serialize_entry("private", &false)?;
        map.serialize_entry("visibility", "Public")?;
        map.serialize_entry("date_created", &date(values.date_created))?;
        map.serialize_entry("karma", &values.karma)?;
        map.serialize_entry("description", &values.description)?;
        map.serialize_entry("hide_email_addresses", &true)?;
        // 1: null means that there is no preferred address; the address itself never appears.
        map.serialize_entry("preferred_email_address_link", &values.has_preferred_email.then_some(REDACTED))?;
        map.serialize_entry("mailing_list_auto_subscribe_policy", "Ask me when I join a team")?;
        map.serialize_entry("time_zone", values.time_zone)?;
        for name in ["archive_link", "homepage_content", "latitude", "longitude"] {
            map.serialize_entry(name, &())?;
        }
        for file in ["logo", "mugshot"] {
            map.serialize_entry(&format!("{file}_link"), &format!("{link}/{file}"))?;
        }
        for list in LISTS {
            map.serialize_entry(&format!("{list}_collection_link"), &format!("{link}/{list}"))?;
        }
        let owner = if let Entry::Team(_, owner) = entry { Some(root.entry(owner)) } else { None };
        map.serialize_entry("team_owner_link", &owner)?;
        if is_team {
            // 1 lists these fields. Guess: their values.
            map.serialize_entry("membership_policy", "Restricted Team")?;
            map.serialize_entry("subscription_policy", "Restricted Team")?;
            map.serialize_entry("renewal_policy", "invite them to renew their own membership")?;
            map.serialize_entry("default_membership_period", &730)?;
            map.serialize_entry("default_renewal_period", &730)?;
            map.serialize_entry("team_description", &())?;
        }
        // 1: additional fields of `devel`.
        if root.is_devel() {
            map.serialize_entry("account_status", &values.status)?;
            map.serialize_entry("account_status_history", REDACTED)?;
        }
        map.end()
    }
}
