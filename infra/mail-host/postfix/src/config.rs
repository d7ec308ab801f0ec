//! The description of a mail host, from which the configuration of Postfix and rspamd is rendered. Production and
//! the tests use the same templates.

mod render;

pub use render::RSPAMD_SCRIPTS;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use membermail_alias_map::endpoint::Endpoint;
use membermail_core::address::DomainName;
use membermail_core::email::EmailAddress;
use serde::Deserialize;

/// The description of a mail host.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MailHost {
    /// The host name in DNS, in the greeting and in `Received`. Like `return_path_domain`, it must not belong to the
    /// community.
    pub hostname: DomainName,
    /// The domain of the envelope senders of forwarded mail. Its MX is this host, so that bounces return.
    pub return_path_domain: DomainName,
    /// Where Postfix accepts mail from the internet: `25`, or `ADDRESS:PORT`.
    #[serde(default = "smtp")]
    pub port: String,
    /// Where Postfix accepts our own notices.
    #[serde(default = "submission")]
    pub submission_port: String,
    /// Networks that may submit notices without a login.
    pub submitters: Vec<String>,
    /// The login for submissions from other networks: Lambda functions have no fixed address.
    pub login: Option<Login>,
    /// The endpoint of `alias-map`.
    pub alias_map: Endpoint,
    /// Private key and certificate chain, as PEM files.
    pub tls_chain: Vec<PathBuf>,
    /// Whether the host's resolver validates DNSSEC. Outgoing TLS then uses DANE (RFC 7672).
    #[serde(default)]
    pub dnssec: bool,
    /// DKIM and ARC signatures.
    pub signing: Option<Signing>,
    /// Size and rate limits.
    #[serde(default)]
    pub limits: Limits,
    /// The loopback port of Postfix that accepts reports from membermail-bounce.
    #[serde(default = "bounce_port")]
    pub bounce_port: u16,
    /// Set on a developer's machine only.
    #[serde(skip)]
    pub sandbox: Option<Sandbox>,
}

/// The SASL account that submits notices. Its name and password are in the mail secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Login {
    /// The user name, without a realm.
    pub user: String,
    /// The envelope senders that it may use.
    pub senders: Vec<String>,
    /// The sasldb file of Cyrus SASL; `smtpd.conf` is in the same folder.
    pub passwords: PathBuf,
}

impl Login {
    /// The entries of `smtpd_sender_login_maps`: each sender with the login and its realm. Notices have senders in the
    /// return-path domain, where their bounces arrive.
    fn sender_login_maps(&self, return_path_domain: &DomainName) -> Result<String> {
        let name = &self.user;
        ensure!(!self.senders.is_empty(), "login.senders is empty: name at least one address");
        ensure!(
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
            "login.user must consist of letters, digits, '-', '_' and '.'"
        );
        let mut entries = Vec::new();
        for sender in &self.senders {
            let sender =
                EmailAddress::parse(sender).with_context(|| format!("invalid sender {sender:?} in login.senders"))?;
            entries.push(format!("{{ {} = {name}@$myhostname }}", sender.expose()));
        }
        entries.push(format!("{{ @{return_path_domain} = {name}@$myhostname }}"));
        Ok(entries.join(" "))
    }

    /// Whether it has a sender in this domain.
    fn has_sender_in(&self, domain: &DomainName) -> bool {
        self.senders
            .iter()
            .any(|sender| sender.rsplit_once('@').is_some_and(|(_, of)| of.eq_ignore_ascii_case(domain.as_str())))
    }

    /// The folder of Cyrus SASL's configuration.
    fn folder(&self) -> Result<&Path> {
        self.passwords.parent().context("login.passwords must be the path of a file")
    }
}

/// rspamd's signatures: DKIM for our own notices, ARC for forwarded mail.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signing {
    /// The RSA private key for all domains, as a PEM file.
    pub key: PathBuf,
    /// The DKIM selector: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// The folder of rspamd's log and PID file.
    pub folder: PathBuf,
    /// The UNIX socket of rspamd's milter. Over TCP, Nagle's algorithm and delayed acknowledgements add 40 ms to each mail.
    #[serde(default = "milter")]
    pub socket: PathBuf,
    /// DNS resolvers, as `ADDRESS:PORT`.
    pub resolvers: Vec<String>,
}

