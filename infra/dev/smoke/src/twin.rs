//! Temporary roles with the policies of the functions' roles. Only Lambda can assume those, and that stays so.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::aws::Aws;
use crate::stack::Resource;

/// The policies of a role, or a managed policy alone.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Policies {
    inline: Vec<(String, String)>,
    managed: Vec<String>,
    boundary: Option<String>,
}

/// The policies of a role of the account, or of a managed policy of the stack.
pub(crate) fn policies(account: &Value, holder: &Resource) -> Result<Policies> {
    let name = &holder.name;
    if holder.kind == "AWS::IAM::ManagedPolicy" {
        return Ok(Policies { managed: vec![name.clone()], ..Policies::default() });
    }
    let mut roles = account["RoleDetailList"].as_array().into_iter().flatten();
    let role = roles.find(|role| role["RoleName"] == name.as_str());
    let role = role.with_context(|| format!("IAM has no role {name}"))?;
    let inline = role["RolePolicyList"].as_array().into_iter().flatten().filter_map(|policy| {
        // Some emulators return the document as text.
        let document = &policy["PolicyDocument"];
        let document = document.as_str().map_or_else(|| document.to_string(), str::to_owned);
        Some((policy["PolicyName"].as_str()?.to_owned(), document))
    });
    let managed = role["AttachedManagedPolicies"].as_array().into_iter().flatten();
    let managed = managed.filter_map(|policy| policy["PolicyArn"].as_str().map(str::to_owned));
    let boundary = role["PermissionsBoundary"]["PermissionsBoundaryArn"].as_str().map(str::to_owned);
    Ok(Policies { inline: inline.collect(), managed: managed.collect(), boundary })
}

/// A temporary role that this caller can assume.
pub(crate) struct Twin<'p> {
    name: String,
    /// The ARN of the role.
    pub(crate) arn: String,
    policies: &'p Policies,
}

impl<'p> Twin<'p> {
    /// Creates the role. Deletes one that an interrupted run left behind.
    pub(crate) fn create(
        aws: &Aws<'_>,
        stack: &str,
        holder: &str,
        caller: &str,
        policies: &'p Policies,
    ) -> Result<Self> {
        let mut twin = Self { name: name(stack, holder), arn: String::new(), policies };
        let trust = trust(caller).to_string();
        let mut create = vec!["iam", "create-role", "--role-name", &twin.name, "--assume-role-policy-document", &trust];
        if let Some(boundary) = &policies.boundary {
            create.extend(["--permissions-boundary", boundary]);
        }
        let created = match aws.json(&create) {
            Err(error) if format!("{error:#}").contains("EntityAlreadyExists") => {
                delete_left_over(aws, &twin.name)?;
                aws.json(&create)?
            }
            created => created?,
        };
        twin.arn = created["Role"]["Arn"].as_str().context("the role has no ARN")?.to_owned();
        let filled = twin.fill(aws);
        if filled.is_err() {
            delete_left_over(aws, &twin.name)?;
        }
        filled.map(|()| twin)
    }

    fn fill(&self, aws: &Aws<'_>) -> Result<()> {
        let role = ["--role-name", &self.name];
        for (name, document) in &self.policies.inline {
            let put = ["iam", "put-role-policy", "--policy-name", name, "--policy-document", document];
            aws.run(&[&put, &role[..]].concat())?;
        }
        for arn in &self.policies.managed {
            aws.run(&[&["iam", "attach-role-policy", "--policy-arn", arn], &role[..]].concat())?;
        }
        Ok(())
    }

    /// Deletes the role.
    pub(crate) fn delete(&self, aws: &Aws<'_>) -> Result<()> {
        let policies = self.policies.inline.iter().map(|(name, _)| name.as_str());
        delete(aws, &self.name, policies, self.policies.managed.iter().map(String::as_str))
    }
}

/// The name of a temporary role; IAM allows 64 characters.
fn name(stack: &str, holder: &str) -> String {
    format!("{stack}-smoke-{holder}").chars().take(64).collect()
}

/// Only the caller may assume the role.
fn trust(caller: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "AWS": caller }, "Action": "sts:AssumeRole" }],
    })
}

fn delete_left_over(aws: &Aws<'_>, name: &str) -> Result<()> {
    let role = ["--role-name", name];
    let policies = aws.json(&[&["iam", "list-role-policies"], &role[..]].concat())?;
    let policies = policies["PolicyNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let attached = aws.json(&[&["iam", "list-attached-role-policies"], &role[..]].concat())?;
    let attached = attached["AttachedPolicies"].as_array().into_iter().flatten();
    delete(aws, name, policies, attached.filter_map(|policy| policy["PolicyArn"].as_str()))
}

fn delete<'n>(
    aws: &Aws<'_>,
    name: &str,
    policies: impl Iterator<Item = &'n str>,
    attached: impl Iterator<Item = &'n str>,
) -> Result<()> {
    let role = ["--role-name", name];
    for policy in policies {
        aws.run(&[&["iam", "delete-role-policy", "--policy-name", policy], &role[..]].concat())?;
    }
    for arn in attached {
        aws.run(&[&["iam", "detach-role-policy", "--policy-arn", arn], &role[..]].concat())?;
    }
    aws.run(&[&["iam", "delete-role"], &role[..]].concat()).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_name_has_64_characters_at_most() {
        assert_eq!(name("membermail", "SsoRole"), "membermail-smoke-SsoRole");
        assert_eq!(name(&"s".repeat(60), "SsoRole").len(), 64);
    }

    #[test]
    fn policies_of_role_are_copied() {
        let holder = |kind: &str, name: &str| Resource { kind: kind.to_owned(), name: name.to_owned() };
        let account = json!({ "RoleDetailList": [{
            "RoleName": "stack-SsoRole-1",
            "RolePolicyList": [
                { "PolicyName": "own", "PolicyDocument": { "Statement": [] } },
                { "PolicyName": "text", "PolicyDocument": "{}" },
            ],
            "AttachedManagedPolicies": [{ "PolicyName": "audit", "PolicyArn": "arn:audit" }],
            "PermissionsBoundary": { "PermissionsBoundaryArn": "arn:boundary" },
        }] });
        let own = policies(&account, &holder("AWS::IAM::Role", "stack-SsoRole-1")).unwrap();
        let inline = [("own", r#"{"Statement":[]}"#), ("text", "{}")];
        assert_eq!(own.inline, inline.map(|(name, document)| (name.to_owned(), document.to_owned())));
        assert_eq!((own.managed, own.boundary), (vec!["arn:audit".to_owned()], Some("arn:boundary".to_owned())));
        let managed = policies(&account, &holder("AWS::IAM::ManagedPolicy", "arn:alias-map")).unwrap();
        assert_eq!(managed, Policies { managed: vec!["arn:alias-map".to_owned()], ..Policies::default() });
        assert!(policies(&account, &holder("AWS::IAM::Role", "gone")).is_err());
    }

    #[test]
    fn only_caller_is_trusted() {
        let trust = trust("arn:aws:iam::123456789012:user/kim");
        assert_eq!(trust["Statement"][0]["Principal"], json!({ "AWS": "arn:aws:iam::123456789012:user/kim" }));
    }
}
