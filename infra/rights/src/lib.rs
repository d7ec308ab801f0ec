//! What the deployed roles may do, by the policies that CloudFormation made of the template: an emulator enforces none,
//! so that one which is too narrow would be found on AWS only, and one which is too wide never.
//!
//! The decision is that of `iam-rs`, which reads policies as IAM does. What is not settled by IAM's own documents is
//! how DynamoDB fills `dynamodb:LeadingKeys` for a transaction, so that [`Call`] may hold all keys of an action at once:
//! what is allowed so is allowed for each of them alone too.

mod calls;
mod lambda;
mod stack;

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use iam_rs::{
    Arn, Context, ContextValue, Decision, IAMEffect, IAMPolicy, IAMRequest, IAMResource, PolicyEvaluator, Principal,
    PrincipalId,
};
use serde::Deserialize;

pub use calls::{Review, review};
pub use lambda::{LOGGING, READING};

/// What IAM is asked, as the emulator noted it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Call {
    /// Such as `dynamodb:PutItem`.
    pub action: String,
    /// An ARN.
    pub resource: String,
    /// Of the table: the partitions that it touches (`dynamodb:LeadingKeys`).
    #[serde(default)]
    pub keys: Vec<String>,
    /// The transaction that it is part of (`dynamodb:EnclosingOperation`).
    #[serde(default)]
    pub enclosing: Option<String>,
}

/// The policies of each role and each managed policy of a stack.
#[derive(Debug, Default)]
pub struct Rights {
    /// By logical id: `SsoRole`, `AliasMapPolicy`.
    holders: BTreeMap<String, Vec<IAMPolicy>>,
    /// Logical ids of roles by their names.
    roles: BTreeMap<String, String>,
    /// Policies of AWS' own that roles have.
    of_aws: Vec<(String, String)>,
}

impl Rights {
    /// Who has policies, by logical id.
    pub fn holders(&self) -> impl Iterator<Item = &str> {
        self.holders.keys().map(String::as_str)
    }

    /// Policies that AWS made and roles have, each with the logical id of its role. What they allow, most of them allow
    /// everywhere, and AWS may change it.
    pub fn policies_of_aws(&self) -> &[(String, String)] {
        &self.of_aws
    }

    /// What is allowed at more than what the stack itself names: each such statement's holder, actions and resource.
    pub fn allowed_anywhere(&self) -> Vec<(&str, String, String)> {
        let all =
            self.holders.iter().flat_map(|(holder, policies)| policies.iter().map(move |policy| (holder, policy)));
        let all = all.flat_map(|(holder, policy)| policy.statement.iter().map(move |one| (holder, one)));
        let mut wide = Vec::new();
        for (holder, statement) in all.filter(|(_, statement)| statement.effect == IAMEffect::Allow) {
            let resources = match &statement.resource {
                Some(IAMResource::Single(resource)) => std::slice::from_ref(resource),
                Some(IAMResource::Multiple(resources)) => resources.as_slice(),
                // By `NotResource`: everything but what is named.
                None => &["*".to_owned()],
            };
            for resource in resources.iter().filter(|resource| is_wide(resource)) {
                wide.push((holder.as_str(), format!("{:?}", statement.action), resource.clone()));
            }
        }
        wide
    }

    /// Whether a role, or whoever has a managed policy and nothing else, may do that.
    pub fn allow(&self, holder: &str, call: &Call) -> Result<bool> {
        let policies = self.holders.get(holder).with_context(|| format!("the stack has no {holder}"))?;
        decide(policies, call)
    }

    /// The same, if the role were given this policy besides.
    pub fn allow_with(&self, holder: &str, policy: &str, call: &Call) -> Result<bool> {
        let mut policies = self.holders.get(holder).with_context(|| format!("the stack has no {holder}"))?.clone();
        policies.push(serde_json::from_str(policy)?);
        decide(&policies, call)
    }
}

/// Without a wildcard it names one thing, and the streams of one log group are one too.
fn is_wide(resource: &str) -> bool {
    let of_one_log = resource.strip_suffix(":*").filter(|group| group.contains(":log-group:"));
    of_one_log.unwrap_or(resource).contains(['*', '?'])
}

