//! Ending what was started, and nothing else: a process is its number *and* its start, as numbers are used again.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// A process of Linux that cannot be mistaken for a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// When it started, in the kernel's ticks.
    pub start: u64,
}

impl Process {
    /// The process that has this number now.
    pub fn now(pid: i32) -> Option<Self> {
        let (_, start, _) = stat(pid)?;
        Some(Self { pid, start })
    }

    /// Adds it to a file, a line each.
    pub fn note(&self, file: &Path) -> Result<()> {
        let notes = File::options().create(true).append(true).open(file);
        let written = notes.and_then(|mut notes| notes.write_all(format!("{} {}\n", self.pid, self.start).as_bytes()));
        written.with_context(|| format!("writing {}", file.display()))
    }

    /// Those that were noted in a file; none where there is no file.
    pub fn noted(file: &Path) -> Result<Vec<Self>> {
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.with_context(|| format!("reading {}", file.display()))?,
        };
        let process = |line: &str| {
            let (pid, start) = line.split_once(' ')?;
            Some(Self { pid: pid.parse().ok()?, start: start.parse().ok()? })
        };
        let line = |line: &str| process(line).with_context(|| format!("{line:?} in {}", file.display()));
        text.lines().map(line).collect()
    }

    /// Whether it still runs; one that waits to be reaped does not.
    pub fn runs(&self) -> bool {
        stat(self.pid).is_some_and(|(_, start, state)| start == self.start && state != 'Z')
    }

    /// Asks it to end, waits, and then ends it with all that it had started.
    pub fn stop(&self, patience: Duration) -> Result<()> {
        if !self.runs() {
            return Ok(());
        }
        let family = self.family();
        kill(Pid::from_raw(self.pid), Signal::SIGTERM)?;
        let start = Instant::now();
        while self.runs() && start.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(50));
        }
        for process in family.iter().filter(|process| process.runs()) {
            // It may have ended just now, which is what is wanted.
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
        Ok(())
    }

    /// The name of its program, as the kernel keeps it: 15 bytes at most.
    pub fn name(&self) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/comm", self.pid)).ok().map(|name| name.trim_end().to_owned())
    }

    /// How long it has kept processors busy so far, for itself and by the kernel for it.
    pub fn processor_time(&self) -> Result<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        let fields = text.rsplit_once(')').map(|(_, fields)| fields.split_whitespace()).context("no fields")?;
        let ticks: u64 = fields.skip(11).take(2).map(str::parse::<u64>).sum::<Result<_, _>>()?;
        let second = sysconf(SysconfVar::CLK_TCK)?.and_then(|ticks| u64::try_from(ticks).ok()).context("no ticks")?;
        Ok(Duration::from_micros(ticks * 1_000_000 / second))
    }

    /// It and all its descendants.
    pub fn family(&self) -> Vec<Self> {
        let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let all: Vec<_> =
            numbers.filter_map(|pid| stat(pid).map(|(parent, start, _)| (parent, Self { pid, start }))).collect();
        let mut family = vec![*self];
        let mut next = 0;
        while let Some(one) = family.get(next).copied() {
            family.extend(all.iter().filter(|(parent, _)| *parent == one.pid).map(|(_, child)| *child));
            next += 1;
        }
        family
    }
}

/// Parent, start and state, as the kernel tells.
fn stat(pid: i32) -> Option<(i32, u64, char)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so fields are counted after it.
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?, fields.first()?.chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_stopped_with_its_children() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 100 & wait"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let process = Process::now(i32::try_from(shell.id()).unwrap()).unwrap();
        let family = process.family();
        assert_eq!(family.len(), 2);
        process.stop(Duration::from_millis(500)).unwrap();
        shell.wait().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert!(family.iter().all(|one| !one.runs()));
    }

    #[test]
    fn a_busy_process_shows_its_time() {
        let mut shell = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let process = Process::now(i32::try_from(shell.id()).unwrap()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let time = process.processor_time().unwrap();
        let name = process.name();
        process.stop(Duration::from_millis(500)).unwrap();
        shell.wait().unwrap();
        assert!(time > Duration::from_millis(20) && time < Duration::from_secs(5), "{time:?}");
        assert!(name.is_some_and(|name| name.ends_with("sh")));
    }

    #[test]
    fn what_is_noted_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("processes");
        assert_eq!(Process::noted(&file).unwrap(), []);
        let all = [Process { pid: 7, start: 1 }, Process { pid: 8, start: u64::MAX }];
        all.iter().for_each(|process| process.note(&file).unwrap());
        assert_eq!(Process::noted(&file).unwrap(), all);
        std::fs::write(&file, "7\n").unwrap();
        assert!(Process::noted(&file).is_err());
    }

    #[test]
    fn a_later_process_of_the_same_number_is_another() {
        let mut this = Process::now(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(this.runs());
        this.start += 1;
        assert!(!this.runs());
    }
}
