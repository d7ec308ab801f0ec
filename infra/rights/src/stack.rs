//! The policies of a deployed stack, as IAM gives them.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use iam_rs::IAMPolicy;
use membermail_toolbox::step::quietly;
use serde_json::Value;

use crate::Rights;

impl Rights {
    /// Reads them; `aws` is the command line at the stack's endpoint.
    pub fn of_stack(aws: &dyn Fn() -> Command, stack: &str) -> Result<Self> {
        let resources = answer(aws().args(["cloudformation", "list-stack-resources", "--stack-name", stack]))?;
        let account = answer(aws().args(["iam", "get-account-authorization-details"]))?;
        let rights = Self::new(&resources, &account)?;
        ensure!(!rights.roles.is_empty(), "the stack {stack} has no roles");
        Ok(rights)
    }

    fn new(resources: &Value, account: &Value) -> Result<Self> {
        let mut managed = BTreeMap::new();
        for policy in list(&account["Policies"]) {
            let versions = list(&policy["PolicyVersionList"]);
            let default = versions.filter(|version| version["IsDefaultVersion"] == true).last();
            if let (Some(arn), Some(default)) = (policy["Arn"].as_str(), default) {
                managed.insert(arn.to_owned(), &default["Document"]);
            }
        }
        let of_account: BTreeMap<_, _> =
            list(&account["RoleDetailList"]).filter_map(|role| Some((role["RoleName"].as_str()?, role))).collect();
        let (mut holders, mut roles, mut of_aws) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for resource in list(&resources["StackResourceSummaries"]) {
            let text = |name: &str| resource[name].as_str().unwrap_or_default();
            let (id, name) = (text("LogicalResourceId"), text("PhysicalResourceId"));
            let documents: Vec<&Value> = match text("ResourceType") {
                "AWS::IAM::Role" => {
                    let role = of_account.get(name).with_context(|| format!("IAM does not know the role of {id}"))?;
                    roles.insert(name.to_owned(), id.to_owned());
                    let inline = list(&role["RolePolicyList"]).map(|policy| &policy["PolicyDocument"]);
                    let arns = list(&role["AttachedManagedPolicies"]).filter_map(|one| one["PolicyArn"].as_str());
                    // An emulator does not know what those say.
                    let (aws, ours): (Vec<_>, Vec<_>) = arns.partition(|arn| arn.contains(":iam::aws:"));
                    of_aws.extend(aws.into_iter().map(|arn| (id.to_owned(), arn.to_owned())));
                    let known = |arn: &str| managed.get(arn).copied();
                    let ours: Vec<_> = ours
                        .into_iter()
                        .map(|arn| known(arn).with_context(|| format!("IAM does not know {arn} of {id}")))
                        .collect::<Result<_>>()?;
                    inline.chain(ours).collect()
                }
                "AWS::IAM::ManagedPolicy" => {
                    vec![*managed.get(name).with_context(|| format!("IAM does not know the policy {id}"))?]
                }
                _ => continue,
            };
            let policies = documents.into_iter().map(policy).collect::<Result<_>>();
            holders.insert(id.to_owned(), policies.with_context(|| format!("a policy of {id}"))?);
        }
        Ok(Self { holders, roles, of_aws })
    }
}

/// An emulator may give it as text.
fn policy(document: &Value) -> Result<IAMPolicy> {
    Ok(match document {
        Value::String(text) => serde_json::from_str(text)?,
        value => serde_json::from_value(value.clone())?,
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn answer(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&quietly(command)?).context("what the AWS command line said")
}
