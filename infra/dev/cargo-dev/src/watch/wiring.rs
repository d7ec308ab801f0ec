//! Reads the configuration of the functions from the deployed stack.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::query;
use crate::routes::Routes;
use crate::{functions, stack};

/// Routes, event sources and environment of the functions.
pub(crate) struct Wiring {
    /// Routes of the REST API.
    pub(crate) routes: Routes,
    /// Queues that invoke functions.
    pub(crate) queues: Vec<EventSource>,
    /// Environment variables of all functions together: `cargo lambda watch` has one environment.
    pub(crate) environment: BTreeMap<String, String>,
}

/// An SQS event source mapping.
#[derive(Clone, Debug)]
pub(crate) struct EventSource {
    /// Package name of the function.
    pub(crate) function: String,
    /// ARN of the queue.
    pub(crate) arn: String,
    /// Maximum messages per invocation.
    pub(crate) batch: i32,
    /// Maximum concurrent invocations.
    pub(crate) concurrency: u64,
}

/// Package names by deployed function name.
type Packages = BTreeMap<String, String>;

impl Wiring {
    /// Reads the configuration of the stack at this endpoint.
    pub(crate) fn read(endpoint: &str) -> Result<Self> {
        let resources = query(endpoint, &["cloudformation", "describe-stack-resources", "--stack-name", stack::NAME])?;
        let (packages, api) = functions_and_api(&resources);
        let api = api.context("the stack has no API")?;
        let paths = query(endpoint, &["apigateway", "get-resources", "--rest-api-id", &api, "--embed", "methods"])?;
        let mappings = query(endpoint, &["lambda", "list-event-source-mappings"])?;
        let listed = query(endpoint, &["lambda", "list-functions"])?;
        Ok(Self {
            routes: Routes::new(routes(&paths, &packages)?)?,
            queues: event_sources(&mappings, &packages)?,
            environment: environment(&listed, &packages)?,
        })
    }
}