/// Size and rate limits, per client.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Maximum size of a message in bytes.
    pub message_octets: u64,
    /// Maximum concurrent connections.
    pub connections_at_once: u32,
    /// Maximum connections per minute.
    pub connections_a_minute: u32,
    /// Maximum messages per minute.
    pub messages_a_minute: u32,
    /// Maximum recipients per minute.
    pub recipients_a_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_octets: 26_214_400,
            connections_at_once: 20,
            connections_a_minute: 120,
            messages_a_minute: 300,
            recipients_a_minute: 600,
        }
    }
}

/// A mail host that runs beside other programs of a machine: in one folder, without DNS, and with one relay for all mail.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// The folder of its queue, data and log.
    pub folder: PathBuf,
    /// The relay for all mail: `[127.0.0.1]:PORT`.
    pub relay: String,
    /// Seconds between delivery attempts.
    pub retry_seconds: u32,
    /// How bounces are processed.
    pub bounce: BounceCommand,
    /// The lifetimes of mail, in Postfix's syntax, if they are not the usual ones.
    pub queue_times: Option<QueueTimes>,
    /// Whether local clients may use `XCLIENT` to claim another address.
    pub xclient: bool,
    /// Whether mail of loopback clients is checked and sealed like mail from the internet.
    pub checks_loopback: bool,
    /// rspamd's timeout of a DNS query, such as `1s`.
    pub dns_timeout: &'static str,
}

/// How Postfix runs membermail-bounce.
#[derive(Clone, Debug)]
pub struct BounceCommand {
    /// The program.
    pub program: PathBuf,
    /// Its settings file.
    pub config: PathBuf,
    /// The user that runs it, neither root nor Postfix's own (pipe(8)).
    pub user: String,
}

impl Default for BounceCommand {
    fn default() -> Self {
        Self {
            program: "/usr/local/bin/membermail-bounce".into(),
            config: "/etc/membermail/bounce.toml".into(),
            user: "membermail-bounce".to_owned(),
        }
    }
}

/// How long mail is kept, in Postfix's syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueTimes {
    /// The age at which the sender is told of a delay.
    pub delay_warning: String,
    /// The age at which mail is returned.
    pub lifetime: String,
}

impl Default for QueueTimes {
    fn default() -> Self {
        // RFC 5321, 4.5.4.1: 4 to 5 days.
        Self { delay_warning: "72h".to_owned(), lifetime: "5d".to_owned() }
    }
}

fn smtp() -> String {
    "25".to_owned()
}

fn submission() -> String {
    "587".to_owned()
}

fn bounce_port() -> u16 {
    10_025
}

fn milter() -> PathBuf {
    PathBuf::from("/run/rspamd/milter.sock")
}

impl MailHost {
    /// Rejects host names with which forged mail would pass DMARC once it was forwarded.
    ///
    /// SPF authenticates the domain of the rewritten sender, or the host name for a bounce. In relaxed alignment, DMARC
    /// accepts it for every `From` in the same organizational domain (RFC 9989, 4.4.2). With `back.ubuntu.com`, our host
    /// would authenticate forged mail from `anybody@ubuntu.com`.
    pub fn check_alignment(&self, community: &[DomainName]) -> Result<()> {
        for (what, name) in [("hostname", &self.hostname), ("return-path-domain", &self.return_path_domain)] {
            let own = psl::domain_str(name.as_str()).with_context(|| format!("{what} {name} is a public suffix"))?;
            let shared = community.iter().find(|domain| psl::domain_str(domain.as_str()) == Some(own));
            if let Some(domain) = shared {
                bail!(
                    "{what} {name} belongs to {own}, like {domain} of the community: forged mail would pass DMARC for {domain}. Use a name in another domain"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod docs_tests;
#[cfg(test)]
mod tests;
