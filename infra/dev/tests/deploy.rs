//! `cargo dev deploy`: what is missing is said before anything is built, and a stack is made and changed by change
//! sets. The AWS of these tests is the stack that `cargo dev test` started.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use membermail_rights::Rights;
use membermail_tests::stack::Stack;
use membermail_toolbox::venv_program;
use serde_json::Value;

const STACK: &str = "deployed-by-hand";

fn deploy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-dev"));
    command.arg("deploy").args(arguments);
    for variable in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(variable);
    }
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    // Nobody must be asked for credentials on a network that is not there.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn at<'a>(command: &'a mut Command, stack: &Stack) -> &'a mut Command {
    // Without a slash at its end, which the command line would double before a bucket.
    let endpoint = stack.endpoint_url.as_str().trim_end_matches('/');
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// The command line of AWS, at this stack.
fn cli(stack: &Stack) -> Command {
    let mut command = Command::new(venv_program("aws"));
    at(&mut command, stack).env_remove("AWS_PROFILE").args(["--output", "json"]);
    command
}

fn aws(stack: &Stack, arguments: &[&str]) -> Result<Value> {
    let output = cli(stack).args(arguments).output()?;
    ensure!(output.status.success(), "{}", said(&output));
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}

#[test]
fn what_is_missing_is_said_with_what_to_do() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let no_bucket = deploy(&[]).output()?;
    ensure!(!no_bucket.status.success() && said(&no_bucket).contains("--bucket"), "{}", said(&no_bucket));

    let no_region = deploy(&["--bucket", "some-bucket"]).output()?;
    ensure!(!no_region.status.success() && said(&no_region).contains("set AWS_REGION"), "{}", said(&no_region));

    let no_account = deploy(&["--bucket", "some-bucket"]).env("AWS_REGION", "us-east-1").output()?;
    ensure!(!no_account.status.success() && said(&no_account).contains("aws configure"), "{}", said(&no_account));

    let foreign = at(&mut deploy(&["--bucket", "nobodys-bucket"]), &stack).output()?;
    ensure!(!foreign.status.success(), "{}", said(&foreign));
    ensure!(said(&foreign).contains("aws s3 mb s3://nobodys-bucket"), "{}", said(&foreign));
    Ok(())
}

#[test]
fn a_stack_is_made_and_then_changed() -> Result<()> {
    let stack = Stack::of_this_run()?;
    aws(&stack, &["s3api", "create-bucket", "--bucket", "code-of-deploy"])?;
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let architecture = format!("Architecture={architecture}");
    let state = |status: &str, patience: &str| -> Result<()> {
        let stacks = aws(&stack, &["cloudformation", "describe-stacks", "--stack-name", STACK])?;
        ensure!(stacks["Stacks"][0]["StackStatus"] == status, "{stacks:#}");
        let parameters = stacks["Stacks"][0]["Parameters"].as_array().context("no parameters")?;
        let is = |name: &str, value: &str| {
            parameters.iter().any(|one| one["ParameterKey"] == name && one["ParameterValue"] == value)
        };
        ensure!(is("LaunchpadTimeoutSeconds", patience) && is("QueuesEnabled", "false"), "{parameters:#?}");
        Ok(())
    };
    for (patience, status) in [("7", "CREATE_COMPLETE"), ("9", "UPDATE_COMPLETE")] {
        let changed = format!("LaunchpadTimeoutSeconds={patience}");
        let mut command = deploy(&["--bucket", "code-of-deploy", "--stack", STACK, "--skip-build"]);
        // Its queues would only poll beside those of the stack that the other tests use.
        let more = ["QueuesEnabled=false", "Tracing=Active", "AlarmEmail=alarms@operators.example"];
        for parameter in [&architecture, &changed].into_iter().map(String::as_str).chain(more) {
            command.args(["--parameter", parameter]);
        }
        let output = at(&mut command, &stack).output()?;
        ensure!(output.status.success(), "{}", said(&output));
        state(status, patience)?;
    }
    let listed = aws(&stack, &["lambda", "list-functions"])?;
    let ours = listed["Functions"].as_array().into_iter().flatten();
    let ours = ours.filter(|one| one["FunctionName"].as_str().is_some_and(|name| name.starts_with(STACK)));
    let patience = |one: &Value| one["Environment"]["Variables"]["LAUNCHPAD_TIMEOUT_SECONDS"] == "9";
    ensure!(ours.clone().count() >= 4 && ours.clone().any(patience), "{listed:#}");
    for one in ours {
        ensure!(one["TracingConfig"]["Mode"] == "Active" && traces(&stack, one)?, "{one:#}");
    }
    // X-Ray's two actions know no resource: nothing else may be done to whatever there is.
    let rights = Rights::of_stack(&|| cli(&stack), STACK)?;
    let anywhere: Vec<_> = rights.allowed_anywhere().into_iter().map(|(holder, ..)| holder).collect();
    ensure!(!anywhere.is_empty() && rights.policies_of_aws().is_empty(), "{:?}", rights.policies_of_aws());
    for (holder, actions, resource) in rights.allowed_anywhere() {
        let ours = actions.matches('"').count() == 4 && actions.matches("\"xray:Put").count() == 2;
        ensure!(ours, "{holder} may {actions} at {resource}");
    }
    let by_mail = |stack_name: &str| -> Result<bool> {
        let described = aws(&stack, &["cloudformation", "describe-stacks", "--stack-name", stack_name])?;
        let outputs = described["Stacks"][0]["Outputs"].as_array().context("no outputs")?;
        let topic = outputs.iter().find(|one| one["OutputKey"] == "AlarmTopicArn").context("no topic")?;
        let topic = topic["OutputValue"].as_str().context("no ARN")?;
        let subscriptions = aws(&stack, &["sns", "list-subscriptions-by-topic", "--topic-arn", topic])?;
        let subscriptions = subscriptions["Subscriptions"].as_array().context("no list")?;
        Ok(subscriptions.iter().any(|one| one["Protocol"] == "email" && one["Endpoint"] == "alarms@operators.example"))
    };
    ensure!(by_mail(STACK)? && !by_mail("membermail")?);
    // The stack of the other tests has it off: no tracing, and no right to any.
    for one in listed["Functions"].as_array().into_iter().flatten() {
        if one["FunctionName"].as_str().is_some_and(|name| name.starts_with("membermail-")) {
            ensure!(one["TracingConfig"]["Mode"] != "Active" && !traces(&stack, one)?, "{one:#}");
        }
    }
    aws(&stack, &["cloudformation", "delete-stack", "--stack-name", STACK])?;
    Ok(())
}

/// Whether a function's role may write to X-Ray.
fn traces(stack: &Stack, function: &Value) -> Result<bool> {
    let role = function["Role"].as_str().and_then(|arn| arn.rsplit('/').next()).context("no role")?;
    let policies = aws(stack, &["iam", "list-attached-role-policies", "--role-name", role])?;
    let policies = policies["AttachedPolicies"].as_array().context("no policies")?;
    Ok(policies
        .iter()
        .any(|policy| policy["PolicyArn"].as_str().is_some_and(|arn| arn.to_lowercase().contains("xray"))))
}
