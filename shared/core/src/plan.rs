//! A plan: what a sync would do to a domain's aliases, made of values and done by somebody else.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::{Address, DomainName, LocalPart};
use crate::alias::{Alias, Reason, Status};
use crate::community::Rules;
use crate::lifecycle::{Action, Step, tend};
use crate::member::{LaunchpadId, MemberId};
use crate::roster::Roster;

/// A member as the table's directory of people has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Who that is on Launchpad.
    pub person: LaunchpadId,
    /// Our own id of them.
    pub member: MemberId,
    /// An operator has banned them.
    pub banned: bool,
    /// Their personal data is gone: nothing can be made for them until they sign in again.
    pub shredded: bool,
}

/// Makes a plan: first knows the people of the table, then compares every alias of the domain, then finishes.
/// Keeps the roster and what is to be changed, and nothing of what stays as it is.
#[derive(Debug)]
pub struct Planner<'a> {
    domain: DomainName,
    gives_addresses: bool,
    rules: &'a Rules,
    roster: Roster,
    notes: Vec<Note>,
    banned: BTreeSet<LaunchpadId>,
    steps: Vec<Step>,
    counts: Counts,
    now: Timestamp,
}

/// What is known of one participant by now.
#[derive(Clone, Debug, Default)]
struct Note {
    member: Option<MemberId>,
    has_current: bool,
    former: Option<LocalPart>,
    name_is_taken: bool,
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// People in the team.
    pub participants: u64,
    /// Aliases that were active before.
    pub active: u64,
    /// Addresses to be made for the first time.
    pub create: u64,
    /// Addresses to be made beside an old one.
    pub rename: u64,
    /// Aliases to become active again.
    pub restore: u64,
    /// Aliases that are to end.
    pub leave: u64,
    /// Aliases that end.
    pub suspend: u64,
    /// Aliases whose personal data goes.
    pub retire: u64,
    /// Aliases that stay as they are.
    pub unchanged: u64,
    /// Active aliases that the plan takes, but for bans: what the guard looks at.
    pub taken: u64,
}

/// What a sync would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// To which domain.
    pub domain: DomainName,
    /// When the team was read.
    pub read_at: Timestamp,
    /// How many of what.
    pub counts: Counts,
    /// One a change, in the order of addresses; what is given comes before what is taken.
    pub steps: Vec<Step>,
}

/// Whether a plan may be done without somebody having looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It may.
    Pass,
    /// It takes too many of the active addresses: somebody looks first.
    Hold,
}

impl<'a> Planner<'a> {
    /// For this domain and team. `gives_addresses` is false while the domain is not proven.
    pub fn new(
        domain: DomainName,
        roster: Roster,
        gives_addresses: bool,
        rules: &'a Rules,
        read_at: Timestamp,
    ) -> Self {
        let notes = vec![Note::default(); roster.len()];
        let counts = Counts { participants: roster.len() as u64, ..Counts::default() };
        let (banned, steps) = (BTreeSet::new(), Vec::new());
        Self { domain, gives_addresses, rules, roster, notes, banned, steps, counts, now: read_at }
    }

    /// Learns of a member. All of them come before the first alias.
    pub fn know(&mut self, known: Known) {
        if known.banned {
            self.banned.insert(known.person);
        } else if let Some(place) = self.roster.place_of(known.person)
            && !known.shredded
        {
            self.notes[place].member = Some(known.member);
        }
    }

    /// Looks at one alias of the domain.
    pub fn compare(&mut self, alias: &Alias) {
        let local_part = &alias.address.local_part;
        // Whoever is called so now does not get the address of somebody else who was called so once.
        if let Some(place) = self.roster.place_of_name(local_part)
            && self.roster.people()[place].id != alias.person
        {
            self.notes[place].name_is_taken = true;
        }
        let place = self.roster.place_of(alias.person);
        let eligible = match place {
            _ if self.banned.contains(&alias.person) => Err(Reason::Banned),
            None => Err(Reason::NotInTeam),
            Some(place) => self.roster.people()[place].eligible(),
        };
        if let Some(place) = place {
            let note = &mut self.notes[place];
            if self.roster.people()[place].name.as_str() == local_part.as_str() {
                note.has_current = true;
            } else {
                note.former = Some(local_part.clone());
            }
        }
        let was_active = alias.status == Status::Active;
        self.counts.active += u64::from(was_active);
        // Whoever joined and signed in while the team was being read is not on the pages that were read before that.
        let is_newer = alias.since > self.now;
        let Some(action) = tend(alias, eligible, self.rules, self.now).filter(|_| !is_newer) else {
            self.counts.unchanged += 1;
            return;
        };
        let count = match action {
            Action::Restore => &mut self.counts.restore,
            Action::Leave { .. } => &mut self.counts.leave,
            Action::Suspend { .. } => &mut self.counts.suspend,
            _ => &mut self.counts.retire,
        };
        *count += 1;
        self.counts.taken += u64::from(was_active && action.can_wait());
        self.steps.push(Step {
            address: alias.address.clone(),
            member: alias.member,
            person: alias.person,
            version: alias.version,
            action,
        });
    }

