//! Runs slow steps with progress: a spinner on a terminal, plain lines elsewhere, and the output only on failure.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;

use crate::workspace;

/// Cargo in the root folder of the workspace.
pub fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(workspace());
    cargo
}

/// Runs a command under a progress line and returns its standard output; the error contains its output.
pub fn run(what: &str, command: &mut Command) -> Result<String> {
    with_progress(what, || capture(command))
}

/// Runs `act` under a progress line that ends with the elapsed time.
pub fn with_progress<T>(what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let spinner = ProgressBar::new_spinner().with_message(format!("{what} …"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = act();
    spinner.finish_and_clear();
    let seconds = start.elapsed().as_secs_f32();
    match &result {
        Ok(_) => eprintln!("  ✓ {what} ({seconds:.1} s)"),
        Err(_) => eprintln!("  ✗ {what} ({seconds:.1} s)"),
    }
    result.with_context(|| what.to_owned())
}

/// Runs a command silently and returns its standard output; the error contains its output.
pub fn capture(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let stderr = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed with {}\n{stdout}{stderr}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command with its output on this terminal.
pub fn run_attached(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !status.success() {
        bail!("{:?} failed with {status}", command.get_program());
    }
    Ok(())
}
