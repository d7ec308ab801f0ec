//! Reads the billable resources of `template.yaml`: functions with their triggers, queues, alarms, secrets, schedules.
//! Parses by indentation, since all sections have the same layout.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use membermail_toolbox::workspace;

use crate::functions::package_of_logical_id;

/// Secrets of communities with OpenID Connect and GitLab; the benchmark's community has neither.
const OTHER_SECRETS: [&str; 2] = ["SignInSecretArn", "MembersSecretArn"];
const OTHER_VARIABLES: [&str; 2] = ["SIGN_IN_SECRET_ARN", "MEMBERS_SECRET_ARN"];

/// Hours per month in AWS pricing.
pub(crate) const HOURS: f64 = 730.0;

/// The template with its default parameters.
pub(crate) struct Template {
    parameters: BTreeMap<String, String>,
    conditions: BTreeMap<String, String>,
    memory: u32,
    resources: Vec<Resource>,
}

struct Resource {
    id: String,
    lines: Vec<String>,
}

/// A function with its triggers.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// Package name: `sync-team`.
    pub(crate) name: String,
    /// Memory in MB.
    pub(crate) memory: u32,
    pub(crate) variables: Vec<(String, String)>,
    /// Environment variables with the ARN of a secret.
    pub(crate) secrets: Vec<String>,
    pub(crate) queues: Vec<EventSource>,
    /// Scheduled invocations per month.
    pub(crate) scheduled: Option<f64>,
}

/// A queue that invokes a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventSource {
    /// Logical id of the queue.
    pub(crate) queue: String,
    pub(crate) batch_size: usize,
    pub(crate) max_concurrency: Option<u32>,
    /// Whether it polls its queue.
    pub(crate) enabled: bool,
}

impl Template {
    /// Reads `template.yaml` of this workspace.
    pub(crate) fn read() -> Result<Self> {
        let text = std::fs::read_to_string(workspace().join("template.yaml")).context("reading template.yaml")?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self> {
        let mut parameters = BTreeMap::new();
        let mut conditions = BTreeMap::new();
        let mut memory = None;
        let mut section = String::new();
        let mut id = String::new();
        let mut resources: Vec<Resource> = Vec::new();
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let indent = line.len() - line.trim_start().len();
            let (name, value) = pair(line);
            if indent == 0 && !line.is_empty() {
                name.clone_into(&mut section);
            } else if indent == 2 {
                name.clone_into(&mut id);
                match section.as_str() {
                    "Resources" => resources.push(Resource { id: id.clone(), lines: Vec::new() }),
                    "Conditions" => drop(conditions.insert(id.clone(), value.to_owned())),
                    _ => {}
                }
            }
            match section.as_str() {
                "Parameters" if indent == 4 && name == "Default" => {
                    drop(parameters.insert(id.clone(), value.to_owned()))
                }
                "Globals" if name == "MemorySize" => memory = value.parse().ok(),
                "Resources" => {
                    resources.last_mut().into_iter().for_each(|resource| resource.lines.push(line.to_owned()))
                }
                _ => {}
            }
        }
        Ok(Self { parameters, conditions, memory: memory.context("the template has no global MemorySize")?, resources })
    }

    /// Sets a parameter.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Result<Self> {
        match self.parameters.get_mut(name) {
            Some(known) => value.clone_into(known),
            None => bail!("the template has no parameter {name}"),
        }
        Ok(self)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    fn of(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(move |resource| resource.value("Type") == Some(kind) && self.is_enabled(resource))
    }

    /// Whether the resource's condition is true. Conditions other than a plain comparison count as true, since their
    /// resources may cost something.
    fn is_enabled(&self, resource: &Resource) -> bool {
        let condition = resource.lines.iter().find(|line| line.starts_with("    Condition: ")).map(|line| pair(line).1);
        condition.is_none_or(|name| self.is_true(name))
    }

    fn is_true(&self, condition: &str) -> bool {
        let Some(compared) = self.conditions.get(condition) else { return true };
        let sides =
            compared.strip_prefix("!Equals [!Ref ").and_then(|rest| rest.trim_end_matches(']').split_once(", "));
        sides.is_none_or(|(name, wanted)| self.parameter(name) == Some(wanted.trim_matches('"')))
    }

