//! Everything that is stored about a member, for the member.
//!
//! The names of the fields are stable: later releases only add some. Not exported are the key context and the hashes of
//! sessions, which are secrets of ours, and the names of operators, who are other persons.

mod gather;

use std::fmt;

use jiff::Timestamp;
use membermail_core::address::{Address, DomainName};
use membermail_core::admin::Permissions;
use membermail_core::alias::{Pause, Reason, Refusal, Status};
use membermail_core::audit::{Actor, Cause, Change, Comment, Entry, MemberChange};
use membermail_core::destination::{Confirmation, DestinationId, DestinationState, Failures};
use membermail_core::eligibility::{Account, CheckState, Outcome};
use membermail_core::email::EmailAddress;
use membermail_core::failing::Failing;
use membermail_core::language::Language;
use membermail_core::member::{Fingerprint, MemberId, PersonName};
use membermail_core::random::Random;
use serde::Serialize;
use ulid::Ulid;

use crate::audit;
use crate::error::StoreError;
use crate::table::Store;
use crate::test_messages::TestMessage;

/// The format of the document.
const FORMAT: &str = "membermail-export/1";

/// Everything stored about a member and the members linked to them. It contains e-mail addresses.
#[derive(Clone, Debug, Serialize)]
pub struct Export {
    /// The name and version of the format.
    pub format: &'static str,
    /// When the data was read.
    pub exported_at: Timestamp,
    /// The member, followed by those that were linked to it.
    pub members: Vec<ExportedMember>,
}

/// An opened e-mail address.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ExportedEmail(String);

impl ExportedEmail {
    /// The text, for the member's own page and file.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<EmailAddress> for ExportedEmail {
    fn from(address: EmailAddress) -> Self {
        Self(address.expose().to_owned())
    }
}

impl fmt::Debug for ExportedEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExportedEmail([redacted])")
    }
}

/// One member.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedMember {
    /// Our id of the member.
    pub id: MemberId,
    /// The member that this one was linked to.
    pub linked_to: Option<MemberId>,
    /// The address of the last sign-in; none after an erasure.
    pub sign_in_address: Option<ExportedEmail>,
    /// The language of mails and pages.
    pub language: Option<Language>,
    /// Whether the member chose it.
    pub is_language_chosen: bool,
    /// When an operator banned the member, while the ban lasts.
    pub banned_at: Option<Timestamp>,
    /// Why, as the member was told.
    pub ban_reason: Option<Comment>,
    /// The destination that new addresses forward to.
    pub default_destination: Option<DestinationId>,
    /// What the membership source said.
    pub observation: Option<ExportedObservation>,
    /// The last check against the membership source.
    pub check: ExportedCheck,
    /// The accounts at the sign-in provider.
    pub identities: Vec<ExportedIdentity>,
    /// The addresses.
    pub addresses: Vec<ExportedAddress>,
    /// The addresses ever granted and the operator's limit, per domain.
    pub grants: Vec<ExportedGrants>,
    /// Why the member has no address at a domain.
    pub refusals: Vec<ExportedRefusal>,
    /// The mailboxes, also removed ones that a change can bring back.
    pub destinations: Vec<ExportedDestination>,
    /// The sessions that have not ended.
    pub sessions: Vec<ExportedSession>,
    /// The last test message to each address.
    pub test_messages: Vec<TestMessage>,
    /// Changes that the owner of an old destination can revert.
    pub revertible_changes: Vec<ExportedUndo>,
    /// The domains that the member administers.
    pub admin_of: Vec<ExportedAdmin>,
    /// What was changed, and by whom.
    pub history: Vec<ExportedEntry>,
}

/// What the membership source said about the person.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedObservation {
    /// The name.
    pub name: PersonName,
    /// The fingerprint of the account (at Launchpad: when it was created, in microseconds since 1970).
    pub fingerprint: Fingerprint,
    /// The state of the account.
    pub account: Account,
    /// Whether the Code of Conduct is signed.
    pub signed_code_of_conduct: bool,
    /// When it said that.
    pub observed_at: Timestamp,
}

