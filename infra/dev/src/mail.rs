//! A mail host beside the site: for `cargo dev up --mail`, and for the tests that start their own.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result};
use membermail_alias_map::settings::MasterSecretAt;
use membermail_postfix::config::Limits;
use membermail_postfix::install;
use membermail_postfix::page;
use membermail_postfix::rig::{Options, Rig};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::functions::program;
use crate::site::Site;

/// Where the page is.
pub(crate) const PAGE: &str = "http://localhost:8482/";
const PAGE_PORT: u16 = 8_482;
const SMTP_PORT: u16 = 8_425;
const INBOX_PORT: u16 = 8_426;

/// Destinations here take tags, and answers are short-lived, so that changes show at once.
const SETTINGS: &str = "takes-tags = [\"mail.example\"]\nhits = \"2s\"\nmisses = \"2s\"";
/// Role mail of a domain without an admin goes here.
const OPERATORS: &str = "operators@mail.example";

/// Installs what a mail host needs.
pub(crate) fn install() -> Result<()> {
    install::install()
}

/// Starts a mail host over the site's table, and the page.
pub(crate) async fn start(site: &Site, state: &Path, community: &str) -> Result<Rig> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, PAGE_PORT)).await.context("port 8482 is taken")?;
    eprintln!("  … start the mail host");
    let options = Options {
        folder: state.join("mail"),
        python: install::python(),
        alias_map: program("membermail-alias-map"),
        endpoint_url: site.emulator.url.clone(),
        table: site.output("TableName")?.to_owned(),
        master_secret: MasterSecretAt::Arn(site.output("MasterSecretArn")?.to_owned()),
        community: community.to_owned(),
        settings: SETTINGS.to_owned(),
        operators: OPERATORS.to_owned(),
        signs: true,
        limits: Limits::default(),
        socket: None,
        xclient: false,
        ports: Some((SMTP_PORT, INBOX_PORT)),
    };
    let rig = Rig::start(options).await?;
    page::serve(listener, &rig);
    Ok(rig)
}

/// What tests need to start one of their own.
pub(crate) fn description(site: &Site, state: &Path) -> Result<Value> {
    Ok(json!({
        "folder": state.join("mail"),
        "python": install::python(),
        "alias_map": program("membermail-alias-map"),
        "master_secret_arn": site.output("MasterSecretArn")?,
    }))
}

#[cfg(test)]
mod tests {
    use membermail_alias_map::settings::Settings;

    use super::*;

    #[test]
    fn alias_map_accepts_these_settings() {
        let needed =
            "community = \"x\"\ntable = \"t\"\nmaster-secret-file = \"/none\"\nlisten = [\"inet:127.0.0.1:0\"]\n";
        let read = Settings::parse(&format!("{needed}operators = {OPERATORS:?}\n{SETTINGS}")).unwrap();
        assert_eq!(read.operators.expose(), OPERATORS);
    }
}
