//! Signs mail as other servers do, and verifies it as a destination does: with dkimpy and with rspamd.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_test_mail_host::install;
use membermail_test_mail_host::judge::{Judge, Symbols};
use membermail_test_mail_host::keys::{create_key, zone_line};
use tempfile::TempDir;

use crate::dns::{NameServer, Zone};

/// Usage: `dkim` or `arc` with the JSON map of domains and key records; `sign` with domain and key; `chain` with key and
/// domains. The mail is the standard input.
const DKIMPY: &str = r#"
import json, sys, dkim
what, *args = sys.argv[1:]
mail = sys.stdin.buffer.read()
out = sys.stdout.buffer
if what in ("dkim", "arc"):
    records = json.loads(args[0])
    def dns(name, timeout=5):
        name = (name.decode() if isinstance(name, bytes) else name).rstrip(".")
        return records.get(name.partition("._domainkey.")[2], "").encode() or None
    if what == "dkim":
        out.write(b"pass" if dkim.verify(mail, dnsfunc=dns) else b"fail")
    else:
        out.write(dkim.arc_verify(mail, dnsfunc=dns)[0])
elif what == "sign":
    key = open(args[1], "rb").read()
    out.write(dkim.sign(mail, b"test", args[0].encode(), key) + mail)
else:
    key = open(args[0], "rb").read()
    for number, domain in enumerate(args[1:]):
        name = b"mx." + domain.encode()
        arc = b"pass" if number else b"none"
        mail = b"Authentication-Results: " + name + b"; spf=pass smtp.mailfrom=a@b.example; arc=" + arc + b"\r\n" + mail
        mail = b"".join(dkim.arc_sign(mail, b"test", domain.encode(), key, name)) + mail
    out.write(mail)
"#;

fn dkimpy(arguments: &[&str], mail: &[u8]) -> Result<Vec<u8>> {
    let mut python = Command::new(install::python());
    python.args(["-c", DKIMPY]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn()?;
    child.stdin.take().context("no pipe")?.write_all(mail)?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "dkimpy ended with {}", output.status);
    Ok(output.stdout)
}

/// Other servers, which share a key.
pub struct Signer {
    key: PathBuf,
    /// The DNS record of the key.
    pub record: String,
    _folder: TempDir,
}

impl Signer {
    /// Creates the key.
    pub fn create() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("key.pem");
        let record = create_key(&key)?;
        Ok(Self { key, record, _folder: folder })
    }

    fn key(&self) -> Result<&str> {
        self.key.to_str().context("the path is no text")
    }

    /// A mail with a DKIM signature of this domain.
    pub fn sign(&self, domain: &str, mail: &[u8]) -> Result<Vec<u8>> {
        dkimpy(&["sign", domain, self.key()?], mail)
    }

    /// A mail with an ARC set of each domain.
    pub fn seal(&self, domains: &[&str], mail: &[u8]) -> Result<Vec<u8>> {
        dkimpy(&[&["chain", self.key()?], domains].concat(), mail)
    }
}

/// A destination that knows the keys of some domains.
pub struct Verifier {
    records: String,
    rspamd: Judge,
    _dns: NameServer,
}

/// What both verifiers find in a mail.
#[derive(Debug)]
pub struct Verdict {
    /// dkimpy's result of the first DKIM signature.
    pub dkim: String,
    /// dkimpy's result of the ARC chain.
    pub arc: String,
    /// rspamd's results.
    pub symbols: Symbols,
}

impl Verifier {
    /// Starts one in an own folder, with the key records of these domains.
    pub async fn start(folder: &Path, knotd: &Path, records: &[(&str, &str)]) -> Result<Self> {
        let lines: Vec<_> = records.iter().map(|(domain, record)| (*domain, zone_line(domain, record))).collect();
        let zones: Vec<_> = lines.iter().map(|(domain, line)| Zone::Good(domain, line)).collect();
        let dns = NameServer::start(knotd, &zones).await?;
        let rspamd = Judge::start(folder, dns.address).await?;
        let records: BTreeMap<_, _> = records.iter().copied().collect();
        Ok(Self { records: serde_json::to_string(&records)?, rspamd, _dns: dns })
    }

    /// Verifies a mail.
    pub async fn verify(&self, mail: &[u8]) -> Result<Verdict> {
        Ok(Verdict {
            dkim: String::from_utf8(dkimpy(&["dkim", &self.records], mail)?)?,
            arc: String::from_utf8(dkimpy(&["arc", &self.records], mail)?)?,
            symbols: self.rspamd.symbols(mail).await?,
        })
    }
}

impl Verdict {
    /// Whether both verifiers accept the DKIM signature of this domain.
    pub fn is_signed_by(&self, domain: &str) -> bool {
        let passed = format!("{domain}:+");
        self.dkim == "pass" && self.symbols.get("DKIM_TRACE").is_some_and(|options| options.contains(&passed))
    }

    /// Whether both verifiers accept the ARC chain, whose last set has this number and is of this domain.
    pub fn is_sealed_by(&self, domain: &str, number: usize) -> bool {
        let passed = format!("{domain}:s=test:i={number}");
        self.arc == "pass" && self.symbols.get("ARC_ALLOW").is_some_and(|options| options.contains(&passed))
    }
}
