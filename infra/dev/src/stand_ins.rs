//! Ubuntu One and Launchpad to run against offline: the program of `infra/stand-ins`.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::process::Process;

use crate::functions::program;

/// The stand-ins while they run; they end with this value.
pub(crate) struct StandIns {
    /// Where they are.
    pub(crate) url: String,
    /// The process.
    pub(crate) process: Process,
    child: Child,
}

impl StandIns {
    /// Starts them and waits until they answer.
    pub(crate) async fn start(port: u16, state: &Path) -> Result<Self> {
        let log = state.join("stand-ins.log");
        let file = File::create(&log)?;
        let mut command = Command::new(program("stand-ins"));
        command.args(["--listen", &format!("127.0.0.1:{port}")]).process_group(0);
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("cannot start the stand-ins")?;
        let process = i32::try_from(child.id()).ok().and_then(Process::now).context("the stand-ins ended at once")?;
        let mut stand_ins = Self { url: format!("http://localhost:{port}"), process, child };
        let client = reqwest::Client::builder().no_proxy().build()?;
        let (start, health) = (Instant::now(), format!("http://127.0.0.1:{port}/health"));
        while start.elapsed() < Duration::from_secs(20) {
            if let Some(status) = stand_ins.child.try_wait()? {
                bail!("the stand-ins ended with {status}: see {}", log.display());
            }
            if client.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(stand_ins);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the stand-ins do not answer: see {}", log.display())
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        // It keeps nothing, so it need not be asked twice.
        let _ = self.process.stop(Duration::from_secs(2));
        let _ = self.child.wait();
    }
}
