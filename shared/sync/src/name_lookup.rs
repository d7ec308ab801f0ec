//! Finds the member who has a name at the membership source now, according to the membership source. Operator commands that change a member
//! use it.
//!
//! The table has the name of the last look-up, which can be a week old; the name may belong to another person by now.

use membermail_core::eligibility::Observation;
use membermail_core::member::{Identity, MemberId, PersonName};
use membermail_membership::Error as SourceError;
use membermail_store::Member;

use crate::observe::{ObserveError, Observer};

/// Maximum look-ups. Two members who exchanged their names take two.
const MAX_LOOKUPS: usize = 3;

/// The result of looking a name up.
#[derive(Debug)]
pub enum NameLookup {
    /// The source confirms that one of the member's identities has the name.
    Member(Box<Member>),
    /// No member had the name at an earlier look-up.
    Unknown,
    /// A member had the name at an earlier look-up, but has another or no name now. The current holder never signed in here,
    /// or was not looked up since.
    PassedOn {
        /// The former holder.
        member: MemberId,
        /// The former holder's current name; `None` without an account.
        name: Option<PersonName>,
    },
    /// This member had the name at an earlier look-up, and the source knows none of their identities.
    Unconfirmed(MemberId),
}

impl Observer<'_> {
    /// Looks up the last known holder of a name, records the observation, and repeats this if the name has passed on.
    pub async fn look_up_name(&self, name: &PersonName) -> Result<NameLookup, ObserveError> {
        let mut former = NameLookup::Unknown;
        for _ in 0..MAX_LOOKUPS {
            let Some(found) = self.store.member_by_name(name).await? else { break };
            let id = found.id;
            let Some((member, identities)) = self.store.member_to_look_up(id).await? else { break };
            if !identities.iter().any(|identity| self.source.is_authority_on(identity)) {
                return Ok(NameLookup::Unconfirmed(id));
            }
            let Some(seen) = self.fetch_by_name(&identities, name).await? else {
                return Ok(NameLookup::PassedOn { member: id, name: None });
            };
            let has_name = seen.person.name == *name;
            let recorded = self.record(member, Some(&seen), None).await?;
            if has_name && !recorded.is_stale {
                let member = self.store.survivor(recorded.member.id).await?.unwrap_or(*recorded.member);
                return Ok(NameLookup::Member(Box::new(member)));
            }
            former = NameLookup::PassedOn { member: id, name: Some(seen.person.name) };
        }
        Ok(former)
    }

    /// The account with this name, or else the first account of these identities.
    async fn fetch_by_name(
        &self,
        identities: &[Identity],
        name: &PersonName,
    ) -> Result<Option<Observation>, SourceError> {
        let (person, observed_at) = self.fetch_preferred(identities, &|person| person.name == *name).await?;
        Ok(person.person().map(|person| Observation { person, observed_at }))
    }
}
