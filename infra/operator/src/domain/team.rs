//! The team of a domain and its pin.

use jiff::Timestamp;
use membermail_core::community::Domain;
use membermail_core::member::{Fingerprint, TeamName};
use membermail_store::{StoredDomain, TeamProblem};
use serde::Serialize;

use crate::output::time;

/// The team of a domain, as `domain show` has it.
#[derive(Debug, Serialize)]
pub(super) struct TeamView {
    team: TeamName,
    /// When the pinned team was created.
    team_created: Option<Timestamp>,
    /// The origin of that date.
    team_pinned_by: Option<PinnedBy>,
    /// The problem that the last sync found.
    team_problem: Option<TeamProblem>,
}

/// The origin of a pin. The community file overrides the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum PinnedBy {
    File,
    FirstSync,
}

impl TeamView {
    pub(super) fn new(configured: &Domain, stored: &StoredDomain) -> Self {
        let recorded = stored.team.and_then(|Fingerprint(micros)| Timestamp::from_microsecond(micros).ok());
        let (team_created, team_pinned_by) = match (configured.team_created, recorded) {
            (Some(created), _) => (Some(created), Some(PinnedBy::File)),
            (None, Some(created)) => (Some(created), Some(PinnedBy::FirstSync)),
            (None, None) => (None, None),
        };
        Self { team: configured.team.clone(), team_created, team_pinned_by, team_problem: stored.team_problem }
    }

    /// The lines of `domain show`.
    pub(super) fn facts(&self) -> [(&'static str, Option<String>); 3] {
        let pin = match (self.team_created, self.team_pinned_by) {
            (Some(at), Some(PinnedBy::File)) => format!("created {}, from the community file", time(at)),
            (Some(at), _) => format!("created {}, recorded by the first sync", time(at)),
            (None, _) => "not yet: the first sync records it".to_owned(),
        };
        [
            ("team", Some(self.team.to_string())),
            ("pinned", Some(pin)),
            ("problem", self.team_problem.map(|problem| self.in_words(problem))),
        ]
    }

    /// The line that adds the pin to the community file, if it has none.
    pub(super) fn file_line(&self) -> Option<String> {
        let recorded = self.team_pinned_by == Some(PinnedBy::FirstSync);
        self.team_created.filter(|_| recorded).map(|created| format!("team-created = \"{created}\""))
    }

    fn in_words(&self, problem: TeamProblem) -> String {
        let found = match problem {
            TeamProblem::Missing => format!("the last sync did not find the team {}", self.team),
            TeamProblem::Replaced => format!("the last sync found another team with the name {}", self.team),
        };
        format!("{found}; syncs grant and remove nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(team_created: Option<&str>, team: Option<i64>, team_problem: Option<TeamProblem>) -> TeamView {
        let configured = serde_json::json!({
            "domain": "ubuntu.com", "team": "ubuntumembers", "team-created": team_created, "admins": ["ada"],
        });
        let mut stored = StoredDomain::default();
        stored.team = team.map(Fingerprint);
        stored.team_problem = team_problem;
        TeamView::new(&serde_json::from_value(configured).unwrap(), &stored)
    }

    fn words(view: &TeamView) -> String {
        format!("{}\n{:?}\n", crate::output::facts(view.facts()), view.file_line())
    }

    #[test]
    fn team_pin_views() {
        let recorded = Some(1_139_000_000_123_456);
        let views = [
            view(None, None, None),
            view(None, recorded, None),
            view(Some("2006-02-03T20:53:20.123456Z"), recorded, Some(TeamProblem::Missing)),
            view(None, recorded, Some(TeamProblem::Replaced)),
        ];
        insta::assert_snapshot!(views.map(|view| words(&view)).join("---\n"));
    }

    #[test]
    fn file_line_is_valid_toml() {
        let line = view(None, Some(1_139_000_000_123_456), None).file_line().unwrap();
        let date = line.strip_prefix("team-created = ").unwrap().trim_matches('"').to_owned();
        assert_eq!(date.parse::<Timestamp>().unwrap().as_microsecond(), 1_139_000_000_123_456);
    }
}
