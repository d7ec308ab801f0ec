//! `cargo dev lint`: every check that needs no running site. All of them run, so that one run shows all failures.

use anyhow::{Result, bail};
use membermail_toolbox::step;

use crate::tools;

mod deny;
mod dependencies;
mod doc;
mod links;
mod template;

/// A check and the name that the summary gives it.
type Check = (&'static str, fn() -> Result<()>);

/// Fast checks first. Documentation comes after clippy, whose compiled third-party crates it uses.
const CHECKS: [Check; 9] = [
    ("formatting", formatting),
    ("dependency direction", dependencies::check),
    ("links in Markdown files", links::check),
    ("template in all partitions", template::lint_in_all_partitions),
    ("template as SAM reads it", template::validate),
    ("security of the template", template::check_security),
    ("licences, bans and advisories", deny::check),
    ("clippy", clippy),
    ("documentation", doc::check),
];

/// Runs all checks; fails with the names of those that failed, each of which has printed its reasons.
pub(crate) fn lint() -> Result<()> {
    tools::install()?;
    tools::install_deny()?;
    tools::install_sam()?;
    tools::install_checkov()?;
    run(&CHECKS)
}

fn run(checks: &[Check]) -> Result<()> {
    let mut failed = Vec::new();
    for (name, check) in checks {
        if let Err(error) = step::with_progress(name, check) {
            eprintln!("{error:#}\n");
            failed.push(*name);
        }
    }
    if !failed.is_empty() {
        bail!("{} of {} checks failed: {}", failed.len(), checks.len(), failed.join(", "));
    }
    Ok(())
}

fn formatting() -> Result<()> {
    step::capture(step::cargo().args(["fmt", "--all", "--check"])).map(drop)
}

fn clippy() -> Result<()> {
    step::run_attached(step::cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_is_reported() {
        let pass: Check = ("pass", || Ok(()));
        let fail: Check = ("fail", || bail!("no"));
        let other: Check = ("other", || bail!("no"));
        run(&[pass, pass]).unwrap();
        assert_eq!(run(&[fail, pass, other]).unwrap_err().to_string(), "2 of 3 checks failed: fail, other");
    }
}
