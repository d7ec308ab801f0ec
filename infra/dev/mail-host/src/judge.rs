//! rspamd as a receiver, which verifies DKIM and ARC: a judge that is independent of dkimpy.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::find_program;
use membermail_toolbox::net::free_port;
use membermail_toolbox::service::{HealthCheck, Service};
use serde::Deserialize;

use crate::services::start;
use crate::system::user;

/// A running rspamd; dropping it stops it.
#[derive(Debug)]
pub struct Judge {
    port: u16,
    client: reqwest::Client,
    _service: Service,
}

/// rspamd's results of a mail: symbols, each with its options.
pub type Symbols = BTreeMap<String, Vec<String>>;

#[derive(Deserialize)]
struct Scan {
    symbols: BTreeMap<String, Symbol>,
}

#[derive(Deserialize)]
struct Symbol {
    #[serde(default)]
    options: Vec<String>,
}

impl Judge {
    /// Starts one in an own folder, with this DNS server.
    pub async fn start(folder: &Path, resolver: SocketAddr) -> Result<Self> {
        fs::create_dir_all(folder)?;
        chown(folder, Some(user("_rspamd")?.uid.as_raw()), None)?;
        let port = free_port()?;
        let here = folder.display();
        let conf = folder.join("judge.conf");
        fs::write(
            &conf,
            format!(
                "modules {{ path = \"$PLUGINSDIR/arc.lua\"; }}\n\
                 options {{ filters = \"dkim\"; pidfile = \"{here}/judge.pid\"; url_tld = \"{here}/endings\"; \
                 dns {{ nameserver = [\"{resolver}\"]; }} local_addrs = []; max_lua_urls = 0; }}\n\
                 logging {{ type = \"file\"; filename = \"{here}/judge.log\"; level = \"warning\"; }}\n\
                 worker \"normal\" {{ bind_socket = \"127.0.0.1:{port}\"; count = 1; }}\n\
                 dkim {{ }}\narc {{ enabled = true; }}\n"
            ),
        )?;
        fs::write(folder.join("endings"), "com\norg\nexample\n")?;
        let mut command = Command::new(find_program(&["rspamd"]).context("rspamd is not installed")?);
        command.args(["-f", "-u", "_rspamd", "-g", "_rspamd", "-c"]).arg(&conf);
        for variable in ["DBDIR", "RUNDIR", "LOGDIR"] {
            command.arg(format!("--var={variable}={here}"));
        }
        let service = start("rspamd", command, HealthCheck::Port(port), folder.join("judge.out")).await?;
        Ok(Self { port, client: reqwest::Client::new(), _service: service })
    }

    /// Verifies a mail.
    pub async fn symbols(&self, mail: &[u8]) -> Result<Symbols> {
        let url = format!("http://127.0.0.1:{}/checkv2", self.port);
        let request = self.client.post(url).header("IP", "192.0.2.1").body(mail.to_vec());
        let scan: Scan = request.send().await?.error_for_status()?.json().await?;
        Ok(scan.symbols.into_iter().map(|(name, symbol)| (name, symbol.options)).collect())
    }
}
