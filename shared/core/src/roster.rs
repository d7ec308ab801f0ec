//! Who takes part in a team, as it was read: small enough for a hundred thousand people, and quick to ask.

use std::collections::HashMap;

use crate::address::LocalPart;
use crate::alias::Reason;
use crate::eligibility::Person;
use crate::member::{LaunchpadId, LaunchpadName};

/// One participant who is a person.
#[derive(Clone, Debug)]
pub(crate) struct Participant {
    pub(crate) id: LaunchpadId,
    pub(crate) name: LaunchpadName,
    is_valid: bool,
    signed_code_of_conduct: bool,
}

impl Participant {
    /// Whether the flags of the account allow an address, or which does not.
    pub(crate) fn eligible(&self) -> Result<(), Reason> {
        match self {
            Self { is_valid: false, .. } => Err(Reason::NotValid),
            Self { signed_code_of_conduct: false, .. } => Err(Reason::CodeOfConductWithdrawn),
            Self { .. } => Ok(()),
        }
    }
}

/// The people of a team; teams within it are skipped, since their people are participants themselves.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Sorted by id.
    people: Vec<Participant>,
    /// Places of `people`.
    by_name: HashMap<LaunchpadName, u32>,
}

impl Roster {
    /// Of these participants, in any order.
    pub fn new(participants: impl IntoIterator<Item = Person>) -> Self {
        let mut people: Vec<_> = participants
            .into_iter()
            .filter(|person| !person.is_team)
            .map(|Person { id, name, is_valid, signed_code_of_conduct, is_team: _ }| Participant {
                id,
                name,
                is_valid,
                signed_code_of_conduct,
            })
            .collect();
        people.sort_unstable_by_key(|participant| participant.id);
        people.dedup_by_key(|participant| participant.id);
        let by_name = people.iter().zip(0..).map(|(participant, place)| (participant.name.clone(), place)).collect();
        Self { people, by_name }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    pub(crate) fn people(&self) -> &[Participant] {
        &self.people
    }

    /// The place of the participant with this id.
    pub(crate) fn place_of(&self, id: LaunchpadId) -> Option<usize> {
        self.people.binary_search_by_key(&id, |participant| participant.id).ok()
    }

    /// The place of the participant who would get this local part.
    pub(crate) fn place_of_name(&self, local_part: &LocalPart) -> Option<usize> {
        let name = LaunchpadName::parse(local_part.as_str()).ok()?;
        self.by_name.get(&name).and_then(|place| usize::try_from(*place).ok())
    }
}
