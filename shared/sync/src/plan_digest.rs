//! Digests by which a run recognises that an earlier run held the same plan.

use membermail_core::lifecycle::{ChangeKind, Step};
use sha2::{Digest, Sha256};

/// The digests of a plan. Removals and grants have separate digests, so that a joiner does not turn the same removals into a
/// new plan to decide on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanDigests {
    /// Digest of the removals, suspensions and retirements.
    pub(crate) removals: String,
    /// Digest of the grants; `None` without grants.
    pub(crate) grants: Option<String>,
    /// Whether the plan removes anything.
    pub(crate) has_removals: bool,
}

impl PlanDigests {
    /// Hashes the addresses, versions and actions of all steps that can be held. Dates are left out, since they change with
    /// every run.
    pub(crate) fn of(steps: &[Step]) -> Self {
        let (grants, removals): (Vec<_>, Vec<_>) =
            steps.iter().filter(|step| step.action.is_guarded()).partition(|step| is_grant(step));
        Self {
            removals: digest(&removals),
            grants: (!grants.is_empty()).then(|| format!("grants-{}", digest(&grants))),
            has_removals: !removals.is_empty(),
        }
    }
}

/// Whether a step grants an address.
pub(crate) fn is_grant(step: &Step) -> bool {
    step.action.kind() == Some(ChangeKind::Grants)
}

fn digest(steps: &[&Step]) -> String {
    let mut hash = Sha256::new();
    for step in steps {
        hash.update(step.address.to_string());
        hash.update([0]);
        hash.update(Option::<u64>::from(step.expected).unwrap_or_default().to_be_bytes());
        hash.update(step.action.as_ref());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use membermail_core::alias::{ExpectedVersion, Reason};
    use membermail_core::lifecycle::Action;
    use membermail_core::member::MemberId;

    use super::*;

    fn leave(reason: Reason, second: i64) -> Action {
        Action::Leave { reason, until: Timestamp::from_second(second).unwrap() }
    }

    fn of(actions: &[Action], version: u64) -> String {
        digests(actions, version).removals
    }

    fn digests(actions: &[Action], version: u64) -> PlanDigests {
        let steps = actions.iter().enumerate().map(|(number, action)| Step {
            address: format!("member{number}@ubuntu.com").try_into().unwrap(),
            member: MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap(),
            expected: if version == 0 { ExpectedVersion::Absent } else { ExpectedVersion::At(version) },
            known_as: None,
            action: action.clone(),
        });
        PlanDigests::of(&steps.collect::<Vec<_>>())
    }

    fn grants(actions: &[Action], version: u64) -> Option<String> {
        digests(actions, version).grants
    }

    #[test]
    fn removal_digest_covers_holdable_steps() {
        let left = [leave(Reason::NotInTeam, 1), leave(Reason::NotInTeam, 1)];
        let held = of(&left, 1);
        assert_eq!(of(&[leave(Reason::NotValid, 2), leave(Reason::NotInTeam, 3)], 1), held);
        assert_eq!(of(&[&left[..], &[Action::Restore]].concat(), 1), held);
        // Bans are never held.
        assert_eq!(of(&[&left[..], &[Action::Suspend { reason: Reason::Banned }]].concat(), 1), held);

        let suspend = Action::Suspend { reason: Reason::NotInTeam };
        let others = [
            of(&left[..1], 1),
            of(&left, 2),
            of(&[left[0].clone(), suspend.clone()], 1),
            of(&[left[0].clone(), Action::Suspend { reason: Reason::Banned }], 1),
            of(&[left[0].clone(), Action::Retire], 1),
            of(&[suspend.clone(), suspend], 1),
        ];
        assert!(!others.contains(&held), "{others:?}");
    }

    #[test]
    fn grants_have_their_own_digest() {
        assert_eq!(grants(&[leave(Reason::NotInTeam, 1), Action::Observe], 1), None);
        let create = grants(&[Action::Create], 0);
        assert!(create.is_some());
        assert_eq!(grants(&[Action::Create, leave(Reason::NotInTeam, 1)], 0), create);
        assert_ne!(grants(&[Action::Restore], 0), create);
    }
}
