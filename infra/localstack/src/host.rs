//! LocalStack as a process of this machine.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};
use membermail_toolbox::{find_program, venv_program};

use crate::{Options, here, install};

/// The command that runs it in the foreground, after its folders are laid out.
pub(crate) fn command(options: &Options) -> Result<Command> {
    let state = &options.state_dir;
    let lib = state.join("var/lib/localstack/lib");
    fs::create_dir_all(state.join("tmp"))?;
    // LocalStack would download both into these places if they were empty.
    link(&install::dynamodb().join("emulator"), &lib.join("dynamodb-local/2"))?;
    link(&java_home()?, &lib.join("java/21"))?;
    let mut command = Command::new(venv_program("python"));
    command.args(["-m", "localstack.runtime.main"]);
    // Nothing of the developer's own account or settings may reach it.
    command.env_clear().envs([
        ("PATH", env::var_os("PATH").context("no PATH")?),
        ("HOME", state.into()),
        ("TMPDIR", state.join("tmp").into()),
        ("PYTHONPATH", here().join("python").into()),
        ("MEMBERMAIL_LOGS", options.logs().into()),
        ("MEMBERMAIL_CALLS", options.calls().into()),
        ("FILESYSTEM_ROOT", state.into()),
        ("GATEWAY_LISTEN", format!("127.0.0.1:{}", options.port).into()),
    ]);
    if let Some(url) = &options.seen_by_functions {
        command.env("MEMBERMAIL_FUNCTIONS_AWS", url);
    }
    command.envs([
        // Its default server takes an address for a wish and listens on all of them.
        ("GATEWAY_SERVER", "hypercorn"),
        // It takes some machines for its own image and would look for files under the root.
        ("OVERRIDE_IN_DOCKER", "0"),
        ("DISABLE_EVENTS", "1"),
        ("SKIP_SSL_CERT_DOWNLOAD", "1"),
        ("DNS_ADDRESS", "0"),
        ("DYNAMODB_IN_MEMORY", "1"),
        ("LAMBDA_RUNTIME_EXECUTOR", "host"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]);
    Ok(command)
}

fn java_home() -> Result<PathBuf> {
    let java = find_program(&["java"]).context("no java: run `cargo dev up`, which installs it")?;
    let java = fs::canonicalize(java)?;
    Ok(java.ancestors().nth(2).context("a java without a home")?.to_owned())
}

fn link(to: &Path, at: &Path) -> Result<()> {
    if let Some(folder) = at.parent() {
        fs::create_dir_all(folder)?;
    }
    if at.is_symlink() {
        fs::remove_file(at)?;
    }
    symlink(to, at).with_context(|| format!("linking {}", at.display()))
}
