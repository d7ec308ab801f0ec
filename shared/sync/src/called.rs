//! The member who has a name at this moment, by the word of the membership source: for a command that changes something.
//!
//! The table knows the name of the last look-up, which can be a week old, and a name passes to another person meanwhile.

use membermail_core::eligibility::{Observation, Person};
use membermail_core::member::{Identity, LaunchpadName, MemberId};
use membermail_membership::Error as SourceError;
use membermail_store::Member;

use crate::observe::{ObserveError, Observer};

/// Times that a name leads to another member after a look-up: an exchange of names takes two.
const TRIES: usize = 3;

/// Whom a name leads to.
#[derive(Debug)]
pub enum Called {
    /// The source gives one of their identities this name.
    Member(Box<Member>),
    /// No member was seen with this name.
    Unknown,
    /// This member had the name at an earlier look-up, and the source gives them another one now, or none. The person who
    /// has the name now did not sign in here, or was not looked up since.
    PassedOn {
        /// Who had it.
        member: MemberId,
        /// Their name now; none without an account.
        name: Option<LaunchpadName>,
    },
}

impl Observer<'_> {
    /// Looks up the member who had this name last, records the answer, and looks again where the name passed on.
    pub async fn called(&self, name: &LaunchpadName) -> Result<Called, ObserveError> {
        let mut former = Called::Unknown;
        for _ in 0..TRIES {
            let Some(found) = self.store.member_by_name(name).await? else { break };
            let id = found.id;
            let Some((member, identities)) = self.store.member_to_look_up(id).await? else { break };
            let Some(seen) = self.ask_for(&identities, name).await? else {
                return Ok(Called::PassedOn { member: id, name: None });
            };
            let is_theirs = seen.person.name == *name;
            let settled = self.record(member, Some(&seen), None).await?;
            if is_theirs && !settled.is_stale {
                let member = self.store.survivor(settled.member.id).await?.unwrap_or(*settled.member);
                return Ok(Called::Member(Box::new(member)));
            }
            former = Called::PassedOn { member: id, name: Some(seen.person.name) };
        }
        Ok(former)
    }

    /// The account with this name, or the first one that an identity leads to: a member who was linked can have several.
    async fn ask_for(&self, identities: &[Identity], name: &LaunchpadName) -> Result<Option<Observation>, SourceError> {
        let mut first = None;
        for identity in identities {
            let (person, observed_at) = self.ask(std::slice::from_ref(identity)).await?;
            let Some(person) = person else { continue };
            let seen = |person: Person| Observation { person, observed_at };
            if person.name == *name {
                return Ok(Some(seen(person)));
            }
            first = first.or_else(|| Some(seen(person)));
        }
        Ok(first)
    }
}
