//! How the site is released: one stage, a version for every change, and CodeDeploy only if an operator asks for it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_tests::stack::Stack;
use membermail_tests::template::{Template, named, plain};
use rstest::rstest;
use serde_json::Value;

/// The functions that answer requests.
const SITE: [&str; 3] = ["Account", "Admin", "Sso"];

/// `template::site_is_throttled` checks its throttle, which LocalStack ignores.
#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn deployed_api_has_one_stage() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let find =
        ["cloudformation", "describe-stack-resource", "--stack-name", "membermail", "--logical-resource-id", "Api"];
    let api = stack.cli(&find)?;
    let api = api["StackResourceDetail"]["PhysicalResourceId"].as_str().context("no API")?;
    let stages = stack.cli(&["apigateway", "get-stages", "--rest-api-id", api])?;
    let [stage] = stages["item"].as_array().context("no stages")?.as_slice() else {
        anyhow::bail!("not exactly one stage: {stages:#}")
    };
    ensure!(stage["stageName"] == "live", "{stage:#}");
    Ok(())
}

#[rstest]
#[case::gradual("true")]
#[case::at_once("false")]
#[ignore = "needs the local stack (cargo dev test)"]
fn only_gradual_releases_use_codedeploy(#[case] gradual: &str) -> Result<()> {
    let is_gradual = gradual == "true";
    let template = Template::translated(&[("Gradual", gradual)])?;
    // No second stage in either case.
    let deployments = template.of_type("AWS::ApiGateway::Deployment");
    ensure!(deployments.len() == 1 && deployments[0].1.get("StageName").is_none(), "{deployments:?}");
    ensure!(template.of_type("AWS::ApiGateway::Stage").len() == 1);

    let applications = template.of_type("AWS::CodeDeploy::Application").len();
    let groups = template.of_type("AWS::CodeDeploy::DeploymentGroup");
    let expected = if is_gradual { SITE.map(|name| format!("{name}DeploymentGroup")).to_vec() } else { Vec::new() };
    ensure!(applications == usize::from(is_gradual), "{applications} applications");
    ensure!(groups.iter().map(|(id, _)| *id).eq(expected.iter().map(String::as_str)), "{groups:?}");
    for (id, group) in &groups {
        let alarms = &group["AlarmConfiguration"];
        let alarms: Vec<_> =
            alarms["Alarms"].as_array().into_iter().flatten().map(|alarm| named(&alarm["Name"])).collect();
        let release = id.replace("DeploymentGroup", "ReleaseAlarm");
        ensure!(alarms.iter().flatten().eq(&["SiteErrorAlarm", release.as_str()]), "{id}: {alarms:?}");
        let events = &group["AutoRollbackConfiguration"]["Events"];
        ensure!(
            events.as_array().is_some_and(|all| all.iter().any(|one| one == "DEPLOYMENT_STOP_ON_ALARM")),
            "{events}"
        );
    }
    for name in SITE {
        let alias = &template.document["Resources"][format!("{name}Aliaslive")];
        let update = &alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"];
        ensure!(update.is_object() == is_gradual, "{name}: {alias:#}");
        // The errors of the new version behind the alias, and of no other.
        let alarms = template.of_type("AWS::CloudWatch::Alarm");
        let alarm = alarms.iter().find(|(id, _)| *id == format!("{name}ReleaseAlarm"));
        ensure!(alarm.is_some() == is_gradual, "{name}: {alarm:?}");
        if let Some((_, alarm)) = alarm {
            let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
            let version = dimensions.clone().find(|one| one["Name"] == "ExecutedVersion").context("no version")?;
            ensure!(named(&version["Value"])?.starts_with(&format!("{name}Version")), "{version}");
            ensure!(dimensions.clone().any(|one| one["Value"] == format!("${{{name}}}:live")), "{alarm:#}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn requests_reach_the_alias() -> Result<()> {
    let template = Template::translated(&[])?;
    let paths = &template.document["Resources"]["Api"]["Properties"]["Body"]["paths"];
    let methods = paths.as_object().into_iter().flatten().flat_map(|(_, methods)| methods.as_object()).flatten();
    let mut called = BTreeSet::new();
    for (_, method) in methods {
        let uri = plain(&method["x-amazon-apigateway-integration"]["uri"]["Fn::Sub"]);
        let function = uri.split("/functions/${").nth(1).and_then(|rest| rest.split('}').next());
        called.insert(function.with_context(|| uri.clone())?.to_owned());
    }
    ensure!(called == SITE.map(|name| format!("{name}Aliaslive")).into(), "{called:?}");
    // A permission of the function does not hold for its alias.
    let permissions = template.of_type("AWS::Lambda::Permission").into_iter();
    let gateway = permissions.filter(|(_, permission)| permission["Principal"] == "apigateway.amazonaws.com");
    let allowed: Vec<_> =
        gateway.map(|(_, one)| named(&one["FunctionName"]).map(str::to_owned)).collect::<Result<_>>()?;
    ensure!(allowed.len() == 12 && allowed.iter().all(|alias| called.contains(alias)), "{allowed:?}");
    Ok(())
}

// A version keeps the variables of its time. Without the parameters in its description, a changed one would not reach the
// site: SAM compares the text of the template only.
#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn changed_parameter_publishes_a_version() -> Result<()> {
    let template = Template::translated(&[])?;
    for name in SITE {
        let mut read = BTreeSet::new();
        let mut properties = template.document["Resources"][name]["Properties"].clone();
        ensure!(properties["Description"].is_object(), "{name} has no description");
        properties["Description"] = Value::Null;
        parameters_in(&properties, &template, &mut read);
        ensure!(read.contains("Community") && read.contains("TableName"), "{name}: {read:?}");
        let id = named(&template.properties(&format!("{name}Aliaslive"))?["FunctionVersion"])?.to_owned();
        let version = &template.document["Resources"][&id]["Properties"];
        let mut described = BTreeSet::new();
        parameters_in(&version["Description"], &template, &mut described);
        let missing: Vec<_> = read.difference(&described).collect();
        ensure!(missing.is_empty(), "add {missing:?} to Description and VersionDescription of {name}");
        // Lambda publishes no version of an unchanged function.
        ensure!(version["Description"] == template.document["Resources"][name]["Properties"]["Description"], "{name}");
    }
    Ok(())
}

/// The parameters that a value depends on, also by its conditions.
fn parameters_in(value: &Value, template: &Template, found: &mut BTreeSet<String>) {
    let known = |name: &str| template.parameters().any(|parameter| parameter == name);
    match value {
        Value::Array(all) => all.iter().for_each(|one| parameters_in(one, template, found)),
        Value::Object(fields) => {
            for (name, of) in fields {
                match (name.as_str(), of) {
                    ("Ref", Value::String(name)) if known(name) => drop(found.insert(name.clone())),
                    ("Fn::Sub", of) => {
                        let text = plain(of.get(0).unwrap_or(of));
                        let names = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
                        found.extend(names.filter(|name| known(name)).map(str::to_owned));
                        parameters_in(of, template, found);
                    }
                    ("Fn::If", of) => {
                        parameters_in(&template.document["Conditions"][plain(&of[0])], template, found);
                        parameters_in(of, template, found);
                    }
                    ("Condition", Value::String(name)) => {
                        parameters_in(&template.document["Conditions"][name], template, found);
                    }
                    (_, of) => parameters_in(of, template, found),
                }
            }
        }
        _ => {}
    }
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn late_scheduled_event_is_dropped() -> Result<()> {
    let template = Template::translated(&[])?;
    let mut limited = BTreeSet::new();
    for (id, config) in template.of_type("AWS::Lambda::EventInvokeConfig") {
        // A late sample would say nothing about its interval.
        let (age, retries) = if id.starts_with("CheckStatus") { (300, 0) } else { (900, 2) };
        ensure!(
            config["MaximumEventAgeInSeconds"] == age && config["MaximumRetryAttempts"] == retries,
            "{id}: {config:#}"
        );
        limited.insert(named(&config["FunctionName"])?.to_owned());
    }
    let rules = template.of_type("AWS::Events::Rule").into_iter();
    let targets: BTreeSet<_> =
        rules.filter_map(|(_, rule)| named(&rule["Targets"][0]["Arn"]).ok().map(str::to_owned)).collect();
    let functions = template.of_type("AWS::Lambda::Function");
    let scheduled: BTreeSet<_> =
        functions.iter().map(|(id, _)| (*id).to_owned()).filter(|id| targets.contains(id)).collect();
    ensure!(scheduled.len() == 3 && limited == scheduled, "{scheduled:?} are scheduled, {limited:?} have a limit");
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn every_role_takes_the_boundary() -> Result<()> {
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let all = [("Gradual", "true"), ("AccessLogRole", "true")];
    let template = Template::translated(&all)?;
    // SAM's own role, with a policy of AWS, cannot have one.
    let roles = |template: &Template| -> Vec<(String, Value)> {
        let all = template.of_type("AWS::IAM::Role").into_iter().filter(|(id, _)| *id != "CodeDeployServiceRole");
        all.map(|(id, role)| (id.to_owned(), role)).collect()
    };
    let unlimited = roles(&template);
    ensure!(unlimited.len() == 11, "{} roles", unlimited.len());
    for (id, role) in unlimited {
        ensure!(role.get("PermissionsBoundary").is_none(), "{id}: {role:#}");
    }
    let limited = template.with(&[all[0], all[1], ("PermissionsBoundary", boundary)])?;
    for (id, role) in roles(&limited) {
        ensure!(role["PermissionsBoundary"] == boundary, "{id}: {role:#}");
    }
    Ok(())
}
