//! Members.

use jiff::Timestamp;
use membermail_core::audit::Comment;
use membermail_core::destination::DestinationId;
use membermail_core::eligibility::Observation;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{MemberId, ObservedName, PersonName};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::member_check::Check;
use crate::sealing::{Field, KeyContext, SealError, Sealed, Sealer};
use crate::table::{Condition, Store, attribute, item_exists, path};

/// The condition that the member exists and is not banned.
pub(crate) fn is_not_banned() -> Condition {
    item_exists().and(path("banned_at").not_exists())
}

/// A stored member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Our own id of the member.
    pub id: MemberId,
    /// Incremented to end all sessions of the member.
    pub session_epoch: u64,
    /// When an operator banned them, while the ban lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banned_at: Option<Timestamp>,
    /// Why, as the admin or operator told the member. It is not in the audit log, which outlives an erasure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ban_reason: Option<Comment>,
    /// When an operator last banned them or lifted a ban, in microseconds since 1970, which conditions can compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ban_changed_at: Option<i64>,
    /// The last observation of the membership source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Observation>,
    /// The surviving member of a link, which has the identities of both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<MemberId>,
    /// Members that were linked to this one. They keep their aliases, which are shown with this member.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MemberId>,
    /// The language of mails: the member's choice, or what the sign-in provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Whether the member chose the language. A sign-in changes only one that was not chosen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) language_chosen: bool,
    /// The key context that the member's key is derived with.
    #[serde(rename = "salt")]
    pub key_context: KeyContext,
    /// The number of granted addresses: an erasure is conditional on it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) grants: u64,
    /// The number of destinations that were added: an erasure is conditional on it, so that it misses none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) destinations_added: u64,
    /// The number of choices of destinations: a removal of a destination is conditional on it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) choices: u64,
    /// The number of identities that were added or removed: links, bans and further changes are conditional on it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) identity_changes: u64,
    /// The default destination, which new aliases forward to. None after an erasure, and while the sign-in address is in a
    /// domain of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationId>,
    /// The sealed sign-in address, until an erasure removes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sign_in: Option<Sealed>,
    /// The check against the membership source.
    #[serde(flatten)]
    pub check: Check,
}

/// The condition that a counter, which is absent at first, is as it was read.
pub(crate) fn is_count_as_read(name: &'static str, count: u64) -> Condition {
    path(name).eq_option((count > 0).then_some(count))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Member {
    /// Whether a ban is in force.
    pub fn is_banned(&self) -> bool {
        self.banned_at.is_some()
    }

    /// When an operator last banned them or lifted a ban.
    pub fn ban_changed_at(&self) -> Option<Timestamp> {
        self.ban_changed_at.and_then(|at| Timestamp::from_microsecond(at).ok())
    }

    /// The name in the last observation.
    pub fn name(&self) -> Option<&PersonName> {
        self.observation.as_ref().map(|observation| &observation.person.name)
    }

    /// The language that the member chose, if they did.
    pub fn chosen_language(&self) -> Option<&Language> {
        self.language.as_ref().filter(|_| self.language_chosen)
    }

    /// The ids of this member and of those that were linked to it.
    pub fn ids(&self) -> impl Iterator<Item = MemberId> {
        std::iter::once(self.id).chain(self.merged.iter().copied())
    }

    /// The name in the last observation, with its time.
    pub(crate) fn newest_name(&self) -> Option<ObservedName> {
        self.observation.as_ref().map(Observation::name)
    }

    /// The condition that links, identities and ban of the member are as they were read, with no link to another member.
    pub(crate) fn is_as_read(&self) -> Result<Condition, StoreError> {
        let merged = path("merged");
        let has_merged = merged.eq(attribute(&self.merged)?);
        let links_are_as_read = match self.merged.is_empty() {
            true => merged.not_exists().or(has_merged),
            false => has_merged,
        };
        let is_survivor = item_exists().and(path("merged_into").not_exists());
        let identities_are_as_read = is_count_as_read("identity_changes", self.identity_changes);
        Ok(is_survivor.and(links_are_as_read).and(identities_are_as_read).and(self.ban_is_as_read()))
    }

    pub(crate) fn ban_is_as_read(&self) -> Condition {
        let banned_at = path("banned_at");
        if self.is_banned() { banned_at.exists() } else { banned_at.not_exists() }
    }

    /// The condition that no address was granted, and no destination chosen, since the member was read.
    pub(crate) fn has_same_deliveries(&self) -> Condition {
        is_count_as_read("grants", self.grants).and(is_count_as_read("choices", self.choices))
    }

    /// Whether their personal data was crypto-shredded.
    pub fn is_erased(&self) -> bool {
        self.sign_in.is_none()
    }

    /// Opens the address of the last sign-in. An erased member has none.
    pub fn sign_in_address(&self, sealer: &Sealer) -> Result<Option<EmailAddress>, SealError> {
        self.sign_in.as_ref().map(|sealed| sealer.open(&self.key_context, self.id, Field::SignIn, sealed)).transpose()
    }
}

impl Store {
    /// Loads a member.
    pub async fn member(&self, id: MemberId) -> Result<Option<Member>, StoreError> {
        self.get(&keys::profile(id)).await
    }

    /// Loads a member, or the one that they were linked to.
    pub async fn survivor(&self, id: MemberId) -> Result<Option<Member>, StoreError> {
        match self.member(id).await? {
            Some(member) => self.survivor_of(member).await,
            None => Ok(None),
        }
    }

    /// This member, or the one that they were linked to.
    pub async fn survivor_of(&self, member: Member) -> Result<Option<Member>, StoreError> {
        match member.merged_into {
            Some(survivor) => self.member(survivor).await,
            None => Ok(Some(member)),
        }
    }
}
