//! Loads the policies of a deployed stack from IAM.

use std::collections::BTreeMap;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use iam_rs::IAMPolicy;
use membermail_toolbox::step::capture;
use serde_json::Value;

use crate::Permissions;

impl Permissions {
    /// Loads the policies of `stack`. `aws` starts the AWS command line at the stack's endpoint.
    pub fn of_stack(aws: &dyn Fn() -> Command, stack: &str) -> Result<Self> {
        let resources = output(aws().args(["cloudformation", "list-stack-resources", "--stack-name", stack]))?;
        let account = output(aws().args(["iam", "get-account-authorization-details"]))?;
        let permissions = Self::new(&resources, &account)?;
        ensure!(!permissions.roles.is_empty(), "the stack {stack} has no roles");
        Ok(permissions)
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
        let account_roles: BTreeMap<_, _> =
            list(&account["RoleDetailList"]).filter_map(|role| Some((role["RoleName"].as_str()?, role))).collect();
        let mut holders = BTreeMap::new();
        let mut roles = BTreeMap::new();
        let mut aws_managed = Vec::new();
        for resource in list(&resources["StackResourceSummaries"]) {
            let [kind, id, name] = ["ResourceType", "LogicalResourceId", "PhysicalResourceId"]
                .map(|field| resource[field].as_str().unwrap_or_default());
            let documents: Vec<&Value> = match kind {
                "AWS::IAM::Role" => {
                    let role = account_roles.get(name).with_context(|| format!("IAM has no role for {id}"))?;
                    roles.insert(name.to_owned(), id.to_owned());
                    let inline = list(&role["RolePolicyList"]).map(|policy| &policy["PolicyDocument"]);
                    let arns = list(&role["AttachedManagedPolicies"]).filter_map(|one| one["PolicyArn"].as_str());
                    // Emulators do not have the documents of AWS managed policies.
                    let (aws, ours): (Vec<_>, Vec<_>) = arns.partition(|arn| arn.contains(":iam::aws:"));
                    aws_managed.extend(aws.into_iter().map(|arn| (id.to_owned(), arn.to_owned())));
                    let ours: Vec<_> = ours
                        .into_iter()
                        .map(|arn| {
                            managed.get(arn).copied().with_context(|| format!("IAM has no policy {arn} of {id}"))
                        })
                        .collect::<Result<_>>()?;
                    inline.chain(ours).collect()
                }
                "AWS::IAM::ManagedPolicy" => {
                    vec![*managed.get(name).with_context(|| format!("IAM has no policy {id}"))?]
                }
                _ => continue,
            };
            let policies = documents.into_iter().map(policy).collect::<Result<_>>();
            holders.insert(id.to_owned(), policies.with_context(|| format!("invalid policy of {id}"))?);
        }
        Ok(Self { holders, roles, aws_managed })
    }
}

/// Parses a policy document; some emulators return it as a JSON string.
fn policy(document: &Value) -> Result<IAMPolicy> {
    Ok(match document {
        Value::String(text) => serde_json::from_str(text)?,
        value => serde_json::from_value(value.clone())?,
    })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn output(command: &mut Command) -> Result<Value> {
    serde_json::from_str(&capture(command)?).context("invalid output of the AWS command line")
}
