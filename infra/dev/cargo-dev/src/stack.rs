//! Deploys `template.yaml` to a local endpoint, with the same template and transform as on AWS.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::{step, workspace};
use serde_json::Value;

use crate::aws::cli;
use crate::builds::{replace_locations, zip_in};
use crate::emulator::{self, Emulator};

/// Name of the stack.
pub(crate) const NAME: &str = "membermail";
/// Bucket of the functions' code and of the packaged template.
pub(crate) const BUCKET: &str = "membermail-code";
const TEMPLATE: &str = "packaged.json";
const CREATE_TIMEOUT: Duration = Duration::from_secs(120);

/// URL of the packaged template. Emulators accept S3's own host name.
pub(crate) fn template_url() -> String {
    format!("https://s3.us-east-1.amazonaws.com/{BUCKET}/{TEMPLATE}")
}

/// Outputs of the deployed stack.
pub(crate) type Outputs = BTreeMap<String, String>;

/// Creates the stack at a local endpoint from the builds in the folder `code`.
pub(crate) fn create(
    emulator: Emulator,
    endpoint: &str,
    state: &Path,
    code: &Path,
    parameters: &[(&str, String)],
) -> Result<Outputs> {
    let packaged = state.join(TEMPLATE);
    let template = state.join("template.yaml");
    write_template(code, &template)?;
    step::with_progress("package the functions", || {
        step::capture(cli(Some(endpoint)).args(["s3api", "create-bucket", "--bucket", BUCKET]))?;
        let mut package = cli(Some(endpoint));
        package.args(["cloudformation", "package", "--s3-bucket", BUCKET, "--template-file"]).arg(&template);
        step::capture(package.arg("--use-json").arg("--output-template-file").arg(&packaged))?;
        emulator::adapt(emulator, &packaged)?;
        // A template in the request itself is limited to 51,200 bytes.
        let mut upload = cli(Some(endpoint));
        upload.args(["s3api", "put-object", "--bucket", BUCKET, "--key", TEMPLATE, "--body"]);
        step::capture(upload.arg(&packaged))
    })?;
    step::with_progress("deploy template.yaml", || {
        let mut create = cli(Some(endpoint));
        create.args(["cloudformation", "create-stack", "--stack-name", NAME]);
        create.args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]);
        create.args(["--template-url", &template_url()]);
        create.arg("--parameters");
        create.args(parameters.iter().map(|(name, value)| format!("ParameterKey={name},ParameterValue={value}")));
        step::capture(&mut create)?;
        wait_until_created(endpoint)
    })
}

/// Writes a copy of the template with these builds.
fn write_template(code: &Path, copy: &Path) -> Result<()> {
    let template = workspace().join("template.yaml");
    let text = fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
    let text = replace_locations(&text, |name| zip_in(code, name).display().to_string())?;
    fs::write(copy, text).with_context(|| format!("cannot write {}", copy.display()))
}

/// Polls the stack more often than the AWS command line, whose waiter polls every 30 seconds.
fn wait_until_created(endpoint: &str) -> Result<Outputs> {
    let start = Instant::now();
    while start.elapsed() < CREATE_TIMEOUT {
        let mut describe = cli(Some(endpoint));
        let text = step::capture(describe.args(["cloudformation", "describe-stacks", "--stack-name", NAME]))?;
        let output: Value = serde_json::from_str(&text).context("invalid output of describe-stacks")?;
        let stack = &output["Stacks"][0];
        match stack["StackStatus"].as_str() {
            Some("CREATE_COMPLETE") => return Ok(outputs(stack)),
            Some("CREATE_IN_PROGRESS") => std::thread::sleep(Duration::from_millis(200)),
            _ => {
                let failures = failure_events(endpoint);
                bail!("the stack is {}: {}\n{failures}", stack["StackStatus"], stack["StackStatusReason"])
            }
        }
    }
    bail!("the stack is not complete after {CREATE_TIMEOUT:?}")
}

fn outputs(stack: &Value) -> Outputs {
    let outputs = stack["Outputs"].as_array().into_iter().flatten();
    outputs
        .filter_map(|output| {
            Some((output["OutputKey"].as_str()?.to_owned(), output["OutputValue"].as_str()?.to_owned()))
        })
        .collect()
}

/// CloudFormation's reasons for failed resources.
fn failure_events(endpoint: &str) -> String {
    let mut events = cli(Some(endpoint));
    events.args(["cloudformation", "describe-stack-events", "--stack-name", NAME, "--query"]);
    events.arg("StackEvents[?ResourceStatus=='CREATE_FAILED'].[LogicalResourceId,ResourceStatusReason]");
    step::capture(&mut events).unwrap_or_default()
}
