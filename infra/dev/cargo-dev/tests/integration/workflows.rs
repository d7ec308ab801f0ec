//! The workflows of README.md, typed as they are written there. `up.rs` types `cargo dev up`.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result, bail, ensure};
use membermail_tests::sockets::listening;
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until, until_true};
use membermail_toolbox::net::free_port;
use membermail_toolbox::process::Process;
use membermail_toolbox::{folder, workspace};
use serde_json::json;

/// The name of the run whose stack the tests share.
const RUN: &str = "test";

/// The commands in the shell blocks below a heading of README.md.
pub(crate) fn commands(heading: &str) -> Result<Vec<String>> {
    let readme = fs::read_to_string(workspace().join("README.md"))?;
    let (_, section) = readme.split_once(&format!("# {heading}\n")).with_context(|| format!("no heading {heading}"))?;
    let section = section.split("\n#").next().unwrap_or_default();
    let blocks = section.split("```sh\n").skip(1).filter_map(|block| block.split("```").next());
    let lines = blocks.flat_map(str::lines).map(|line| line.split(" # ").next().unwrap_or_default().trim().to_owned());
    let commands: Vec<_> = lines.collect();
    ensure!(!commands.is_empty(), "{heading} has no commands");
    Ok(commands)
}

/// A shell in the root of the repository with the installed tools in its path.
fn shell(script: &str) -> Result<Command> {
    let path = std::env::var_os("PATH").context("no PATH")?;
    let tools = ["venv/bin", "sam/bin"].map(|tools| folder().join(tools));
    let mut shell = Command::new("sh");
    shell.current_dir(workspace()).args(["-c", script]).stdin(Stdio::null());
    shell.env("PATH", std::env::join_paths(tools.into_iter().chain(std::env::split_paths(&path)))?);
    Ok(shell)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// A server that was started by a typed command.
struct Served {
    child: Child,
    process: Process,
    log: PathBuf,
}

impl Served {
    /// Types the command and waits until the port is open.
    async fn start(command: &str, port: u16) -> Result<Self> {
        let log = folder().join("run").join(format!("served-{port}.log"));
        let file = fs::File::create(&log)?;
        let child =
            shell(&format!("exec {command}"))?.stdout(file.try_clone()?).stderr(file).process_group(0).spawn()?;
        let process = i32::try_from(child.id()).ok().and_then(Process::find).context("the command exited")?;
        let mut served = Self { child, process, log };
        until_true("an open port", TIMEOUT, async || {
            if let Some(status) = served.child.try_wait()? {
                bail!("{command} exited with {status}: {}", served.output());
            }
            Ok(TcpStream::connect(("127.0.0.1", port)).is_ok())
        })
        .await?;
        Ok(served)
    }

    fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The current process of a function.
    fn function(&self, name: &str) -> Option<Process> {
        self.process.with_descendants().into_iter().find(|process| process.name().as_deref() == Some(name))
    }

    /// Fails unless only this machine can connect.
    fn ensure_on_loopback(&self) -> Result<()> {
        let sockets = listening(self.process.pid)?;
        ensure!(!sockets.is_empty() && sockets.iter().all(|socket| socket.is_on_loopback()), "{sockets:#?}");
        Ok(())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.stop(std::time::Duration::from_secs(5));
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}

/// The site of this run behind another port.
fn at_port(stack: &Stack, port: u16) -> Result<Stack> {
    Ok(Stack { public_url: format!("http://localhost:{port}/").parse()?, ..stack.clone() })
}

/// Waits until the function behind a path has been compiled and answers with success.
async fn answers(stack: &Stack, path: &str) -> Result<()> {
    let url = stack.public_url.join(path)?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    until_true(&format!("an answer of {path}"), TIMEOUT, async || {
        Ok(client.get(url.clone()).send().await.is_ok_and(|answer| answer.status().is_success()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the local stack (cargo dev test)"]
async fn serve_signs_in_and_reloads() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let typed = commands("Develop")?;
    let [up, serve, plain, invoke] = &typed[..] else { bail!("unexpected commands: {typed:?}") };
    // The stack of this run replaces the one of this command.
    ensure!(up == "cargo dev up", "{up}");
    let port = free_port()?;
    let served = Served::start(&format!("{serve} --name {RUN} --port {port}"), port).await?;
    let site = at_port(&stack, port)?;
    answers(&site, "health").await?;
    answers(&site, "").await?;
    served.ensure_on_loopback()?;

    site.add_person(json!({ "name": "reloader", "teams": ["ubuntumembers"] })).await?;
    let browser = site.sign_in_at("ubuntu.com", "reloader").await.with_context(|| served.output())?;

    // Saving a source restarts its function. The content stays the same.
    let before = served.function("account").context("no account process")?;
    let source = workspace().join("functions/account/src/main.rs");
    fs::write(&source, fs::read(&source)?)?;
    until("a new process of account", TIMEOUT, async || Ok(served.function("account").filter(|now| *now != before)))
        .await?;
    answers(&site, "").await?;
    site.page_with(&browser, "reloader@ubuntu.com now forwards to").await?;

    // Waits for the compilation of another function.
    let invoked = shell(&format!("{invoke} --invoke-port {port}"))?.output()?;
    ensure!(invoked.status.success() && text(&invoked).contains(r#""batchItemFailures":[]"#), "{}", text(&invoked));
    drop(served);

    // The long form, for a cargo-lambda in the path.
    let environment = format!("run/{RUN}/functions.env");
    let mode = fs::metadata(folder().join(&environment))?.permissions().mode();
    ensure!(mode & 0o777 == 0o600, "others can read {environment}: {mode:o}");
    let port = free_port()?;
    let plain = plain.replace("run/up/functions.env", &environment);
    let watch = Served::start(&format!("{plain} --invoke-port {port}"), port).await?;
    answers(&at_port(&stack, port)?, "health").await.with_context(|| watch.output())?;
    watch.ensure_on_loopback()
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn serve_needs_a_running_stack() -> Result<()> {
    Stack::of_this_run()?;
    let output = shell("cargo serve --name not-started")?.output()?;
    ensure!(!output.status.success() && text(&output).contains("start `cargo dev up`"), "{}", text(&output));
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn lambda_deploy_names_the_alternatives() -> Result<()> {
    Stack::of_this_run()?;
    for command in ["cargo lambda deploy", "cargo lambda deploy sso"] {
        let output = shell(command)?.env("AWS_EC2_METADATA_DISABLED", "true").output()?;
        // The message is wrapped to the width of a terminal.
        let text = text(&output).replace('│', "").split_whitespace().collect::<Vec<_>>().join(" ");
        let is_helpful = text.contains("`sam deploy`") && text.contains("`cargo dev deploy`");
        ensure!(!output.status.success() && is_helpful, "{text}");
    }
    Ok(())
}

/// Replaces cargo's compilation: a release build takes ten minutes, and a cross build needs a standard library that CI does
/// not have. Everything else is done by the real programs. cargo-lambda gets a small program for each package it asks for.
const CARGO: &str = r#"#!/bin/sh
case $1 in
build) ;;
lambda) CARGO=$0 exec cargo-lambda "$@" ;;
*) unset CARGO; exec "$REAL_CARGO" "$@" ;;
esac
folder=$CARGO_TARGET_DIR/aarch64-unknown-linux-gnu/release
case "$*" in *aarch64-unknown-linux-gnu*--release*) mkdir -p "$folder";; *) echo "not a release build: $*" >&2; exit 1;; esac
while [ $# -gt 0 ]; do
  if [ "$1" = --package ]; then cp /bin/true "$folder/$2"; fi
  shift
done
"#;

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn sam_deploys_what_cargo_lambda_builds() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let typed = commands("With SAM CLI")?;
    let [build, deploy] = &typed[..] else { bail!("unexpected commands: {typed:?}") };
    // A copy of the repository's root: nothing that looks like a release may stay in `target/lambda`.
    let root = tempfile::tempdir()?;
    let root = root.path();
    for file in ["template.yaml", "samconfig.toml"] {
        fs::copy(workspace().join(file), root.join(file))?;
    }
    let cargo = root.join("cargo");
    fs::write(&cargo, CARGO)?;
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755))?;
    let real = std::env::var_os("CARGO").context("no CARGO")?;
    let mut built = shell(&format!("PATH={}:$PATH; {build}", root.display()))?;
    // `true` as rustup: no look for the standard library of the target.
    built.env("REAL_CARGO", real).env("RUSTUP", "true").env("CARGO_TARGET_DIR", root.join("target"));
    let built = built.output()?;
    ensure!(built.status.success(), "{}", text(&built));

    // Another account of the emulator, with a stack of the same name.
    let deployed = in_other_account(shell(deploy)?.current_dir(root), &stack).output()?;
    ensure!(deployed.status.success(), "{}", text(&deployed));
    let mut describe = shell(&format!("aws cloudformation describe-stacks --stack-name {}", stack_name(root)?))?;
    let described = in_other_account(&mut describe, &stack).output()?;
    ensure!(text(&described).contains("CREATE_COMPLETE"), "{}", text(&described));
    let mut delete = shell(&format!("aws cloudformation delete-stack --stack-name {}", stack_name(root)?))?;
    ensure!(in_other_account(&mut delete, &stack).status()?.success());
    Ok(())
}

/// The stack that samconfig.toml names.
fn stack_name(root: &Path) -> Result<String> {
    let config: toml::Table = fs::read_to_string(root.join("samconfig.toml"))?.parse()?;
    let name = config["default"]["deploy"]["parameters"]["stack_name"].as_str();
    Ok(name.context("no stack_name")?.to_owned())
}

/// LocalStack takes twelve digits for the id of an account.
fn in_other_account<'a>(command: &'a mut Command, stack: &Stack) -> &'a mut Command {
    let endpoint = stack.endpoint_url.as_str().trim_end_matches('/');
    for variable in ["AWS_PROFILE", "AWS_SESSION_TOKEN"] {
        command.env_remove(variable);
    }
    for region in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        command.env(region, "us-east-1");
    }
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_ENDPOINT_URL", endpoint).env("SAM_CLI_TELEMETRY", "0");
    command.env("AWS_ACCESS_KEY_ID", "111111111111").env("AWS_SECRET_ACCESS_KEY", "test")
}
