//! Why somebody is no longer among the participants: who leaves is asked for at Launchpad, and nobody else.

use membermail_core::alias::Reason;
use membermail_core::lifecycle::{Action, Step};
use membermail_core::member::LaunchpadName;
use membermail_launchpad::Named;
use tracing::debug;

use crate::Engine;

/// A deactivated account leaves its teams too, and its member should read what is the matter. Beyond so many the plain
/// reason will do.
const MOST: usize = 100;

impl Engine<'_> {
    /// Puts the reason into words that help, where Launchpad has a better one than the list of participants.
    pub(crate) async fn ask_for_reasons(&self, steps: &mut [Step]) {
        let leaving = steps.iter_mut().filter_map(|step| match &mut step.action {
            Action::Leave { reason, .. } if *reason == Reason::NotInTeam => Some((&step.address, step.person, reason)),
            _ => None,
        });
        for (address, person, reason) in leaving.take(MOST) {
            let Ok(name) = LaunchpadName::parse(address.local_part.as_str()) else { continue };
            match self.launchpad.person_named(&name).await {
                Ok(Named::Gone) => *reason = Reason::NotValid,
                Ok(Named::Person(found)) if found.id == person && !found.is_valid => *reason = Reason::NotValid,
                Ok(Named::Person(found)) if found.id == person && !found.signed_code_of_conduct => {
                    *reason = Reason::CodeOfConductWithdrawn;
                }
                // Another has the name by now, or nobody: what the list of participants says is true all the same.
                Ok(Named::Person(_) | Named::Nobody) => {}
                Err(error) => debug!(%error, "no better reason"),
            }
        }
    }
}
