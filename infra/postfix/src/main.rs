//! Writes the configuration of a mail host: `main.cf`, `master.cf`, `smtpd.conf`, `rspamd.conf` and postsrsd's options.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use membermail_core::address::DomainName;
use membermail_postfix::config::MailHost;

/// The configuration of a mail host, from one file. docs/mail.md says where each goes.
#[derive(Parser)]
#[command(name = "mail-host")]
struct Arguments {
    /// What the host is
    #[arg(long)]
    config: PathBuf,
    /// A folder for what is written
    #[arg(long)]
    out: PathBuf,
    /// The community, as its file in infra/communities is named
    #[arg(long, default_value = "ubuntu")]
    community: String,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let text = fs::read_to_string(&arguments.config).with_context(|| arguments.config.display().to_string())?;
    let host: MailHost = toml::from_str(&text).with_context(|| arguments.config.display().to_string())?;
    let community = membermail_communities::community(&arguments.community)?;
    let domains: Vec<DomainName> = community.domain_names().cloned().collect();
    host.stands_apart_from(&domains)?;
    fs::create_dir_all(&arguments.out)?;
    let write = |name: &str, text: String| {
        let file = arguments.out.join(name);
        fs::write(&file, text).with_context(|| file.display().to_string())
    };
    write("main.cf", host.main_cf()?)?;
    write("master.cf", host.master_cf()?)?;
    write("postsrsd", host.postsrsd_defaults(Path::new("/etc/postsrsd.secret")))?;
    if let Some(conf) = host.smtpd_conf()? {
        write("smtpd.conf", conf)?;
    }
    if let Some(conf) = host.rspamd_conf(&domains)? {
        write("rspamd.conf", conf)?;
    }
    Ok(())
}
