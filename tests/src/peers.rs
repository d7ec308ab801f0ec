//! Third-party peers, and fakes of a test for them to talk to.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_fakes::community::Seed;
use membermail_fakes::router;
use membermail_fakes::state::Shared;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use url::Url;

use crate::people::control;
use crate::stack::Stack;

/// A script of `tests/peers`.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

impl Stack {
    /// Runs a Python script and returns its output.
    pub async fn python(&self, name: &str, arguments: &[&str]) -> Result<String> {
        finished(Command::new(&self.peers.python).arg(script(name)).args(arguments)).await
    }

    /// Runs a Node script and returns its output. Its first argument is the folder of its packages.
    pub async fn node(&self, name: &str, arguments: &[&str]) -> Result<String> {
        finished(Command::new("node").arg(script(name)).arg(&self.peers.node_modules).args(arguments)).await
    }

    /// Starts the provider built with python3-openid.
    pub async fn python_openid(&self) -> Result<Provider> {
        Provider::start(Command::new(&self.peers.python).arg(script("openid_provider.py")), "127.0.0.1").await
    }

    /// Starts npm's oidc-provider with the settings that its script describes.
    pub async fn oidc_provider(&self, settings: &Value) -> Result<Provider> {
        let mut command = Command::new("node");
        command.arg(script("oidc_provider.mjs")).arg(&self.peers.node_modules).arg(settings.to_string());
        Provider::start(&mut command, "localhost").await
    }

    /// Starts canaille with the settings that its script describes.
    pub async fn canaille(&self, settings: &Value) -> Result<Provider> {
        let mut command = Command::new(&self.peers.canaille);
        command.arg(script("canaille_provider.py")).arg(settings.to_string());
        Provider::start(&mut command, "127.0.0.1").await
    }
}

/// A sign-in provider, stopped when dropped.
pub struct Provider {
    /// Its address, with a slash at its end.
    pub root: Url,
    _child: Child,
}

impl Provider {
    /// Starts a provider that prints its port and then serves at this host.
    async fn start(command: &mut Command, host: &str) -> Result<Self> {
        // Its messages contain codes and addresses, and nothing reads them.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the provider")?;
        let mut said = BufReader::new(child.stdout.take().context("no output")?).lines();
        let port: u16 = said.next_line().await?.context("the provider ended at once")?.parse()?;
        // Read to the end, so that the provider never blocks on a full pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        Ok(Self { root: format!("http://{host}:{port}/").parse()?, _child: child })
    }
}

/// Returns the output, or an error with what the program wrote to stderr.
async fn finished(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    ensure!(status.success(), "the peer ended with {status}: {}", String::from_utf8_lossy(&stderr));
    Ok(String::from_utf8(stdout)?)
}

/// Fakes of one test, which counts their requests.
pub struct OwnFakes {
    /// Their address, with a slash at its end.
    pub root: Url,
}

impl OwnFakes {
    /// Starts the usual community; `wadl` is Launchpad's description of its web service, or empty.
    pub async fn start(wadl: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let root = format!("http://{}/", listener.local_addr()?).parse()?;
        let app = router(Shared::new(Seed::standard(SystemClock.now()), wadl));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { root })
    }

    /// Their state below this path of their controls.
    pub async fn control(&self, path: &str) -> Result<Value> {
        control(&self.root, path).await
    }
}
