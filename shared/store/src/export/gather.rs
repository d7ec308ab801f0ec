//! Gathers an export: one query of the partition of each member, and the items elsewhere that belong to them.

use jiff::Timestamp;
use membermail_core::alias::Alias;
use membermail_core::audit::Entry;
use membermail_core::destination::Destination;
use membermail_core::eligibility::Observation;
use membermail_core::member::MemberId;

use super::{
    Export, ExportedAddress, ExportedAdmin, ExportedBefore, ExportedCheck, ExportedDestination, ExportedGrants,
    ExportedIdentity, ExportedMember, ExportedObservation, ExportedRefusal, ExportedSession, ExportedUndo, FORMAT,
};
use crate::admins::AdminBinding;
use crate::aliases::{Stored as StoredAliasItem, StoredAlias};
use crate::destinations::{StoredDestination, StoredUndo};
use crate::error::StoreError;
use crate::failing::Stored as StoredFailing;
use crate::grants::Addresses;
use crate::identities::StoredIdentity;
use crate::keys::{self, Key, MemberItem};
use crate::members::Member;
use crate::refusals::Stored as StoredRefusal;
use crate::sealing::Sealer;
use crate::table::{Consistency, Item, Query, Store, decode};
use crate::test_messages::TestMessage;

/// The items of a member's partition by kind.
#[derive(Default)]
struct Partition {
    profile: Option<Member>,
    identities: Vec<StoredIdentity>,
    grants: Vec<(String, Addresses)>,
    refusals: Vec<StoredRefusal>,
    destinations: Vec<StoredDestination>,
    tests: Vec<TestMessage>,
    undo: Vec<StoredUndo>,
    history: Vec<Entry>,
}

impl Partition {
    fn add(&mut self, item: Item) -> Result<(), StoreError> {
        let sk = Key::of_item(&item)?.sk;
        let unknown = || StoreError::corrupt("MEMBER", "an item of a kind that this release does not know");
        match MemberItem::of(&sk).ok_or_else(unknown)? {
            MemberItem::Profile => self.profile = Some(decode(item)?),
            MemberItem::Identity => self.identities.push(decode(item)?),
            MemberItem::Addresses => {
                let domain = sk.strip_prefix(keys::ADDRESSES).unwrap_or_default().to_owned();
                self.grants.push((domain, decode(item)?));
            }
            MemberItem::Refusal => self.refusals.push(decode(item)?),
            MemberItem::Destination => self.destinations.push(decode(item)?),
            MemberItem::TestMessage => self.tests.push(decode(item)?),
            MemberItem::Undo => self.undo.push(decode(item)?),
            MemberItem::History => self.history.push(decode(item)?),
            // It has only the hash of a session; the session itself is loaded by it.
            MemberItem::Session => {}
        }
        Ok(())
    }
}

impl Store {
    /// Everything stored about a member and the members linked to them, with opened addresses.
    pub async fn export(&self, sealer: &Sealer, member: &Member, now: Timestamp) -> Result<Export, StoreError> {
        let mut members = Vec::new();
        for id in member.ids() {
            members.extend(self.export_one(sealer, id, now).await?);
        }
        Ok(Export { format: FORMAT, exported_at: now, members })
    }

    async fn export_one(
        &self,
        sealer: &Sealer,
        id: MemberId,
        now: Timestamp,
    ) -> Result<Option<ExportedMember>, StoreError> {
        let mut partition = Partition::default();
        let query = Query::partition(keys::profile(id).pk, Consistency::Strong);
        self.for_each(&query, |item| partition.add(item)).await?;
        let Partition { profile, identities, grants, refusals, destinations, tests, undo, history } = partition;
        let Some(profile) = profile else { return Ok(None) };
        let sign_in_address = profile.sign_in_address(sealer)?.map(Into::into);
        let open = |stored: StoredDestination| {
            let address = stored.address(sealer, &profile.key_context)?;
            Ok::<_, StoreError>(export_destination(stored.destination, address.into(), now))
        };
        let destinations = destinations.into_iter().map(open).collect::<Result<_, _>>()?;
        let addresses = self.exported_addresses(id).await?;
        // Sessions belong to the member who signed in, also after a link.
        let own = Member { merged: Vec::new(), ..profile.clone() };
        let sessions = self.sessions_of(&own, now).await?.into_iter();
        Ok(Some(ExportedMember {
            id,
            linked_to: profile.merged_into,
            sign_in_address,
            is_language_chosen: profile.chosen_language().is_some(),
            language: profile.language,
            banned_at: profile.banned_at,
            ban_reason: profile.ban_reason,
            default_destination: profile.destination,
            observation: profile.observation.map(export_observation),
            check: ExportedCheck {
                state: profile.check.state_at(now),
                requested_at: profile.check.requested_at,
                checked_at: profile.check.checked_at,
                outcome: profile.check.outcome,
            },
            identities: identities.into_iter().map(export_identity).collect(),
            addresses,
            grants: grants.into_iter().map(export_grants).collect(),
            refusals: refusals.into_iter().map(export_refusal).collect(),
            destinations,
            sessions: sessions
                .map(|listed| ExportedSession { created: listed.session.created, last_seen: listed.session.last_seen })
                .collect(),
            test_messages: tests,
            revertible_changes: undo.into_iter().map(export_undo).collect(),
            admin_of: self.domains_administered_by(id).await?,
            history: history.into_iter().map(Into::into).collect(),
        }))
    }

