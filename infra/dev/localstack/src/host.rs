//! LocalStack as a host process.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};
use membermail_toolbox::{find_program, venv_program};

use crate::{Options, here, install};

/// Creates LocalStack's folders, and returns a command that runs it in the foreground.
pub(crate) fn command(options: &Options) -> Result<Command> {
    let state = &options.state_dir;
    let lib = state.join("var/lib/localstack/lib");
    fs::create_dir_all(state.join("tmp"))?;
    // LocalStack downloads both into these folders unless they exist.
    replace_link(&install::dynamodb().join("emulator"), &lib.join("dynamodb-local/2"))?;
    replace_link(&java_home()?, &lib.join("java/21"))?;
    let mut command = Command::new(venv_program("python"));
    command.args(["-m", "localstack.runtime.main"]);
    // Keep the developer's AWS account and settings out of reach.
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
    if let Some(url) = &options.functions_endpoint {
        command.env("MEMBERMAIL_FUNCTIONS_AWS", url);
    }
    command.envs([
        // The default server ignores the address and listens on all interfaces.
        ("GATEWAY_SERVER", "hypercorn"),
        // LocalStack mistakes some machines for its own image and would look for files under `/`.
        ("OVERRIDE_IN_DOCKER", "0"),
        ("DISABLE_EVENTS", "1"),
        ("SKIP_SSL_CERT_DOWNLOAD", "1"),
        ("DNS_ADDRESS", "0"),
        ("DYNAMODB_IN_MEMORY", "1"),
        ("LAMBDA_RUNTIME_EXECUTOR", "host"),
        // By default an idle queue is polled every ten seconds, and a busy one every second: AWS receives at once.
        ("LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC", "0.1"),
        ("LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC", "0.5"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]);
    Ok(command)
}

fn java_home() -> Result<PathBuf> {
    let java = find_program(&["java"]).context("java is missing: run `cargo dev tools`")?;
    let java = fs::canonicalize(java)?;
    Ok(java.ancestors().nth(2).context("cannot find the home of java")?.to_owned())
}

fn replace_link(target: &Path, link: &Path) -> Result<()> {
    if let Some(folder) = link.parent() {
        fs::create_dir_all(folder)?;
    }
    if link.is_symlink() {
        fs::remove_file(link)?;
    }
    symlink(target, link).with_context(|| format!("cannot create the link {}", link.display()))
}
