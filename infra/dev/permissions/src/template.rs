//! A CloudFormation template with its intrinsic functions resolved as a deployment would, without a deployment: names and
//! ARNs of resources get the form that CloudFormation gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use iam_rs::IAMPolicy;
use serde_json::{Map, Value, json};

use crate::yaml;

/// Account of the resolved ARNs.
pub const ACCOUNT: &str = "123456789012";
/// Region of the resolved ARNs.
pub const REGION: &str = "eu-central-1";

/// A template with the values of its parameters.
#[derive(Debug)]
pub struct Template {
    document: Value,
    stack: String,
    parameters: BTreeMap<String, Value>,
}

impl Template {
    /// Reads a template for a stack of this name. Parameters that are not given have their defaults.
    pub fn read(path: &Path, stack: &str, parameters: &[(&str, &str)]) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text, stack, parameters)
    }

    fn parse(text: &str, stack: &str, parameters: &[(&str, &str)]) -> Result<Self> {
        let document = yaml::parse(text)?;
        let declared = document["Parameters"].as_object().context("no parameters")?;
        let mut values: BTreeMap<_, _> =
            declared.iter().map(|(name, one)| (name.clone(), one["Default"].clone())).collect();
        for (name, value) in parameters {
            ensure!(values.insert((*name).to_owned(), json!(value)).is_some(), "the template has no parameter {name}");
        }
        Ok(Self { stack: stack.to_owned(), parameters: values, document })
    }

    /// Names of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }

    /// Names of the outputs.
    pub fn outputs(&self) -> impl Iterator<Item = &str> {
        self.document["Outputs"].as_object().into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// Logical ids of the resources of a type that this deployment creates.
    pub fn resources_of_type(&self, kind: &str) -> Result<Vec<&str>> {
        let mut found = Vec::new();
        for (id, resource) in self.document["Resources"].as_object().into_iter().flatten() {
            let exists = resource["Condition"].as_str().map_or(Ok(true), |name| self.condition(name))?;
            if exists && resource["Type"] == kind {
                found.push(id.as_str());
            }
        }
        Ok(found)
    }

    /// All types of resources, also of those that only other parameters create.
    pub fn types(&self) -> BTreeSet<&str> {
        let resources = self.document["Resources"].as_object().into_iter().flatten();
        resources.filter_map(|(_, resource)| resource["Type"].as_str()).collect()
    }

    /// The resolved properties of a resource.
    pub fn properties(&self, id: &str) -> Result<Value> {
        let resource = self.document["Resources"].get(id).with_context(|| format!("the template has no {id}"))?;
        self.resolve(&resource["Properties"]).with_context(|| id.to_owned())
    }

    /// The inline policies of a role, or the document of a managed policy.
    pub fn policies(&self, id: &str) -> Result<Vec<IAMPolicy>> {
        let properties = self.properties(id)?;
        let inline = properties["Policies"].as_array().into_iter().flatten();
        let documents = inline.chain([&properties]).map(|one| &one["PolicyDocument"]);
        let documents = documents.filter(|document| !document.is_null());
        documents.map(|document| serde_json::from_value(document.clone()).with_context(|| id.to_owned())).collect()
    }

    /// The policy that says who may assume a role.
    pub fn trust_policy(&self, id: &str) -> Result<IAMPolicy> {
        Ok(serde_json::from_value(self.properties(id)?["AssumeRolePolicyDocument"].take())?)
    }

    fn resolve(&self, value: &Value) -> Result<Value> {
        match value {
            Value::Array(all) => {
                let all = all.iter().map(|one| self.resolve(one)).filter(|one| !matches!(one, Ok(Value::Null)));
                Ok(Value::Array(all.collect::<Result<_>>()?))
            }
            Value::Object(fields) => {
                if let Some((name, argument)) = fields.iter().next()
                    && fields.len() == 1
                    && (name == "Ref" || name.starts_with("Fn::"))
                {
                    return self.function(name, argument);
                }
                let mut resolved = Map::new();
                for (name, value) in fields {
                    let value = self.resolve(value)?;
                    // `AWS::NoValue` removes a property.
                    if !value.is_null() {
                        resolved.insert(name.clone(), value);
                    }
                }
                Ok(Value::Object(resolved))
            }
            other => Ok(other.clone()),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Result<Value> {
        match (name, argument) {
            ("Ref", Value::String(name)) => self.reference(name),
            ("Fn::GetAtt", Value::Array(path)) => match path.as_slice() {
                [Value::String(id), Value::String(attribute)] => self.attribute(id, attribute).map(Value::String),
                _ => bail!("invalid Fn::GetAtt {path:?}"),
            },
            ("Fn::If", Value::Array(choice)) => match choice.as_slice() {
                [Value::String(condition), yes, no] => self.resolve(if self.condition(condition)? { yes } else { no }),
                _ => bail!("invalid Fn::If {choice:?}"),
            },
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &Map::new()).map(Value::String),
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(text), Value::Object(names)] => self.substitute(text, names).map(Value::String),
                _ => bail!("invalid Fn::Sub {parts:?}"),
            },
            // What the policies do not contain stays as it is.
            _ => Ok(json!({ name: argument })),
        }
    }

    fn reference(&self, name: &str) -> Result<Value> {
        Ok(match name {
            "AWS::NoValue" => Value::Null,
            "AWS::Partition" => "aws".into(),
            "AWS::Region" => REGION.into(),
            "AWS::AccountId" => ACCOUNT.into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            "AWS::StackName" => self.stack.clone().into(),
            _ => match self.parameters.get(name) {
                Some(value) => value.clone(),
                // The `Ref` of these types is an ARN.
                None if ["ManagedPolicy", "OIDCProvider", "Topic", "Secret"].contains(&self.kind(name)?) => {
                    self.attribute(name, "Arn")?.into()
                }
                None => self.name(name).into(),
            },
        })
    }

    /// The last part of a resource's type.
    fn kind(&self, id: &str) -> Result<&str> {
        let kind = self.document["Resources"][id]["Type"].as_str();
        kind.and_then(|kind| kind.rsplit("::").next()).with_context(|| format!("nothing is called {id}"))
    }

    /// The name that CloudFormation generates for a resource.
    fn name(&self, id: &str) -> String {
        format!("{}-{id}-1A2B3C", self.stack)
    }

    fn attribute(&self, id: &str, attribute: &str) -> Result<String> {
        let name = self.name(id);
        if !attribute.ends_with("Arn") {
            return Ok(format!("{id}.{attribute}"));
        }
        Ok(match self.kind(id)? {
            "Role" => format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
            "ManagedPolicy" => format!("arn:aws:iam::{ACCOUNT}:policy/{name}"),
            "OIDCProvider" => format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"),
            "Bucket" => format!("arn:aws:s3:::{}", name.to_lowercase()),
            "Table" => format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"),
            "Queue" => format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"),
            "Topic" => format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}"),
            // CloudFormation does not begin the name of a secret with that of the stack.
            "Secret" => format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{id}-1A2B3C-d4E5f6"),
            "LogGroup" => format!("arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"),
            "Rule" => format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}"),
            "Function" => format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"),
            "Alarm" => format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"),
            kind => bail!("the ARN of a {kind} is not known"),
        })
    }

    fn substitute(&self, text: &str, names: &Map<String, Value>) -> Result<String> {
        let mut parts = text.split("${");
        let mut result = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').with_context(|| format!("invalid Fn::Sub {text}"))?;
            let value = match (names.get(name), name.split_once('.')) {
                (Some(value), _) => self.resolve(value)?,
                (None, Some((id, attribute))) => self.attribute(id, attribute)?.into(),
                (None, None) => self.reference(name)?,
            };
            match value {
                Value::String(value) => result.push_str(&value),
                value => result.push_str(&value.to_string()),
            }
            result.push_str(rest);
        }
        Ok(result)
    }

    fn condition(&self, name: &str) -> Result<bool> {
        let condition = self.document["Conditions"].get(name).with_context(|| format!("no condition {name}"))?;
        self.decide(condition).with_context(|| name.to_owned())
    }

    fn decide(&self, condition: &Value) -> Result<bool> {
        let (name, argument) = condition.as_object().and_then(|one| one.iter().next()).context("no condition")?;
        let all = || argument.as_array().context("no list");
        Ok(match name.as_str() {
            "Condition" => self.condition(argument.as_str().context("no name")?)?,
            "Fn::Not" => !self.decide(all()?.first().context("no condition")?)?,
            "Fn::And" => all()?.iter().map(|one| self.decide(one)).collect::<Result<Vec<_>>>()?.iter().all(|one| *one),
            "Fn::Or" => all()?.iter().map(|one| self.decide(one)).collect::<Result<Vec<_>>>()?.iter().any(|one| *one),
            "Fn::Equals" => match all()?.as_slice() {
                [one, other] => self.resolve(one)? == self.resolve(other)?,
                _ => bail!("invalid Fn::Equals"),
            },
            _ => bail!("unknown condition {name}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
Parameters:
  Name: { Type: String, Default: "" }
Conditions:
  HasName: !Not [!Equals [!Ref Name, ""]]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: !If [HasName, !Ref Name, !Ref AWS::NoValue]
      Policies:
        - PolicyName: own
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: sqs:SendMessage
                Resource: [!GetAtt Queue.Arn, !Sub "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-*"]
  Queue:
    Type: AWS::SQS::Queue
    Condition: HasName
"#;

    #[test]
    fn functions_are_resolved() {
        let template = Template::parse(TEXT, "site", &[]).unwrap();
        let properties = template.properties("Role").unwrap();
        assert!(properties.get("PermissionsBoundary").is_none());
        let resources = &properties["Policies"][0]["PolicyDocument"]["Statement"][0]["Resource"];
        let queues = ["site-Queue-1A2B3C", "site-*"].map(|name| format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"));
        assert_eq!(*resources, json!(queues));
        assert_eq!(template.policies("Role").unwrap().len(), 1);
        assert_eq!(template.resources_of_type("AWS::SQS::Queue").unwrap(), Vec::<&str>::new());
    }

    #[test]
    fn parameters_decide_conditions() {
        let template = Template::parse(TEXT, "site", &[("Name", "limit")]).unwrap();
        assert_eq!(template.properties("Role").unwrap()["PermissionsBoundary"], "limit");
        assert_eq!(template.resources_of_type("AWS::SQS::Queue").unwrap(), ["Queue"]);
        assert!(Template::parse(TEXT, "site", &[("Nam", "limit")]).is_err());
    }
}
