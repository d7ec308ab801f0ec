//! What was found, as text for a terminal and as Markdown to record.

use std::fmt::{self, Display};

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Not checked, with the reason.
    Skipped(String),
    /// Wrong, with what to do.
    Failed(String),
}

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub subject: String,
    /// What was found.
    pub found: String,
    /// The result.
    pub outcome: Outcome,
}

impl Check {
    pub(crate) fn new(subject: impl Into<String>, found: impl Into<String>, outcome: Outcome) -> Self {
        Self { subject: subject.into(), found: found.into(), outcome }
    }
}

/// A first response.
#[derive(Clone, Debug, PartialEq)]
pub struct ColdStart {
    /// The logical id of the function.
    pub function: String,
    /// Its architecture.
    pub architecture: String,
    /// Its memory in MB.
    pub memory: u64,
    /// Milliseconds until the function is ready.
    pub init: f64,
    /// Milliseconds of the first request.
    pub duration: f64,
}

/// The whole report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The name of the stack.
    pub stack: String,
    /// The region.
    pub region: String,
    /// All checks.
    pub checks: Vec<Check>,
    /// The first responses of new instances.
    pub cold_starts: Vec<ColdStart>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn has_passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.outcome, Outcome::Failed(_)))
    }

    /// The report as Markdown, for docs/smoke.md and docs/benchmarks.md.
    pub fn markdown(&self) -> String {
        let mut text =
            format!("Stack `{}` in {}:\n\n| check | found | result |\n| --- | --- | --- |\n", self.stack, self.region);
        for Check { subject, found, outcome } in &self.checks {
            let result = match outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Skipped(reason) => format!("skipped: {reason}"),
                Outcome::Failed(reason) => format!("**failed**: {reason}"),
            };
            text.push_str(&format!("| {} | {} | {} |\n", cell(subject), cell(found), cell(&result)));
        }
        if !self.cold_starts.is_empty() {
            text.push_str(
                "\n| function | architecture, memory | init, ms | first request, ms | first response, ms |\n",
            );
            text.push_str("| --- | --- | --- | --- | --- |\n");
            for cold in &self.cold_starts {
                let ColdStart { function, architecture, memory, init, duration } = cold;
                let sum = init + duration;
                let line =
                    format!("| {function} | {architecture}, {memory} MB | {init:.0} | {duration:.0} | {sum:.0} |\n");
                text.push_str(&line);
            }
        }
        text
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { subject, found, outcome } in &self.checks {
            let (word, reason) = match outcome {
                Outcome::Passed => ("pass", ""),
                Outcome::Skipped(reason) => ("skip", reason.as_str()),
                Outcome::Failed(reason) => ("FAIL", reason.as_str()),
            };
            let parts = [subject.as_str(), found.as_str(), reason].into_iter().filter(|part| !part.is_empty());
            writeln!(f, "{word}  {}", parts.collect::<Vec<_>>().join(": "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let checks = [
            Check::new("stages of the API", "live", Outcome::Passed),
            Check::new(
                "SsoRole",
                "8 of 9 requests allowed",
                Outcome::Failed("denied: Put NONCE# | Put STATE#".to_owned()),
            ),
            Check::new("first responses", "", Outcome::Skipped("needs --yes".to_owned())),
        ];
        let cold = ColdStart {
            function: "Sso".to_owned(),
            architecture: "arm64".to_owned(),
            memory: 256,
            init: 41.4,
            duration: 118.9,
        };
        Report {
            stack: "membermail".into(),
            region: "eu-west-1".into(),
            checks: checks.into(),
            cold_starts: vec![cold],
        }
    }

    #[test]
    fn report_is_printed() {
        insta::assert_snapshot!(report());
    }

    #[test]
    fn report_is_rendered_as_markdown() {
        insta::assert_snapshot!(report().markdown());
    }

    #[test]
    fn skipped_check_is_no_failure() {
        let mut report = report();
        assert!(!report.has_passed());
        report.checks.remove(1);
        assert!(report.has_passed());
    }
}
