//! Renders the configuration of a mail host: `main.cf`, `master.cf`, `smtpd.conf` and `rspamd.conf`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use membermail_core::address::DomainName;
use membermail_postfix::config::{MailHost, RSPAMD_SCRIPTS};

/// Render the configuration of a mail host; docs/mail.md lists where each file belongs
#[derive(Parser)]
#[command(name = "mail-host")]
struct Arguments {
    /// The description of the host, in TOML
    #[arg(long)]
    config: PathBuf,
    /// The output folder
    #[arg(long)]
    out: PathBuf,
    /// The name of the community's file in shared/communities
    #[arg(long, default_value = "ubuntu")]
    community: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let text = fs::read_to_string(&arguments.config).with_context(|| arguments.config.display().to_string())?;
    let host: MailHost = toml::from_str(&text).with_context(|| arguments.config.display().to_string())?;
    let community = membermail_communities::community(&arguments.community)?;
    let domains: Vec<DomainName> = community.domain_names().cloned().collect();
    host.check_alignment(&domains)?;
    fs::create_dir_all(&arguments.out)?;
    let signing = host.signing.as_ref().map(|_| RSPAMD_SCRIPTS);
    let scripts = signing.into_iter().flatten().map(|(name, text)| (name, Some(text.to_owned())));
    let files = [
        ("main.cf", Some(host.main_cf()?)),
        ("master.cf", Some(host.master_cf()?)),
        ("smtpd.conf", host.smtpd_conf()?),
        ("rspamd.conf", host.rspamd_conf(&domains)?),
    ];
    for (name, text) in files.into_iter().chain(scripts) {
        if let Some(text) = text {
            let file = arguments.out.join(name);
            fs::write(&file, text).with_context(|| file.display().to_string())?;
        }
    }
    Ok(())
}
