//! A complete mail host in one folder: real Postfix and rspamd, our `alias-map`, and a sink that receives all
//! forwarded mail.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use membermail_alias_map::endpoint::Endpoint;
use membermail_communities::community;
use membermail_core::address::DomainName;
use membermail_postfix::config::{BounceCommand, Login, MailHost, Sandbox, Signing};
use membermail_toolbox::net::free_port;
use membermail_toolbox::process::Process;
use membermail_toolbox::service::Service;
use membermail_toolbox::step;
use serde::Deserialize;

use crate::options::{
    BOUNCE_USER, HOSTNAME, MAX_MAIL_BYTES, Options, RETURN_PATH_DOMAIN, SELECTOR, SUBMISSION_CLIENT, SUBMISSION_USER,
};
use crate::services::{Postfix, start_alias_map, start_rspamd};
use crate::setup::{
    create_certificate, create_folders, create_signing_key, set_password, write_bounce_settings, write_settings,
};
use crate::sink::{MailSink, SinkOptions, Tls};
use crate::system::sbin;

/// A running mail host; dropping it stops all of its programs.
#[derive(Debug)]
pub struct Rig {
    /// SMTP port for mail from anywhere.
    pub smtp: u16,
    /// Submission port for our own notices.
    pub submission: u16,
    /// Password of [`SUBMISSION_USER`].
    pub password: String,
    /// The host's certificate in PEM, also valid for `localhost`.
    pub certificate: String,
    /// UNIX socket of `alias-map`, for Postfix.
    pub endpoint: Endpoint,
    /// Loopback port of `alias-map`, for `membermail-bounce`.
    pub port_endpoint: Endpoint,
    /// Port of the metrics of `alias-map`.
    pub metrics: u16,
    /// Receives all forwarded mail.
    pub sink: MailSink,
    /// Postfix's log.
    pub log: PathBuf,
    /// The first domain of the community.
    pub domain: DomainName,
    /// DNS record of the signing key.
    pub dns_record: String,
    options: Options,
    // Dropped in this order: Postfix stops first.
    postfix: Postfix,
    alias_map: Option<Service>,
    _rspamd: Option<Service>,
}

impl Rig {
    /// Configures and starts all programs, and waits until Postfix accepts mail.
    pub async fn start(options: Options) -> Result<Self> {
        let folder = options.folder.clone();
        let _ = fs::remove_dir_all(&folder);
        create_folders(&folder)?;
        let domains: Vec<DomainName> = community(&options.community)?.domain_names().cloned().collect();
        let domain = domains.first().context("the community has no domain")?.clone();
        let certificate = create_certificate(&folder)?;
        let sink_options = SinkOptions {
            port: options.ports.map(|(_, sink)| sink),
            tls: Some((Tls::Optional, certificate.file.clone())),
            max_bytes: Some(MAX_MAIL_BYTES),
            ..SinkOptions::default()
        };
        let sink = MailSink::start(folder.join("received"), sink_options).await?;
        let (passwords, password) = set_password(&folder)?;
        let (key, dns_record) = create_signing_key(&folder)?;
        let smtp = options.ports.map_or_else(free_port, |(smtp, _)| Ok(smtp))?;
        let submission = free_port()?;
        let metrics = free_port()?;
        let bounce_port = free_port()?;
        let endpoint = Endpoint::Unix(folder.join("alias-map.sock"));
        let port_endpoint: Endpoint = format!("inet:127.0.0.1:{}", free_port()?).parse()?;
        let host = MailHost {
            hostname: DomainName::parse(HOSTNAME)?,
            return_path_domain: DomainName::parse(RETURN_PATH_DOMAIN)?,
            port: format!("127.0.0.1:{smtp}"),
            submission_port: format!("127.0.0.1:{submission}"),
            // Not the whole loopback network: other loopback clients count as strangers.
            submitters: vec![format!("{SUBMISSION_CLIENT}/32")],
            alias_map: endpoint.clone(),
            tls_chain: vec![certificate.file],
            dnssec: false,
            login: Some(Login {
                user: SUBMISSION_USER.to_owned(),
                senders: vec![format!("noreply@{domain}")],
                passwords,
            }),
            signing: options.signing.then_some(Signing {
                key,
                selector: SELECTOR.to_owned(),
                folder: folder.join("rspamd"),
                socket: folder.join("rspamd/milter.sock"),
                resolvers: match options.resolver {
                    Some(resolver) => vec![resolver.to_string()],
                    // A closed port, so that DNS lookups fail immediately.
                    None => vec![format!("127.0.0.1:{}", free_port()?)],
                },
            }),
            limits: options.limits,
            bounce_port,
            sandbox: Some(Sandbox {
                folder: folder.clone(),
                relay: format!("[127.0.0.1]:{}", sink.port),
                retry_seconds: 2,
                bounce: BounceCommand {
                    program: options.bounce.clone(),
                    config: folder.join("etc/bounce.toml"),
                    user: BOUNCE_USER.to_owned(),
                },
                queue_times: options.queue_times.clone(),
                xclient: options.xclient,
                checks_loopback: options.checks_loopback,
                // Without a resolver, each mail waits for it. With one, a busy machine must not time out.
                dns_timeout: if options.resolver.is_some() { "3s" } else { "0.1s" },
            }),
        };
        host.check_alignment(&domains)?;
        let rspamd = if options.signing { Some(start_rspamd(&host, &folder, &domains).await?) } else { None };
        write_settings(&options, &[&endpoint, &port_endpoint], metrics)?;
        write_bounce_settings(&options, &port_endpoint, bounce_port)?;
        let alias_map = start_alias_map(&options, &endpoint).await?;
        fs::write(folder.join("etc/main.cf"), host.main_cf()?)?;
        if !options.main_cf.is_empty() {
            let mut postconf = Command::new(sbin("postconf")?);
            step::capture(postconf.arg("-c").arg(folder.join("etc")).arg("-e").args(options.main_cf))?;
        }
        fs::write(folder.join("etc/master.cf"), host.master_cf()?)?;
        if let Some(conf) = host.smtpd_conf()? {
            fs::write(folder.join("etc/sasl/smtpd.conf"), conf)?;
        }
        let postfix = Postfix::start(&folder, smtp).await?;
        Ok(Self {
            smtp,
            submission,
            password,
            certificate: certificate.pem,
            endpoint,
            port_endpoint,
            metrics,
            sink,
            log: folder.join("mail.log"),
            domain,
            dns_record,
            options,
            postfix,
            alias_map: Some(alias_map),
            _rspamd: rspamd,
        })
    }

