//! Ending what was started, and nothing else: a process is its number *and* its start, as numbers are used again.

use std::time::{Duration, Instant};

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

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

    /// It and all its descendants.
    fn family(&self) -> Vec<Self> {
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
    fn a_later_process_of_the_same_number_is_another() {
        let mut this = Process::now(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(this.runs());
        this.start += 1;
        assert!(!this.runs());
    }
}
