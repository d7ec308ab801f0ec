//! The configuration of Postfix and rspamd, from one description: the same templates make the mail host in production
//! and the one that the tests send a thousand mails through.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use askama::Template;
use membermail_alias_map::endpoint::Endpoint;
use membermail_core::address::DomainName;
use membermail_core::email::EmailAddress;
use serde::Deserialize;

/// What one mail host is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MailHost {
    /// Its name in DNS: in the greeting and in `Received`. Like `srs_domain`, it lies in no domain of the community.
    pub hostname: DomainName,
    /// Senders are rewritten to addresses at this domain, so that bounces find back; its MX is this host.
    pub srs_domain: DomainName,
    /// Where Postfix listens for mail from anywhere: `25`, or `ADDRESS:PORT`.
    #[serde(default = "smtp")]
    pub port: String,
    /// Where it listens for our own notices.
    #[serde(default = "submission")]
    pub submission_port: String,
    /// Networks that may hand in notices.
    pub submitters: Vec<String>,
    /// Who may hand them in from anywhere, by a password: functions of AWS have no address of their own.
    pub login: Option<Login>,
    /// Where `alias-map` listens.
    pub alias_map: Endpoint,
    /// Key and certificate, as files in PEM.
    pub tls_chain: Vec<PathBuf>,
    /// Whether the resolver of this host checks DNSSEC: then outgoing TLS follows DANE (RFC 7672).
    #[serde(default)]
    pub dnssec: bool,
    /// DKIM and ARC.
    pub signing: Option<Signing>,
    /// Sizes and rates.
    #[serde(default)]
    pub limits: Limits,
    /// postsrsd's port for the way out.
    #[serde(default = "srs_forward")]
    pub srs_forward: u16,
    /// postsrsd's port for the way back.
    #[serde(default = "srs_reverse")]
    pub srs_reverse: u16,
    /// What is only so on a developer's machine.
    #[serde(skip)]
    pub apart: Option<Apart>,
}

/// The account that notices are handed in with, `user` of the mail secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Login {
    /// Its name, without a realm.
    pub user: String,
    /// The addresses that it may send as, and no others.
    pub senders: Vec<String>,
    /// Where Cyrus SASL keeps its password; `smtpd.conf` lies beside it.
    pub passwords: PathBuf,
}

impl Login {
    /// `smtpd_sender_login_maps`: the name that goes with each sender, as Cyrus SASL has it, with its realm.
    fn senders(&self) -> Result<String> {
        let name = &self.user;
        anyhow::ensure!(!self.senders.is_empty(), "the login may send as nobody: name its senders");
        anyhow::ensure!(
            !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet)),
            "the user of the login is no plain name"
        );
        let entry = |sender: &String| {
            let sender = EmailAddress::parse(sender).with_context(|| format!("the sender {sender:?}"))?;
            Ok(format!("{{ {} = {name}@$myhostname }}", sender.expose()))
        };
        Ok(self.senders.iter().map(entry).collect::<Result<Vec<_>>>()?.join(" "))
    }

    /// The folder of Cyrus SASL's configuration.
    fn folder(&self) -> Result<&Path> {
        self.passwords.parent().context("the file of passwords is in no folder")
    }
}

/// DKIM for our own notices and ARC for what is forwarded, both by rspamd.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signing {
    /// The private key, RSA in PEM, for all domains.
    pub key: PathBuf,
    /// Its name in DNS: `SELECTOR._domainkey.DOMAIN`.
    pub selector: String,
    /// Where rspamd writes its log and its process number.
    pub folder: PathBuf,
    /// rspamd's port.
    #[serde(default = "signer_port")]
    pub port: u16,
    /// Resolvers, as `ADDRESS:PORT`.
    pub resolvers: Vec<String>,
}

/// Sizes and rates, of one client each.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Octets of one message.
    pub message_octets: u64,
    /// Connections at the same time.
    pub connections_at_once: u32,
    /// Connections in a minute.
    pub connections_a_minute: u32,
    /// Messages in a minute.
    pub messages_a_minute: u32,
    /// Recipients in a minute.
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

/// A mail host beside whatever else runs on a machine: in a folder of its own, with no DNS and no way out.
#[derive(Clone, Debug)]
pub struct Apart {
    /// The folder.
    pub folder: PathBuf,
    /// All mail goes there: `[127.0.0.1]:PORT`.
    pub relay: String,
    /// Seconds until mail that could not be delivered is tried again.
    pub retry_seconds: u32,
    /// Whether whoever connects from this machine may say that they come from elsewhere.
    pub xclient: bool,
}