    /// Adds what is to be given, after all aliases of the domain were compared.
    pub fn finish(mut self) -> Plan {
        if self.gives_addresses {
            self.give();
        }
        let Self { domain, mut steps, counts, now, .. } = self;
        steps.sort_by(|one, other| {
            let place = |step: &Step| step.action.takes();
            (place(one), &one.address.local_part).cmp(&(place(other), &other.address.local_part))
        });
        Plan { domain, read_at: now, counts, steps }
    }

    fn give(&mut self) {
        for (participant, note) in self.roster.people().iter().zip(&mut self.notes) {
            let Some(member) = note.member else { continue };
            if note.has_current || note.name_is_taken || participant.eligible().is_err() {
                continue;
            }
            // A name that gives no address was told to the member when they signed in; a sync has nothing to add.
            let Ok(local_part) = LocalPart::of(&participant.name) else { continue };
            let name = participant.name.clone();
            let action = match note.former.take() {
                Some(from) => {
                    self.counts.rename += 1;
                    Action::Rename { from, name }
                }
                None => {
                    self.counts.create += 1;
                    Action::Create { name }
                }
            };
            let address = Address { local_part, domain: self.domain.clone() };
            self.steps.push(Step { address, member, person: participant.id, version: 0, action });
        }
    }
}

impl Plan {
    /// Whether nothing is to be done.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many aliases the domain has.
    pub fn aliases(&self) -> u64 {
        let Counts { restore, leave, suspend, retire, unchanged, .. } = self.counts;
        restore + leave + suspend + retire + unchanged
    }

    /// Looks at how much it takes.
    pub fn guard(&self, rules: &Rules) -> Guard {
        let Counts { taken, active, .. } = self.counts;
        let many = taken > u64::from(rules.hold_above_count);
        let large = taken * 100 > active * u64::from(rules.hold_above_percent);
        if many && large { Guard::Hold } else { Guard::Pass }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { domain, read_at: _, counts, steps } = self;
        let Counts { participants, active, create, rename, restore, leave, suspend, retire, unchanged, taken: _ } =
            counts;
        writeln!(f, "{domain}: {participants} in the team, {active} active addresses")?;
        for step in steps {
            writeln!(f, "  {step}")?;
        }
        write!(
            f,
            "{create} to create, {rename} to rename, {restore} to restore, {leave} leaving, {suspend} to suspend, \
             {retire} to retire, {unchanged} unchanged"
        )
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, action, .. } = self;
        let sign = match action {
            Action::Create { .. } | Action::Rename { .. } => '+',
            Action::Restore => '^',
            Action::Leave { .. } => '~',
            Action::Suspend { .. } => '-',
            Action::Retire => 'x',
        };
        // One column for addresses, so that a long plan can be run over by eye.
        write!(f, "{sign} {:<32} ", address.to_string())?;
        match action {
            Action::Create { .. } => f.write_str("new: in the team, and signed in before"),
            Action::Rename { from, .. } => write!(f, "renamed: {from}@{} goes on forwarding", address.domain),
            Action::Restore => f.write_str("back: as it was"),
            Action::Leave { reason, until } => {
                write!(f, "leaving, ends {}: {}", until.strftime("%Y-%m-%d"), reason.in_words())
            }
            Action::Suspend { reason } => write!(f, "suspended: {}", reason.in_words()),
            Action::Retire => f.write_str("retired: personal data goes, the name stays taken"),
        }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
