//! `write-aliases`: what it makes of a message, by conditional writes, also where two of it meet.

use membermail_core::address::{Address, LocalPart};
use membermail_core::alias::{self, Alias, Decision, Wish};
use membermail_core::email::EmailAddress;
use membermail_core::expiry::Present;
use membermail_core::lifecycle::{self, Action, Step};
use membermail_core::member::{MemberId, ObservedName};

use crate::world::{Message, World, domain, may_become};

impl World {
    /// The alias that a grant comes to, from what is in the table.
    pub(crate) fn granted(&self, known_as: &ObservedName, owner: MemberId) -> Option<Alias> {
        let local_part = LocalPart::of(&known_as.name).ok()?;
        let address = Address { local_part, domain: domain() };
        let destination = EmailAddress::parse("somebody@mail.example").unwrap();
        let wish = Wish { member: owner, destination: &destination, eligible_at: known_as.observed_at };
        let existing = self.table.get(&address);
        let (status, reason) = match alias::decide(existing, wish, &[domain()]) {
            Decision::Create { status, reason } | Decision::Change { status, reason, .. } => (status, reason),
            Decision::Unchanged | Decision::Refuse(_) => return None,
        };
        let version = existing.map_or(1, |alias| alias.version + 1);
        let (known_as, since, until, erase_pending) = (known_as.clone(), self.now, None, false);
        Some(Alias { address, member: owner, known_as, status, reason, since, until, version, erase_pending })
    }

    fn observe(&mut self, address: &Address, member: MemberId, known_as: &ObservedName) {
        let now = self.now;
        if let Some(alias) = self.table.get_mut(address).filter(|alias| alias.member == member) {
            alias.known_as = lifecycle::newer(&alias.known_as, Some(known_as), now).clone();
        }
    }

    /// What `write-aliases` does with a step.
    pub(crate) fn apply(&mut self, message: &Message) {
        if let Some(alias) = self.attempt(message) {
            assert!(self.commit(alias), "no other writer is at it");
        }
        self.observed(&message.step);
    }

    /// Two writers read the same alias before either writes. The one that comes second reads again.
    pub(crate) fn race(&mut self, one: &Message, other: &Message) {
        let (first, second) = (self.attempt(one), self.attempt(other));
        if let Some(alias) = first {
            assert!(self.commit(alias), "it is the first");
        }
        self.observed(&one.step);
        match second {
            Some(alias) if !self.commit(alias.clone()) => self.apply(other),
            _ => self.observed(&other.step),
        }
    }

    /// What a writer would write, from what is in the table now.
    fn attempt(&self, Message { step, read_at }: &Message) -> Option<Alias> {
        let owner = self.survivor(step.member);
        let member = &self.members[&owner];
        let (newest, ban_changed_at) = (member.observed.as_ref(), member.ban_changed_at);
        let present = Present { domains: &[domain()], newest, ban_changed_at, now: self.now };
        match (&step.action, &step.known_as) {
            (Action::Create | Action::Rename { .. }, Some(known_as)) => {
                let is_fresh = !member.banned && present.check_grant(known_as, &domain()).is_ok();
                is_fresh.then(|| self.granted(known_as, owner)).flatten()
            }
            (Action::Restore, _) if present.check_restore(*read_at, &domain()).is_err() => None,
            _ => lifecycle::apply(self.table.get(&step.address)?, step, &self.rules, false, self.now)
                .ok()
                // The erasure follows at once.
                .map(|after| Alias { erase_pending: false, ..after }),
        }
    }

    /// The names that a step records, whatever became of its alias.
    fn observed(&mut self, step: &Step) {
        let Some(known_as) = &step.known_as else { return };
        match &step.action {
            Action::Observe | Action::Create => self.observe(&step.address, step.member, known_as),
            Action::Rename { from } => {
                let from = Address { local_part: from.clone(), domain: domain() };
                self.observe(&step.address, step.member, known_as);
                self.observe(&from, step.member, known_as);
            }
            _ => {}
        }
    }

    /// A conditional write: on the version that was read, and within the limit of addresses. Whether it was written.
    pub(crate) fn commit(&mut self, alias: Alias) -> bool {
        let stored = self.table.get(&alias.address).map(|alias| alias.version);
        if stored.unwrap_or_default() + 1 != alias.version {
            return false;
        }
        let count = self.counts.entry(alias.member).or_default();
        if stored.is_none() {
            if *count >= usize::from(self.rules.addresses_per_domain) {
                return true;
            }
            *count += 1;
        }
        self.write(alias);
        true
    }

    fn write(&mut self, alias: Alias) {
        let owner = *self.owners.entry(alias.address.clone()).or_insert(alias.member);
        assert_eq!(owner, alias.member, "{} passed to another member", alias.address);
        if let Some(before) = self.table.get(&alias.address) {
            assert!(may_become(before, &alias, &self.rules), "{before:?} became {alias:?}");
        }
        self.audit.push((alias.address.clone(), alias.version));
        self.undo.push((alias.address.clone(), self.table.get(&alias.address).cloned()));
        self.table.insert(alias.address.clone(), alias);
    }
}
