//! A program that runs in the background and is ready when it answers.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::Process;

/// What to start, and how to know that it is ready.
#[derive(Debug)]
pub struct Plan {
    /// Its name, for messages.
    pub name: &'static str,
    /// The program in the foreground.
    pub command: Command,
    /// Where it answers; empty where nobody is to be told.
    pub url: String,
    /// What it answers once all is ready.
    pub health: Health,
    /// What it has to say for itself; without a file it says it on this terminal.
    pub log: Option<PathBuf>,
    /// How long it may take until it answers.
    pub patience: Duration,
}

/// How a program shows that it is ready.
#[derive(Clone, Debug)]
pub enum Health {
    /// This path is answered with 2xx.
    Good(&'static str),
    /// This path is answered, with whatever status.
    Any(&'static str),
    /// Connections are taken at this port of loopback, whatever is spoken there.
    Port(u16),
    /// Connections are taken at this UNIX socket. What an earlier run left is taken away before the start.
    Socket(PathBuf),
    /// This file is there. What an earlier run left is taken away before the start.
    File(PathBuf),
}

/// Where what starts is noted.
static NOTES: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Notes every service that this process starts from now on in this file, before it is waited for: whoever finds this
/// process killed can end the others ([`Process::noted`]).
pub fn note_starts_in(file: Option<PathBuf>) {
    *NOTES.lock().unwrap_or_else(PoisonError::into_inner) = file;
}

/// A program that answers, until this value is dropped.
#[derive(Debug)]
pub struct Service {
    /// Where it answers.
    pub url: String,
    /// The process; everything else of it is a descendant.
    pub process: Process,
    name: &'static str,
    log: Option<PathBuf>,
    child: Child,
}

impl Service {
    /// Starts it and waits until it answers.
    pub async fn start(plan: Plan) -> Result<Self> {
        let Plan { name, mut command, url, health, log, patience } = plan;
        command.stdin(Stdio::null());
        if let Health::File(file) | Health::Socket(file) = &health {
            let _ = fs::remove_file(file);
        }
        if let Some(log) = &log {
            if let Some(folder) = log.parent() {
                fs::create_dir_all(folder)?;
            }
            // What is started again goes on behind what it said before; folders of a run begin empty.
            let file = File::options().create(true).append(true).open(log);
            let file = file.with_context(|| format!("writing {}", log.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        // A group of its own: a Ctrl-C in the terminal is for us, and we stop it in order.
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now);
        let process = process.with_context(|| format!("{name} ended at once"))?;
        let mut service = Self { url, process, name, log, child };
        if let Some(file) = NOTES.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            process.note(file)?;
        }
        // Where it does not answer it ends here, as the value is dropped.
        service.wait(&health, patience).await?;
        Ok(service)
    }

    /// Ends it without a word, as a crash does.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("killing {}", self.name))?;
        self.child.wait().with_context(|| format!("waiting for {}", self.name))?;
        Ok(())
    }

    /// Ends it with everything that it started.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Duration::from_secs(10))?;
        self.child.wait().with_context(|| format!("waiting for {}", self.name))?;
        Ok(())
    }

    async fn wait(&mut self, health: &Health, patience: Duration) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let start = Instant::now();
        while start.elapsed() < patience {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}{}", self.name, self.see());
            }
            if is_ready(&client, &self.url, health).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{} does not answer{}", self.name, self.see())
    }

    fn see(&self) -> String {
        self.log.as_ref().map(|log| format!(": see {}", log.display())).unwrap_or_default()
    }
}

async fn is_ready(client: &reqwest::Client, url: &str, health: &Health) -> bool {
    match health {
        Health::Good(path) => {
            let answer = client.get(format!("{url}{path}")).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        }
        Health::Any(path) => client.get(format!("{url}{path}")).send().await.is_ok(),
        Health::Port(port) => takes_connections(*port),
        Health::Socket(socket) => UnixStream::connect(socket).is_ok(),
        Health::File(file) => file.is_file(),
    }
}

/// Whether something takes connections at this port of loopback.
pub fn takes_connections(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_millis(200)).is_ok()
}

impl Drop for Service {
    fn drop(&mut self) {
        // Only where an error came in between; whoever stops in order has done it already.
        let _ = self.process.stop(Duration::from_secs(3));
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn plan(script: &str, health: Health, log: Option<PathBuf>) -> Plan {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Plan { name: "it", command, url: String::new(), health, log, patience: Duration::from_secs(5) }
    }

    #[tokio::test]
    async fn a_file_a_port_or_a_socket_can_be_the_sign() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ready");
        fs::write(&file, "of an earlier run").unwrap();
        let script = format!("sleep 0.3; echo now > {}; exec sleep 100", file.display());
        let mut service = Service::start(plan(&script, Health::File(file.clone()), None)).await.unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "now\n");
        service.kill().unwrap();
        assert!(!service.process.runs());

        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        Service::start(plan("exec sleep 100", Health::Port(port), None)).await.unwrap();
        drop(listener);

        let socket = folder.path().join("socket");
        // One that nobody listens at any more is no sign, and neither is one of an earlier run.
        drop(UnixListener::bind(&socket).unwrap());
        let gone = Plan {
            patience: Duration::from_millis(200),
            ..plan("exec sleep 100", Health::Socket(socket.clone()), None)
        };
        assert_eq!(Service::start(gone).await.unwrap_err().to_string(), "it does not answer");
        assert!(!socket.exists());
        let made = socket.clone();
        let listens = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            UnixListener::bind(made).unwrap()
        });
        Service::start(plan("exec sleep 100", Health::Socket(socket), None)).await.unwrap();
        drop(listens.join().unwrap());

        let hasty = Plan { patience: Duration::from_millis(200), ..plan("exec sleep 100", Health::Port(port), None) };
        assert_eq!(Service::start(hasty).await.unwrap_err().to_string(), "it does not answer");
    }

    #[tokio::test]
    async fn what_ends_before_it_answers_is_told_with_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let plan = plan("echo no; exit 3", Health::Good("/"), Some(log.clone()));
        let error = Service::start(plan).await.unwrap_err().to_string();
        assert!(error.starts_with("it ended with exit status: 3: see "), "{error}");
        assert_eq!(fs::read_to_string(log).unwrap(), "no\n");
    }
}
