//! A mail host in a folder of its own: real Postfix, postsrsd and rspamd, our `alias-map`, and an inbox where all mail ends.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use membermail_alias_map::endpoint::Endpoint;
use membermail_alias_map::settings::MasterSecretAt;
use membermail_communities::community;
use membermail_core::address::DomainName;
use membermail_core::random::{self, OsRandom};
use membermail_toolbox::process::Process;
use membermail_toolbox::service::{Health, Plan, Service, takes_connections};
use membermail_toolbox::{find_program, step};

use crate::config::{Apart, Limits, Login, MailHost, Signing};
use crate::inbox::Inbox;

/// The name that the host goes by; nobody outside knows it.
pub const HOSTNAME: &str = "mail.membermail.test";
/// Where rewritten senders are.
pub const SRS_DOMAIN: &str = "srs.membermail.test";
/// The account that hands in notices by a password, and who it may send as.
pub const USER: &str = "notices";
/// Who that account may send as, where the community is Ubuntu.
pub const NOTICES: &str = "noreply@ubuntu.com";
/// The name of the signing key in DNS.
pub const SELECTOR: &str = "test";

/// What a mail host here is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Everything that is written goes here; emptied at the start.
    pub folder: PathBuf,
    /// Python with the packages of the lock, as [`install`](crate::install) has it.
    pub python: PathBuf,
    /// The program `membermail-alias-map`.
    pub alias_map: PathBuf,
    /// AWS, as `AWS_ENDPOINT_URL`.
    pub endpoint_url: String,
    /// The table.
    pub table: String,
    /// The master secret.
    pub master_secret: MasterSecretAt,
    /// The community.
    pub community: String,
    /// More settings of `alias-map`, as lines of TOML.
    pub settings: String,
    /// Where the operators read mail: role mail of a domain whose admins cannot act goes there.
    pub operators: String,
    /// Whether rspamd signs; without DNS it takes a moment for each mail.
    pub signs: bool,
    /// Sizes and rates; whoever tests with a thousand mails from one client wants wide ones.
    pub limits: Limits,
    /// A UNIX socket that `alias-map` listens at; without one, it has a port.
    pub socket: Option<PathBuf>,
    /// Whether whoever connects may say by `XCLIENT` where from, so that a test can come from elsewhere.
    pub xclient: bool,
    /// Ports of Postfix and of the inbox; found where none are given.
    pub ports: Option<(u16, u16)>,
}

/// One mail host that takes mail. All of it ends with this value.
#[derive(Debug)]
pub struct Rig {
    /// Port that takes mail from anywhere.
    pub smtp: u16,
    /// Port that takes our own notices.
    pub submission: u16,
    /// The password of [`USER`] there.
    pub password: String,
    /// The certificate of the host, in PEM; it is for `localhost` as well.
    pub certificate: String,
    /// Where `alias-map` answers.
    pub endpoint: Endpoint,
    /// Where its metrics are.
    pub metrics: u16,
    /// Where all mail ends.
    pub inbox: Inbox,
    /// Postfix's log.
    pub log: PathBuf,
    /// The first domain of the community.
    pub domain: DomainName,
    /// The public half of the signing key, as its record in DNS has it.
    pub dns_record: String,
    options: Options,
    // In the order in which they end.
    postfix: Postfix,
    alias_map: Option<Service>,
    _rspamd: Option<Service>,
    _postsrsd: Service,
}

