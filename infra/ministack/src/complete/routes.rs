//! Routes that take every method: MiniStack reads those of single methods only.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Deployed, of_type};

const ANY: &str = "x-amazon-apigateway-any-method";

/// Gives each path of an API that takes every method to its function.
pub(super) fn add(deployed: &Deployed<'_>, template: &Value) -> Result<()> {
    for (api, paths) in apis(template) {
        let api = deployed.name_of(&api)?;
        let resources = deployed.ask(&["apigateway", "get-resources", "--limit", "500", "--rest-api-id", &api])?;
        for (path, function) in paths {
            let known = resources["items"].as_array().into_iter().flatten().find(|one| one["path"] == path.as_str());
            let id = known.and_then(|one| one["id"].as_str()).with_context(|| format!("no resource for {path}"))?;
            let function = deployed.name_of(&function)?;
            let said = deployed.ask(&["lambda", "get-function-configuration", "--function-name", &function])?;
            let function = said["FunctionArn"].as_str().with_context(|| format!("{function} has no ARN"))?;
            let region = function.split(':').nth(3).unwrap_or_default();
            let uri = format!("arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations");
            let to = ["--rest-api-id", &api, "--resource-id", id, "--http-method", "ANY"];
            deployed.tell(&[["apigateway", "put-method", "--authorization-type", "NONE"].as_slice(), &to].concat())?;
            let proxy = ["--type", "AWS_PROXY", "--integration-http-method", "POST", "--uri", &uri];
            deployed.tell(&[["apigateway", "put-integration"].as_slice(), &to, &proxy].concat())?;
        }
    }
    Ok(())
}

/// The APIs with their paths that take every method, and the logical id of the function that each leads to.
fn apis(template: &Value) -> Vec<(String, Vec<(String, String)>)> {
    let apis = of_type(template, "AWS::ApiGateway::RestApi").map(|(id, api)| {
        let paths = api["Properties"]["Body"]["paths"].as_object().into_iter().flatten();
        let paths = paths.filter_map(|(path, methods)| {
            let uri = methods[ANY]["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"].as_str()?;
            let (_, function) = uri.split_once("/functions/${")?;
            Some((path.clone(), function.split_once(".Arn}")?.0.to_owned()))
        });
        (id.clone(), paths.collect())
    });
    apis.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_that_take_every_method_lead_to_their_functions() {
        let to = |function: &str| {
            let uri = format!(
                "arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations"
            );
            json!({ "x-amazon-apigateway-integration": { "uri": { "Fn::Sub": uri } } })
        };
        let body = json!({ "paths": { "/": { ANY: to("Account") }, "/in": { ANY: to("Sso") }, "/one": { "get": to("Sso") } } });
        let api = json!({ "Type": "AWS::ApiGateway::RestApi", "Properties": { "Body": body } });
        let found = apis(&json!({ "Resources": { "Api": api, "Queue": { "Type": "AWS::SQS::Queue" } } }));
        let paths = [("/", "Account"), ("/in", "Sso")].map(|(path, to)| (path.to_owned(), to.to_owned()));
        assert_eq!(found, [("Api".to_owned(), paths.to_vec())]);
    }
}
