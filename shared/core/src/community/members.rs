//! The authority on people and teams.

use serde::{Deserialize, Serialize};
use url::Url;

use super::refuse_foreign;
use crate::member::TeamName;

/// A membership source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "SourceFile", into = "SourceFile")]
pub enum Members {
    /// Launchpad: the participants of a team, direct or through sub-teams.
    Launchpad(Launchpad),
    /// A GitLab server: the members of a group, direct or inherited from groups above it.
    GitLab(GitLab),
}

/// Launchpad's web service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launchpad {
    /// The name on pages and in mails: "Launchpad".
    pub title: String,
    /// The root URL without a version: `https://api.launchpad.net/`.
    pub api: Url,
    /// The prefixes of identifiers. If an identifier has no account under one prefix, the other is tried once.
    pub identifier_roots: Vec<String>,
}

/// A GitLab server, which is the sign-in provider too: the subject of an identity is the id of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitLab {
    /// The name on pages and in mails: "GNOME GitLab".
    pub title: String,
    /// The root URL of the server: `https://gitlab.example.org/`.
    pub url: Url,
    /// Members of a group below this access level get no address.
    pub minimum_access_level: AccessLevel,
    /// What the local part of a member's addresses is made of.
    pub local_part: LocalPartSource,
}

/// An access level of a GitLab group (`Gitlab::Access`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessLevel {
    /// 10: may look.
    Guest = 10,
    /// 15: may plan.
    Planner = 15,
    /// 20: may read the code.
    Reporter = 20,
    /// 30: may push.
    Developer = 30,
    /// 40: may maintain projects.
    Maintainer = 40,
    /// 50: may manage the group.
    Owner = 50,
}

impl AccessLevel {
    /// GitLab's number of the level.
    pub fn number(self) -> u32 {
        self as u32
    }
}

/// What the local part of an address is made of. Only what no two accounts of the source have at the same time is offered: a
/// display name is not, because anyone can choose another person's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LocalPartSource {
    /// The user name, which the ID token has as `preferred_username`.
    #[default]
    Username,
}

impl Members {
    /// The name of the source on pages and in mails.
    pub fn title(&self) -> &str {
        match self {
            Self::Launchpad(launchpad) => &launchpad.title,
            Self::GitLab(gitlab) => &gitlab.title,
        }
    }

    /// Replaces the root URL, for example with that of a fake.
    pub(super) fn relocate(&mut self, root: &Url) {
        match self {
            Self::Launchpad(launchpad) => launchpad.api = root.clone(),
            Self::GitLab(gitlab) => gitlab.url = root.clone(),
        }
    }

    /// Why the source has no team of this name; none if it can have one.
    pub(super) fn team_fault(&self, team: &TeamName) -> Option<&'static str> {
        let text = team.as_str();
        match self {
            Self::Launchpad(_) => {
                let has_first = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
                let is_name = text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'-'));
                let is_valid = has_first && is_name && text.len() >= 2;
                (!is_valid)
                    .then_some("not a Launchpad name: two or more of a-z, 0-9, +, . and -, the first a letter or digit")
            }
            Self::GitLab(_) => {
                let is_path =
                    text.split('/').all(|part| !part.is_empty() && !part.starts_with('-') && !part.contains('+'));
                (!is_path).then_some("not the full path of a GitLab group: names with / between")
            }
        }
    }
}

/// A source as the table `members` of a community file. A struct, because an error in it has its own line.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SourceFile {
    source: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identifier_roots: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum_access_level: Option<AccessLevel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    local_part: Option<LocalPartSource>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "launchpad")]
    Launchpad,
    #[serde(rename = "gitlab")]
    GitLab,
}

impl TryFrom<SourceFile> for Members {
    type Error = String;

    fn try_from(file: SourceFile) -> Result<Self, String> {
        match file.source {
            Kind::Launchpad => {
                let foreign = [
                    ("url", file.url.is_some()),
                    ("minimum-access-level", file.minimum_access_level.is_some()),
                    ("local-part", file.local_part.is_some()),
                ];
                refuse_foreign(&foreign, "Launchpad")?;
                Ok(Self::Launchpad(Launchpad {
                    title: file.title.unwrap_or_else(|| "Launchpad".to_owned()),
                    api: file.api.ok_or("missing field `api`")?,
                    identifier_roots: file.identifier_roots.ok_or("missing field `identifier-roots`")?,
                }))
            }
            Kind::GitLab => {
                let foreign = [("api", file.api.is_some()), ("identifier-roots", file.identifier_roots.is_some())];
                refuse_foreign(&foreign, "GitLab")?;
                Ok(Self::GitLab(GitLab {
                    title: file.title.unwrap_or_else(|| "GitLab".to_owned()),
                    url: file.url.ok_or("missing field `url`")?,
                    minimum_access_level: file.minimum_access_level.ok_or("missing field `minimum-access-level`")?,
                    local_part: file.local_part.unwrap_or_default(),
                }))
            }
        }
    }
}

impl From<Members> for SourceFile {
    fn from(members: Members) -> Self {
        let empty = Self {
            source: Kind::Launchpad,
            title: Some(members.title().to_owned()),
            api: None,
            identifier_roots: None,
            url: None,
            minimum_access_level: None,
            local_part: None,
        };
        match members {
            Members::Launchpad(Launchpad { api, identifier_roots, .. }) => {
                Self { api: Some(api), identifier_roots: Some(identifier_roots), ..empty }
            }
            Members::GitLab(gitlab) => Self {
                source: Kind::GitLab,
                url: Some(gitlab.url),
                minimum_access_level: Some(gitlab.minimum_access_level),
                local_part: Some(gitlab.local_part),
                ..empty
            },
        }
    }
}
