//! The mail host of `cargo dev up --mail`, and the configuration of those that tests start.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context, Result};
use membermail_alias_map::settings::MasterSecretSource;
use membermail_postfix::config::Limits;
use membermail_test_mail_host::install;
use membermail_test_mail_host::options::Options;
use membermail_test_mail_host::page;
use membermail_test_mail_host::rig::Rig;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::functions::program;
use crate::site::Site;

/// URL of the mailbox page.
pub(crate) const PAGE: &str = "http://localhost:8482/";
const PAGE_PORT: u16 = 8_482;
const SMTP_PORT: u16 = 8_425;
const SINK_PORT: u16 = 8_426;

/// Tagged addresses are on, and cache lifetimes are short, so that changes show immediately.
const SETTINGS: &str = "takes-tags = [\"mail.example\"]\nhits = \"2s\"\nmisses = \"2s\"";
/// Destination of role mail for domains without an admin.
const OPERATORS: &str = "operators@mail.example";

/// Installs the programs of a mail host.
pub(crate) fn install() -> Result<()> {
    install::install()
}

/// Starts a mail host on the site's table, and the mailbox page.
pub(crate) async fn start(site: &Site, state: &Path, community: &str) -> Result<Rig> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, PAGE_PORT)).await.context("port 8482 is in use")?;
    eprintln!("  … start the mail host");
    let options = Options {
        folder: state.join("mail"),
        alias_map: program("membermail-alias-map"),
        bounce: program("membermail-bounce"),
        failure_queue: Some(site.output("DeliveryFailureQueueUrl")?.to_owned()),
        queue_times: None,
        endpoint_url: site.emulator.url.clone(),
        table: site.output("TableName")?.to_owned(),
        master_secret: MasterSecretSource::Arn(site.output("MasterSecretArn")?.to_owned()),
        community: community.to_owned(),
        settings: SETTINGS.to_owned(),
        operators: OPERATORS.to_owned(),
        signing: true,
        resolver: None,
        limits: Limits::default(),
        xclient: false,
        checks_loopback: false,
        main_cf: &[],
        ports: Some((SMTP_PORT, SINK_PORT)),
    };
    let rig = Rig::start(options).await?;
    page::serve(listener, &rig);
    Ok(rig)
}

/// Paths with which tests start their own mail hosts.
pub(crate) fn describe(state: &Path) -> Value {
    json!({ "folder": state.join("mail"), "alias_map": program("membermail-alias-map"), "bounce": program("membermail-bounce") })
}

#[cfg(test)]
mod tests {
    use membermail_alias_map::settings::Settings;

    use super::*;

    #[test]
    fn alias_map_accepts_the_settings() {
        let needed = "community = \"x\"\ntable = \"t\"\nmaster-secret-file = \"/none\"\nlisten = [\"inet:127.0.0.1:0\"]\n\
                      host-name = \"mx.forwards.example\"\nreturn-path-domain = \"back.forwards.example\"\n";
        let read = Settings::parse(&format!("{needed}operators = {OPERATORS:?}\n{SETTINGS}")).unwrap();
        assert_eq!(read.operators.expose(), OPERATORS);
    }
}
