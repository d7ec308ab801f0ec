//! Renders the configuration files from their templates.

use std::path::Path;

use anyhow::{Context, Result};
use askama::Template;
use membermail_alias_map::endpoint::Endpoint;
use membermail_core::address::DomainName;

use super::{Limits, MailHost, Sandbox};

/// The Lua scripts of `rspamd.conf`, in the same folder.
pub const RSPAMD_SCRIPTS: [(&str, &str); 3] = [
    ("membermail_arc.lua", include_str!("../../templates/membermail_arc.lua")),
    ("membermail_dmarc.lua", include_str!("../../templates/membermail_dmarc.lua")),
    ("membermail_headers_only.lua", include_str!("../../templates/membermail_headers_only.lua")),
];

#[derive(Template)]
#[template(path = "main.cf", escape = "none")]
struct MainCf<'a> {
    hostname: &'a DomainName,
    /// The host name as a regular expression.
    hostname_pattern: String,
    return_path_domain: &'a DomainName,
    /// The return-path domain as a regular expression.
    return_path_pattern: String,
    interfaces: &'a str,
    protocols: &'a str,
    submitters: String,
    alias_map: &'a Endpoint,
    tls_chain: String,
    dnssec: bool,
    has_dns: bool,
    limits: Limits,
    signer: Option<String>,
    login: Option<SaslLogin>,
    folders: Option<Folders>,
    delay_warning: String,
    queue_lifetime: String,
    retry_seconds: Option<u32>,
    xclient: bool,
    relay: Option<&'a str>,
}

struct Folders {
    queue: String,
    data: String,
    log: String,
}

struct SaslLogin {
    sender_login_maps: String,
    folder: String,
}

#[derive(Template)]
#[template(path = "master.cf", escape = "none")]
struct MasterCf<'a> {
    port: &'a str,
    submission_port: &'a str,
    has_login: bool,
    auths_a_minute: u32,
    bounce_port: u16,
    bounce: BounceLines,
}

struct BounceLines {
    program: String,
    config: String,
    user: String,
}

#[derive(Template)]
#[template(path = "smtpd.conf", escape = "none")]
struct SmtpdConf {
    passwords: String,
}

#[derive(Template)]
#[template(path = "rspamd.conf", escape = "none")]
struct RspamdConf<'a> {
    /// The folder of [`RSPAMD_SCRIPTS`].
    scripts: String,
    public_suffixes: Option<String>,
    folder: String,
    socket: String,
    resolvers: &'a [String],
    submitters: &'a [String],
    has_login: bool,
    checks_loopback: bool,
    dns_timeout: &'static str,
    domains: &'a [DomainName],
    /// The domains of notices, which get a DKIM signature.
    notice_domains: Vec<&'a DomainName>,
    selector: &'a str,
    key: String,
}

/// A regular expression that matches the name.
fn pattern(name: &DomainName) -> String {
    name.as_str().replace('.', "\\.")
}

impl MailHost {
    /// Renders `main.cf`.
    pub fn main_cf(&self) -> Result<String> {
        let sandbox = self.sandbox.as_ref();
        let times = sandbox.and_then(|sandbox| sandbox.queue_times.clone()).unwrap_or_default();
        let tls_chain: Vec<_> = self.tls_chain.iter().map(|file| file.display().to_string()).collect();
        let login = match &self.login {
            Some(login) => Some(SaslLogin {
                sender_login_maps: login.sender_login_maps(&self.return_path_domain)?,
                folder: login.folder()?.display().to_string(),
            }),
            None => None,
        };
        let main = MainCf {
            hostname: &self.hostname,
            hostname_pattern: pattern(&self.hostname),
            return_path_domain: &self.return_path_domain,
            return_path_pattern: pattern(&self.return_path_domain),
            interfaces: if sandbox.is_some() { "127.0.0.1" } else { "all" },
            protocols: if sandbox.is_some() { "ipv4" } else { "all" },
            submitters: self.submitters.join(", "),
            alias_map: &self.alias_map,
            tls_chain: tls_chain.join(", "),
            dnssec: self.dnssec,
            has_dns: sandbox.is_none(),
            limits: self.limits,
            signer: self.signing.as_ref().map(|signing| signing.socket.display().to_string()),
            login,
            folders: sandbox.map(|Sandbox { folder, .. }| Folders {
                queue: folder.join("spool").display().to_string(),
                data: folder.join("data").display().to_string(),
                log: folder.join("mail.log").display().to_string(),
            }),
            delay_warning: times.delay_warning,
            queue_lifetime: times.lifetime,
            retry_seconds: sandbox.map(|sandbox| sandbox.retry_seconds),
            xclient: sandbox.is_some_and(|sandbox| sandbox.xclient),
            relay: sandbox.map(|sandbox| sandbox.relay.as_str()),
        };
        main.render().context("main.cf")
    }

    /// Renders `master.cf`.
    pub fn master_cf(&self) -> Result<String> {
        let bounce = self.sandbox.as_ref().map(|sandbox| sandbox.bounce.clone()).unwrap_or_default();
        let master = MasterCf {
            port: &self.port,
            submission_port: &self.submission_port,
            has_login: self.login.is_some(),
            // Each notice uses its own connection and authenticates once.
            auths_a_minute: self.limits.connections_a_minute,
            bounce_port: self.bounce_port,
            bounce: BounceLines {
                program: bounce.program.display().to_string(),
                config: bounce.config.display().to_string(),
                user: bounce.user,
            },
        };
        master.render().context("master.cf")
    }

    /// Renders Cyrus SASL's `smtpd.conf`, if there is a login.
    pub fn smtpd_conf(&self) -> Result<Option<String>> {
        let Some(login) = &self.login else { return Ok(None) };
        let conf = SmtpdConf { passwords: login.passwords.display().to_string() };
        conf.render().map(Some).context("smtpd.conf")
    }

    /// Whether notices have a `From` in this domain: any domain, unless the login names its senders.
    fn sends_notices_of(&self, domain: &DomainName) -> bool {
        self.login.as_ref().is_none_or(|login| login.has_sender_in(domain))
    }

    /// Renders rspamd's configuration for these domains, if mail is signed.
    pub fn rspamd_conf(&self, domains: &[DomainName]) -> Result<Option<String>> {
        let Some(signing) = &self.signing else { return Ok(None) };
        let etc = self.sandbox.as_ref().map(|sandbox| sandbox.folder.join("etc"));
        let conf = RspamdConf {
            scripts: etc.as_deref().unwrap_or(Path::new("/etc/rspamd")).display().to_string(),
            public_suffixes: etc.map(|etc| etc.join("endings").display().to_string()),
            folder: signing.folder.display().to_string(),
            socket: signing.socket.display().to_string(),
            resolvers: &signing.resolvers,
            submitters: &self.submitters,
            has_login: self.login.is_some(),
            checks_loopback: self.sandbox.as_ref().is_some_and(|sandbox| sandbox.checks_loopback),
            dns_timeout: self.sandbox.as_ref().map_or("1s", |sandbox| sandbox.dns_timeout),
            domains,
            // A sender in the return-path domain can have any `From`.
            notice_domains: domains.iter().filter(|domain| self.sends_notices_of(domain)).collect(),
            selector: &signing.selector,
            key: signing.key.display().to_string(),
        };
        conf.render().map(Some).context("rspamd.conf")
    }
}
