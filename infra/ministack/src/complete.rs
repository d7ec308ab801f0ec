//! What the template asks for and MiniStack's CloudFormation leaves out, caught up on after a deploy.

mod concurrency;
mod expiry;
mod routes;

use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::step::quietly;
use serde_json::Value;

/// Turns expiry on where the template has it, adds the routes for every method, and gives queues their concurrency. `aws`
/// is the command line at this emulator.
pub fn complete(aws: &dyn Fn() -> Command, stack: &str) -> Result<()> {
    let deployed = Deployed { aws, stack };
    let said =
        deployed.ask(&["cloudformation", "get-template", "--template-stage", "Processed", "--stack-name", stack])?;
    let template = template(&said["TemplateBody"])?;
    expiry::turn_on(&deployed, &template)?;
    routes::add(&deployed, &template)?;
    concurrency::set(&deployed, &template)
}

/// A stack, by the command line.
struct Deployed<'a> {
    aws: &'a dyn Fn() -> Command,
    stack: &'a str,
}

impl Deployed<'_> {
    fn tell(&self, arguments: &[&str]) -> Result<String> {
        quietly((self.aws)().args(arguments))
    }

    fn ask(&self, arguments: &[&str]) -> Result<Value> {
        serde_json::from_str(&self.tell(arguments)?).with_context(|| format!("what {} said", arguments[1]))
    }

    /// The name that a resource of the template has got.
    fn name_of(&self, logical_id: &str) -> Result<String> {
        let describe = ["cloudformation", "describe-stack-resource", "--stack-name", self.stack];
        let said = self.ask(&[describe.as_slice(), &["--logical-resource-id", logical_id]].concat())?;
        let name = said["StackResourceDetail"]["PhysicalResourceId"].as_str();
        Ok(name.with_context(|| format!("{logical_id} has no name"))?.to_owned())
    }
}

/// The command line gives JSON as it is and YAML as text.
fn template(body: &Value) -> Result<Value> {
    match body {
        Value::String(text) => serde_json::from_str(text).context("the processed template is not JSON"),
        value => Ok(value.clone()),
    }
}

/// The resources of a type.
fn of_type<'a>(template: &'a Value, wanted: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let all = template["Resources"].as_object().into_iter().flatten();
    all.filter(move |(_, resource)| resource["Type"] == wanted)
}