    async fn exported_addresses(&self, id: MemberId) -> Result<Vec<ExportedAddress>, StoreError> {
        let keys: Vec<_> = self.addresses_of(id).await?.iter().map(keys::alias).collect();
        let aliases: Vec<StoredAliasItem> = self.get_all(&keys).await?;
        let mut exported = Vec::new();
        for stored in aliases.into_iter().map(StoredAlias::from).filter(|stored| stored.alias.member == id) {
            let failing: Option<StoredFailing> = self.get(&keys::failing(&stored.alias.address)).await?;
            let failing = failing.filter(|failing| failing.owner == id).map(|failing| failing.failing);
            let StoredAlias { alias, destinations, paused } = stored;
            let Alias { address, known_as, status, reason, since, until, .. } = alias;
            exported.push(ExportedAddress {
                address,
                status,
                reason,
                since,
                until,
                paused,
                destinations,
                name: known_as.name,
                fingerprint: known_as.fingerprint,
                name_observed_at: known_as.observed_at,
                failing,
            });
        }
        exported.sort_by(|one, other| one.address.cmp(&other.address));
        Ok(exported)
    }

    /// The domains that a member administers, among all that have ever been configured.
    pub(crate) async fn domains_administered_by(&self, id: MemberId) -> Result<Vec<ExportedAdmin>, StoreError> {
        let mut administered = Vec::new();
        for listed in self.listed_domains().await? {
            let binding: Option<AdminBinding> = self.get(&keys::admin(&listed.domain, id)).await?;
            administered.extend(binding.map(|AdminBinding { since, permissions, .. }| ExportedAdmin {
                domain: listed.domain,
                since,
                permissions,
            }));
        }
        Ok(administered)
    }
}

fn export_observation(Observation { person, observed_at }: Observation) -> ExportedObservation {
    ExportedObservation {
        name: person.name,
        fingerprint: person.fingerprint,
        account: person.account,
        signed_code_of_conduct: person.signed_code_of_conduct,
        observed_at,
    }
}

fn export_identity(StoredIdentity { identity, since, came_from }: StoredIdentity) -> ExportedIdentity {
    ExportedIdentity { issuer: identity.issuer, subject: identity.subject.as_str().to_owned(), since, came_from }
}

fn export_grants((domain, Addresses { limit, held }): (String, Addresses)) -> ExportedGrants {
    ExportedGrants { domain, addresses: held.into_iter().collect(), limit }
}

fn export_refusal(StoredRefusal { domain, refusal, since }: StoredRefusal) -> ExportedRefusal {
    ExportedRefusal { domain, refusal, since }
}

fn export_destination(destination: Destination, address: super::ExportedEmail, now: Timestamp) -> ExportedDestination {
    ExportedDestination {
        id: destination.id,
        address,
        state: destination.state(now),
        created: destination.created,
        confirmed: destination.confirmed,
        confirmation_requested: destination.pending.map(|pending| pending.requested_at),
        failures: destination.failures,
        removed: destination.removed,
    }
}

fn export_undo(stored: StoredUndo) -> ExportedUndo {
    let before = stored.before.into_iter();
    ExportedUndo {
        id: stored.id,
        at: stored.at,
        added: stored.destinations.added,
        removed: stored.destinations.removed,
        before: before
            .map(|before| ExportedBefore { address: before.alias, destinations: before.destinations })
            .collect(),
        reverted: stored.reverted,
    }
}
