//! Programs that nobody here wrote, and stand-ins of a test's own for them to speak with.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_stand_ins::community::Seed;
use membermail_stand_ins::router;
use membermail_stand_ins::state::Shared;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use url::Url;

use crate::stack::Stack;

/// A script of `tests/peers`.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name)
}

impl Stack {
    /// Runs a script of Python to its end and gives what it wrote.
    pub async fn python(&self, name: &str, arguments: &[&str]) -> Result<String> {
        finished(Command::new(&self.peers.python).arg(script(name)).args(arguments)).await
    }

    /// Runs a script of Node to its end and gives what it wrote; its first argument is where its packages are.
    pub async fn node(&self, name: &str, arguments: &[&str]) -> Result<String> {
        finished(Command::new("node").arg(script(name)).arg(&self.peers.node_modules).args(arguments)).await
    }

    /// Starts the provider that is made of python3-openid.
    pub async fn python_openid(&self) -> Result<PythonProvider> {
        let mut command = Command::new(&self.peers.python);
        command.arg(script("openid_provider.py")).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the provider")?;
        let mut said = BufReader::new(child.stdout.take().context("no output")?).lines();
        let port: u16 = said.next_line().await?.context("the provider ended at once")?.parse()?;
        Ok(PythonProvider { root: format!("http://127.0.0.1:{port}/").parse()?, _child: child })
    }
}

/// A provider of OpenID 2.0 that ends with this value.
pub struct PythonProvider {
    /// Its address, with a slash at its end.
    pub root: Url,
    _child: Child,
}

/// Ends with its output, or with what it had to say against it.
async fn finished(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
    ensure!(status.success(), "the peer ended with {status}: {}", String::from_utf8_lossy(&stderr));
    Ok(String::from_utf8(stdout)?)
}

/// Stand-ins that a test has for itself, so that it can count what was asked of them.
pub struct OwnStandIns {
    /// Their address, with a slash at its end.
    pub root: Url,
}

impl OwnStandIns {
    /// Starts the usual community; `wadl` is Launchpad's description of its web service, or empty.
    pub async fn start(wadl: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let root = format!("http://{}/", listener.local_addr()?).parse()?;
        let app = router(Shared::new(Seed::usual(SystemClock.now()), wadl));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { root })
    }

    /// What a switch tells.
    pub async fn control(&self, path: &str) -> Result<Value> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(client.get(self.root.join("control/")?.join(path)?).send().await?.error_for_status()?.json().await?)
    }
}
