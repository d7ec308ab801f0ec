//! API routes for the method ANY: MiniStack only creates routes for single methods.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Deployed, of_type};

const ANY: &str = "x-amazon-apigateway-any-method";

/// Adds the missing routes.
pub(super) fn add(deployed: &Deployed<'_>, template: &Value) -> Result<()> {
    for (api, paths) in apis(template) {
        let api = deployed.name_of(&api)?;
        let resources = deployed.query(&["apigateway", "get-resources", "--limit", "500", "--rest-api-id", &api])?;
        for (path, function) in paths {
            let mut items = resources["items"].as_array().into_iter().flatten();
            let resource = items.find(|resource| resource["path"] == path.as_str());
            let id = resource.and_then(|resource| resource["id"].as_str());
            let id = id.with_context(|| format!("the API has no resource for {path}"))?;
            let function = arn(deployed, &function)?;
            let region = function.split(':').nth(3).unwrap_or_default();
            let uri = format!("arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations");
            let method = ["--rest-api-id", &api, "--resource-id", id, "--http-method", "ANY"];
            deployed
                .run(&[["apigateway", "put-method", "--authorization-type", "NONE"].as_slice(), &method].concat())?;
            let proxy = ["--type", "AWS_PROXY", "--integration-http-method", "POST", "--uri", &uri];
            deployed.run(&[["apigateway", "put-integration"].as_slice(), &method, &proxy].concat())?;
        }
    }
    Ok(())
}

/// The ARN of a function or alias.
fn arn(deployed: &Deployed<'_>, logical_id: &str) -> Result<String> {
    let name = deployed.name_of(logical_id)?;
    // The physical id of an alias is its ARN, that of a function its name.
    if name.starts_with("arn:") {
        return Ok(name);
    }
    let config = deployed.query(&["lambda", "get-function-configuration", "--function-name", &name])?;
    Ok(config["FunctionArn"].as_str().with_context(|| format!("{name} has no ARN"))?.to_owned())
}

/// Paths with the method ANY by API, each with the logical id of its function or alias.
fn apis(template: &Value) -> Vec<(String, Vec<(String, String)>)> {
    let apis = of_type(template, "AWS::ApiGateway::RestApi").map(|(id, api)| {
        let paths = api["Properties"]["Body"]["paths"].as_object().into_iter().flatten();
        let paths = paths.filter_map(|(path, methods)| {
            let uri = methods[ANY]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].as_str()?;
            let (_, function) = uri.split_once("/functions/${")?;
            let (function, _) = function.split_once('}')?;
            Some((path.clone(), function.strip_suffix(".Arn").unwrap_or(function).to_owned()))
        });
        (id.clone(), paths.collect())
    });
    apis.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A method that invokes a function.
    fn to(function: &str) -> Value {
        let uri =
            format!("arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}}}/invocations");
        json!({ "x-amazon-apigateway-integration": { "uri": { "Fn::Sub": uri } } })
    }

    #[test]
    fn any_routes_are_found() {
        let body = json!({ "paths": { "/": { ANY: to("Account.Arn") }, "/in": { ANY: to("SsoAliaslive") }, "/one": { "get": to("Sso.Arn") } } });
        let api = json!({ "Type": "AWS::ApiGateway::RestApi", "Properties": { "Body": body } });
        let found = apis(&json!({ "Resources": { "Api": api, "Queue": { "Type": "AWS::SQS::Queue" } } }));
        let paths = [("/", "Account"), ("/in", "SsoAliaslive")].map(|(path, to)| (path.to_owned(), to.to_owned()));
        assert_eq!(found, [("Api".to_owned(), paths.to_vec())]);
    }
}
