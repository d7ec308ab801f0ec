//! Configures what MiniStack's CloudFormation ignores in the template.

mod concurrency;
mod expiry;
mod routes;

use std::process::Command;

use anyhow::{Context, Result};
use membermail_toolbox::step::capture;
use serde_json::Value;

/// Turns on TTL, adds routes for the method ANY, and sets the concurrency of event sources. `aws` starts the AWS command
/// line at this emulator.
pub fn complete(aws: &dyn Fn() -> Command, stack: &str) -> Result<()> {
    let deployed = Deployed { aws, stack };
    let output =
        deployed.query(&["cloudformation", "get-template", "--template-stage", "Processed", "--stack-name", stack])?;
    let template = template(&output["TemplateBody"])?;
    expiry::turn_on(&deployed, &template)?;
    routes::add(&deployed, &template)?;
    concurrency::set(&deployed, &template)
}

/// A deployed stack, accessed through the AWS command line.
struct Deployed<'a> {
    aws: &'a dyn Fn() -> Command,
    stack: &'a str,
}

impl Deployed<'_> {
    fn run(&self, arguments: &[&str]) -> Result<String> {
        capture((self.aws)().args(arguments))
    }

    fn query(&self, arguments: &[&str]) -> Result<Value> {
        serde_json::from_str(&self.run(arguments)?).with_context(|| format!("invalid output of {}", arguments[1]))
    }

    /// The physical id of a resource.
    fn name_of(&self, logical_id: &str) -> Result<String> {
        let describe = ["cloudformation", "describe-stack-resource", "--stack-name", self.stack];
        let output = self.query(&[describe.as_slice(), &["--logical-resource-id", logical_id]].concat())?;
        let name = output["StackResourceDetail"]["PhysicalResourceId"].as_str();
        Ok(name.with_context(|| format!("{logical_id} has no name"))?.to_owned())
    }
}

/// The template as JSON: the AWS command line returns JSON as a value or as text.
fn template(body: &Value) -> Result<Value> {
    match body {
        Value::String(text) => serde_json::from_str(text).context("the processed template is not JSON"),
        value => Ok(value.clone()),
    }
}

/// The resources of a type.
fn of_type<'a>(template: &'a Value, kind: &'a str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources.filter(move |(_, resource)| resource["Type"] == kind)
}