/// Environment variables of all functions of the stack at this endpoint.
pub(crate) fn read_environment(endpoint: &str) -> Result<BTreeMap<String, String>> {
    let resources = query(endpoint, &["cloudformation", "describe-stack-resources", "--stack-name", stack::NAME])?;
    let listed = query(endpoint, &["lambda", "list-functions"])?;
    environment(&listed, &functions_and_api(&resources).0)
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn functions_and_api(resources: &Value) -> (Packages, Option<String>) {
    let mut packages = Packages::new();
    let mut api = None;
    for resource in items(resources, "StackResources") {
        let Some(logical) = resource["LogicalResourceId"].as_str() else { continue };
        let Some(physical) = resource["PhysicalResourceId"].as_str() else { continue };
        match resource["ResourceType"].as_str() {
            Some("AWS::Lambda::Function") => {
                packages.insert(physical.to_owned(), functions::package_of_logical_id(logical));
            }
            Some("AWS::ApiGateway::RestApi") => api = Some(physical.to_owned()),
            _ => {}
        }
    }
    (packages, api)
}

/// The package of a function, from its ARN with or without an alias.
fn package(packages: &Packages, arn: &str) -> Result<String> {
    // arn:aws:lambda:<region>:<account>:function:<name>[:<alias>]
    let name = arn.split(':').nth(6).with_context(|| format!("{arn:?} is not the ARN of a function"))?;
    packages.get(name).cloned().with_context(|| format!("the stack has no function {name}"))
}

/// `(path, method, function)` of every method that invokes a function.
fn routes(paths: &Value, packages: &Packages) -> Result<Vec<(String, String, String)>> {
    let mut routes = Vec::new();
    for resource in items(paths, "items") {
        let path = resource["path"].as_str().context("an API resource has no path")?;
        for (method, config) in resource["resourceMethods"].as_object().into_iter().flatten() {
            // …:path/2015-03-31/functions/<ARN of the function>/invocations
            let uri = config["methodIntegration"]["uri"].as_str().unwrap_or_default();
            let arn = uri.split_once("/functions/").and_then(|(_, rest)| rest.strip_suffix("/invocations"));
            if let Some(arn) = arn {
                routes.push((path.to_owned(), method.clone(), package(packages, arn)?));
            }
        }
    }
    Ok(routes)
}

fn event_sources(mappings: &Value, packages: &Packages) -> Result<Vec<EventSource>> {
    let sqs = items(mappings, "EventSourceMappings")
        .filter(|mapping| mapping["EventSourceArn"].as_str().is_some_and(|arn| arn.contains(":sqs:")));
    let queues = sqs.map(|mapping| {
        let function = mapping["FunctionArn"].as_str().context("an event source has no FunctionArn")?;
        Ok(EventSource {
            function: package(packages, function)?,
            arn: mapping["EventSourceArn"].as_str().context("an event source has no EventSourceArn")?.to_owned(),
            batch: mapping["BatchSize"].as_i64().and_then(|size| size.try_into().ok()).unwrap_or(10),
            concurrency: concurrency(&mapping["ScalingConfig"]["MaximumConcurrency"]),
        })
    });
    queues.collect()
}

/// Emulators keep a parameter's value as text.
fn concurrency(limit: &Value) -> u64 {
    let text = || limit.as_str()?.parse().ok();
    limit.as_u64().or_else(text).unwrap_or(2)
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
                    "{name} is {value:?} for {package} and {other:?} for another function, but `cargo lambda watch` \
                     has one environment for all: use two variables in template.yaml"
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
    fn functions_and_api_are_found() {
        let resources = [
            ("AWS::Lambda::Function", "Sso", "m-Sso-1"),
            ("AWS::Lambda::Function", "WriteAliases", "m-WriteAliases-2"),
            ("AWS::ApiGateway::RestApi", "Api", "abc"),
            ("AWS::SQS::Queue", "WriteQueue", "http://queue"),
        ]
        .map(|(kind, logical, physical)| {
            json!({ "ResourceType": kind, "LogicalResourceId": logical, "PhysicalResourceId": physical })
        });
        let described = json!({ "StackResources": resources });
        assert_eq!(functions_and_api(&described), (packages(), Some("abc".to_owned())));
    }

    #[rstest::rstest]
    #[case::function("m-Sso-1")]
    #[case::alias("m-Sso-1:live")]
    fn routes_follow_the_integrations(#[case] function: &str) {
        let uri = format!(
            "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:0:function:{function}/invocations"
        );
        let paths = json!({ "items": [
            { "path": "/" },
            { "path": "/callback", "resourceMethods": { "POST": { "methodIntegration": { "uri": uri } } } },
        ]});
        let expected = [("/callback".to_owned(), "POST".to_owned(), "sso".to_owned())];
        assert_eq!(routes(&paths, &packages()).unwrap(), expected);
    }

    #[test]
    fn event_sources_keep_template_limits() {
        let mappings = json!({ "EventSourceMappings": [{
            "EventSourceArn": "arn:aws:sqs:us-east-1:0:q",
            "FunctionArn": "arn:aws:lambda:us-east-1:0:function:m-WriteAliases-2",
            "BatchSize": 5,
            "ScalingConfig": { "MaximumConcurrency": 4 },
        }]});
        let queues = event_sources(&mappings, &packages()).unwrap();
        let [queue] = &queues[..] else { panic!("{queues:?}") };
        assert_eq!((queue.function.as_str(), queue.batch, queue.concurrency), ("write-aliases", 5, 4));
        assert_eq!([json!(3), json!("4"), Value::Null].map(|limit| concurrency(&limit)), [3, 4, 2]);
    }

    #[test]
    fn conflicting_variables_are_rejected() {
        let same = listed(&[("m-Sso-1", "a"), ("m-WriteAliases-2", "a"), ("foreign", "b")]);
        assert_eq!(environment(&same, &packages()).unwrap()["QUEUE_URL"], "a");
        let two = listed(&[("m-Sso-1", "a"), ("m-WriteAliases-2", "b")]);
        assert!(environment(&two, &packages()).unwrap_err().to_string().starts_with("QUEUE_URL is"));
    }

    /// Functions with their value of `QUEUE_URL`.
    fn listed(functions: &[(&str, &str)]) -> Value {
        let functions = functions.iter().map(
            |(name, value)| json!({ "FunctionName": name, "Environment": { "Variables": { "QUEUE_URL": value } } }),
        );
        json!({ "Functions": functions.collect::<Vec<_>>() })
    }
}
