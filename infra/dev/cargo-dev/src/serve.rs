//! `cargo dev serve`, which is `cargo serve`: plain `cargo lambda watch` beside a running stack. Routes come from the
//! workspace's `Cargo.toml`, the environment from `functions.env`, which `cargo dev up` writes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use membermail_toolbox::{step, venv_program, workspace};

use crate::run_record::{Name, RecordedRun};
use crate::watch::wiring;
use crate::{aws, functions, site};

/// Default port of cargo-lambda.
const PORT: u16 = 9000;

/// Options of `cargo dev serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Port of the site
    #[arg(long, default_value_t = PORT)]
    port: u16,
    #[command(flatten)]
    name: Name,
}

/// Replaces this process by `cargo lambda watch`.
pub(crate) fn serve(options: &Options) -> Result<()> {
    let name = &options.name.name;
    let environment = environment_file(&site::state(name));
    let is_up = RecordedRun::read(name)?.is_some() && environment.is_file();
    ensure!(is_up, "the stack {name:?} is not up: start `cargo dev up` in another shell first");
    let mut watch = command(options.port)?;
    watch.arg("--env-file").arg(&environment);
    watch.args(["--env-var", &format!("PUBLIC_URL={}", url(options.port))]);
    // The file names the credentials of the local stack. These two would take precedence or be sent with them.
    watch.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    println!("{} rebuilds a function on its next request after you save a file; Ctrl-C stops it", url(options.port));
    bail!("cannot start cargo-lambda: {}", watch.exec())
}

/// `cargo lambda watch` on a loopback port; by default it listens on all addresses.
pub(crate) fn command(port: u16) -> Result<Command> {
    let mut watch = Command::new(venv_program("cargo-lambda"));
    watch.current_dir(workspace()).args(["lambda", "watch"]);
    watch.args(["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()]);
    functions::with_tools_in_path(&mut watch)?;
    Ok(watch)
}

/// Writes the environment of all functions of a local stack as an `--env-file`.
pub(crate) fn write_environment(state: &Path, endpoint: &str) -> Result<()> {
    let mut variables = step::with_progress("write functions.env", || wiring::read_environment(endpoint))?;
    variables.extend(aws::environment(endpoint).map(|(name, value)| (name.to_owned(), value.to_owned())));
    variables.insert("PUBLIC_URL".to_owned(), url(PORT));
    let file = environment_file(state);
    // Only for this user: the credentials of the stack are dummies, but a template may gain others.
    let opened = File::options().write(true).create(true).truncate(true).mode(0o600).open(&file);
    let written = opened.and_then(|mut opened| opened.write_all(lines(&variables)?.as_bytes()));
    written.with_context(|| format!("cannot write {}", file.display()))
}

/// The file with the environment of the functions.
pub(crate) fn environment_file(state: &Path) -> PathBuf {
    state.join("functions.env")
}

fn url(port: u16) -> String {
    format!("http://localhost:{port}")
}

/// `KEY=VALUE` lines. cargo-lambda rejects empty values, and the functions treat an empty variable like an unset one.
fn lines(variables: &BTreeMap<String, String>) -> std::io::Result<String> {
    let mut lines = String::new();
    for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
        if value.contains('\n') {
            return Err(std::io::Error::other(format!("{name} has more than one line")));
        }
        lines.push_str(&format!("{name}={value}\n"));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use membermail_core::message::{NotifyMessage, VerifyMember, WriteAliases};

    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn empty_variables_are_left_out() {
        let text = lines(&variables(&[("TABLE_NAME", "members"), ("DNS_SERVERS", ""), ("QUERY", "a=b c")])).unwrap();
        assert_eq!(text, "QUERY=a=b c\nTABLE_NAME=members\n");
    }

    /// The message in the event that README.md passes to a function.
    fn message<T: serde::de::DeserializeOwned>(function: &str) -> T {
        let file = workspace().join(format!("infra/dev/cargo-dev/events/{function}.json"));
        let event: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        serde_json::from_str(event["Records"][0]["body"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn fixtures_are_current_messages() {
        message::<VerifyMember>("verify-member");
        assert!(matches!(message("write-aliases"), WriteAliases::Grant(_)));
        assert_eq!(message::<NotifyMessage>("notify"), NotifyMessage::Sweep);
    }

    #[test]
    fn second_line_is_rejected() {
        assert!(lines(&variables(&[("NOTE", "a\nPATH=/evil")])).is_err());
    }
}