fn smtp() -> String {
    "25".to_owned()
}

fn submission() -> String {
    "587".to_owned()
}

fn srs_forward() -> u16 {
    10_001
}

fn srs_reverse() -> u16 {
    10_002
}

fn signer_port() -> u16 {
    11_332
}

#[derive(Template)]
#[template(path = "main.cf", escape = "none")]
struct MainCf<'a> {
    hostname: &'a DomainName,
    srs_domain: &'a DomainName,
    interfaces: &'a str,
    protocols: &'a str,
    submitters: String,
    alias_map: &'a Endpoint,
    srs_forward: u16,
    srs_reverse: u16,
    tls_chain: String,
    dnssec: bool,
    resolves: bool,
    limits: Limits,
    signer: Option<u16>,
    login: Option<Submitter>,
    folders: Option<Folders>,
    retry_seconds: Option<u32>,
    xclient: bool,
    relay: Option<&'a str>,
}

struct Folders {
    queue: String,
    data: String,
    log: String,
}

struct Submitter {
    senders: String,
    folder: String,
}

#[derive(Template)]
#[template(path = "master.cf", escape = "none")]
struct MasterCf<'a> {
    port: &'a str,
    submission_port: &'a str,
    has_login: bool,
    auths_a_minute: u32,
}

#[derive(Template)]
#[template(path = "smtpd.conf", escape = "none")]
struct SmtpdConf {
    passwords: String,
}

#[derive(Template)]
#[template(path = "rspamd.conf", escape = "none")]
struct RspamdConf<'a> {
    endings: Option<String>,
    folder: String,
    port: u16,
    resolvers: &'a [String],
    submitters: &'a [String],
    has_login: bool,
    domains: &'a [DomainName],
    selector: &'a str,
    key: String,
}

impl MailHost {
    /// Refuses names under which a stranger's mail, once forwarded, would pass for the community's own.
    ///
    /// SPF is asked of the rewritten sender's domain, and of a bounce of the host's name; DMARC then takes what shares an
    /// organizational domain with `From` for the same (RFC 7489, 3.1.2). With `srs.ubuntu.com`, whoever writes `From:
    /// anybody@ubuntu.com` had it passed by us.
    pub fn stands_apart_from(&self, community: &[DomainName]) -> Result<()> {
        let organizational = |domain: &DomainName| psl::domain_str(domain.as_str()).map(str::to_owned);
        for (what, name) in [("hostname", &self.hostname), ("srs-domain", &self.srs_domain)] {
            let own = organizational(name).with_context(|| format!("{what} {name} is a public suffix"))?;
            let shared = community.iter().find(|domain| organizational(domain).as_ref() == Some(&own));
            if let Some(domain) = shared {
                bail!(
                    "{what} {name} lies in {own}, as {domain} of the community does: forged mail would pass as {domain}'s own"
                );
            }
        }
        Ok(())
    }

    /// The text of `main.cf`.
    pub fn main_cf(&self) -> Result<String> {
        let apart = self.apart.as_ref();
        let chain: Vec<_> = self.tls_chain.iter().map(|file| file.display().to_string()).collect();
        let path = |apart: &Apart, name: &str| apart.folder.join(name).display().to_string();
        let submitter = |login: &Login| {
            anyhow::Ok(Submitter { senders: login.senders()?, folder: login.folder()?.display().to_string() })
        };
        let main = MainCf {
            hostname: &self.hostname,
            srs_domain: &self.srs_domain,
            interfaces: if apart.is_some() { "127.0.0.1" } else { "all" },
            protocols: if apart.is_some() { "ipv4" } else { "all" },
            submitters: self.submitters.join(", "),
            alias_map: &self.alias_map,
            srs_forward: self.srs_forward,
            srs_reverse: self.srs_reverse,
            tls_chain: chain.join(", "),
            dnssec: self.dnssec,
            resolves: apart.is_none(),
            limits: self.limits,
            signer: self.signing.as_ref().map(|signing| signing.port),
            login: self.login.as_ref().map(submitter).transpose()?,
            folders: apart.map(|apart| Folders {
                queue: path(apart, "spool"),
                data: path(apart, "data"),
                log: path(apart, "mail.log"),
            }),
            retry_seconds: apart.map(|apart| apart.retry_seconds),
            xclient: apart.is_some_and(|apart| apart.xclient),
            relay: apart.map(|apart| apart.relay.as_str()),
        };
        main.render().context("main.cf")
    }

