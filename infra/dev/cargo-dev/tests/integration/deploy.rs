//! `cargo dev deploy`: fails early when a prerequisite is missing, and creates and updates a stack with change sets, in the
//! emulator of `cargo dev test`.

use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use membermail_permissions::Permissions;
use membermail_tests::stack::Stack;
use membermail_toolbox::venv_program;
use serde_json::Value;

use crate::builds;

const STACK: &str = "deployed-by-hand";

fn deploy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_membermail-dev"));
    command.arg("deploy").args(arguments);
    for variable in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        command.env_remove(variable);
    }
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    // The SDK would otherwise wait for the EC2 metadata service.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn with_endpoint<'a>(command: &'a mut Command, stack: &Stack) -> &'a mut Command {
    // Without a trailing slash, which the AWS command line would double before a bucket.
    let endpoint = stack.endpoint_url.as_str().trim_end_matches('/');
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_DEFAULT_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// The AWS command line at the emulator's endpoint.
fn cli(stack: &Stack) -> Command {
    let mut command = Command::new(venv_program("aws"));
    with_endpoint(&mut command, stack).env_remove("AWS_PROFILE").args(["--output", "json"]);
    command
}

fn aws(stack: &Stack, arguments: &[&str]) -> Result<Value> {
    let output = cli(stack).args(arguments).output()?;
    ensure!(output.status.success(), "{}", text(&output));
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// Runs a deployment that must fail with this text.
fn rejected(command: &mut Command, reason: &str) -> Result<()> {
    let output = command.output()?;
    let text = text(&output);
    ensure!(!output.status.success() && text.contains(reason), "expected {reason:?}:\n{text}");
    Ok(())
}

#[rstest::rstest]
#[case::no_bucket(&["--yes"], "name an S3 bucket")]
#[case::no_terminal(&["--bucket", "code"], "add --yes to deploy")]
#[case::unknown_parameter(&["--bucket", "code", "--yes", "--parameter", "Comunity=x"], "no parameter Comunity; it has")]
#[case::wrong_value(&["--bucket", "code", "--yes", "--parameter", "Production=yes"], "allowed are true, false")]
#[case::no_region(&["--bucket", "code", "--yes"], "set AWS_REGION")]
#[case::no_credentials(&["--bucket", "code", "--yes", "--region", "eu-west-1"], "`aws login` or `aws sso login`")]
fn deploy_reports_missing_prerequisites(#[case] arguments: &[&str], #[case] reason: &str) -> Result<()> {
    rejected(&mut deploy(arguments), reason)
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn unusable_bucket_is_rejected() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut missing = deploy(&["--yes", "--bucket", "nobodys-bucket"]);
    rejected(with_endpoint(&mut missing, &stack), "aws s3 mb s3://nobodys-bucket --region us-east-1")?;
    let elsewhere = ["--bucket", "code-in-ireland", "--create-bucket-configuration", "LocationConstraint=eu-west-1"];
    aws(&stack, &[&["s3api", "create-bucket", "--region", "eu-west-1"], elsewhere.as_slice()].concat())?;
    let mut elsewhere = deploy(&["--yes", "--bucket", "code-in-ireland"]);
    rejected(with_endpoint(&mut elsewhere, &stack), "is in eu-west-1, but Lambda needs its code in us-east-1")
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn deploy_creates_and_updates_a_stack() -> Result<()> {
    let stack = Stack::of_this_run()?;
    aws(&stack, &["s3api", "create-bucket", "--bucket", "code-of-deploy"])?;
    let builds = builds::release()?;
    let architecture = format!("Architecture={}", builds::ARCHITECTURES.0);
    let run = |arguments: &[&str]| -> Result<String> {
        let mut command = deploy(&["--bucket", "code-of-deploy", "--stack", STACK, "--skip-build"]);
        command.arg("--builds").arg(builds.path()).args(arguments);
        let output = with_endpoint(&mut command, &stack).output()?;
        ensure!(output.status.success(), "{}", text(&output));
        Ok(text(&output))
    };
    let first = [architecture.as_str(), "MembersTimeoutSeconds=7", "Production=true"];
    // Event sources of this stack would only add load for the other tests.
    let more = ["QueuesEnabled=false", "Tracing=Active", "AlarmEmail=alarms@operators.example"];
    let first: Vec<_> = first.into_iter().chain(more).flat_map(|parameter| ["--parameter", parameter]).collect();

    let shown = run(&[&["--dry-run"], first.as_slice()].concat())?;
    ensure!(shown.contains("Add     Table ") && shown.contains("Nothing was changed."), "{shown}");
    ensure!(describe(&stack, STACK).is_err(), "the stack was created");

    let created = run(&[&["--yes", "--tags", "team=mail"], first.as_slice()].concat())?;
    ensure!(created.contains("CREATE_COMPLETE          Table (AWS::DynamoDB::Table)"), "{created}");
    ensure!(created.contains("Protect the table:") && created.contains("is deployed: http"), "{created}");
    let described = describe(&stack, STACK)?;
    // Protection is a second update.
    ensure!(described["StackStatus"] == "UPDATE_COMPLETE", "{described:#}");
    ensure!(value_of(&described["Parameters"], "Parameter", "Production")? == "true");
    ensure!(described["EnableTerminationProtection"] == true, "{described:#}");
    ensure!(described["Tags"][0]["Value"] == "mail", "{described:#}");

    // Parameters that are not given keep their values.
    let updated = run(&["--yes", "--parameter", "MembersTimeoutSeconds=9"])?;
    ensure!(updated.contains("is deployed: http") && !updated.contains("Protect the table:"), "{updated}");
    let described = describe(&stack, STACK)?;
    for (name, value) in [("MembersTimeoutSeconds", "9"), ("QueuesEnabled", "false"), ("Production", "true")] {
        ensure!(value_of(&described["Parameters"], "Parameter", name)? == value, "{described:#}");
    }
    // LocalStack executes a change set without changes, which AWS rejects (`deploy::cloud_tests`).
    let unchanged = run(&["--yes"])?;
    ensure!(unchanged.contains("0 to add, 0 to modify, 0 to remove"), "{unchanged}");

    let listed = aws(&stack, &["lambda", "list-functions"])?;
    let ours = listed["Functions"].as_array().into_iter().flatten();
    let ours = ours.filter(|function| function["FunctionName"].as_str().is_some_and(|name| name.starts_with(STACK)));
    let mut timeouts = ours.clone().map(|function| &function["Environment"]["Variables"]["MEMBERS_TIMEOUT_SECONDS"]);
    ensure!(ours.clone().count() >= 4 && timeouts.any(|timeout| timeout == "9"), "{listed:#}");
    for function in ours {
        ensure!(function["TracingConfig"]["Mode"] == "Active" && may_trace(&stack, function)?, "{function:#}");
    }
    // X-Ray's two actions have no resource; they are the only ones allowed on all resources.
    let permissions = Permissions::of_stack(&|| cli(&stack), STACK)?;
    let anywhere: Vec<_> = permissions.wildcard_grants().into_iter().map(|(holder, ..)| holder).collect();
    ensure!(
        !anywhere.is_empty() && permissions.aws_managed_policies().is_empty(),
        "{:?}",
        permissions.aws_managed_policies()
    );
    for (holder, actions, resource) in permissions.wildcard_grants() {
        let ours = actions.matches('"').count() == 4 && actions.matches("\"xray:Put").count() == 2;
        ensure!(ours, "{holder} may {actions} at {resource}");
    }
    ensure!(mails_alarms(&stack, STACK)? && !mails_alarms(&stack, "membermail")?);
    // Tracing is off in the stack of the other tests, and its roles may not trace.
    for function in listed["Functions"].as_array().into_iter().flatten() {
        if function["FunctionName"].as_str().is_some_and(|name| name.starts_with("membermail-")) {
            ensure!(function["TracingConfig"]["Mode"] != "Active" && !may_trace(&stack, function)?, "{function:#}");
        }
    }
    let unprotect = ["update-termination-protection", "--no-enable-termination-protection", "--stack-name", STACK];
    aws(&stack, &[&["cloudformation"], unprotect.as_slice()].concat())?;
    aws(&stack, &["cloudformation", "delete-stack", "--stack-name", STACK])?;
    Ok(())
}

#[rstest::rstest]
#[case::other_architecture(builds::ARCHITECTURES.1, "is built for")]
#[case::debug_build(builds::ARCHITECTURES.0, "is a debug build")]
#[ignore = "needs the local stack (cargo dev test)"]
fn deploy_rejects_local_builds(#[case] architecture: &str, #[case] reason: &str) -> Result<()> {
    let stack = Stack::of_this_run()?;
    let bucket = format!("refused-{}", architecture.replace('_', "-"));
    aws(&stack, &["s3api", "create-bucket", "--bucket", &bucket])?;
    let mut command = deploy(&["--yes", "--bucket", &bucket, "--stack", &bucket, "--skip-build", "--builds"]);
    command.arg(builds::local()).args(["--parameter", &format!("Architecture={architecture}")]);
    with_endpoint(&mut command, &stack);
    rejected(&mut command, reason)?;
    rejected(&mut command, "cargo lambda build --release")?;
    ensure!(describe(&stack, &bucket).is_err(), "the stack was created");
    Ok(())
}

/// A stack as CloudFormation describes it.
fn describe(stack: &Stack, name: &str) -> Result<Value> {
    Ok(aws(stack, &["cloudformation", "describe-stacks", "--stack-name", name])?["Stacks"][0].take())
}

/// The value of a parameter or output of a stack.
fn value_of<'a>(list: &'a Value, kind: &str, name: &str) -> Result<&'a str> {
    let mut list = list.as_array().into_iter().flatten();
    let found = list.find(|one| one[format!("{kind}Key")] == name);
    found.and_then(|one| one[format!("{kind}Value")].as_str()).with_context(|| format!("no {name}"))
}

/// Whether a stack mails its alarms.
fn mails_alarms(stack: &Stack, name: &str) -> Result<bool> {
    let described = describe(stack, name)?;
    let topic = value_of(&described["Outputs"], "Output", "AlarmTopicArn")?;
    let subscriptions = aws(stack, &["sns", "list-subscriptions-by-topic", "--topic-arn", topic])?;
    let mut subscriptions = subscriptions["Subscriptions"].as_array().context("no list")?.iter();
    Ok(subscriptions.any(|one| one["Protocol"] == "email" && one["Endpoint"] == "alarms@operators.example"))
}

/// Whether a function's role may write to X-Ray.
fn may_trace(stack: &Stack, function: &Value) -> Result<bool> {
    let role = function["Role"].as_str().and_then(|arn| arn.rsplit('/').next()).context("no role")?;
    let policies = aws(stack, &["iam", "list-attached-role-policies", "--role-name", role])?;
    let policies = policies["AttachedPolicies"].as_array().context("no policies")?;
    Ok(policies
        .iter()
        .any(|policy| policy["PolicyArn"].as_str().is_some_and(|arn| arn.to_lowercase().contains("xray"))))
}
