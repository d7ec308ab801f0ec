//! Settings, outputs and AWS commands in the documents: each JSON block is valid, each output exists, and AWS's API knows each
//! parameter.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use membermail_notices::MailSettings;
use membermail_permissions::template::Template;
use membermail_tests::documents::{blocks, commands_of, files, read};
use membermail_toolbox::{venv_program, workspace};
use serde_json::Value;

#[test]
fn documented_mail_secret_is_valid() -> Result<()> {
    let mut found = 0;
    for block in blocks(&read("docs/aws.md")?).iter().filter(|block| block.language == "json") {
        let parsed: Value = serde_json::from_str(&block.text).with_context(|| block.text.clone())?;
        if block.labels.iter().any(|label| label == "file=mail.json") {
            MailSettings::parse(&block.text)?;
            // Lambda cannot connect to port 25, the default of `smtp://`.
            let relay = parsed["relay"].as_str().context("no relay")?;
            ensure!(!relay.starts_with("smtp://") && !relay.ends_with(":25"), "{relay}");
            found += 1;
        }
    }
    ensure!(found == 1, "{found} mail secrets are recognized");
    Ok(())
}

#[test]
fn documented_outputs_exist() -> Result<()> {
    let template = Template::read(&workspace().join("template.yaml"), "any", &[])?;
    let outputs: Vec<_> = template.outputs().collect();
    let mut found = 0;
    for file in files(&["", "docs"], "md")? {
        let text = read(&file)?;
        let queries = text.split("OutputKey=='").skip(1).filter_map(|rest| rest.split('\'').next());
        let functions = text.split("$(output ").skip(1).filter_map(|rest| rest.split(')').next());
        for name in queries.chain(functions).filter(|name| *name != "$1") {
            found += 1;
            ensure!(outputs.contains(&name), "{file}: there is no output {name}");
        }
    }
    ensure!(found > 4, "only {found} outputs are recognized");
    Ok(())
}

/// Checked by the AWS command line itself, which then stops before the request.
#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn documented_aws_commands_are_valid() -> Result<()> {
    let page = "docs/aws.md";
    let folder = tempfile::tempdir()?;
    for block in blocks(&read(page)?) {
        for name in block.labels.iter().filter_map(|label| label.strip_prefix("file=")) {
            std::fs::write(folder.path().join(name), &block.text)?;
        }
    }
    let commands = commands_of(&[&["aws"]])?.into_iter().filter(|command| command.file == page);
    let commands: Vec<_> = commands.map(|command| command.words).collect();
    let mut python = Command::new(venv_program("python"));
    python.arg(workspace().join("infra/dev/cargo-dev/tests/integration/check_aws_commands.py"));
    python.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    for (variable, value) in [
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        // A command that is sent in spite of everything must not leave this machine.
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
    ] {
        python.env(variable, value);
    }
    let mut python = python.env_remove("AWS_PROFILE").spawn()?;
    python.stdin.take().context("no input")?.write_all(serde_json::to_string(&commands)?.as_bytes())?;
    let output = python.wait_with_output()?;
    ensure!(output.status.success(), "{}", output.status);
    let result: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(result["errors"] == serde_json::json!([]), "{:#}", result["errors"]);
    ensure!(result["checked"].as_u64() > Some(15), "only {} commands are checked", result["checked"]);
    Ok(())
}