    /// The text of `master.cf`.
    pub fn master_cf(&self) -> Result<String> {
        let (port, submission_port) = (self.port.as_str(), self.submission_port.as_str());
        // Each notice comes by a connection of its own, and signs in.
        let auths_a_minute = self.limits.connections_a_minute;
        let master = MasterCf { port, submission_port, has_login: self.login.is_some(), auths_a_minute };
        master.render().context("master.cf")
    }

    /// The text of Cyrus SASL's `smtpd.conf`, where there is a login.
    pub fn smtpd_conf(&self) -> Result<Option<String>> {
        let Some(login) = &self.login else { return Ok(None) };
        let conf = SmtpdConf { passwords: login.passwords.display().to_string() };
        conf.render().map(Some).context("smtpd.conf")
    }

    /// The text of rspamd's configuration for these domains, where mail is signed.
    pub fn rspamd_conf(&self, domains: &[DomainName]) -> Result<Option<String>> {
        let Some(signing) = &self.signing else { return Ok(None) };
        let conf = RspamdConf {
            endings: self.apart.as_ref().map(|apart| apart.folder.join("etc/endings").display().to_string()),
            folder: signing.folder.display().to_string(),
            port: signing.port,
            resolvers: &signing.resolvers,
            submitters: &self.submitters,
            has_login: self.login.is_some(),
            domains,
            selector: &signing.selector,
            key: signing.key.display().to_string(),
        };
        conf.render().map(Some).context("rspamd.conf")
    }

    /// postsrsd's options, of version 1.10.
    pub fn postsrsd_options(&self, secret: &Path) -> Vec<String> {
        vec![
            format!("-s{}", secret.display()),
            format!("-d{}", self.srs_domain),
            format!("-f{}", self.srs_forward),
            format!("-r{}", self.srs_reverse),
            "-l127.0.0.1".to_owned(),
            "-unobody".to_owned(),
        ]
    }

