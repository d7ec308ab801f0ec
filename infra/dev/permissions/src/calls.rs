//! Checks recorded calls against the permissions of the roles that made them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{Call, Permissions};

/// The result of [`review`].
#[derive(Debug, Default)]
pub struct Review {
    /// Distinct calls made by functions.
    pub calls: usize,
    /// Distinct calls that Lambda itself makes with the functions' roles.
    pub lambda_calls: usize,
    /// Roles with at least one recorded call.
    pub roles: BTreeSet<String>,
    /// Calls that AWS would have denied.
    pub denied: Vec<String>,
    /// Distinct calls of functions to DynamoDB, with the logical id of the role.
    pub requests: Vec<(String, Call)>,
}

#[derive(Deserialize)]
struct RecordedCall {
    role: String,
    #[serde(flatten)]
    call: Call,
}

/// Checks each recorded call (one JSON line each) and Lambda's own calls ([`Permissions::lambda_calls`]) against the
/// permissions of the role. Skips roles of other stacks.
pub fn review(permissions: &Permissions, recorded: &str, lambda_calls: Vec<(String, Call)>) -> Result<Review> {
    let mut review = Review { lambda_calls: lambda_calls.len(), ..Review::default() };
    for (id, call) in lambda_calls {
        if !permissions.allows(&id, &call)? {
            review.denied.push(describe(&id, call));
        }
    }
    for line in recorded.lines() {
        let RecordedCall { role, call } =
            serde_json::from_str(line).with_context(|| format!("invalid recorded call {line}"))?;
        let Some(id) = permissions.roles.get(&role) else { continue };
        review.calls += 1;
        review.roles.insert(id.clone());
        if call.action.starts_with("dynamodb:") {
            review.requests.push((id.clone(), call.clone()));
        }
        if !permissions.allows(id, &call)? {
            review.denied.push(describe(id, call));
        }
    }
    Ok(review)
}

fn describe(id: &str, call: Call) -> String {
    let Call { action, resource, keys, enclosing } = call;
    let within = enclosing.map(|operation| format!(" within {operation}")).unwrap_or_default();
    format!("{id}: {action} on {resource} {}{within}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn review_reports_denied_calls() {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem",
            "Resource":"arn:aws:dynamodb:*:*:table/members",
            "Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["MEMBER#*"]}}}]}"#;
        let permissions = Permissions {
            holders: BTreeMap::from([("SsoRole".to_owned(), vec![serde_json::from_str(policy).unwrap()])]),
            roles: BTreeMap::from([("stack-SsoRole-1".to_owned(), "SsoRole".to_owned())]),
            ..Permissions::default()
        };
        let lines = [("stack-SsoRole-1", "MEMBER#…"), ("stack-SsoRole-1", "AUDIT#…"), ("other", "AUDIT#…")];
        let lines = lines.map(|(role, key)| {
            let table = "arn:aws:dynamodb:us-east-1:000000000000:table/members";
            format!(r#"{{"role":"{role}","action":"dynamodb:GetItem","resource":"{table}","keys":["{key}"]}}"#)
        });
        let resource = "arn:aws:logs:us-east-1:000000000000:log-group:sso:log-stream:one".to_owned();
        let logs = Call { action: "logs:PutLogEvents".to_owned(), resource, keys: Vec::new(), enclosing: None };
        let review = review(&permissions, &lines.join("\n"), vec![("SsoRole".to_owned(), logs)]).unwrap();
        assert_eq!((review.calls, review.lambda_calls, review.roles.len()), (2, 1, 1));
        assert_eq!(review.requests.len(), 2);
        assert_eq!(
            review.denied,
            [
                "SsoRole: logs:PutLogEvents on arn:aws:logs:us-east-1:000000000000:log-group:sso:log-stream:one ",
                "SsoRole: dynamodb:GetItem on arn:aws:dynamodb:us-east-1:000000000000:table/members AUDIT#…"
            ]
        );
    }
}
