//! What makes two plans that are held the same.

use membermail_core::guard::Kind;
use membermail_core::lifecycle::Step;
use sha2::{Digest, Sha256};

/// The digests of a plan. What it takes and what it grants are compared apart, so that a joiner does not make another
/// question of the same leavers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digests {
    /// Of removals, suspensions and retirements.
    pub(crate) taken: String,
    /// Of grants; none where there are none.
    pub(crate) granted: Option<String>,
    /// Whether anything is taken.
    pub(crate) takes: bool,
}

impl Digests {
    /// Over the addresses that wait and what is to become of them; not over dates, which are others each day.
    pub(crate) fn of(steps: &[Step]) -> Self {
        let (grants, taken): (Vec<_>, Vec<_>) =
            steps.iter().filter(|step| step.action.can_wait()).partition(|step| is_grant(step));
        let granted = (!grants.is_empty()).then(|| format!("grants-{}", digest(&grants)));
        Self { taken: digest(&taken), granted, takes: !taken.is_empty() }
    }
}

/// Whether a step grants something.
pub(crate) fn is_grant(step: &Step) -> bool {
    Kind::of(&step.action) == Some(Kind::Grants)
}

fn digest(steps: &[&Step]) -> String {
    let mut hash = Sha256::new();
    for step in steps {
        hash.update(step.address.to_string());
        hash.update([0]);
        hash.update(step.version.to_be_bytes());
        hash.update(step.action.as_str());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use membermail_core::alias::Reason;
    use membermail_core::lifecycle::Action;
    use membermail_core::member::MemberId;

    use super::*;

    fn leave(reason: Reason, second: i64) -> Action {
        Action::Leave { reason, until: Timestamp::from_second(second).unwrap() }
    }

    fn of(actions: &[Action], version: u64) -> String {
        digests(actions, version).taken
    }

    fn digests(actions: &[Action], version: u64) -> Digests {
        let step = |(number, action): (usize, &Action)| Step {
            address: format!("member{number}@ubuntu.com").try_into().unwrap(),
            member: MemberId::parse("01KATW4Y00ZZZZZZZZZZZZZZZZ").unwrap(),
            version,
            known_as: None,
            action: action.clone(),
        };
        Digests::of(&actions.iter().enumerate().map(step).collect::<Vec<_>>())
    }

    #[test]
    fn digest_covers_what_waits() {
        let left = [leave(Reason::NotInTeam, 1), leave(Reason::NotInTeam, 1)];
        let held = of(&left, 1);
        assert_eq!(of(&[leave(Reason::NotValid, 2), leave(Reason::NotInTeam, 3)], 1), held);
        assert_eq!(of(&[&left[..], &[Action::Restore]].concat(), 1), held);
        // Bans do not wait.
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
        let granted = |actions: &[Action], version| digests(actions, version).granted;
        assert_eq!(granted(&[leave(Reason::NotInTeam, 1), Action::Observe], 1), None);
        let create = granted(&[Action::Create], 0);
        assert!(create.is_some());
        assert_eq!(granted(&[Action::Create, leave(Reason::NotInTeam, 1)], 0), create);
        assert_ne!(granted(&[Action::Restore], 0), create);
    }
}
