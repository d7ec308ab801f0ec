//! Everybody in a team, as a stream of pages; and what became of somebody who is no longer in it.

use std::collections::HashSet;
use std::time::Duration;

use membermail_core::eligibility::Person;
use membermail_core::member::{LaunchpadName, TeamName};
use tracing::debug;

use crate::client::Client;
use crate::collection;
use crate::error::Error;
use crate::person::PersonAnswer;

/// The longest look for one name: it makes words better, and nothing hangs on it.
const NAMED: Duration = Duration::from_secs(10);

impl Client {
    /// Reads all participants of a team, through sub-teams too, and hands each to `each`, with the total that the list gives;
    /// sub-teams are among them. `begin` is called before the first, and again when the list is read once more because it
    /// changed while it was read.
    ///
    /// `hidden` is how many participants Launchpad is known to count and not to show. Any other difference between the
    /// total and the pages, an entry that comes twice or a link back is an error: a list that cannot be right is none.
    pub async fn participants<T>(
        &self,
        team: &TeamName,
        hidden: u64,
        begin: impl Fn() -> T,
        each: impl Fn(&mut T, Person, u64),
    ) -> Result<T, Error> {
        let patience = self.start();
        let url = self.url(&format!("1.0/~{team}/participants"));
        let mut tries = 0;
        loop {
            let (mut into, mut seen) = (begin(), HashSet::new());
            let take = |answer: PersonAnswer, total| {
                if !seen.insert(answer.id) {
                    return Err(Error::TotalMismatch);
                }
                each(&mut into, answer.into_person(), total);
                Ok(())
            };
            let read = collection::walk(self, &url, "the participants of a team", &patience, take).await;
            match read {
                Ok(found) if found == hidden => return Ok(into),
                // Somebody may have joined or left in between: the second reading decides.
                Ok(_) | Err(Error::TotalMismatch) if tries == 0 => {
                    debug!("the team changed while it was read: once more");
                    tries += 1;
                }
                Ok(_) => return Err(Error::TotalMismatch),
                Err(error) => return Err(error),
            }
        }
    }

    /// Who has this name now. Answers at once where nobody has: a name that is free is no failure that passes.
    pub async fn person_named(&self, name: &LaunchpadName) -> Result<Named, Error> {
        let url = self.url(&format!("1.0/~{name}"));
        let patience = self.start_at_most(NAMED);
        let ask = async || match self.attempt::<PersonAnswer>(&url, "a person by name", &patience).await {
            Ok(answer) => Ok(Named::Person(answer.into_person())),
            Err(Error::Status { code: 404, .. }) => Ok(Named::Nobody),
            Err(Error::Status { code: 410, .. }) => Ok(Named::Gone),
            Err(error) => Err(error),
        };
        patience.retry(ask).await
    }
}

/// Whoever has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// This person, or team.
    Person(Person),
    /// A suspended account.
    Gone,
    /// Nobody.
    Nobody,
}
