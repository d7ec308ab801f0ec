//! Properties of `template.yaml` that only AWS enforces: no emulator throttles, restores a table or expires logs. They are
//! read after the SAM transform, with the parameters of an operator.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use membermail_tests::template::{Template, named, number, plain};
use serde_json::{Value, json};

mod quota;
mod secrets;

/// Maximum concurrent requests to Launchpad.
const LAUNCHPAD: u64 = 4;

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn table_has_backups_and_ttl() -> Result<()> {
    let template = Template::deployed(&[])?;
    let table = template.properties("Table")?;
    ensure!(plain(&table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]) == "true", "{table:#}");
    let expiry = &table["TimeToLiveSpecification"];
    ensure!(plain(&expiry["Enabled"]) == "true" && expiry["AttributeName"] == "expires", "{table:#}");
    ensure!(table["BillingMode"] == "PAY_PER_REQUEST", "{table:#}");
    for production in ["true", "false"] {
        let table = Template::deployed(&[("Production", production)])?.properties("Table")?;
        ensure!(plain(&table["DeletionProtectionEnabled"]) == production, "Production={production}: {table:#}");
    }
    // The data is lost without either of them, so both outlive the stack.
    for id in ["Table", "MasterSecret"] {
        let resource = &template.document["Resources"][id];
        ensure!(resource["DeletionPolicy"] == "RetainExceptOnCreate", "{resource:#}");
        ensure!(resource["UpdateReplacePolicy"] == "Retain", "{resource:#}");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn site_is_throttled() -> Result<()> {
    let template = Template::deployed(&[])?;
    let stages = template.of_type("AWS::ApiGateway::Stage");
    ensure!(!stages.is_empty());
    for (_, stage) in stages {
        let all = stage["MethodSettings"].as_array().and_then(|all| all.first()).context("no settings")?;
        ensure!(plain(&all["HttpMethod"]) == "*" && plain(&all["ResourcePath"]).starts_with("/"), "{stage:#}");
        ensure!((1..=100).contains(&number(&all["ThrottlingRateLimit"])?), "{stage:#}");
        ensure!((1..=200).contains(&number(&all["ThrottlingBurstLimit"])?), "{stage:#}");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn functions_are_small_and_logs_expire() -> Result<()> {
    for (parameters, architecture, days) in
        [(&[][..], "arm64", 30), (&[("Architecture", "x86_64"), ("LogRetentionDays", "7")], "x86_64", 7)]
    {
        let template = Template::deployed(parameters)?;
        let functions = template.of_type("AWS::Lambda::Function");
        ensure!(functions.len() == 10, "{functions:?}");
        for (id, function) in functions {
            ensure!(function["Architectures"] == json!([architecture]), "{id}: {function:#}");
            ensure!(function["Runtime"] == "provided.al2023" && number(&function["MemorySize"])? <= 256, "{id}");
            let log = template.properties(named(&function["LoggingConfig"]["LogGroup"])?)?;
            ensure!(number(&log["RetentionInDays"])? == days, "{id}: {log:#}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn lambda_drops_no_metrics() -> Result<()> {
    for (level, lambda) in
        [("error", "INFO"), ("warn", "INFO"), ("info", "INFO"), ("debug", "DEBUG"), ("trace", "TRACE")]
    {
        let template = Template::deployed(&[("LogLevel", level)])?;
        for (id, function) in template.of_type("AWS::Lambda::Function") {
            let logging = &function["LoggingConfig"];
            ensure!(logging["LogFormat"] == "JSON" && logging["SystemLogLevel"] == "WARN", "{id}: {logging}");
            // A metric has no level, which counts as INFO.
            ensure!(logging["ApplicationLogLevel"] == lambda, "{id}: {logging}");
            ensure!(function["Environment"]["Variables"]["LOG_LEVEL"] == level, "{id}: {function:#}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn dashboard_is_optional() -> Result<()> {
    for (enabled, is_there) in [("false", false), ("true", true)] {
        let template = Template::deployed(&[("DashboardEnabled", enabled)])?;
        let condition = template.document["Resources"]["Dashboard"]["Condition"].as_str().context("always there")?;
        ensure!(template.holds(&json!({ "Condition": condition })) == Some(is_there), "{enabled}");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn visibility_timeouts_cover_functions() -> Result<()> {
    let template = Template::deployed(&[])?;
    let sources = template.of_type("AWS::Lambda::EventSourceMapping");
    ensure!(sources.len() == 6, "{sources:?}");
    let mut at_launchpad = 0;
    for (id, source) in sources {
        let function = template.properties(named(&source["FunctionName"])?)?;
        let queue = template.properties(named(&source["EventSourceArn"])?)?;
        // As Lambda's documentation requires: a batch must fit several times into the visibility timeout.
        let timeout = number(&function["Timeout"])?;
        let hidden = number(&queue["VisibilityTimeout"])?;
        ensure!(hidden >= 6 * timeout, "{id}: {hidden} s for a function of {timeout} s");
        ensure!(source["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]), "{id}: {source:#}");
        let letters = template.properties(named(&queue["RedrivePolicy"]["deadLetterTargetArn"])?)?;
        ensure!(number(&letters["MessageRetentionPeriod"])? == 14 * 24 * 3600, "{id}: {letters:#}");
        // SQS deletes a message by the time at which it was first sent, also in the dead-letter queue.
        ensure!(number(&queue["MessageRetentionPeriod"])? == 10 * 24 * 3600, "{id}: {queue:#}");
        let most = number(&source["ScalingConfig"]["MaximumConcurrency"])?;
        let variables = &function["Environment"]["Variables"];
        if variables.get("MEMBERS_URL").is_some() {
            // Only syncs with a slot send requests; the others wait.
            at_launchpad += match variables.get("SYNC_SLOTS") {
                Some(slots) => most.min(number(slots)?),
                None => most,
            };
        }
    }
    ensure!((1..=LAUNCHPAD).contains(&at_launchpad), "{at_launchpad} concurrent requests to Launchpad");
    // No other function sends requests to Launchpad.
    let functions = template.of_type("AWS::Lambda::Function").into_iter();
    let clients = functions.filter(|(_, function)| function["Environment"]["Variables"]["MEMBERS_URL"] != Value::Null);
    let clients = clients.count();
    ensure!(clients == 2, "{clients} functions query Launchpad");
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn schedules_follow_the_parameters() -> Result<()> {
    let quiet = [
        ("SyncEnabled", "false"),
        ("DomainChecksEnabled", "false"),
        ("StatusChecksEnabled", "false"),
        ("QueuesEnabled", "false"),
    ];
    for (parameters, state, sync) in
        [(&[("SyncPeriodMinutes", "15")][..], "ENABLED", "rate(15 minutes)"), (&quiet, "DISABLED", "rate(60 minutes)")]
    {
        let template = Template::deployed(parameters)?;
        let mut rules = BTreeMap::new();
        for (id, rule) in template.of_type("AWS::Events::Rule") {
            let target = named(&rule["Targets"][0]["Arn"])?.to_owned();
            ensure!(plain(&rule["State"]) == state, "{id}: {rule:#}");
            rules.insert(target, plain(&rule["ScheduleExpression"]));
        }
        let expected = [
            ("CheckDomains", "rate(1 hour)"),
            ("CheckStatus", "rate(5 minutes)"),
            ("NotifyQueue", "rate(15 minutes)"),
            ("StartSync", sync),
            ("WriteQueue", "rate(5 minutes)"),
        ];
        ensure!(rules.iter().map(|(to, when)| (to.as_str(), when.as_str())).eq(expected), "{rules:?}");
    }
    Ok(())
}
