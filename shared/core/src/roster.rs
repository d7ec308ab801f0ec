//! The roster: the people of a team as its pages list them. Pages shift while they are read, so a roster is a filter, not
//! proof: no address is removed because of it alone.

use crate::alias::Reason;
use crate::member::{Fingerprint, ObservedName, PersonName};

/// A person on a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The current name.
    pub name: PersonName,
    /// The fingerprint beside it.
    pub fingerprint: Fingerprint,
    /// Whether the account is active and has a preferred address.
    pub is_valid: bool,
    /// Whether the Code of Conduct is signed.
    pub signed_code_of_conduct: bool,
}

impl RosterEntry {
    /// Checks whether the flags allow an address.
    pub fn check(&self) -> Result<(), Reason> {
        match self {
            Self { is_valid: false, .. } => Err(Reason::NotValid),
            Self { signed_code_of_conduct: false, .. } => Err(Reason::CodeOfConductWithdrawn),
            Self { .. } => Ok(()),
        }
    }
}

/// The people of a team, by name, including those of its sub-teams.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// Sorted by name, each name once.
    entries: Vec<RosterEntry>,
    /// Fingerprints shared by several people, sorted.
    shared: Vec<Fingerprint>,
    /// Whether the roster is from an earlier reading.
    is_remembered: bool,
}

impl Roster {
    /// Creates a roster. If a name was read on two pages, the last entry counts.
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

    /// The roster of an earlier reading. Its flags are unknown, so they count as unchanged.
    pub fn remembered(names: &Names) -> Self {
        let entries = names.0.iter().cloned().map(|(name, fingerprint)| RosterEntry {
            name,
            fingerprint,
            is_valid: true,
            signed_code_of_conduct: true,
        });
        Self { is_remembered: true, ..Self::new(entries.collect()) }
    }

    /// Whether the roster is from an earlier reading.
    pub fn is_remembered(&self) -> bool {
        self.is_remembered
    }

    /// Number of people.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the roster is empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All people, by name.
    pub fn entries(&self) -> &[RosterEntry] {
        &self.entries
    }

    /// The index of the entry with this name and fingerprint.
    pub(crate) fn place_of(&self, known_as: &ObservedName) -> Option<usize> {
        let place = self.entries.binary_search_by(|entry| entry.name.cmp(&known_as.name)).ok()?;
        (self.entries[place].fingerprint == known_as.fingerprint).then_some(place)
    }

    /// Whether several people of this roster share the fingerprint, which makes it weak evidence.
    pub fn is_shared(&self, fingerprint: Fingerprint) -> bool {
        self.shared.binary_search(&fingerprint).is_ok()
    }

    /// The names of this roster, for the comparison with a later one.
    pub fn names(&self) -> Names {
        Names(self.entries.iter().map(|entry| (entry.name.clone(), entry.fingerprint)).collect())
    }
}

/// The names and fingerprints of a roster, sorted. Entries of a later roster that are missing here are joiners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<(PersonName, Fingerprint)>);

impl Names {
    /// Whether the name was listed with this fingerprint.
    pub fn contains(&self, name: &PersonName, fingerprint: Fingerprint) -> bool {
        self.0.binary_search_by(|(one, other)| (one, other).cmp(&(name, &fingerprint))).is_ok()
    }

    /// Removes these names, so that they count as joiners in the next run.
    pub fn forget(&mut self, names: &[PersonName]) {
        self.0.retain(|(name, _)| !names.contains(name));
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line per name: name, space, fingerprint.
    pub fn to_text(&self) -> String {
        self.0.iter().map(|(name, fingerprint)| format!("{name} {fingerprint}\n")).collect()
    }

    /// Parses the format of [`to_text`](Self::to_text).
    pub fn from_text(text: &str) -> Option<Self> {
        let names = text.lines().map(|line| {
            let (name, fingerprint) = line.split_once(' ')?;
            Some((PersonName::parse(name).ok()?, Fingerprint(fingerprint.parse().ok()?)))
        });
        let mut names: Vec<_> = names.collect::<Option<_>>()?;
        names.sort_unstable();
        Some(Self(names))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{now, observed};

    fn entry(name: &str, fingerprint: i64) -> RosterEntry {
        let name = PersonName::parse(name).unwrap();
        RosterEntry { name, fingerprint: Fingerprint(fingerprint), is_valid: true, signed_code_of_conduct: true }
    }

    fn name(text: &str) -> PersonName {
        PersonName::parse(text).unwrap()
    }

    #[test]
    fn entry_needs_name_and_fingerprint() {
        let roster = Roster::new(vec![entry("zoe", 3), entry("ada", 1), entry("ben", 2)]);
        assert_eq!(roster.place_of(&observed("ben", 2, now())), Some(1));
        assert_eq!(roster.place_of(&observed("ben", 1, now())), None);
        assert_eq!(roster.place_of(&observed("cleo", 1, now())), None);
    }

    #[test]
    fn last_entry_counts_when_pages_shift() {
        let moved = RosterEntry { is_valid: false, ..entry("ada", 1) };
        let roster = Roster::new(vec![entry("ada", 1), entry("ben", 2), moved]);
        assert_eq!(roster.len(), 2);
        assert_eq!(roster.entries()[0].check(), Err(Reason::NotValid));
    }

    #[test]
    fn fingerprint_of_two_is_shared() {
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
