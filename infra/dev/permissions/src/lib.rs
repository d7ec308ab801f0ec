//! The permissions of the deployed roles, evaluated from the policies that CloudFormation creates from the template.
//! LocalStack does not enforce IAM: without this check, most policies that are too narrow would fail only on AWS, and one that
//! is too broad would never be noticed.
//!
//! `iam-rs` evaluates the policies as IAM does. AWS does not document how DynamoDB fills `dynamodb:LeadingKeys` for a
//! transaction, so a [`Call`] carries all keys of an action at once. A policy that allows this also allows each key alone.

mod calls;
mod lambda;
mod stack;
pub mod template;
pub mod yaml;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMEffect, IAMPolicy, IAMRequest, IAMResource, PolicyEvaluator, Principal,
    PrincipalId,
};
use serde::Deserialize;

pub use calls::{Review, review};
pub use lambda::{LOG_ACTIONS, POLL_ACTIONS};

/// An authorization request, as the emulator records it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Call {
    /// The IAM action: `dynamodb:PutItem`.
    pub action: String,
    /// The ARN of the resource.
    pub resource: String,
    /// Partition keys of the items (`dynamodb:LeadingKeys`); empty for other services.
    #[serde(default)]
    pub keys: Vec<String>,
    /// The enclosing transaction (`dynamodb:EnclosingOperation`).
    #[serde(default)]
    pub enclosing: Option<String>,
}

/// The policies of the roles of a stack, and its managed policies.
#[derive(Debug, Default)]
pub struct Permissions {
    /// Policies by the logical id of a role or managed policy: `SsoRole`, `AliasMapPolicy`.
    holders: BTreeMap<String, Vec<IAMPolicy>>,
    /// Logical ids of roles by role name.
    roles: BTreeMap<String, String>,
    /// Logical ids of roles with the ARNs of attached AWS managed policies.
    aws_managed: Vec<(String, String)>,
}

impl Permissions {
    /// Logical ids of all roles and managed policies.
    pub fn holders(&self) -> impl Iterator<Item = &str> {
        self.holders.keys().map(String::as_str)
    }

    /// AWS managed policies attached to roles, each with the logical id of the role. Most of them apply to every
    /// resource, and AWS may change them.
    pub fn aws_managed_policies(&self) -> &[(String, String)] {
        &self.aws_managed
    }

    /// Statements that allow a wildcard resource: holder, actions and resource of each.
    pub fn wildcard_grants(&self) -> Vec<(&str, String, String)> {
        let all =
            self.holders.iter().flat_map(|(holder, policies)| policies.iter().map(move |policy| (holder, policy)));
        let all = all.flat_map(|(holder, policy)| policy.statement.iter().map(move |one| (holder, one)));
        let mut wide = Vec::new();
        for (holder, statement) in all.filter(|(_, statement)| statement.effect == IAMEffect::Allow) {
            let resources = match &statement.resource {
                Some(IAMResource::Single(resource)) => std::slice::from_ref(resource),
                Some(IAMResource::Multiple(resources)) => resources.as_slice(),
                // `NotResource` matches everything except the named resources.
                None => &["*".to_owned()],
            };
            for resource in resources.iter().filter(|resource| is_wide(resource)) {
                wide.push((holder.as_str(), format!("{:?}", statement.action), resource.clone()));
            }
        }
        wide
    }

    /// Whether the role, or a principal with only this managed policy, may make the call.
    pub fn allows(&self, holder: &str, call: &Call) -> Result<bool> {
        let policies = self.holders.get(holder).with_context(|| format!("the stack has no {holder}"))?;
        is_call_allowed(policies, call)
    }

    /// Whether the role may make the call once `policy` is attached as well.
    pub fn allows_with(&self, holder: &str, policy: &str, call: &Call) -> Result<bool> {
        let mut policies = self.holders.get(holder).with_context(|| format!("the stack has no {holder}"))?.clone();
        policies.push(serde_json::from_str(policy)?);
        is_call_allowed(&policies, call)
    }
}

/// Whether the resource matches more than one thing. The streams of one log group count as one.
fn is_wide(resource: &str) -> bool {
    let log_group = resource.strip_suffix(":*").filter(|group| group.contains(":log-group:"));
    log_group.unwrap_or(resource).contains(['*', '?'])
}

/// Whether the policies of a role allow the call.
pub fn is_call_allowed(policies: &[IAMPolicy], call: &Call) -> Result<bool> {
    let resource = Arn::parse(&call.resource).with_context(|| format!("{} is not an ARN", call.resource))?;
    let mut context = Context::new();
    if !call.keys.is_empty() {
        context.insert("dynamodb:LeadingKeys".to_owned(), ContextValue::StringList(call.keys.clone()));
    }
    if let Some(enclosing) = &call.enclosing {
        context.insert("dynamodb:EnclosingOperation".to_owned(), ContextValue::String(enclosing.clone()));
    }
    // Role policies name no principal, so any principal will do.
    let principal = Principal::Aws(PrincipalId::String("arn:aws:iam::000000000000:role/any".to_owned()));
    decide_request(policies, IAMRequest::new_with_context(principal, call.action.as_str(), resource, context))
}

/// Whether the policies allow a principal an action on a resource. `context` has the condition keys of the request.
pub fn is_allowed(
    policies: &[IAMPolicy],
    principal: Principal,
    (action, resource): (&str, &str),
    context: &[(&str, &str)],
) -> Result<bool> {
    let resource = Arn::parse(resource).with_context(|| format!("{resource} is not an ARN"))?;
    let mut keys = Context::new();
    for (key, value) in context {
        let value = value.parse().map_or_else(|_| ContextValue::String((*value).to_owned()), ContextValue::Boolean);
        keys.insert((*key).to_owned(), value);
    }
    decide_request(policies, IAMRequest::new_with_context(principal, action, resource, keys))
}

