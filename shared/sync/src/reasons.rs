//! Why somebody is no longer among the participants: who leaves is asked for at Launchpad, and nobody else.

use std::collections::BTreeMap;
use std::time::Duration;

use membermail_core::alias::Reason;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::{LaunchpadId, LaunchpadName};
use membermail_launchpad::Named;
use tokio::time::timeout;
use tracing::debug;

use crate::Engine;

/// A deactivated account leaves its teams too, and its member should read what is the matter. Beyond so many the plain
/// reason will do.
const MOST: usize = 100;
/// All these questions together. They make words better, and what is to be done waits for them.
const PATIENCE: Duration = Duration::from_secs(60);

impl Engine<'_> {
    /// Puts the reason into words that help, where Launchpad has a better one than the list of participants.
    pub(crate) async fn ask_for_reasons(&self, steps: &mut [Step]) {
        let mut better = BTreeMap::new();
        if timeout(PATIENCE, self.ask(steps, &mut better)).await.is_err() {
            debug!("no time for more reasons");
        }
        for step in steps {
            if let Action::Leave { reason, .. } = &mut step.action
                && *reason == Reason::NotInTeam
                && let Some(Some(found)) = better.get(&step.person)
            {
                *reason = *found;
            }
        }
    }

    /// By each address that leaves; where Launchpad gives no answer it is left alone.
    async fn ask(&self, steps: &[Step], better: &mut BTreeMap<LaunchpadId, Option<Reason>>) {
        let leaving = steps
            .iter()
            .filter(|step| matches!(&step.action, Action::Leave { reason, .. } if *reason == Reason::NotInTeam));
        for Step { address, person, .. } in leaving.take(MOST) {
            let Ok(name) = LaunchpadName::parse(address.local_part.as_str()) else { continue };
            match self.launchpad.person_named(&name).await {
                Ok(Named::Person(found)) if found.id == *person => {
                    let reason = match (found.is_valid, found.signed_code_of_conduct) {
                        (false, _) => Some(Reason::NotValid),
                        (true, false) => Some(Reason::CodeOfConductWithdrawn),
                        (true, true) => None,
                    };
                    better.insert(*person, reason);
                }
                // It does not say whose account it is: of a former name it can be somebody else's, so that any other
                // name under which the person is found counts more.
                Ok(Named::Gone) => drop(better.entry(*person).or_insert(Some(Reason::NotValid))),
                // Another has the name by now, or nobody: what the list of participants says is true all the same.
                Ok(Named::Person(_) | Named::Nobody) => {}
                Err(error) => return debug!(%error, "no better reasons"),
            }
        }
    }
}
