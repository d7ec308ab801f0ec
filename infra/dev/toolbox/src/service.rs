//! A background program with a health check.

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

/// What to start, and how to tell that it is healthy.
#[derive(Debug)]
pub struct ServiceConfig {
    /// Name for messages.
    pub name: &'static str,
    /// The command; it must stay in the foreground.
    pub command: Command,
    /// Base URL of the HTTP health checks; empty for the others.
    pub url: String,
    /// The check that passes once the service is ready.
    pub health: HealthCheck,
    /// Log file for the output, which goes to this terminal otherwise.
    pub log: Option<PathBuf>,
    /// Maximum time until the health check passes.
    pub startup_timeout: Duration,
}

/// How to check that a service is ready.
#[derive(Clone, Debug)]
pub enum HealthCheck {
    /// A GET of this path returns 2xx.
    HttpSuccess(&'static str),
    /// A GET of this path returns any status.
    HttpAny(&'static str),
    /// This loopback port accepts connections.
    Port(u16),
    /// This UNIX socket accepts connections. A leftover socket is removed before the start.
    Socket(PathBuf),
}

/// The file that records started processes.
static RECORD: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Records every service that this process starts from now on in `file`, before its health check. If this process is
/// killed, another one can then stop the services ([`Process::recorded`]).
pub fn record_processes_in(file: Option<PathBuf>) {
    *RECORD.lock().unwrap_or_else(PoisonError::into_inner) = file;
}

/// A running service; dropping it stops the program.
#[derive(Debug)]
pub struct Service {
    /// Base URL, as configured.
    pub url: String,
    /// The main process.
    pub process: Process,
    name: &'static str,
    log: Option<PathBuf>,
    child: Child,
}

impl Service {
    /// Starts the program and waits until its health check passes.
    pub async fn start(config: ServiceConfig) -> Result<Self> {
        let ServiceConfig { name, mut command, url, health, log, startup_timeout } = config;
        command.stdin(Stdio::null());
        if let HealthCheck::Socket(socket) = &health {
            let _ = fs::remove_file(socket);
        }
        if let Some(log) = &log {
            if let Some(folder) = log.parent() {
                fs::create_dir_all(folder)?;
            }
            // A restarted service appends to its log.
            let file = File::options().create(true).append(true).open(log);
            let file = file.with_context(|| format!("cannot write {}", log.display()))?;
            command.stdout(file.try_clone()?).stderr(file);
        }
        // Its own process group: Ctrl-C reaches only us, and we stop the services in order.
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let process = i32::try_from(child.id()).ok().and_then(Process::find);
        let process = process.with_context(|| format!("{name} exited immediately"))?;
        let mut service = Self { url, process, name, log, child };
        if let Some(file) = RECORD.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            process.record(file)?;
        }
        // On an error, dropping `service` stops the program.
        service.wait_until_ready(&health, startup_timeout).await?;
        Ok(service)
    }

    /// Kills the program without a chance to clean up, as in a crash.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(())
    }

    /// Stops the program and its descendants.
    pub fn stop(&mut self) -> Result<()> {
        self.process.stop(Duration::from_secs(10))?;
        self.child.wait().with_context(|| format!("cannot wait for {}", self.name))?;
        Ok(())
    }

    async fn wait_until_ready(&mut self, health: &HealthCheck, timeout: Duration) -> Result<()> {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let start = Instant::now();
        while start.elapsed() < timeout {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} exited with {status}{}", self.name, self.log_hint());
            }
            if is_ready(&client, &self.url, health).await {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("{} is not ready after {timeout:?}{}", self.name, self.log_hint())
    }

    fn log_hint(&self) -> String {
        self.log.as_ref().map(|log| format!(": see {}", log.display())).unwrap_or_default()
    }
}

async fn is_ready(client: &reqwest::Client, url: &str, health: &HealthCheck) -> bool {
    match health {
        HealthCheck::HttpSuccess(path) => {
            let response = client.get(format!("{url}{path}")).send().await;
            response.is_ok_and(|response| response.status().is_success())
        }
        HealthCheck::HttpAny(path) => client.get(format!("{url}{path}")).send().await.is_ok(),
        HealthCheck::Port(port) => accepts_connections(*port),
        HealthCheck::Socket(socket) => UnixStream::connect(socket).is_ok(),
    }
}

/// Whether this loopback port accepts connections.
pub fn accepts_connections(port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), Duration::from_millis(200)).is_ok()
}

impl Drop for Service {
    fn drop(&mut self) {
        // Does nothing after `stop` or `kill`.
        let _ = self.process.stop(Duration::from_secs(3));
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn config(script: &str, health: HealthCheck, log: Option<PathBuf>) -> ServiceConfig {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let startup_timeout = Duration::from_secs(5);
        ServiceConfig { name: "it", command, url: String::new(), health, log, startup_timeout }
    }

    async fn timeout_error(health: HealthCheck) -> String {
        let startup_timeout = Duration::from_millis(200);
        let config = ServiceConfig { startup_timeout, ..config("exec sleep 100", health, None) };
        Service::start(config).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn open_port_is_healthy() {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut service = Service::start(config("exec sleep 100", HealthCheck::Port(port), None)).await.unwrap();
        service.kill().unwrap();
        assert!(!service.process.is_running());
        drop(listener);
        assert_eq!(timeout_error(HealthCheck::Port(port)).await, "it is not ready after 200ms");
    }

    #[tokio::test]
    async fn leftover_socket_is_unhealthy() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        drop(UnixListener::bind(&socket).unwrap());
        assert_eq!(timeout_error(HealthCheck::Socket(socket.clone())).await, "it is not ready after 200ms");
        assert!(!socket.exists());
        let path = socket.clone();
        let listener = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            UnixListener::bind(path).unwrap()
        });
        Service::start(config("exec sleep 100", HealthCheck::Socket(socket), None)).await.unwrap();
        drop(listener.join().unwrap());
    }

    #[tokio::test]
    async fn early_exit_is_reported_with_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let config = config("echo no; exit 3", HealthCheck::HttpSuccess("/"), Some(log.clone()));
        let error = Service::start(config).await.unwrap_err().to_string();
        assert!(error.starts_with("it exited with exit status: 3: see "), "{error}");
        assert_eq!(fs::read_to_string(log).unwrap(), "no\n");
    }
}
