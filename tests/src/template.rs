//! `template.yaml` after the SAM transform, with parameters, conditions and mappings resolved.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use membermail_toolbox::{step, workspace};
use serde_json::{Map, Value, json};

use crate::stack::Stack;

/// A transformed template with the parameters of an operator.
pub struct Template {
    /// The whole document.
    pub document: Value,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// The template of the deployed stack with these parameters, and the defaults of the others.
    pub fn deployed(parameters: &[(&str, &str)]) -> Result<Self> {
        let stack = Stack::of_this_run()?;
        let command = ["cloudformation", "get-template", "--template-stage", "Processed", "--stack-name", "membermail"];
        let document = match stack.cli(&command)?["TemplateBody"].take() {
            Value::String(text) => serde_json::from_str(&text)?,
            document => document,
        };
        Self::new(document, parameters)
    }

    /// `template.yaml` with these parameters, translated by SAM without a stack.
    pub fn translated(parameters: &[(&str, &str)]) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/translate_template.py");
        let mut python = Command::new(Stack::of_this_run()?.python);
        python.arg(script).arg(workspace().join("template.yaml"));
        let output = step::capture(python.args(parameters.iter().map(|(name, value)| format!("{name}={value}"))))?;
        Self::new(serde_json::from_str(&output)?, parameters)
    }

    fn new(document: Value, parameters: &[(&str, &str)]) -> Result<Self> {
        let declared = document["Parameters"].as_object().context("no parameters")?;
        let mut values: BTreeMap<_, _> =
            declared.iter().map(|(name, one)| (name.clone(), one["Default"].clone())).collect();
        for (name, value) in parameters {
            let known = values.insert((*name).to_owned(), json!(value)).is_some();
            ensure!(known, "the template has no parameter {name}");
        }
        Ok(Self { document, parameters: values })
    }

    /// The same template with other parameters. The parameters that SAM itself reads are `translated`'s.
    pub fn with(&self, parameters: &[(&str, &str)]) -> Result<Self> {
        Self::new(self.document.clone(), parameters)
    }

    /// The parameters of the template.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    /// The properties of a resource, with parameters resolved.
    pub fn properties(&self, id: &str) -> Result<Value> {
        let resource = self.document["Resources"].get(id).with_context(|| format!("there is no {id}"))?;
        Ok(self.settled(&resource["Properties"]))
    }

    /// All resources of a type whose condition is true.
    pub fn of_type(&self, wanted: &str) -> Vec<(&str, Value)> {
        let all = self.document["Resources"].as_object().into_iter().flatten();
        let all = all.filter(|(_, resource)| resource["Type"] == wanted && self.exists(resource));
        all.map(|(id, resource)| (id.as_str(), self.settled(&resource["Properties"]))).collect()
    }

    /// Whether the condition of a resource or output is true.
    pub fn exists(&self, resource: &Value) -> bool {
        resource.get("Condition").is_none_or(|condition| self.holds(&json!({ "Condition": condition })) == Some(true))
    }

    /// Resolves parameters, conditions and mappings.
    pub fn settled(&self, value: &Value) -> Value {
        match value {
            Value::Array(all) => all.iter().map(|one| self.settled(one)).filter(|one| !one.is_null()).collect(),
            Value::Object(fields) => self.function(fields).unwrap_or_else(|| {
                let fields = fields.iter().map(|(name, value)| (name.clone(), self.settled(value)));
                fields.filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
            }),
            other => other.clone(),
        }
    }

    fn function(&self, fields: &Map<String, Value>) -> Option<Value> {
        let (name, of) = fields.iter().next().filter(|_| fields.len() == 1)?;
        match name.as_str() {
            "Ref" if of == "AWS::NoValue" => Some(Value::Null),
            "Ref" => self.parameters.get(of.as_str()?).cloned(),
            "Fn::If" => {
                let holds = self.holds(&json!({ "Condition": of[0] }))?;
                Some(self.settled(&of[if holds { 1 } else { 2 }]))
            }
            "Fn::FindInMap" => {
                let [map, first, second] = [0, 1, 2].map(|index| plain(&self.settled(&of[index])));
                Some(self.document["Mappings"][map][first][second].clone())
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

    /// The value of a condition function, if it is one of those that the template uses.
    pub fn holds(&self, condition: &Value) -> Option<bool> {
        let (name, of) = condition.as_object()?.iter().next()?;
        match name.as_str() {
            "Condition" => self.holds(&self.document["Conditions"][of.as_str()?]),
            "Fn::Equals" => {
                let [one, other] = [&of[0], &of[1]].map(|side| plain(&self.settled(side)));
                Some(one == other)
            }
            "Fn::Not" => self.holds(&of[0]).map(|holds| !holds),
            "Fn::And" => of.as_array()?.iter().map(|one| self.holds(one)).try_fold(true, |all, one| Some(all && one?)),
            _ => None,
        }
    }
}

/// Numbers and booleans may also be strings, depending on the parser.
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A number, or a string with one.
pub fn number(value: &Value) -> Result<u64> {
    plain(value).parse().with_context(|| format!("{value} is no number"))
}

/// The resource that a `Ref` or `Fn::GetAtt` names.
pub fn named(value: &Value) -> Result<&str> {
    let of = value.get("Ref").or_else(|| value["Fn::GetAtt"].get(0)).or_else(|| value.get("Fn::GetAtt"));
    let id = of.and_then(Value::as_str).with_context(|| format!("{value} names nothing"))?;
    Ok(id.split('.').next().unwrap_or(id))
}