    /// The same as Debian's `/etc/default/postsrsd`.
    ///
    /// No domain is excluded: our own mail does not come this way, so that who sends as us here is somebody else.
    pub fn postsrsd_defaults(&self, secret: &Path) -> String {
        format!(
            "SRS_DOMAIN={}\nSRS_EXCLUDE_DOMAINS=\nSRS_SEPARATOR==\nSRS_SECRET={}\nSRS_HASHLENGTH=4\n\
             SRS_HASHMIN=4\nSRS_FORWARD_PORT={}\nSRS_REVERSE_PORT={}\nSRS_LISTEN_ADDR=127.0.0.1\n\
             RUN_AS=postsrsd\nCHROOT=/var/lib/postsrsd\n",
            self.srs_domain,
            secret.display(),
            self.srs_forward,
            self.srs_reverse
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_production() -> MailHost {
        let docs = include_str!("../../../docs/mail.md");
        let text = docs.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        toml::from_str(text).unwrap()
    }

    fn domains() -> Vec<DomainName> {
        ["ubuntu.com", "kubuntu.org"].map(|name| DomainName::parse(name).unwrap()).to_vec()
    }

    #[test]
    fn the_example_of_the_docs_makes_a_configuration() {
        let host = in_production();
        insta::assert_snapshot!("main.cf", host.main_cf().unwrap());
        insta::assert_snapshot!("master.cf", host.master_cf().unwrap());
        insta::assert_snapshot!("smtpd.conf", host.smtpd_conf().unwrap().unwrap());
        insta::assert_snapshot!("rspamd.conf", host.rspamd_conf(&domains()).unwrap().unwrap());
        insta::assert_snapshot!("postsrsd", host.postsrsd_defaults(Path::new("/etc/postsrsd.secret")));
    }

    #[rstest::rstest]
    #[case::of_the_docs("mx.forwards.example", "srs.forwards.example", None)]
    #[case::below_ours("mx.forwards.example", "srs.ubuntu.com", Some("srs-domain srs.ubuntu.com"))]
    #[case::ours("mx.forwards.example", "kubuntu.org", Some("srs-domain kubuntu.org"))]
    #[case::beside_ours("mx.forwards.example", "srs.lovers.co.uk", Some("as loco.lovers.co.uk of"))]
    #[case::another_under_the_same_suffix("mx.forwards.example", "forwards.co.uk", None)]
    #[case::a_bounce_has_the_hosts_name("mail.ubuntu.com", "srs.forwards.example", Some("hostname mail.ubuntu.com"))]
    #[case::suffix("mx.forwards.example", "co.uk", Some("public suffix"))]
    fn no_name_of_the_host_is_aligned_with_the_community(
        #[case] hostname: &str,
        #[case] srs_domain: &str,
        #[case] why: Option<&str>,
    ) {
        let (hostname, srs_domain) = (hostname.parse().unwrap(), srs_domain.parse().unwrap());
        let community = [domains(), vec!["loco.lovers.co.uk".parse().unwrap()]].concat();
        let told = MailHost { hostname, srs_domain, ..in_production() }.stands_apart_from(&community);
        match (told, why) {
            (Ok(()), None) => {}
            (Err(told), Some(why)) => assert!(told.to_string().contains(why), "{told}"),
            (told, _) => panic!("{told:?}"),
        }
    }

    #[test]
    fn without_a_login_nobody_is_asked_for_a_password() {
        let host = MailHost { login: None, ..in_production() };
        assert_eq!(host.smtpd_conf().unwrap(), None);
        let all = [host.main_cf().unwrap(), host.master_cf().unwrap()].concat();
        assert!(!all.contains("sasl") && all.contains("permit_mynetworks,reject\n"), "{all}");
        assert!(host.rspamd_conf(&domains()).unwrap().unwrap().contains("sign_authenticated = false;\n    sign_local"));
    }

    #[rstest::rstest]
    #[case::nobody("notices", &[], "may send as nobody")]
    #[case::no_address("notices", &["noreply"], "the sender")]
    #[case::more_than_a_name("notices other", &["noreply@ubuntu.com"], "no plain name")]
    #[case::with_a_realm("notices@ubuntu.com", &["noreply@ubuntu.com"], "no plain name")]
    fn a_login_that_could_send_as_others_is_refused(#[case] user: &str, #[case] senders: &[&str], #[case] why: &str) {
        let senders = senders.iter().map(|&one| one.to_owned()).collect();
        let login = Login { user: user.to_owned(), senders, passwords: "/etc/postfix/sasl/sasldb2".into() };
        let told = MailHost { login: Some(login), ..in_production() }.main_cf().unwrap_err();
        assert!(told.to_string().contains(why), "{told}");
    }

    #[test]
    fn the_docs_explain_every_line() {
        let docs = include_str!("../../../docs/mail.md");
        let words: Vec<_> = docs.split(|c: char| !(c.is_ascii_alphanumeric() || "_*".contains(c))).collect();
        let explains = |name: &str| {
            words.iter().any(|word| match word.split_once('*') {
                Some((before, after)) => before.len() > 6 && name.starts_with(before) && name.ends_with(after),
                None => *word == name,
            })
        };
        let host = in_production();
        let (main, master) = (host.main_cf().unwrap(), host.master_cf().unwrap());
        let (smtpd, rspamd) = (host.smtpd_conf().unwrap().unwrap(), host.rspamd_conf(&domains()).unwrap().unwrap());
        let names = main.lines().filter(|line| !line.starts_with([' ', '#'])).filter_map(|line| line.split_once(" ="));
        let options = master.lines().filter_map(|line| line.trim().strip_prefix("-o ")?.split_once('='));
        let passwords =
            smtpd.lines().filter_map(|line| line.split_once(':')).filter(|(name, _)| !name.starts_with('#'));
        // Settings and sections, several on a line now and then.
        let signer = rspamd.lines().filter(|line| !line.trim().starts_with('#'));
        let signer =
            signer.flat_map(|line| line.split([';', '{'])).map(|part| part.split_once('=').unwrap_or((part, "")));
        let signer = signer.map(|(name, value)| (name.trim().trim_matches(['}', ' ']), value));
        let is_word =
            |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let all = names.chain(options).chain(passwords).map(|(name, _)| name.trim());
        let all = all.chain(signer.map(|(name, _)| name).filter(is_word));
        let missing: std::collections::BTreeSet<_> = all.filter(|name| !explains(name)).collect();
        assert!(missing.is_empty(), "docs/mail.md does not say why there is: {missing:?}");
    }
}
