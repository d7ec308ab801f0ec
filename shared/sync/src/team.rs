//! Checks the identity of a domain's team. If it is missing or replaced, no address is granted or removed.

use membermail_core::community::Domain;
use membermail_core::member::Fingerprint;
use membermail_store::TeamProblem;
use tracing::{error, info};

use crate::{Engine, SyncError};

impl Engine<'_> {
    /// Checks that the configured name belongs to the pinned team, and returns its fingerprint. `records` is false for a dry
    /// run.
    pub(crate) async fn check_team(&self, domain: &Domain, records: bool) -> Result<Fingerprint, SyncError> {
        let Domain { domain: name, team, .. } = domain;
        let stored = self.store.domain(name).await?;
        let found = self.source.group(team).await?;
        let pin = match (domain.team_pin().or(stored.team), &found) {
            (Some(pin), _) => Some(pin),
            (None, Some(group)) if records => Some(self.store.pin_team(name, group.fingerprint).await?),
            (None, group) => group.as_ref().map(|group| group.fingerprint),
        };
        let team_found = match &found {
            None => Err(TeamProblem::Missing),
            Some(group) if pin.is_some_and(|pin| pin != group.fingerprint) => Err(TeamProblem::Replaced),
            Some(group) => Ok(group.fingerprint),
        };
        let problem = team_found.err();
        if records && problem != stored.team_problem && self.store.record_team(name, problem, self.random).await? {
            match problem {
                Some(problem) => error!(domain = %name, problem = problem.as_ref(), "team check failed"),
                None => info!(domain = %name, "team check succeeded again"),
            }
        }
        let domain = name.clone();
        let team = team.clone();
        team_found.map_err(|problem| match problem {
            TeamProblem::Missing => SyncError::TeamMissing { domain, team },
            TeamProblem::Replaced => SyncError::TeamReplaced { domain, team },
        })
    }
}
