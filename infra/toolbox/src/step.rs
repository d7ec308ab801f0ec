//! One step that takes a while: a spinner on a terminal, plain lines elsewhere, the output only when it fails.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;

/// Runs a command to its end and says what for; its output is shown if it fails, and returned if it does not.
pub fn run(what: &str, command: &mut Command) -> Result<String> {
    during(what, || quietly(command))
}

/// Does something under a name that is shown, with the time that it took.
pub fn during<T>(what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = Instant::now();
    let spinner = ProgressBar::new_spinner().with_message(format!("{what} …"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    let done = act();
    spinner.finish_and_clear();
    let took = start.elapsed().as_secs_f32();
    match &done {
        Ok(_) => eprintln!("  ✓ {what} ({took:.1} s)"),
        Err(_) => eprintln!("  ✗ {what} ({took:.1} s)"),
    }
    done.with_context(|| what.to_owned())
}

/// Runs a command to its end without a word.
pub fn quietly(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        bail!("{program} ended with {}\n{out}{err}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
