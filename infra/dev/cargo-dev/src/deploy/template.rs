//! What a deployment must know about `template.yaml`: its parameters, and the concurrency of its event sources.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use membermail_permissions::yaml;
use serde_json::Value;

/// A parameter of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) default: Option<String>,
    /// The allowed values; any value if empty.
    pub(crate) allowed: Vec<String>,
}

/// The part of the template that a deployment reads.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) parameters: Vec<Declared>,
    /// `MaximumConcurrency` of each event source.
    concurrency: Vec<Concurrency>,
}

#[derive(Debug, PartialEq, Eq)]
enum Concurrency {
    Fixed(u32),
    Parameter(String),
}

impl Template {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let root = yaml::parse(text).context("template.yaml is not YAML")?;
        let parameters = root["Parameters"].as_object().context("template.yaml has no parameters")?;
        let mut concurrency = Vec::new();
        collect_concurrency(&root, &mut concurrency)?;
        Ok(Self { parameters: parameters.iter().map(declared).collect::<Result<_>>()?, concurrency })
    }

    /// The most executions that the event sources run at the same time, with these parameters.
    pub(crate) fn queue_concurrency(&self, values: &BTreeMap<String, String>) -> Result<u32> {
        let each = self.concurrency.iter().map(|concurrency| match concurrency {
            Concurrency::Fixed(number) => Ok(*number),
            Concurrency::Parameter(name) => {
                let value = values.get(name).with_context(|| format!("the template has no parameter {name}"))?;
                value.parse().with_context(|| format!("{name} is {value:?}, not a number"))
            }
        });
        each.sum()
    }

    /// The parameters that limit the event sources.
    pub(crate) fn concurrency_parameters(&self) -> Vec<&str> {
        let names = self.concurrency.iter().filter_map(|concurrency| match concurrency {
            Concurrency::Parameter(name) => Some(name.as_str()),
            Concurrency::Fixed(_) => None,
        });
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn declared((name, parameter): (&String, &Value)) -> Result<Declared> {
    let allowed = parameter["AllowedValues"].as_array().into_iter().flatten().map(scalar).collect::<Option<_>>();
    Ok(Declared {
        name: name.clone(),
        default: scalar(&parameter["Default"]),
        allowed: allowed.with_context(|| format!("AllowedValues of {name} has a list or mapping"))?,
    })
}

/// The text of a plain value.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn collect_concurrency(node: &Value, found: &mut Vec<Concurrency>) -> Result<()> {
    for (name, value) in node.as_object().into_iter().flatten() {
        if name == "MaximumConcurrency" {
            found.push(concurrency(value)?);
        } else {
            collect_concurrency(value, found)?;
        }
    }
    node.as_array().into_iter().flatten().try_for_each(|item| collect_concurrency(item, found))
}

fn concurrency(value: &Value) -> Result<Concurrency> {
    match (value, &value["Ref"]) {
        (Value::Number(number), _) => {
            let number = number.as_u64().and_then(|number| number.try_into().ok());
            Ok(Concurrency::Fixed(number.context("a MaximumConcurrency is no positive number")?))
        }
        (_, Value::String(name)) => Ok(Concurrency::Parameter(name.clone())),
        _ => bail!("a MaximumConcurrency is neither a number nor `!Ref PARAMETER`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
Parameters:
  WriteConcurrency: { Type: Number, Default: 2 }
  Production: { Type: String, Default: \"false\", AllowedValues: [\"true\", \"false\"] }
  Zone: { Type: String }
Resources:
  Write: { Events: [{ ScalingConfig: { MaximumConcurrency: !Ref WriteConcurrency } }] }
  Notify: { Events: { ScalingConfig: { MaximumConcurrency: 3 } } }
";

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn parameters_are_read_with_defaults() {
        let template = Template::parse(TEXT).unwrap();
        let read: BTreeMap<_, _> = template
            .parameters
            .iter()
            .map(|declared| (declared.name.as_str(), (declared.default.as_deref(), declared.allowed.len())))
            .collect();
        let expected = [("WriteConcurrency", (Some("2"), 0)), ("Production", (Some("false"), 2)), ("Zone", (None, 0))];
        assert_eq!(read, BTreeMap::from(expected));
    }

    #[test]
    fn concurrency_follows_the_parameter() {
        let template = Template::parse(TEXT).unwrap();
        assert_eq!(template.queue_concurrency(&values(&[("WriteConcurrency", "10")])).unwrap(), 13);
        assert_eq!(template.concurrency_parameters(), ["WriteConcurrency"]);
        let error = template.queue_concurrency(&values(&[("WriteConcurrency", "many")])).unwrap_err();
        assert_eq!(error.to_string(), "WriteConcurrency is \"many\", not a number");
    }

    #[test]
    fn computed_concurrency_is_rejected() {
        let text = TEXT.replace("!Ref WriteConcurrency", "!If [Busy, 2, 3]");
        assert!(Template::parse(&text).unwrap_err().to_string().starts_with("a MaximumConcurrency is neither"));
    }

    /// The parameters and event sources of the real template can be read.
    #[test]
    fn real_template_is_read() {
        let text = std::fs::read_to_string(membermail_toolbox::workspace().join("template.yaml")).unwrap();
        let template = Template::parse(&text).unwrap();
        assert!(template.parameters.iter().all(|declared| declared.default.is_some()), "{template:?}");
        let defaults = template.parameters.iter().map(|declared| (declared.name.clone(), declared.default.clone()));
        let defaults = defaults.filter_map(|(name, default)| Some((name, default?))).collect();
        assert!(template.queue_concurrency(&defaults).unwrap() >= 8);
    }
}