/// A check against the membership source.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedCheck {
    /// The progress.
    pub state: CheckState,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// When it ended.
    pub checked_at: Option<Timestamp>,
    /// The outcome.
    pub outcome: Option<Outcome>,
}

/// An account at the sign-in provider.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedIdentity {
    /// The provider.
    pub issuer: String,
    /// The account.
    pub subject: String,
    /// When it was added; unknown for the first one of a member who signed in before this was recorded.
    pub since: Option<Timestamp>,
    /// The member that had it before a link.
    pub came_from: Option<MemberId>,
}

/// An address.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedAddress {
    /// The address.
    pub address: Address,
    /// Its status.
    pub status: Status,
    /// The reason for the status.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
    /// The end of the grace period, or of the time in which it can be restored.
    pub until: Option<Timestamp>,
    /// The member's own switch.
    pub paused: Option<Pause>,
    /// The destinations that it forwards to.
    pub destinations: Vec<DestinationId>,
    /// The name at the membership source.
    pub name: PersonName,
    /// The fingerprint of the account with that name.
    pub fingerprint: Fingerprint,
    /// When that name was observed.
    pub name_observed_at: Timestamp,
    /// Rejected mail.
    pub failing: Option<Failing>,
}

/// The grants in a domain.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedGrants {
    /// The domain.
    pub domain: String,
    /// All addresses that were ever granted there.
    pub addresses: Vec<Address>,
    /// The limit that an operator set.
    pub limit: Option<u16>,
}

/// Why the member has no address at a domain.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedRefusal {
    /// The domain.
    pub domain: DomainName,
    /// The reason.
    #[serde(flatten)]
    pub refusal: Refusal,
    /// Since when.
    pub since: Timestamp,
}

/// A mailbox.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedDestination {
    /// The id, which addresses list.
    pub id: DestinationId,
    /// The address.
    pub address: ExportedEmail,
    /// The state.
    pub state: DestinationState,
    /// When it was added.
    pub created: Timestamp,
    /// How and when it was confirmed.
    pub confirmed: Option<Confirmation>,
    /// When a confirmation code was last requested and not used yet.
    pub confirmation_requested: Option<Timestamp>,
    /// Rejected mail.
    pub failures: Option<Failures>,
    /// When it was removed.
    pub removed: Option<Timestamp>,
}

/// A session.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedSession {
    /// The sign-in.
    pub created: Timestamp,
    /// The last use, to within a few minutes.
    pub last_seen: Timestamp,
}

/// A change that can be reverted.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedUndo {
    /// The change.
    pub id: Ulid,
    /// When it was made.
    pub at: Timestamp,
    /// The destination that it added.
    pub added: Option<DestinationId>,
    /// The destination that it removed.
    pub removed: Option<DestinationId>,
    /// The destinations of each address before it.
    pub before: Vec<ExportedBefore>,
    /// When it was reverted.
    pub reverted: Option<Timestamp>,
}

/// The destinations of an address before a change.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedBefore {
    /// The address.
    pub address: Address,
    /// The destinations.
    pub destinations: Vec<DestinationId>,
}

/// A domain that the member administers.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedAdmin {
    /// The domain.
    pub domain: DomainName,
    /// Since when.
    pub since: Timestamp,
    /// What they may do there.
    pub permissions: Permissions,
}

/// An entry of the history, without the name of the operator.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedEntry {
    /// Sorts by time.
    pub id: Ulid,
    /// The time.
    pub at: Timestamp,
    /// Who made the change.
    pub actor: Actor,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
}

impl From<Entry> for ExportedEntry {
    fn from(Entry { id, at, actor, change, .. }: Entry) -> Self {
        Self { id, at, actor, change }
    }
}

impl Store {
    /// Records that the data of a member was exported.
    pub async fn record_export(
        &self,
        member: MemberId,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<(), StoreError> {
        let entry = Entry::new(Change::Member { member, did: MemberChange::Exported }, cause, random);
        self.commit(audit::record(&entry)?).await?.committed()
    }
}
