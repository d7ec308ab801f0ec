//! Processes, identified by pid *and* start time, because the kernel reuses pids.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// A Linux process that cannot be confused with a later one of the same pid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// The process id.
    pub pid: i32,
    /// Start time in clock ticks since boot.
    pub start: u64,
}

impl Process {
    /// The running process with this pid.
    pub fn find(pid: i32) -> Option<Self> {
        let (_, start, _) = stat(pid)?;
        Some(Self { pid, start })
    }

    /// Appends the process to a file, one per line.
    pub fn record(&self, file: &Path) -> Result<()> {
        let opened = File::options().create(true).append(true).open(file);
        let written = opened.and_then(|mut file| file.write_all(format!("{} {}\n", self.pid, self.start).as_bytes()));
        written.with_context(|| format!("cannot write {}", file.display()))
    }

    /// The processes recorded in a file; none if the file does not exist.
    pub fn recorded(file: &Path) -> Result<Vec<Self>> {
        let text = match std::fs::read_to_string(file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.with_context(|| format!("cannot read {}", file.display()))?,
        };
        text.lines()
            .map(|line| Self::parse(line).with_context(|| format!("invalid line {line:?} in {}", file.display())))
            .collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let (pid, start) = line.split_once(' ')?;
        Some(Self { pid: pid.parse().ok()?, start: start.parse().ok()? })
    }

    /// Whether the process is running; a zombie is not.
    pub fn is_running(&self) -> bool {
        stat(self.pid).is_some_and(|(_, start, state)| start == self.start && state != 'Z')
    }

    /// Sends SIGTERM, waits up to `timeout`, then kills the process and its descendants.
    pub fn stop(&self, timeout: Duration) -> Result<()> {
        if !self.is_running() {
            return Ok(());
        }
        let processes = self.with_descendants();
        kill(Pid::from_raw(self.pid), Signal::SIGTERM)?;
        let start = Instant::now();
        while self.is_running() && start.elapsed() < timeout {
            std::thread::sleep(Duration::from_millis(50));
        }
        for process in processes.iter().filter(|process| process.is_running()) {
            // Fails if the process has just exited.
            let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
        }
        Ok(())
    }

    /// The program name as the kernel keeps it: at most 15 bytes.
    pub fn name(&self) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/comm", self.pid)).ok().map(|name| name.trim_end().to_owned())
    }

    /// CPU time so far, user and system.
    pub fn cpu_time(&self) -> Result<Duration> {
        duration(ticks(self.pid, 2).context("the process has ended")?)
    }

    /// CPU time so far of the process and its descendants, including those that have ended.
    pub fn tree_cpu_time(&self) -> Result<Duration> {
        // A process that ends now is counted by its parent from then on.
        self.with_descendants()
            .iter()
            .filter_map(|process| ticks(process.pid, 4))
            .try_fold(Duration::ZERO, |sum, ticks| Ok(sum + duration(ticks)?))
    }

    /// Peak resident memory so far, in MB.
    pub fn peak_memory(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1_024.0 / 1_000_000.0)
    }

    /// The process and all its descendants.
    pub fn with_descendants(&self) -> Vec<Self> {
        let numbers = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let all: Vec<_> =
            numbers.filter_map(|pid| stat(pid).map(|(parent, start, _)| (parent, Self { pid, start }))).collect();
        let mut found = vec![*self];
        let mut next = 0;
        while let Some(process) = found.get(next).copied() {
            found.extend(all.iter().filter(|(parent, _)| *parent == process.pid).map(|(_, child)| *child));
            next += 1;
        }
        found
    }
}

/// Clock ticks of CPU time: the first `count` of the user and system time of the process and those of its ended children.
fn ticks(pid: i32, count: usize) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = text.rsplit_once(')')?.1.split_whitespace();
    fields.skip(11).take(count).map(|field| field.parse::<u64>().ok()).sum()
}

fn duration(ticks: u64) -> Result<Duration> {
    let second = sysconf(SysconfVar::CLK_TCK)?.and_then(|ticks| u64::try_from(ticks).ok()).context("no CLK_TCK")?;
    Ok(Duration::from_micros(ticks * 1_000_000 / second))
}

/// Parent pid, start time and state from `/proc`.
fn stat(pid: i32) -> Option<(i32, u64, char)> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may contain spaces, so fields are counted from its end.
    let fields: Vec<_> = text.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?, fields.first()?.chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_ends_descendants_too() {
        let mut shell = std::process::Command::new("sh").args(["-c", "sleep 100 & wait"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        let process = Process::find(i32::try_from(shell.id()).unwrap()).unwrap();
        let processes = process.with_descendants();
        assert_eq!(processes.len(), 2);
        process.stop(Duration::from_millis(500)).unwrap();
        shell.wait().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        assert!(processes.iter().all(|process| !process.is_running()));
    }

    #[test]
    fn ended_child_counts_for_its_parent() {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done";
        let mut shell = std::process::Command::new("sh").args(["-c", &format!("({busy}); sleep 100")]).spawn().unwrap();
        let process = Process::find(i32::try_from(shell.id()).unwrap()).unwrap();
        let start = Instant::now();
        while process.tree_cpu_time().unwrap() < Duration::from_millis(50) && start.elapsed().as_secs() < 20 {
            std::thread::sleep(Duration::from_millis(50));
        }
        let time = process.tree_cpu_time().unwrap();
        let own = process.cpu_time().unwrap();
        process.stop(Duration::from_millis(500)).unwrap();
        shell.wait().unwrap();
        assert!(time >= Duration::from_millis(50) && own < Duration::from_millis(50), "{time:?}, {own:?}");
    }

    #[test]
    fn busy_process_uses_cpu_time() {
        let mut shell = std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let process = Process::find(i32::try_from(shell.id()).unwrap()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
        let time = process.cpu_time().unwrap();
        let name = process.name();
        process.stop(Duration::from_millis(500)).unwrap();
        shell.wait().unwrap();
        assert!(time > Duration::from_millis(20) && time < Duration::from_secs(5), "{time:?}");
        assert!(name.is_some_and(|name| name.ends_with("sh")));
    }

    #[test]
    fn recorded_processes_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("processes");
        assert_eq!(Process::recorded(&file).unwrap(), []);
        let all = [Process { pid: 7, start: 1 }, Process { pid: 8, start: u64::MAX }];
        all.iter().for_each(|process| process.record(&file).unwrap());
        assert_eq!(Process::recorded(&file).unwrap(), all);
        std::fs::write(&file, "7\n").unwrap();
        assert!(Process::recorded(&file).is_err());
    }

    #[test]
    fn reused_pid_is_another_process() {
        let mut this = Process::find(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(this.is_running());
        this.start += 1;
        assert!(!this.is_running());
    }
}
