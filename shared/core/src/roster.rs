//! The people of a team as its pages list them. Pages shift while they are read, so a roster is a filter and no proof:
//! nothing is removed on its word alone.

use crate::alias::Reason;
use crate::member::{Fingerprint, LaunchpadName, ObservedName};

/// One person on a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The name just now.
    pub name: LaunchpadName,
    /// The fingerprint beside it.
    pub fingerprint: Fingerprint,
    /// An active account with a preferred address.
    pub is_valid: bool,
    /// Signed the Code of Conduct.
    pub signed_code_of_conduct: bool,
}

impl RosterEntry {
    /// Whether the flags allow an address, or which does not.
    pub fn check(&self) -> Result<(), Reason> {
        match self {
            Self { is_valid: false, .. } => Err(Reason::NotValid),
            Self { signed_code_of_conduct: false, .. } => Err(Reason::CodeOfConductWithdrawn),
            Self { .. } => Ok(()),
        }
    }
}

/// The people of a team, by name. Teams within it are left out: their people are on the pages themselves.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Sorted by name, each name once.
    entries: Vec<RosterEntry>,
    /// Fingerprints that several people have, sorted.
    shared: Vec<Fingerprint>,
    /// Whether it is of an earlier reading.
    is_remembered: bool,
}

impl Roster {
    /// Of these people, in any order. A name that came twice was seen on two pages: the last one counts.
    pub fn new(mut entries: Vec<RosterEntry>) -> Self {
        entries.reverse();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries.dedup_by(|later, first| later.name == first.name);
        entries.shrink_to_fit();
        let mut fingerprints: Vec<_> = entries.iter().map(|entry| entry.fingerprint).collect();
        fingerprints.sort_unstable();
        let mut shared: Vec<_> =
            fingerprints.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        shared.dedup();
        Self { entries, shared, is_remembered: false }
    }

    /// The people of an earlier reading. Their flags are not known, so they count as unchanged.
    pub fn remembered(names: &Names) -> Self {
        let entry = |(name, fingerprint): &(LaunchpadName, Fingerprint)| RosterEntry {
            name: name.clone(),
            fingerprint: *fingerprint,
            is_valid: true,
            signed_code_of_conduct: true,
        };
        Self { is_remembered: true, ..Self::new(names.0.iter().map(entry).collect()) }
    }

    /// Whether it is of an earlier reading.
    pub fn is_remembered(&self) -> bool {
        self.is_remembered
    }

    /// How many people there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no people.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All people, by name.
    pub fn entries(&self) -> &[RosterEntry] {
        &self.entries
    }

    /// The place of the person with this name and fingerprint. One of the two alone says nothing.
    pub fn find(&self, name: &LaunchpadName, fingerprint: Fingerprint) -> Option<usize> {
        let place = self.entries.binary_search_by(|entry| entry.name.cmp(name)).ok()?;
        (self.entries[place].fingerprint == fingerprint).then_some(place)
    }

    /// The place of the person that an alias is known by.
    pub(crate) fn place_of(&self, known_as: &ObservedName) -> Option<usize> {
        self.find(&known_as.name, known_as.fingerprint)
    }

    /// Whether several people of this roster have the fingerprint, so that it is weak evidence.
    pub fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        self.shared.binary_search(&fingerprint).is_ok()
    }

    /// The names of this roster, to be compared with a later one.
    pub fn names(&self) -> Names {
        Names(self.entries.iter().map(|entry| (entry.name.clone(), entry.fingerprint)).collect())
    }
}

/// The names and fingerprints of a roster, sorted. A later roster's joiners are the entries that are not among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<(LaunchpadName, Fingerprint)>);

impl Names {
    /// Whether a name was there with that fingerprint.
    pub fn contains(&self, name: &LaunchpadName, fingerprint: Fingerprint) -> bool {
        self.0.binary_search_by(|(one, other)| (one, other).cmp(&(name, &fingerprint))).is_ok()
    }

    /// Leaves out these names, so that they count as joiners of the next roster.
    pub fn forget(&mut self, names: &[LaunchpadName]) {
        self.0.retain(|(name, _)| !names.contains(name));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line each: the name, a space, the fingerprint.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|(name, fingerprint)| format!("{name} {fingerprint}\n")).collect()
    }

    /// Reads what [`to_text`](Self::to_text) wrote; nothing, where it is something else.
    pub fn from_text(text: &str) -> Option<Self> {
        let line = |line: &str| {
            let (name, fingerprint) = line.split_once(' ')?;
            Some((LaunchpadName::parse(name).ok()?, Fingerprint(fingerprint.parse().ok()?)))
        };
        let mut names: Vec<_> = text.lines().map(line).collect::<Option<_>>()?;
        names.sort_unstable();
        Some(Self(names))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, fingerprint: i64) -> RosterEntry {
        let name = LaunchpadName::parse(name).unwrap();
        RosterEntry { name, fingerprint: Fingerprint(fingerprint), is_valid: true, signed_code_of_conduct: true }
    }

    fn name(text: &str) -> LaunchpadName {
        LaunchpadName::parse(text).unwrap()
    }

    #[test]
    fn person_is_found_by_name_and_fingerprint() {
        let roster = Roster::new(vec![entry("zoe", 3), entry("ada", 1), entry("ben", 2)]);
        assert_eq!(roster.find(&name("ben"), Fingerprint(2)), Some(1));
        assert_eq!(roster.find(&name("ben"), Fingerprint(1)), None);
        assert_eq!(roster.find(&name("cleo"), Fingerprint(1)), None);
    }

    #[test]
    fn last_entry_counts_when_pages_shift() {
        let moved = RosterEntry { is_valid: false, ..entry("ada", 1) };
        let roster = Roster::new(vec![entry("ada", 1), entry("ben", 2), moved]);
        assert_eq!(roster.len(), 2);
        assert_eq!(roster.entries()[0].check(), Err(Reason::NotValid));
    }

    #[test]
    fn fingerprint_is_shared_when_two_have_it() {
        let roster = Roster::new(vec![entry("ada", 1), entry("ben", 2), entry("cleo", 1)]);
        assert!(roster.is_shared(Fingerprint(1)));
        assert!(!roster.is_shared(Fingerprint(2)) && !roster.is_shared(Fingerprint(3)));
    }

    #[test]
    fn names_reject_damaged_text() {
        for text in ["ada", "ada x", "Ada 1", "ada 1 2"] {
            assert_eq!(Names::from_text(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn names_survive_a_round_trip(people in proptest::collection::btree_map("[a-z]{2,8}", any::<i64>(), 0..20)) {
            let entries: Vec<_> = people.iter().map(|(name, fingerprint)| entry(name, *fingerprint)).collect();
            let names = Roster::new(entries).names();
            prop_assert_eq!(Names::from_text(&names.to_text()), Some(names.clone()));
            for (text, fingerprint) in &people {
                prop_assert!(names.contains(&name(text), Fingerprint(*fingerprint)));
                prop_assert!(!names.contains(&name(text), Fingerprint(fingerprint.wrapping_add(1))));
            }
        }
    }
}
