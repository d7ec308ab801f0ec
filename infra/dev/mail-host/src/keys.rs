//! Keys for DKIM and ARC signatures, and their DNS records.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::{find_program, step};

use crate::options::{HOSTNAME, SELECTOR};

/// Creates a key as docs/mail.md describes; returns the text of its DNS record.
pub fn create_key(file: &Path) -> Result<String> {
    let mut keygen = Command::new(find_program(&["rspamadm"]).context("rspamadm is not installed")?);
    keygen.args(["dkim_keygen", "-s", SELECTOR, "-d", HOSTNAME, "-b", "2048", "-k"]).arg(file);
    let zone_text = step::capture(&mut keygen)?;
    Ok(zone_text.split('"').skip(1).step_by(2).collect())
}

/// The line of a zone file that publishes a key for a domain: a string of a TXT record has at most 255 octets.
pub fn zone_line(domain: &str, record: &str) -> String {
    let at = record.len().min(200);
    let (start, end) = record.split_at(at);
    format!("{SELECTOR}._domainkey.{domain}. TXT \"{start}\" \"{end}\"\n")
}