fn decide(policies: &[IAMPolicy], call: &Call) -> Result<bool> {
    let resource = Arn::parse(&call.resource).with_context(|| format!("{} is no ARN", call.resource))?;
    let mut context = Context::new();
    if !call.keys.is_empty() {
        context.insert("dynamodb:LeadingKeys".to_owned(), ContextValue::StringList(call.keys.clone()));
    }
    if let Some(enclosing) = &call.enclosing {
        context.insert("dynamodb:EnclosingOperation".to_owned(), ContextValue::String(enclosing.clone()));
    }
    // Policies of roles name no principal: whoever has the role is meant.
    let principal = Principal::Aws(PrincipalId::String("arn:aws:iam::000000000000:role/any".to_owned()));
    let request = IAMRequest::new_with_context(principal, call.action.as_str(), resource, context);
    let evaluated = PolicyEvaluator::with_policies(policies.to_vec()).evaluate(&request);
    let decision = evaluated.map_err(|error| anyhow::anyhow!("{}: {error}", call.action))?.decision;
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

    /// The rules of IAM that the template leans on: the evaluation is somebody else's, and says of itself that it may err.
    #[rstest::rstest]
    #[case::one_key(&["MEMBER#1"], true)]
    #[case::all_keys(&["MEMBER#1", "OUTBOX"], true)]
    #[case::one_of_them_is_not_theirs(&["MEMBER#1", "AUDIT#ubuntu.com#2026-11"], false)]
    #[case::what_begins_alike_is_another(&["OUTBOX2"], false)]
    #[case::no_key_at_all(&[], false)]
    fn all_keys_must_be_ours(#[case] keys: &[&str], #[case] allowed: bool) {
        let policies = policy(
            r#"{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:Get*"],"Resource":"TABLE","Condition":{
                "Null":{"dynamodb:LeadingKeys":"false"},
                "ForAllValues:StringLike":{"dynamodb:LeadingKeys":["MEMBER#*","OUTBOX"]}}}"#,
        );
        assert_eq!(decide(&policies, &call("dynamodb:PutItem", keys, None)).unwrap(), allowed);
        assert_eq!(decide(&policies, &call("dynamodb:GetItem", keys, None)).unwrap(), allowed);
        assert!(!decide(&policies, &call("dynamodb:DeleteItem", keys, None)).unwrap());
        let other = Call { resource: format!("{TABLE}/index/by-member"), ..call("dynamodb:PutItem", keys, None) };
        assert!(!decide(&policies, &other).unwrap());
    }

    #[test]
    fn without_the_null_condition_no_key_would_be_every_key() {
        let policies = policy(
            r#"{"Effect":"Allow","Action":"dynamodb:Scan","Resource":"TABLE","Condition":{
                "ForAllValues:StringLike":{"dynamodb:LeadingKeys":["MEMBER#*"]}}}"#,
        );
        assert!(decide(&policies, &call("dynamodb:Scan", &[], None)).unwrap());
    }

    #[rstest::rstest]
    #[case::in_a_transaction("dynamodb:PutItem", &["AUDIT#x"], TRANSACTION, true)]
    #[case::alone("dynamodb:PutItem", &["AUDIT#x"], None, false)]
    #[case::another_partition("dynamodb:PutItem", &["MEMBER#1"], None, true)]
    #[case::among_others("dynamodb:PutItem", &["MEMBER#1", "AUDIT#x"], None, false)]
    #[case::another_action("dynamodb:GetItem", &["AUDIT#x"], None, true)]
    fn a_word_against_goes_before_a_word_for(
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
        assert_eq!(decide(&policies, &call(action, keys, enclosing)).unwrap(), allowed);
    }

    #[rstest::rstest]
    #[case::everything("*", true)]
    #[case::every_queue("arn:aws:sqs:us-east-1:000000000000:*", true)]
    #[case::every_log("arn:aws:logs:us-east-1:000000000000:*", true)]
    #[case::logs_of_one_name("arn:aws:logs:us-east-1:000000000000:log-group:sso*:*", true)]
    #[case::streams_of_a_log("arn:aws:logs:us-east-1:000000000000:log-group:sso:*", false)]
    #[case::a_table(TABLE, false)]
    fn a_resource_is_one_thing(#[case] resource: &str, #[case] wide: bool) {
        let one = format!(r#"{{"Effect":"Allow","Action":"any:Thing","Resource":["{TABLE}","{resource}"]}}"#);
        let denied = r#"{"Effect":"Deny","Action":"any:Thing","Resource":"*"}"#;
        let holders = BTreeMap::from([("SsoRole".to_owned(), policy(&format!("{one},{denied}")))]);
        let rights = Rights { holders, ..Rights::default() };
        let found: Vec<_> = rights.allowed_anywhere().into_iter().map(|(_, _, resource)| resource).collect();
        assert_eq!(found, if wide { vec![resource.to_owned()] } else { Vec::new() });
    }
}