impl Rig {
    /// Lays everything out, starts it and waits until it takes mail.
    pub async fn start(options: Options) -> Result<Self> {
        let folder = options.folder.clone();
        let _ = fs::remove_dir_all(&folder);
        lay_out(&folder)?;
        let domains: Vec<DomainName> = community(&options.community)?.domain_names().cloned().collect();
        let domain = domains.first().context("the community has no domain")?.clone();
        let (tls, certificate) = certificate(&folder)?;
        let inbox = Inbox::start(&options.python, &folder, &tls, options.ports.map(|(_, inbox)| inbox)).await?;
        let (passwords, password) = password(&folder)?;
        let (key, dns_record) = signing_key(&folder)?;
        let smtp = options.ports.map_or_else(free_port, |(smtp, _)| Ok(smtp))?;
        let (submission, metrics) = (free_port()?, free_port()?);
        let (forward, reverse, signer) = (free_port()?, free_port()?, free_port()?);
        let nobody = free_port()?;
        let endpoint = match &options.socket {
            Some(path) => Endpoint::Unix(path.clone()),
            None => format!("inet:127.0.0.1:{}", free_port()?).parse()?,
        };
        let host = MailHost {
            hostname: DomainName::parse(HOSTNAME)?,
            srs_domain: DomainName::parse(SRS_DOMAIN)?,
            port: format!("127.0.0.1:{smtp}"),
            submission_port: format!("127.0.0.1:{submission}"),
            // Not all of loopback: who connects to the other port from there counts as a stranger.
            submitters: vec![format!("{SUBMITTER}/32")],
            alias_map: endpoint.clone(),
            tls_chain: vec![tls],
            dnssec: false,
            login: Some(Login { user: USER.to_owned(), senders: vec![format!("noreply@{domain}")], passwords }),
            signing: options.signs.then_some(Signing {
                key,
                selector: SELECTOR.to_owned(),
                folder: folder.join("rspamd"),
                port: signer,
                // Nobody answers there, and at once.
                resolvers: vec![format!("127.0.0.1:{nobody}")],
            }),
            limits: options.limits,
            srs_forward: forward,
            srs_reverse: reverse,
            apart: Some(Apart {
                folder: folder.clone(),
                relay: format!("[127.0.0.1]:{}", inbox.port),
                retry_seconds: 2,
                xclient: options.xclient,
            }),
        };
        host.stands_apart_from(&domains)?;
        let postsrsd = postsrsd(&host, &folder).await?;
        let rspamd = if options.signs { Some(rspamd(&host, &folder, &domains, signer).await?) } else { None };
        write_settings(&options, &endpoint, metrics)?;
        let alias_map = alias_map(&options, &endpoint).await?;
        fs::write(folder.join("etc/main.cf"), host.main_cf()?)?;
        fs::write(folder.join("etc/master.cf"), host.master_cf()?)?;
        if let Some(conf) = host.smtpd_conf()? {
            fs::write(folder.join("etc/sasl/smtpd.conf"), conf)?;
        }
        let postfix = Postfix::start(&folder, smtp).await?;
        let log = folder.join("mail.log");
        let (alias_map, _rspamd, _postsrsd) = (Some(alias_map), rspamd, postsrsd);
        Ok(Self {
            smtp,
            submission,
            password,
            certificate,
            endpoint,
            metrics,
            inbox,
            log,
            domain,
            dns_record,
            options,
            postfix,
            alias_map,
            _rspamd,
            _postsrsd,
        })
    }

    /// Everything that runs, for `cargo dev down`.
    pub fn processes(&self) -> Vec<Process> {
        let services = [self._rspamd.as_ref(), Some(&self._postsrsd), self.alias_map.as_ref()];
        let services = services.into_iter().flatten().map(|service| service.process);
        std::iter::once(self.postfix.master).chain(services).chain(self.inbox.process()).collect()
    }

    /// Ends `alias-map` as a crash does.
    pub fn kill_alias_map(&mut self) -> Result<()> {
        self.alias_map.take().context("it does not run")?.kill()
    }

    /// Starts it again, at the same place.
    pub async fn start_alias_map(&mut self) -> Result<()> {
        self.alias_map = Some(alias_map(&self.options, &self.endpoint).await?);
        Ok(())
    }

    /// Other settings for `alias-map`, which reads them while it runs.
    pub fn change_settings(&mut self, settings: &str) -> Result<()> {
        self.options.settings = settings.to_owned();
        write_settings(&self.options, &self.endpoint, self.metrics)?;
        let process = self.alias_map.as_ref().context("it does not run")?.process;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.pid), nix::sys::signal::Signal::SIGHUP)?;
        Ok(())
    }

    /// Tries all queued mail now.
    pub fn flush(&self) -> Result<()> {
        step::quietly(Command::new(sbin("postqueue")?).arg("-c").arg(self.options.folder.join("etc")).arg("-f"))?;
        Ok(())
    }

    /// Ids of mail that waits in the queue.
    pub fn queued(&self) -> Result<Vec<String>> {
        let mut postqueue = Command::new(sbin("postqueue")?);
        let text = step::quietly(postqueue.arg("-c").arg(self.options.folder.join("etc")).arg("-j"))?;
        let id =
            |line: &str| Some(serde_json::from_str::<serde_json::Value>(line).ok()?["queue_id"].as_str()?.to_owned());
        Ok(text.lines().filter_map(id).collect())
    }
}

