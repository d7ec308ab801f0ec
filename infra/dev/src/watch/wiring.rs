//! What the deployed stack says about its functions.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::routes::Routes;
use super::{ask, name_of};
use crate::{functions, stack};

/// Everything that leads to a function, and what each finds in its environment.
pub(crate) struct Wiring {
    /// Of the REST API.
    pub(crate) routes: Routes,
    /// Queues with their functions.
    pub(crate) queues: Vec<QueueOf>,
    /// Variables of all functions together: `cargo lambda watch` has one environment.
    pub(crate) environment: BTreeMap<String, String>,
}

/// A queue in front of a function.
#[derive(Clone, Debug)]
pub(crate) struct QueueOf {
    /// The function, as its package is named.
    pub(crate) function: String,
    /// The queue's ARN.
    pub(crate) arn: String,
    /// Messages an invocation at most.
    pub(crate) batch: i32,
    /// Invocations at a time at most.
    pub(crate) concurrency: u64,
}

/// The packages of functions by the names that the deploy gave them.
type Packages = BTreeMap<String, String>;

impl Wiring {
    /// Asks the endpoint that the stack is deployed to.
    pub(crate) fn read(endpoint: &str) -> Result<Self> {
        let resources = ask(endpoint, &["cloudformation", "describe-stack-resources", "--stack-name", stack::NAME])?;
        let (packages, api) = resources_of(&resources);
        let api = api.context("the stack has no API")?;
        let paths = ask(endpoint, &["apigateway", "get-resources", "--rest-api-id", &api, "--embed", "methods"])?;
        let queues = ask(endpoint, &["lambda", "list-event-source-mappings"])?;
        let listed = ask(endpoint, &["lambda", "list-functions"])?;
        Ok(Self {
            routes: Routes::new(routes(&paths, &packages)?)?,
            queues: queues_of(&queues, &packages)?,
            environment: environment(&listed, &packages)?,
        })
    }
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn resources_of(resources: &Value) -> (Packages, Option<String>) {
    let mut packages = Packages::new();
    let mut api = None;
    for resource in items(resources, "StackResources") {
        let (logical, physical) = (&resource["LogicalResourceId"], &resource["PhysicalResourceId"]);
        let (Some(logical), Some(physical)) = (logical.as_str(), physical.as_str()) else { continue };
        match resource["ResourceType"].as_str() {
            Some("AWS::Lambda::Function") => {
                packages.insert(physical.to_owned(), functions::of_logical_id(logical));
            }
            Some("AWS::ApiGateway::RestApi") => api = Some(physical.to_owned()),
            _ => {}
        }
    }
    (packages, api)
}

fn package(packages: &Packages, arn: &str) -> Result<String> {
    let name = name_of(arn)?;
    packages.get(name).cloned().with_context(|| format!("the stack has no function {name}"))
}

/// `(path, method, function)` of every method that leads to a function.
fn routes(paths: &Value, packages: &Packages) -> Result<Vec<(String, String, String)>> {
    let mut routes = Vec::new();
    for resource in items(paths, "items") {
        let path = resource["path"].as_str().context("a resource without a path")?;
        for (method, what) in resource["resourceMethods"].as_object().into_iter().flatten() {
            // …:path/2015-03-31/functions/<ARN of the function>/invocations
            let uri = what["methodIntegration"]["uri"].as_str().unwrap_or_default();
            let arn = uri.split_once("/functions/").and_then(|(_, rest)| rest.strip_suffix("/invocations"));
            if let Some(arn) = arn {
                routes.push((path.to_owned(), method.clone(), package(packages, arn)?));
            }
        }
    }
    Ok(routes)
}

fn queues_of(mappings: &Value, packages: &Packages) -> Result<Vec<QueueOf>> {
    let of_queues = items(mappings, "EventSourceMappings")
        .filter(|mapping| mapping["EventSourceArn"].as_str().is_some_and(|arn| arn.contains(":sqs:")));
    let queues = of_queues.map(|mapping| {
        let text = |name: &str| mapping[name].as_str().with_context(|| format!("an event source without {name}"));
        Ok(QueueOf {
            function: package(packages, text("FunctionArn")?)?,
            arn: text("EventSourceArn")?.to_owned(),
            batch: mapping["BatchSize"].as_i64().and_then(|size| size.try_into().ok()).unwrap_or(10),
            concurrency: mapping["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap_or(2),
        })
    });
    queues.collect()
}

fn environment(listed: &Value, packages: &Packages) -> Result<BTreeMap<String, String>> {
    let mut environment = BTreeMap::new();
    for function in items(listed, "Functions") {
        let name = function["FunctionName"].as_str().unwrap_or_default();
        let Some(package) = packages.get(name) else { continue };
        for (name, value) in function["Environment"]["Variables"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default().to_owned();
            match environment.insert(name.clone(), value.clone()) {
                Some(other) if other != value => bail!(
                    "{name} is {value:?} for {package} and {other:?} for another function: `cargo lambda watch` has \
                     one environment for all, so name the two differently in template.yaml"
                ),
                _ => {}
            }
        }
    }
    Ok(environment)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packages() -> Packages {
        Packages::from([
            ("m-Sso-1".to_owned(), "sso".to_owned()),
            ("m-WriteAliases-2".to_owned(), "write-aliases".to_owned()),
        ])
    }

    #[test]
    fn functions_and_the_api_are_found_by_their_logical_ids() {
        let resource = |kind: &str, logical: &str, physical: &str| json!({ "ResourceType": kind, "LogicalResourceId": logical, "PhysicalResourceId": physical });
        let resources = json!({ "StackResources": [
            resource("AWS::Lambda::Function", "Sso", "m-Sso-1"),
            resource("AWS::Lambda::Function", "WriteAliases", "m-WriteAliases-2"),
            resource("AWS::ApiGateway::RestApi", "Api", "abc"),
            resource("AWS::SQS::Queue", "WriteQueue", "http://queue"),
        ]});
        assert_eq!(resources_of(&resources), (packages(), Some("abc".to_owned())));
    }

    #[test]
    fn a_route_leads_to_the_function_of_its_integration() {
        let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:0:function:m-Sso-1/invocations";
        let paths = json!({ "items": [
            { "path": "/" },
            { "path": "/callback", "resourceMethods": { "POST": { "methodIntegration": { "uri": uri } } } },
        ]});
        let expected = [("/callback".to_owned(), "POST".to_owned(), "sso".to_owned())];
        assert_eq!(routes(&paths, &packages()).unwrap(), expected);
    }

    #[test]
    fn queues_keep_the_limits_of_the_template() {
        let mappings = json!({ "EventSourceMappings": [{
            "EventSourceArn": "arn:aws:sqs:us-east-1:0:q",
            "FunctionArn": "arn:aws:lambda:us-east-1:0:function:m-WriteAliases-2",
            "BatchSize": 5,
            "ScalingConfig": { "MaximumConcurrency": 4 },
        }]});
        let queues = queues_of(&mappings, &packages()).unwrap();
        let [queue] = &queues[..] else { panic!("{queues:?}") };
        assert_eq!((queue.function.as_str(), queue.batch, queue.concurrency), ("write-aliases", 5, 4));
    }

    #[test]
    fn one_name_with_two_values_is_refused() {
        let function = |name: &str, value: &str| json!({ "FunctionName": name, "Environment": { "Variables": { "QUEUE_URL": value } } });
        let same = json!({ "Functions": [function("m-Sso-1", "a"), function("m-WriteAliases-2", "a"), function("foreign", "b")] });
        assert_eq!(environment(&same, &packages()).unwrap()["QUEUE_URL"], "a");
        let two = json!({ "Functions": [function("m-Sso-1", "a"), function("m-WriteAliases-2", "b")] });
        assert!(environment(&two, &packages()).unwrap_err().to_string().starts_with("QUEUE_URL is"));
    }
}
