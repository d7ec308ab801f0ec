//! `template.yaml` to CloudFormation: the same template and the same transform here and on AWS.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use membermail_toolbox::step;
use serde_json::Value;

use crate::aws::cli;
use crate::emulator::{self, Emulator};

/// The stack's name.
pub(crate) const NAME: &str = "membermail";
/// Of the functions' code, and of what is too large for a request.
pub(crate) const BUCKET: &str = "membermail-code";
const TEMPLATE: &str = "packaged.json";
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the packaged template is: S3's own address, whoever stands for it.
pub(crate) fn template_url() -> String {
    format!("https://s3.us-east-1.amazonaws.com/{BUCKET}/{TEMPLATE}")
}

/// What the template says about itself once it is deployed.
pub(crate) type Outputs = BTreeMap<String, String>;

/// Makes the stack anew at a local endpoint.
pub(crate) fn create(
    emulator: Emulator,
    endpoint: &str,
    state: &Path,
    parameters: &[(&str, String)],
) -> Result<Outputs> {
    let packaged = state.join(TEMPLATE);
    step::during("package the functions", || {
        step::quietly(cli(Some(endpoint)).args(["s3api", "create-bucket", "--bucket", BUCKET]))?;
        let mut package = cli(Some(endpoint));
        package.args(["cloudformation", "package", "--template-file", "template.yaml", "--s3-bucket", BUCKET]);
        step::quietly(package.arg("--use-json").arg("--output-template-file").arg(&packaged))?;
        emulator::adapt(emulator, &packaged)?;
        // In a request itself, a template has 51,200 bytes at most.
        let mut upload = cli(Some(endpoint));
        upload.args(["s3api", "put-object", "--bucket", BUCKET, "--key", TEMPLATE, "--body"]);
        step::quietly(upload.arg(&packaged))
    })?;
    step::during("deploy template.yaml", || {
        let mut create = cli(Some(endpoint));
        create.args(["cloudformation", "create-stack", "--stack-name", NAME]);
        create.args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]);
        create.args(["--template-url", &template_url()]);
        create.arg("--parameters");
        create.args(parameters.iter().map(|(name, value)| format!("ParameterKey={name},ParameterValue={value}")));
        step::quietly(&mut create)?;
        wait(endpoint)
    })
}

/// The command line's own waiter looks every 30 seconds only.
fn wait(endpoint: &str) -> Result<Outputs> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        let mut describe = cli(Some(endpoint));
        let text = step::quietly(describe.args(["cloudformation", "describe-stacks", "--stack-name", NAME]))?;
        let answer: Value = serde_json::from_str(&text).context("what describe-stacks said")?;
        let stack = &answer["Stacks"][0];
        match stack["StackStatus"].as_str() {
            Some("CREATE_COMPLETE") => return Ok(outputs(stack)),
            Some("CREATE_IN_PROGRESS") => std::thread::sleep(Duration::from_millis(200)),
            _ => bail!("the stack is {}: {}\n{}", stack["StackStatus"], stack["StackStatusReason"], events(endpoint)),
        }
    }
    bail!("the stack is not complete after {PATIENCE:?}")
}

fn outputs(stack: &Value) -> Outputs {
    let outputs = stack["Outputs"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    outputs.filter_map(|one| Some((text(&one["OutputKey"])?, text(&one["OutputValue"])?))).collect()
}

/// Why it failed, in CloudFormation's words.
fn events(endpoint: &str) -> String {
    let mut events = cli(Some(endpoint));
    events.args(["cloudformation", "describe-stack-events", "--stack-name", NAME, "--query"]);
    events.arg("StackEvents[?ResourceStatus=='CREATE_FAILED'].[LogicalResourceId,ResourceStatusReason]");
    step::quietly(&mut events).unwrap_or_default()
}
