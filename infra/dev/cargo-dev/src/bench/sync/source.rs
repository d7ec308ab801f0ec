//! The membership sources of `cargo dev bench sync`, and their fakes.

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A membership source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Source {
    /// The team ubuntumembers at Launchpad
    #[default]
    Launchpad,
    /// The group community/members at GitLab
    Gitlab,
}

impl Source {
    /// The value of the option.
    pub(super) fn argument(self) -> &'static str {
        match self {
            Self::Launchpad => "--source=launchpad",
            Self::Gitlab => "--source=gitlab",
        }
    }

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Launchpad => "Launchpad",
            Self::Gitlab => "GitLab",
        }
    }

    /// Team sizes that are measured by default.
    pub(super) fn sizes(self) -> &'static [usize] {
        match self {
            Self::Launchpad => &[1_000, 10_000, 100_000],
            Self::Gitlab => &[1_000, 10_000],
        }
    }

    /// Maximum entries on a page.
    pub(super) fn page(self) -> u64 {
        match self {
            Self::Launchpad => 300,
            Self::Gitlab => 100,
        }
    }

    /// Whether the source counts a list of this many rows (`infra/dev/fakes/src/gitlab/api/page.rs`).
    pub(super) fn counts(self, rows: u64) -> bool {
        self == Self::Launchpad || rows <= 10_000
    }

    /// Options of the fakes for a team of this size.
    pub(super) fn fakes(self, people: usize) -> Vec<String> {
        let people = people.to_string();
        let options = match self {
            Self::Launchpad => ["--people", &people, "--all-in", "ubuntumembers"],
            Self::Gitlab => ["--people", "0", "--gitlab-members", &people],
        };
        options.map(str::to_owned).to_vec()
    }

    /// Number of rows on the pages of the team.
    pub(super) async fn rows(self, client: &reqwest::Client, root: &str) -> Result<u64> {
        let (path, field) = match self {
            Self::Launchpad => ("teams/ubuntumembers", "participants"),
            Self::Gitlab => ("gitlab/groups/42", "all"),
        };
        let team: Value = client.get(format!("{root}/control/{path}")).send().await?.json().await?;
        team[field].as_u64().with_context(|| format!("no {field}"))
    }

    /// The number of requests, and how many of them were in flight at most.
    pub(super) fn counted(self, counts: &Value) -> (Value, Value) {
        match self {
            Self::Launchpad => (counts["launchpad"].clone(), counts["launchpad_max_in_flight"].clone()),
            Self::Gitlab => {
                let kinds = counts["gitlab_kinds"].as_object().into_iter().flatten();
                let sum: u64 = kinds.filter_map(|(_, count)| count.as_u64()).sum();
                (json!(sum), counts["gitlab_max_in_flight"].clone())
            }
        }
    }

    /// Changes `count` people of the team: half of them leave, the others are renamed.
    pub(super) async fn change(self, client: &reqwest::Client, root: &str, count: usize) -> Result<()> {
        match self {
            Self::Launchpad => {
                let changes = (0..count).map(|number| {
                    let change = match number % 2 {
                        0 => json!({ "leave": ["ubuntumembers"] }),
                        _ => json!({ "name": format!("renamed{number}") }),
                    };
                    (format!("member{:04}", 1 + number), change)
                });
                let changes = Value::Object(changes.collect());
                client.patch(format!("{root}/control/people")).json(&changes).send().await?.error_for_status()?;
            }
            Self::Gitlab => {
                for number in 0..count {
                    let url = format!("{root}/control/gitlab/users/member{:05}", 1 + number);
                    let change = match number % 2 {
                        0 => json!({ "leave": ["community/members"] }),
                        _ => json!({ "username": format!("renamed{number}") }),
                    };
                    client.patch(url).json(&change).send().await?.error_for_status()?;
                }
            }
        }
        Ok(())
    }
}