/// Notices are handed in from here.
pub const SUBMITTER: &str = "127.0.0.2";

/// Postfix while it runs.
#[derive(Debug)]
struct Postfix {
    etc: PathBuf,
    master: Process,
}

impl Postfix {
    async fn start(folder: &Path, port: u16) -> Result<Self> {
        let etc = folder.join("etc");
        step::quietly(Command::new(sbin("postfix")?).arg("-c").arg(&etc).arg("start"))
            .with_context(|| tail(&folder.join("mail.log")))?;
        let pid = fs::read_to_string(folder.join("spool/pid/master.pid")).context("Postfix has no process number")?;
        let master = Process::now(pid.trim().parse()?).context("Postfix ended at once")?;
        let postfix = Self { etc, master };
        let start = Instant::now();
        while !takes_connections(port) {
            if start.elapsed() > Duration::from_secs(20) {
                bail!("Postfix takes no mail: {}", tail(&folder.join("mail.log")));
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

fn lay_out(folder: &Path) -> Result<()> {
    for name in ["etc/sasl", "spool", "data", "rspamd"] {
        fs::create_dir_all(folder.join(name)).with_context(|| format!("making {}", folder.join(name).display()))?;
    }
    // Postfix and rspamd work as users of their own.
    for (name, user) in [("data", user("postfix")?), ("rspamd", user("_rspamd")?)] {
        chown(folder.join(name), Some(user.uid.as_raw()), None)?;
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// A key and a certificate for STARTTLS, signed by nobody, in one file; and the certificate alone.
fn certificate(folder: &Path) -> Result<(PathBuf, String)> {
    let certified = rcgen::generate_simple_self_signed([HOSTNAME.to_owned(), "localhost".to_owned()])?;
    let (file, certificate) = (folder.join("etc/tls.pem"), certified.cert.pem());
    fs::write(&file, format!("{}{certificate}", certified.signing_key.serialize_pem()))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    Ok((file, certificate))
}

/// A password for [`USER`], as docs/mail.md has it set, and the file that it is in.
fn password(folder: &Path) -> Result<(PathBuf, String)> {
    let file = folder.join("etc/sasl/sasldb2");
    let password = random::bytes::<16>(&OsRandom).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut set = Command::new(sbin("saslpasswd2")?);
    set.args(["-p", "-c", "-u", HOSTNAME, "-f"]).arg(&file).arg(USER).stdin(Stdio::piped());
    let mut child = set.spawn().context("cannot start saslpasswd2")?;
    child.stdin.take().context("no pipe")?.write_all(password.as_bytes())?;
    ensure!(child.wait()?.success(), "saslpasswd2 sets no password");
    chown(&file, None, Some(user("postfix")?.gid.as_raw()))?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640))?;
    Ok((file, password))
}

fn user(name: &str) -> Result<nix::unistd::User> {
    nix::unistd::User::from_name(name)?.with_context(|| format!("there is no user {name}"))
}

/// A key for DKIM and ARC, as docs/mail.md has it made, and its record.
fn signing_key(folder: &Path) -> Result<(PathBuf, String)> {
    let (key, text) = (folder.join("rspamd/signing.key"), folder.join("rspamd/signing.txt"));
    let mut keygen = Command::new(find_program(&["rspamadm"]).context("no rspamadm")?);
    keygen.args(["dkim_keygen", "-s", SELECTOR, "-d", HOSTNAME, "-b", "2048", "-k"]).arg(&key);
    let record = step::quietly(&mut keygen)?;
    fs::write(&text, &record)?;
    chown(&key, Some(user("_rspamd")?.uid.as_raw()), None)?;
    let record = record.split('"').skip(1).step_by(2).collect();
    Ok((key, record))
}

async fn postsrsd(host: &MailHost, folder: &Path) -> Result<Service> {
    let secret = folder.join("srs.secret");
    let words = random::bytes::<24>(&OsRandom).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    fs::write(&secret, words)?;
    let mut command = Command::new(sbin("postsrsd")?);
    command.args(host.postsrsd_options(&secret));
    background("postsrsd", command, host.srs_reverse, folder.join("postsrsd.log")).await
}

async fn rspamd(host: &MailHost, folder: &Path, domains: &[DomainName], port: u16) -> Result<Service> {
    let conf = folder.join("etc/rspamd.conf");
    fs::write(&conf, host.rspamd_conf(domains)?.context("nothing signs")?)?;
    fs::write(folder.join("etc/endings"), "com\norg\nme\nnet\ntest\nexample\n")?;
    let mut command = Command::new(find_program(&["rspamd"]).context("no rspamd")?);
    command.args(["-f", "-u", "_rspamd", "-g", "_rspamd", "-c"]).arg(&conf);
    command.arg(format!("--var=DBDIR={}", folder.join("rspamd").display()));
    command.arg(format!("--var=RUNDIR={}", folder.join("rspamd").display()));
    command.arg(format!("--var=LOGDIR={}", folder.join("rspamd").display()));
    background("rspamd", command, port, folder.join("rspamd.out")).await
}

fn write_settings(options: &Options, endpoint: &Endpoint, metrics: u16) -> Result<()> {
    let Options { community, table, master_secret, settings, operators, .. } = options;
    let secret = match master_secret {
        MasterSecretAt::Arn(arn) => format!("master-secret-arn = {arn:?}"),
        MasterSecretAt::File(file) => format!("master-secret-file = {file:?}"),
    };
    let text = format!(
        "community = {community:?}\ntable = {table:?}\n{secret}\n\
         listen = [\"{endpoint}\"]\nmetrics = \"127.0.0.1:{metrics}\"\n\
         operators = {operators:?}\n{settings}\n"
    );
    fs::write(options.folder.join("etc/alias-map.toml"), text).context("writing the settings of alias-map")
}

async fn alias_map(options: &Options, endpoint: &Endpoint) -> Result<Service> {
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
    let log = options.folder.join("alias-map.log");
    let health = match endpoint {
        Endpoint::Inet(address) => Health::Port(address.port()),
        Endpoint::Unix(path) => Health::Socket(path.clone()),
    };
    let service = background_as("alias-map", command, health, log).await?;
    if let Endpoint::Unix(path) = endpoint {
        // As systemd's unit has it made: Postfix reaches it by the group.
        chown(path, None, Some(user("postfix")?.gid.as_raw()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o770))?;
    }
    Ok(service)
}

/// A program of the administrator, whose folder is on no developer's path.
fn sbin(name: &str) -> Result<PathBuf> {
    let file = Path::new("/usr/sbin").join(name);
    if file.is_file() { Ok(file) } else { find_program(&[name]).with_context(|| format!("no {name}")) }
}

/// Starts a program of the host and waits until it takes connections.
pub(crate) async fn background(name: &'static str, command: Command, port: u16, log: PathBuf) -> Result<Service> {
    background_as(name, command, Health::Port(port), log).await
}

async fn background_as(name: &'static str, command: Command, health: Health, log: PathBuf) -> Result<Service> {
    let (url, patience) = (String::new(), Duration::from_secs(20));
    let started = Service::start(Plan { name, command, url, health, log: Some(log.clone()), patience }).await;
    started.with_context(|| tail(&log))
}

/// A port that nobody listens at just now, below those that the kernel gives to clients: one of them could have taken
/// it by the time a server binds it.
pub(crate) fn free_port() -> Result<u16> {
    for _ in 0..200 {
        let port = 20_000 + u16::from_be_bytes(random::bytes(&OsRandom)) % 12_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// The end of a log, for an error.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(12).collect();
    let lines: Vec<_> = lines.into_iter().rev().collect();
    format!("{}\n{}", log.display(), lines.join("\n"))
}
