//! What `template.yaml` promises of the deployed stack, and what would be missed only on AWS: no emulator throttles,
//! restores a table or lets logs expire. Looked at after the transform, as CloudFormation has it, and with parameters as
//! somebody would give them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use membermail_tests::stack::Stack;
use serde_json::{Map, Value, json};

/// The most questions to Launchpad at a time.
const LAUNCHPAD: u64 = 4;

struct Template {
    document: Value,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// With these parameters, and the others as they are by default.
    fn with(parameters: &[(&str, &str)]) -> Result<Self> {
        let stack = Stack::of_this_run()?;
        let ask = ["cloudformation", "get-template", "--template-stage", "Processed", "--stack-name", "membermail"];
        let document = match stack.cli(&ask)?["TemplateBody"].take() {
            Value::String(text) => serde_json::from_str(&text)?,
            document => document,
        };
        let declared = document["Parameters"].as_object().context("no parameters")?;
        let mut values: BTreeMap<_, _> =
            declared.iter().map(|(name, one)| (name.clone(), one["Default"].clone())).collect();
        for (name, value) in parameters {
            let known = values.insert((*name).to_owned(), json!(value)).is_some();
            ensure!(known, "the template has no parameter {name}");
        }
        Ok(Self { document, parameters: values })
    }

    /// The properties of a resource, as far as parameters settle them.
    fn properties(&self, id: &str) -> Result<Value> {
        let resource = self.document["Resources"].get(id).with_context(|| format!("there is no {id}"))?;
        Ok(self.settled(&resource["Properties"]))
    }

    /// All resources of a type.
    fn of_type(&self, wanted: &str) -> Vec<(&str, Value)> {
        let all = self.document["Resources"].as_object().into_iter().flatten();
        let all = all.filter(|(_, resource)| resource["Type"] == wanted);
        all.map(|(id, resource)| (id.as_str(), self.settled(&resource["Properties"]))).collect()
    }

    /// With parameters, conditions and mappings in the place of what names them.
    fn settled(&self, value: &Value) -> Value {
        match value {
            Value::Array(all) => all.iter().map(|one| self.settled(one)).collect(),
            Value::Object(fields) => self.function(fields).unwrap_or_else(|| {
                fields.iter().map(|(name, value)| (name.clone(), self.settled(value))).collect::<Map<_, _>>().into()
            }),
            other => other.clone(),
        }
    }

    fn function(&self, fields: &Map<String, Value>) -> Option<Value> {
        let (name, of) = fields.iter().next().filter(|_| fields.len() == 1)?;
        match name.as_str() {
            "Ref" => self.parameters.get(of.as_str()?).cloned(),
            "Fn::If" => {
                let holds = self.holds(&self.document["Conditions"][of[0].as_str()?])?;
                Some(self.settled(&of[if holds { 1 } else { 2 }]))
            }
            "Fn::Sub" => {
                let filled = self.parameters.iter().fold(of.as_str()?.to_owned(), |text, (name, value)| {
                    text.replace(&format!("${{{name}}}"), &plain(value))
                });
                Some(Value::String(filled))
            }
            _ => None,
        }
    }

    fn holds(&self, condition: &Value) -> Option<bool> {
        if let Some(sides) = condition["Fn::Equals"].as_array() {
            let [one, other] = [&sides[0], &sides[1]].map(|side| plain(&self.settled(side)));
            return Some(one == other);
        }
        condition["Fn::Not"].as_array().and_then(|not| self.holds(&not[0])).map(|holds| !holds)
    }
}

/// Numbers and booleans are text as well, depending on who has read the template.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn number(value: &Value) -> Result<u64> {
    plain(value).parse().with_context(|| format!("{value} is no number"))
}

/// The resource that a `Ref` or `Fn::GetAtt` names.
fn named(value: &Value) -> Result<&str> {
    let of = value.get("Ref").or_else(|| value["Fn::GetAtt"].get(0)).or_else(|| value.get("Fn::GetAtt"));
    let id = of.and_then(Value::as_str).with_context(|| format!("{value} names nothing"))?;
    Ok(id.split('.').next().unwrap_or(id))
}

#[test]
fn the_table_can_be_restored_and_forgets_what_expires() -> Result<()> {
    let template = Template::with(&[])?;
    let table = template.properties("Table")?;
    ensure!(plain(&table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]) == "true", "{table:#}");
    let expiry = &table["TimeToLiveSpecification"];
    ensure!(plain(&expiry["Enabled"]) == "true" && expiry["AttributeName"] == "expires", "{table:#}");
    ensure!(table["BillingMode"] == "PAY_PER_REQUEST", "{table:#}");
    for production in ["true", "false"] {
        let table = Template::with(&[("Production", production)])?.properties("Table")?;
        ensure!(plain(&table["DeletionProtectionEnabled"]) == production, "Production={production}: {table:#}");
    }
    // Without either nothing can be read again, so that both outlive the stack.
    for id in ["Table", "MasterSecret"] {
        let resource = &template.document["Resources"][id];
        ensure!(resource["DeletionPolicy"] == "RetainExceptOnCreate", "{resource:#}");
        ensure!(resource["UpdateReplacePolicy"] == "Retain", "{resource:#}");
    }
    Ok(())
}

