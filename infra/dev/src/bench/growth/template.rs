//! What `template.yaml` says of things that cost: functions and what starts them, queues, alarms, secrets, schedules.
//! It is read by its indentation, since every section of it is laid out alike.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::functions::of_logical_id;

/// Hours of a month, as AWS reckons with.
pub(crate) const HOURS: f64 = 730.0;

/// The template with its parameters at their defaults, unless others are given.
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

/// A function, and what starts it.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    /// The package: `sync-team`.
    pub(crate) name: String,
    /// Memory in MB.
    pub(crate) memory: u32,
    pub(crate) variables: Vec<(String, String)>,
    /// The variables that name secrets.
    pub(crate) secrets: Vec<String>,
    /// Logical ids of its queues, each with the most invocations at a time.
    pub(crate) queues: Vec<(String, Option<u32>)>,
    /// How often a month a schedule invokes it.
    pub(crate) scheduled: Option<f64>,
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (mut parameters, mut conditions, mut memory) = (BTreeMap::new(), BTreeMap::new(), None);
        let (mut section, mut id) = (String::new(), String::new());
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
                "Resources" => resources.last_mut().into_iter().for_each(|one| one.lines.push(line.to_owned())),
                _ => {}
            }
        }
        Ok(Self { parameters, conditions, memory: memory.context("no MemorySize of all functions")?, resources })
    }

    /// Gives a parameter another value.
    #[cfg(test)]
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
        self.resources.iter().filter(move |one| one.value("Type") == Some(kind) && self.is_there(one))
    }

    /// Whether the resource's condition holds. Conditions that are not a plain comparison are taken to hold: what they
    /// guard costs.
    fn is_there(&self, resource: &Resource) -> bool {
        let condition = resource.lines.iter().find(|line| line.starts_with("    Condition: ")).map(|line| pair(line).1);
        let Some(compared) = condition.and_then(|name| self.conditions.get(name)) else { return true };
        let sides =
            compared.strip_prefix("!Equals [!Ref ").and_then(|rest| rest.trim_end_matches(']').split_once(", "));
        sides.is_none_or(|(name, wanted)| self.parameter(name) == Some(wanted.trim_matches('"')))
    }

    /// Metrics in alarms: each one that an alarm reads is paid for.
    pub(crate) fn alarm_metrics(&self) -> usize {
        let metrics = |alarm: &Resource| alarm.lines.iter().filter(|line| line.trim() == "MetricStat:").count().max(1);
        self.of("AWS::CloudWatch::Alarm").map(metrics).sum()
    }

    pub(crate) fn dashboards(&self) -> usize {
        self.of("AWS::CloudWatch::Dashboard").count()
    }

    /// The secrets that functions read: each is named by a parameter.
    pub(crate) fn secrets(&self) -> usize {
        self.parameters.keys().filter(|name| name.ends_with("SecretArn")).count()
    }

    pub(crate) fn functions(&self) -> Result<Vec<Function>> {
        self.of("AWS::Serverless::Function").map(|one| self.function(one)).collect()
    }

    fn function(&self, resource: &Resource) -> Result<Function> {
        let memory = resource.value("MemorySize").map_or(Ok(self.memory), str::parse).context("MemorySize")?;
        let mut function = Function {
            name: of_logical_id(&resource.id),
            memory,
            variables: Vec::new(),
            secrets: Vec::new(),
            queues: Vec::new(),
            scheduled: None,
        };
        let mut is_variable = false;
        for line in &resource.lines {
            let (indent, (name, value)) = (line.len() - line.trim_start().len(), pair(line));
            is_variable = if indent == 10 { is_variable } else { name == "Variables" || (is_variable && indent > 10) };
            if is_variable && indent == 10 {
                function.secrets.extend(name.ends_with("SECRET_ARN").then(|| name.to_owned()));
                function.variables.extend(self.resolved(value).map(|value| (name.to_owned(), value)));
            }
            if let Some(queue) = value.strip_prefix("!GetAtt ").filter(|_| name == "Queue") {
                function.queues.push((queue.trim_end_matches(".Arn").to_owned(), None));
            }
            if let Some((_, most)) = line.split_once("MaximumConcurrency: ")
                && let Some(last) = function.queues.last_mut()
            {
                last.1 = most.trim_end_matches([' ', '}']).parse().ok();
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

    /// A value that a function gets: text, a parameter, or the address of a queue. The caller sets the others.
    fn resolved(&self, value: &str) -> Option<String> {
        let Some(id) = value.strip_prefix("!Ref ") else {
            return (!value.is_empty() && !value.starts_with('!')).then(|| value.trim_matches('"').to_owned());
        };
        let is_queue = self.of("AWS::SQS::Queue").any(|one| one.id == id);
        if is_queue {
            Some(format!("https://sqs.us-east-1.amazonaws.com/000000000000/{id}"))
        } else {
            self.parameters.get(id).cloned()
        }
    }

    /// Queues that a rule of EventBridge sends to by schedule, with the message and how often a month.
    pub(crate) fn scheduled_messages(&self) -> Result<Vec<(String, String, f64)>> {
        let rules = self.of("AWS::Events::Rule");
        rules
            .map(|rule| {
                let schedule = rule.value("ScheduleExpression").context("a rule without a schedule")?;
                let target = rule.value("Targets").context("a rule without a target")?;
                let queue = target.split("!GetAtt ").nth(1).and_then(|rest| rest.split(".Arn").next());
                let input = target.split("Input: '").nth(1).and_then(|rest| rest.split('\'').next());
                let (queue, input) = queue.zip(input).context("a rule without a queue or a message")?;
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
        let (number, unit) = rate.with_context(|| format!("{schedule} is no rate"))?;
        let number: f64 = number.parse().with_context(|| text.clone())?;
        Ok(match unit.trim_end_matches('s') {
            "minute" => HOURS * 60.0 / number,
            "hour" => HOURS / number,
            "day" => HOURS / 24.0 / number,
            _ => bail!("{schedule} is no rate"),
        })
    }
}

impl Resource {
    /// A property's text, of the first line that has it.
    fn value(&self, wanted: &str) -> Option<&str> {
        self.lines.iter().map(|line| pair(line)).find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }
}

/// `  Name: value` in two, without quotes around the whole value.
fn pair(line: &str) -> (&str, &str) {
    let (name, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
    let value = value.trim();
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    (name.trim_start_matches("- "), inner)
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