    /// The value that `!If [Condition, first, second]` selects; any other value as it is.
    fn selected<'a>(&self, value: &'a str) -> &'a str {
        let parts = value.strip_prefix("!If [").and_then(|rest| rest.strip_suffix(']')).map(|rest| rest.split(", "));
        match parts.map(|parts| parts.collect::<Vec<_>>()).as_deref() {
            Some([condition, first, second]) => {
                if self.is_true(condition) {
                    first
                } else {
                    second
                }
            }
            _ => value,
        }
    }

    /// Number of metrics in alarms, each of which is billed.
    pub(crate) fn alarm_metrics(&self) -> usize {
        self.of("AWS::CloudWatch::Alarm")
            .map(|alarm| alarm.lines.iter().filter(|line| line.trim() == "MetricStat:").count().max(1))
            .sum()
    }

    pub(crate) fn dashboards(&self) -> usize {
        self.of("AWS::CloudWatch::Dashboard").count()
    }

    /// Number of secrets: each is a parameter.
    pub(crate) fn secrets(&self) -> usize {
        self.parameters
            .keys()
            .filter(|name| name.ends_with("SecretArn") && !OTHER_SECRETS.contains(&name.as_str()))
            .count()
    }

    pub(crate) fn functions(&self) -> Result<Vec<Function>> {
        self.of("AWS::Serverless::Function").map(|resource| self.parse_function(resource)).collect()
    }

    /// The function of this package.
    pub(crate) fn function(&self, name: &str) -> Result<Function> {
        let functions = self.functions()?;
        functions.into_iter().find(|function| function.name == name).with_context(|| format!("no function {name}"))
    }

    fn parse_function(&self, resource: &Resource) -> Result<Function> {
        let memory = resource.value("MemorySize").map_or(Ok(self.memory), str::parse).context("MemorySize")?;
        let mut function = Function {
            name: package_of_logical_id(&resource.id),
            memory,
            variables: Vec::new(),
            secrets: Vec::new(),
            queues: Vec::new(),
            scheduled: None,
        };
        let mut is_variable = false;
        for line in &resource.lines {
            let indent = line.len() - line.trim_start().len();
            let (name, value) = pair(line);
            is_variable = if indent == 10 { is_variable } else { name == "Variables" || (is_variable && indent > 10) };
            if is_variable && indent == 10 {
                let is_secret = name.ends_with("SECRET_ARN") && !OTHER_VARIABLES.contains(&name);
                function.secrets.extend(is_secret.then(|| name.to_owned()));
                function.variables.extend(self.resolved(value).map(|value| (name.to_owned(), value)));
            }
            if let Some(queue) = value.strip_prefix("!GetAtt ").filter(|_| name == "Queue") {
                let queue = queue.trim_end_matches(".Arn").to_owned();
                // The default batch size of Lambda.
                function.queues.push(EventSource { queue, batch_size: 10, max_concurrency: None, enabled: true });
            }
            if let Some(source) = function.queues.last_mut() {
                if name == "BatchSize" {
                    source.batch_size = value.parse().context("BatchSize")?;
                }
                if name == "Enabled" {
                    let enabled = self.resolved(value).context("Enabled")?;
                    source.enabled = enabled == "true";
                }
                if let Some((_, concurrency)) = line.split_once("MaximumConcurrency: ") {
                    let concurrency = self.resolved(concurrency.trim_end_matches([' ', '}']));
                    source.max_concurrency = concurrency.and_then(|number| number.parse().ok());
                }
            }
            if name == "Schedule" && !value.is_empty() {
                function.scheduled = Some(self.times_a_month(value)?);
            }
            // `{ Schedule: …, State: … }` on one line.
            if let Some((_, rest)) = line.split_once("{ Schedule: ") {
                function.scheduled = Some(self.times_a_month(rest.split(',').next().unwrap_or_default())?);
            }
        }
        Ok(function)
    }

    /// The value of an environment variable: text, a parameter, or the URL or ARN of a queue. The caller sets others.
    fn resolved(&self, value: &str) -> Option<String> {
        let value = self.selected(value);
        if let Some(id) = value.strip_prefix("!GetAtt ").and_then(|value| value.strip_suffix("Queue.Arn")) {
            return Some(format!("arn:aws:sqs:us-east-1:000000000000:{id}Queue"));
        }
        let Some(id) = value.strip_prefix("!Ref ") else {
            return (!value.is_empty() && !value.starts_with('!')).then(|| value.trim_matches('"').to_owned());
        };
        let is_queue = self.of("AWS::SQS::Queue").any(|queue| queue.id == id);
        if is_queue {
            Some(format!("https://sqs.us-east-1.amazonaws.com/000000000000/{id}"))
        } else {
            self.parameters.get(id).cloned()
        }
    }

    /// Messages of EventBridge schedules: queue, body, and times per month.
    pub(crate) fn scheduled_messages(&self) -> Result<Vec<(String, String, f64)>> {
        let rules = self.of("AWS::Events::Rule");
        rules
            .map(|rule| {
                let schedule = rule.value("ScheduleExpression").context("a rule has no schedule")?;
                let target = rule.value("Targets").context("a rule has no target")?;
                let queue = target.split("!GetAtt ").nth(1).and_then(|rest| rest.split(".Arn").next());
                let input = target.split("Input: '").nth(1).and_then(|rest| rest.split('\'').next());
                let (queue, input) = queue.zip(input).context("a rule has no queue or no message")?;
                Ok((queue.to_owned(), input.to_owned(), self.times_a_month(schedule)?))
            })
            .collect()
    }

    fn times_a_month(&self, schedule: &str) -> Result<f64> {
        let mut text = schedule.trim_start_matches("!Sub ").trim_matches('"').to_owned();
        if let Some(name) = text.strip_prefix("!Ref ") {
            text = self.parameter(name).unwrap_or_default().to_owned();
        }
        for (name, value) in &self.parameters {
            text = text.replace(&format!("${{{name}}}"), value);
        }
        let rate = text.strip_prefix("rate(").and_then(|rest| rest.trim_end_matches(')').split_once(' '));
        let (number, unit) = rate.with_context(|| format!("{schedule} is not a rate"))?;
        let number: f64 = number.parse().with_context(|| text.clone())?;
        Ok(match unit.trim_end_matches('s') {
            "minute" => HOURS * 60.0 / number,
            "hour" => HOURS / number,
            "day" => HOURS / 24.0 / number,
            _ => bail!("{schedule} is not a rate"),
        })
    }
}

impl Resource {
    /// The value of a property, from its first line.
    fn value(&self, wanted: &str) -> Option<&str> {
        self.lines.iter().map(|line| pair(line)).find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

/// Splits `  Name: value`, and removes quotes around the value.
fn pair(line: &str) -> (&str, &str) {
    let (name, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    (name.trim_start_matches("- "), inner)
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