#[test]
fn the_site_is_throttled() -> Result<()> {
    let template = Template::with(&[])?;
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
fn functions_are_small_and_their_logs_expire() -> Result<()> {
    for (parameters, architecture, days) in
        [(&[][..], "arm64", 30), (&[("Architecture", "x86_64"), ("LogRetentionDays", "7")], "x86_64", 7)]
    {
        let template = Template::with(parameters)?;
        let functions = template.of_type("AWS::Lambda::Function");
        ensure!(functions.len() == 8, "{functions:?}");
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
fn dashboard_is_optional() -> Result<()> {
    for (enabled, is_there) in [("false", false), ("true", true)] {
        let template = Template::with(&[("DashboardEnabled", enabled)])?;
        let condition = template.document["Resources"]["Dashboard"]["Condition"].as_str().context("always there")?;
        ensure!(template.holds(&template.document["Conditions"][condition]) == Some(is_there), "{enabled}");
    }
    Ok(())
}

#[test]
fn queues_wait_for_their_functions_and_launchpad_is_spared() -> Result<()> {
    let template = Template::with(&[])?;
    let sources = template.of_type("AWS::Lambda::EventSourceMapping");
    ensure!(sources.len() == 5, "{sources:?}");
    let mut at_launchpad = 0;
    for (id, source) in sources {
        let function = template.properties(named(&source["FunctionName"])?)?;
        let queue = template.properties(named(&source["EventSourceArn"])?)?;
        // As Lambda's own documents ask for: a batch may be tried again within the time that nobody else sees it.
        let (timeout, hidden) = (number(&function["Timeout"])?, number(&queue["VisibilityTimeout"])?);
        ensure!(hidden >= 6 * timeout, "{id}: {hidden} s for a function of {timeout} s");
        ensure!(source["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]), "{id}: {source:#}");
        let letters = template.properties(named(&queue["RedrivePolicy"]["deadLetterTargetArn"])?)?;
        ensure!(number(&letters["MessageRetentionPeriod"])? == 14 * 24 * 3600, "{id}: {letters:#}");
        let most = number(&source["ScalingConfig"]["MaximumConcurrency"])?;
        ensure!(most <= 10, "{id} takes {most} of the account's concurrency");
        let variables = &function["Environment"]["Variables"];
        if variables.get("LAUNCHPAD_URL").is_some() {
            // Of the syncs, no more than have a slot ask; the others wait.
            at_launchpad += match variables.get("SYNC_SLOTS") {
                Some(slots) => most.min(number(slots)?),
                None => most,
            };
        }
    }
    ensure!((1..=LAUNCHPAD).contains(&at_launchpad), "{at_launchpad} questions to Launchpad at a time");
    // Nothing else that asks Launchpad runs beside these.
    let asks = |function: &Value| function["Environment"]["Variables"].get("LAUNCHPAD_URL").is_some();
    let asking = template.of_type("AWS::Lambda::Function").iter().filter(|(_, function)| asks(function)).count();
    ensure!(asking == 2, "{asking} functions ask Launchpad");
    Ok(())
}

#[test]
fn what_is_to_happen_regularly_does() -> Result<()> {
    let quiet = [("SyncEnabled", "false"), ("DomainChecksEnabled", "false"), ("QueuesEnabled", "false")];
    for (parameters, state, sync) in
        [(&[("SyncPeriodMinutes", "15")][..], "ENABLED", "rate(15 minutes)"), (&quiet, "DISABLED", "rate(60 minutes)")]
    {
        let template = Template::with(parameters)?;
        let mut rules = BTreeMap::new();
        for (id, rule) in template.of_type("AWS::Events::Rule") {
            let target = named(&rule["Targets"][0]["Arn"])?.to_owned();
            ensure!(plain(&rule["State"]) == state, "{id}: {rule:#}");
            rules.insert(target, plain(&rule["ScheduleExpression"]));
        }
        let expected = [("CheckDomains", "rate(1 hour)"), ("NotifyQueue", "rate(15 minutes)"), ("StartSync", sync)];
        ensure!(rules.iter().map(|(to, when)| (to.as_str(), when.as_str())).eq(expected), "{rules:?}");
    }
    Ok(())
}