    /// The main processes of all programs, for `cargo dev down`.
    pub fn processes(&self) -> Vec<Process> {
        self.programs().into_iter().map(|(_, process)| process).chain(self.sink.process()).collect()
    }

    /// The main processes of the host itself, by program.
    pub fn programs(&self) -> Vec<(&'static str, Process)> {
        let rspamd = self._rspamd.as_ref().map(|service| ("rspamd", service.process));
        let alias_map = self.alias_map.as_ref().map(|service| ("alias-map", service.process));
        [Some(("Postfix", self.postfix.master)), rspamd, alias_map].into_iter().flatten().collect()
    }

    /// Kills `alias-map`, as in a crash.
    pub fn kill_alias_map(&mut self) -> Result<()> {
        self.alias_map.take().context("alias-map is not running")?.kill()
    }

    /// Starts `alias-map` again on the same endpoint.
    pub async fn start_alias_map(&mut self) -> Result<()> {
        self.alias_map = Some(start_alias_map(&self.options, &self.endpoint).await?);
        Ok(())
    }

    /// Replaces the signing key. rspamd keeps running.
    pub fn replace_signing_key(&mut self) -> Result<()> {
        self.dns_record = create_signing_key(&self.options.folder)?.1;
        Ok(())
    }

    /// Changes the settings of `alias-map` and makes it reload them.
    pub fn change_settings(&mut self, settings: &str) -> Result<()> {
        self.options.settings = settings.to_owned();
        write_settings(&self.options, &[&self.endpoint, &self.port_endpoint], self.metrics)?;
        let process = self.alias_map.as_ref().context("alias-map is not running")?.process;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.pid), nix::sys::signal::Signal::SIGHUP)?;
        Ok(())
    }

    /// The present values of these settings (`NAME=VALUE`), in the same form.
    pub fn settings(&self, names: &[String]) -> Result<Vec<String>> {
        let mut settings = Vec::new();
        for setting in names {
            let name = setting.split('=').next().unwrap_or_default();
            let value = step::capture(self.postconf()?.args(["-h", name]))?;
            settings.push(format!("{name}={}", value.trim_end()));
        }
        Ok(settings)
    }

    /// Changes settings of Postfix (`NAME=VALUE`) and reloads it.
    pub fn configure(&self, settings: &[String]) -> Result<()> {
        step::capture(self.postconf()?.arg("-e").args(settings))?;
        step::capture(self.postfix_command("postfix")?.arg("reload"))?;
        Ok(())
    }

    fn postconf(&self) -> Result<Command> {
        self.postfix_command("postconf")
    }

    /// Retries all queued mail now.
    pub fn flush(&self) -> Result<()> {
        step::capture(self.postqueue()?.arg("-f"))?;
        Ok(())
    }

    /// Queue ids of all queued mail.
    pub fn queued(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Queued {
            queue_id: String,
        }
        let text = step::capture(self.postqueue()?.arg("-j"))?;
        text.lines().map(|line| Ok(serde_json::from_str::<Queued>(line)?.queue_id)).collect()
    }

    fn postqueue(&self) -> Result<Command> {
        self.postfix_command("postqueue")
    }

    /// A program of Postfix for this host.
    fn postfix_command(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(sbin(name)?);
        command.arg("-c").arg(self.options.folder.join("etc"));
        Ok(command)
    }
}
