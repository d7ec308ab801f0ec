//! The programs of the test mail host, started as background services.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_alias_map::endpoint::Endpoint;
use membermail_core::address::DomainName;
use membermail_postfix::config::{MailHost, RSPAMD_SCRIPTS};
use membermail_toolbox::process::Process;
use membermail_toolbox::service::{HealthCheck, Service, ServiceConfig, accepts_connections};
use membermail_toolbox::{find_program, step};

use crate::options::Options;
use crate::system::{sbin, user};

const STARTUP_TIMEOUT: Duration = Duration::from_secs(20);

/// A running Postfix; dropping it stops Postfix.
#[derive(Debug)]
pub(crate) struct Postfix {
    etc: PathBuf,
    pub(crate) master: Process,
}

impl Postfix {
    pub(crate) async fn start(folder: &Path, port: u16) -> Result<Self> {
        let etc = folder.join("etc");
        let log = folder.join("mail.log");
        step::capture(Command::new(sbin("postfix")?).arg("-c").arg(&etc).arg("start"))
            .with_context(|| log_tail(&log))?;
        let pid = fs::read_to_string(folder.join("spool/pid/master.pid")).context("Postfix has no pid file")?;
        let master = Process::find(pid.trim().parse()?).context("Postfix exited immediately")?;
        let postfix = Self { etc, master };
        let start = Instant::now();
        while !accepts_connections(port) {
            if start.elapsed() > STARTUP_TIMEOUT {
                bail!("Postfix does not accept connections: {}", log_tail(&log));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(postfix)
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if let Ok(postfix) = sbin("postfix") {
            let _ = Command::new(postfix).arg("-c").arg(&self.etc).arg("stop").output();
        }
        let _ = self.master.stop(Duration::from_secs(5));
    }
}

pub(crate) async fn start_rspamd(host: &MailHost, folder: &Path, domains: &[DomainName]) -> Result<Service> {
    let conf = folder.join("etc/rspamd.conf");
    fs::write(&conf, host.rspamd_conf(domains)?.context("signing is not configured")?)?;
    for (name, text) in RSPAMD_SCRIPTS {
        fs::write(folder.join("etc").join(name), text)?;
    }
    fs::write(folder.join("etc/endings"), "com\norg\nme\nnet\ntest\nexample\n")?;
    let mut command = Command::new(find_program(&["rspamd"]).context("rspamd is not installed")?);
    command.args(["-f", "-u", "_rspamd", "-g", "_rspamd", "-c"]).arg(&conf);
    for variable in ["DBDIR", "RUNDIR", "LOGDIR"] {
        command.arg(format!("--var={variable}={}", folder.join("rspamd").display()));
    }
    let socket = host.signing.as_ref().context("signing is not configured")?.socket.clone();
    start("rspamd", command, HealthCheck::Socket(socket), folder.join("rspamd.out")).await
}

pub(crate) async fn start_alias_map(options: &Options, endpoint: &Endpoint) -> Result<Service> {
    let mut command = Command::new(&options.alias_map);
    command.arg("--config").arg(options.folder.join("etc/alias-map.toml")).envs([
        ("AWS_ENDPOINT_URL", options.endpoint_url.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]);
    command.env_remove("AWS_PROFILE");
    let health = match endpoint {
        Endpoint::Inet(address) => HealthCheck::Port(address.port()),
        Endpoint::Unix(path) => HealthCheck::Socket(path.clone()),
    };
    let service = start("alias-map", command, health, options.folder.join("alias-map.log")).await?;
    if let Endpoint::Unix(path) = endpoint {
        // As in the systemd unit: Postfix has access through its group.
        chown(path, None, Some(user("postfix")?.gid.as_raw()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o770))?;
    }
    Ok(service)
}

/// Starts a program of the mail host and waits for its health check; the error contains the end of its log.
pub(crate) async fn start(name: &'static str, command: Command, health: HealthCheck, log: PathBuf) -> Result<Service> {
    let url = String::new();
    let startup_timeout = STARTUP_TIMEOUT;
    let started =
        Service::start(ServiceConfig { name, command, url, health, log: Some(log.clone()), startup_timeout }).await;
    started.with_context(|| log_tail(&log))
}

/// The last lines of a log, for error messages.
fn log_tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    format!("{}\n{}", log.display(), lines[lines.len().saturating_sub(12)..].join("\n"))
}