fn decide_request(policies: &[IAMPolicy], request: IAMRequest) -> Result<bool> {
    let evaluated = PolicyEvaluator::with_policies(policies.to_vec()).evaluate(&request);
    let decision = evaluated.map_err(|error| anyhow::anyhow!("{}: {error}", request.action))?.decision;
    Ok(decision == Decision::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/members";
    const TRANSACTION: Option<&str> = Some("TransactWriteItems");

    fn policy(statements: &str) -> Vec<IAMPolicy> {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        vec![serde_json::from_str(&text.replace("TABLE", TABLE)).unwrap()]
    }

    fn call(action: &str, keys: &[&str], enclosing: Option<&str>) -> Call {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        Call { action: action.to_owned(), resource: TABLE.to_owned(), keys, enclosing: enclosing.map(str::to_owned) }
    }

    // These tests cover the IAM rules that the template relies on: `iam-rs` does not claim to be complete.
    #[rstest::rstest]
    #[case::one_key(&["MEMBER#1"], true)]
    #[case::all_keys(&["MEMBER#1", "OUTBOX"], true)]
    #[case::one_key_not_allowed(&["MEMBER#1", "AUDIT#ubuntu.com#2026-11"], false)]
    #[case::same_prefix(&["OUTBOX2"], false)]
    #[case::no_key(&[], false)]
    fn all_leading_keys_must_match(#[case] keys: &[&str], #[case] allowed: bool) {
        let policies = policy(
            r#"{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:Get*"],"Resource":"TABLE","Condition":{
                "Null":{"dynamodb:LeadingKeys":"false"},
                "ForAllValues:StringLike":{"dynamodb:LeadingKeys":["MEMBER#*","OUTBOX"]}}}"#,
        );
        assert_eq!(is_call_allowed(&policies, &call("dynamodb:PutItem", keys, None)).unwrap(), allowed);
        assert_eq!(is_call_allowed(&policies, &call("dynamodb:GetItem", keys, None)).unwrap(), allowed);
        assert!(!is_call_allowed(&policies, &call("dynamodb:DeleteItem", keys, None)).unwrap());
        let other = Call { resource: format!("{TABLE}/index/by-member"), ..call("dynamodb:PutItem", keys, None) };
        assert!(!is_call_allowed(&policies, &other).unwrap());
    }

    #[test]
    fn missing_keys_match_without_null_condition() {
        let policies = policy(
            r#"{"Effect":"Allow","Action":"dynamodb:Scan","Resource":"TABLE","Condition":{
                "ForAllValues:StringLike":{"dynamodb:LeadingKeys":["MEMBER#*"]}}}"#,
        );
        assert!(is_call_allowed(&policies, &call("dynamodb:Scan", &[], None)).unwrap());
    }

    #[rstest::rstest]
    #[case::in_a_transaction("dynamodb:PutItem", &["AUDIT#x"], TRANSACTION, true)]
    #[case::alone("dynamodb:PutItem", &["AUDIT#x"], None, false)]
    #[case::another_partition("dynamodb:PutItem", &["MEMBER#1"], None, true)]
    #[case::among_others("dynamodb:PutItem", &["MEMBER#1", "AUDIT#x"], None, false)]
    #[case::another_action("dynamodb:GetItem", &["AUDIT#x"], None, true)]
    fn deny_overrides_allow(
        #[case] action: &str,
        #[case] keys: &[&str],
        #[case] enclosing: Option<&str>,
        #[case] allowed: bool,
    ) {
        let policies = policy(
            r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"},
               {"Effect":"Deny","Action":"dynamodb:PutItem","Resource":"TABLE","Condition":{
                "ForAnyValue:StringLike":{"dynamodb:LeadingKeys":"AUDIT#*"},
                "Null":{"dynamodb:EnclosingOperation":"true"}}}"#,
        );
        assert_eq!(is_call_allowed(&policies, &call(action, keys, enclosing)).unwrap(), allowed);
    }

    #[rstest::rstest]
    #[case::everything("*", true)]
    #[case::every_queue("arn:aws:sqs:us-east-1:000000000000:*", true)]
    #[case::every_log("arn:aws:logs:us-east-1:000000000000:*", true)]
    #[case::logs_of_one_name("arn:aws:logs:us-east-1:000000000000:log-group:sso*:*", true)]
    #[case::streams_of_a_log("arn:aws:logs:us-east-1:000000000000:log-group:sso:*", false)]
    #[case::a_table(TABLE, false)]
    fn wildcard_resources_are_reported(#[case] resource: &str, #[case] wide: bool) {
        let one = format!(r#"{{"Effect":"Allow","Action":"any:Thing","Resource":["{TABLE}","{resource}"]}}"#);
        let denied = r#"{"Effect":"Deny","Action":"any:Thing","Resource":"*"}"#;
        let holders = BTreeMap::from([("SsoRole".to_owned(), policy(&format!("{one},{denied}")))]);
        let permissions = Permissions { holders, ..Permissions::default() };
        let found: Vec<_> = permissions.wildcard_grants().into_iter().map(|(_, _, resource)| resource).collect();
        assert_eq!(found, if wide { vec![resource.to_owned()] } else { Vec::new() });
    }
}
