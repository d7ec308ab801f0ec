//! The first phase of planning: the aliases of a domain against the roster of its team.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use crate::address::{DomainName, LocalPart};
use crate::alias::{Alias, Reason, Status};
use crate::community::Rules;
use crate::lifecycle::{Action, next_action};
use crate::member::{MemberId, ObservedName, PersonName};
use crate::reserved::ReservedName;
use crate::roster::{Names, Roster};

/// The aliases of a domain, compared with the roster of its team. It shows which members have to be looked up.
#[derive(Debug)]
pub struct Comparison<'a> {
    pub(super) domain: DomainName,
    pub(super) rules: &'a Rules,
    pub(super) roster: Roster,
    /// Sorted by local part.
    pub(super) aliases: Vec<Alias>,
    /// Indexes into `aliases`, by owner.
    by_member: HashMap<MemberId, Vec<u32>>,
    pub(super) banned: &'a BTreeSet<MemberId>,
    /// Names that the admins of the domain reserve.
    pub(super) reserved: BTreeSet<ReservedName>,
    pub(super) gives_addresses: bool,
    pub(super) now: Timestamp,
}

impl<'a> Comparison<'a> {
    /// Compares all aliases of the domain with the roster. `gives_addresses` is false while the domain is not verified.
    pub fn new(
        domain: DomainName,
        roster: Roster,
        mut aliases: Vec<Alias>,
        banned: &'a BTreeSet<MemberId>,
        gives_addresses: bool,
        rules: &'a Rules,
        read_at: Timestamp,
    ) -> Self {
        aliases.sort_by(|one, other| one.address.local_part.cmp(&other.address.local_part));
        let mut by_member: HashMap<MemberId, Vec<u32>> = HashMap::new();
        for (index, alias) in (0..).zip(&aliases) {
            by_member.entry(alias.member).or_default().push(index);
        }
        Self {
            domain,
            rules,
            roster,
            aliases,
            by_member,
            banned,
            reserved: BTreeSet::new(),
            gives_addresses,
            now: read_at,
        }
    }

    /// Plans no new address for these names.
    #[must_use]
    pub fn with_reserved(self, reserved: BTreeSet<ReservedName>) -> Self {
        Self { reserved, ..self }
    }

    /// Whether the admins of the domain reserve the name.
    pub(super) fn is_reserved(&self, local_part: &LocalPart) -> bool {
        self.reserved.iter().any(|name| name.as_str() == local_part.as_str())
    }

    /// The roster.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Members who have to be looked up before their aliases can change: by the roster they left, came back, lost a flag,
    /// or have another name or fingerprint.
    pub fn due(&self) -> Vec<MemberId> {
        let due = self.aliases.iter().filter(|alias| {
            !self.banned.contains(&alias.member) && !self.is_newer(alias) && self.roster_action(alias).is_some()
        });
        due.map(|alias| alias.member).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Names on the roster that no alias of the domain is known by and that were not on the previous one.
    pub fn joiners(&self, previous: &Names) -> Vec<PersonName> {
        let mut is_known = vec![false; self.roster.len()];
        for alias in self.aliases.iter().filter(|alias| alias.status != Status::Retired) {
            if let Some(index) = self.roster.place_of(&alias.known_as) {
                is_known[index] = true;
            }
        }
        let entries = self.roster.entries().iter().zip(is_known);
        entries
            .filter(|(entry, is_known)| !is_known && !previous.contains(&entry.name, entry.fingerprint))
            .map(|(entry, _)| entry.name.clone())
            .collect()
    }

    /// Number of members with an alias in the domain, whom the rolling check looks after.
    pub fn member_count(&self) -> usize {
        self.by_member.len()
    }

    /// Whether the roster lists this name with this fingerprint.
    pub fn is_listed(&self, known_as: &ObservedName) -> bool {
        self.roster.place_of(known_as).is_some()
    }

    /// The action that the roster alone suggests.
    pub(super) fn roster_action(&self, alias: &Alias) -> Option<Action> {
        let eligible = match self.roster.place_of(&alias.known_as) {
            Some(index) => self.roster.entries()[index].check(),
            None => Err(Reason::NotInTeam),
        };
        next_action(alias, eligible, self.rules, self.now)
    }

    /// Whether the alias changed after reading began: its member may have joined on a page that was read before.
    pub(super) fn is_newer(&self, alias: &Alias) -> bool {
        alias.since > self.now
    }

    pub(super) fn aliases_of(&self, member: MemberId) -> impl Iterator<Item = &Alias> {
        let indexes = self.by_member.get(&member).map(Vec::as_slice).unwrap_or_default();
        indexes.iter().filter_map(|index| self.aliases.get(usize::try_from(*index).ok()?))
    }
}
