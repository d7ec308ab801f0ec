//! A model of `write-aliases`: it applies messages by conditional writes, also concurrently.

use membermail_core::address::{Address, LocalPart};
use membermail_core::alias::{self, Alias, GrantDecision, GrantRequest};
use membermail_core::expiry::Present;
use membermail_core::lifecycle::{self, Action, Step};
use membermail_core::member::{MemberId, ObservedName};

use crate::world::{Message, World, can_become, domain};

impl World {
    /// The alias that a grant would write, given the table.
    pub(crate) fn decide_grant(&self, known_as: &ObservedName, owner: MemberId) -> Option<Alias> {
        let local_part = LocalPart::of(&known_as.name).ok()?;
        let address = Address { local_part, domain: domain() };
        let existing = self.table.get(&address);
        let limit = self.rules.addresses_per_domain;
        let request = GrantRequest { address: &address, existing, known_as, renamed_from: None, limit };
        let (status, reason) = match alias::decide_grant(&request, owner, true) {
            GrantDecision::Create { status, reason } | GrantDecision::Change { status, reason, .. } => (status, reason),
            GrantDecision::Unchanged | GrantDecision::Refuse(_) => return None,
        };
        let version = existing.map_or(1, |alias| alias.version + 1);
        Some(Alias {
            address,
            member: owner,
            known_as: known_as.clone(),
            status,
            reason,
            since: self.now,
            until: None,
            version,
            erase_pending: false,
        })
    }

    fn observe(&mut self, address: &Address, member: MemberId, known_as: &ObservedName) {
        let now = self.now;
        if let Some(alias) = self.table.get_mut(address).filter(|alias| alias.member == member) {
            alias.known_as = lifecycle::newer(&alias.known_as, Some(known_as), now).clone();
        }
    }

    /// Applies a step, as `write-aliases` does.
    pub(crate) fn apply(&mut self, message: &Message) {
        if let Some(alias) = self.attempt(message) {
            assert!(self.commit(alias), "there is no concurrent writer");
        }
        self.record_names(&message.step);
    }

    /// Two writers read the same alias before either writes. The second write fails and is retried.
    pub(crate) fn race(&mut self, one: &Message, other: &Message) {
        let first = self.attempt(one);
        let second = self.attempt(other);
        if let Some(alias) = first {
            assert!(self.commit(alias), "the first write succeeds");
        }
        self.record_names(&one.step);
        match second {
            Some(alias) if !self.commit(alias.clone()) => self.apply(other),
            _ => self.record_names(&other.step),
        }
    }

    /// The alias that a writer would write, given the table.
    fn attempt(&self, Message { step, read_at }: &Message) -> Option<Alias> {
        let owner = self.survivor(step.member);
        let member = &self.members[&owner];
        let present = Present {
            domains: &[domain()],
            newest: member.observed.as_ref(),
            ban_changed_at: member.ban_changed_at,
            now: self.now,
        };
        match (&step.action, &step.known_as) {
            (Action::Create | Action::Rename { .. }, Some(known_as)) => {
                let is_fresh = !member.banned && present.check_grant(known_as, &domain()).is_ok();
                is_fresh.then(|| self.decide_grant(known_as, owner)).flatten()
            }
            (Action::Restore, _) if present.check_restore(*read_at, &domain()).is_err() => None,
            _ => lifecycle::apply(self.table.get(&step.address)?, step, &self.rules, false, self.now)
                .ok()
                // In the model the erasure happens at once.
                .map(|after| Alias { erase_pending: false, ..after }),
        }
    }

    /// Records the observed names of a step, whether or not it was applied.
    fn record_names(&mut self, step: &Step) {
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

    /// A conditional write on the version that was read and the address limit. Returns false if the version has changed.
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
            assert!(can_become(before, &alias, &self.rules), "{before:?} became {alias:?}");
        }
        self.audit.push((alias.address.clone(), alias.version));
        self.undo.push((alias.address.clone(), self.table.get(&alias.address).cloned()));
        self.table.insert(alias.address.clone(), alias);
    }
}
