//! What functions did, held against what their roles may do.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{Call, Rights};

/// What came of it.
#[derive(Debug, Default)]
pub struct Review {
    /// Kinds of calls of functions.
    pub calls: usize,
    /// Kinds of calls that Lambda makes as them.
    pub of_lambda: usize,
    /// Roles that did something.
    pub roles: BTreeSet<String>,
    /// What AWS would have refused.
    pub refused: Vec<String>,
}

#[derive(Deserialize)]
struct Noted {
    role: String,
    #[serde(flatten)]
    call: Call,
}

/// Holds each line of notes against the rights of its role, and what Lambda does as that role
/// ([`Rights::calls_of_lambda`]). Roles of other stacks are passed over.
pub fn review(rights: &Rights, notes: &str, of_lambda: Vec<(String, Call)>) -> Result<Review> {
    let mut review = Review { of_lambda: of_lambda.len(), ..Review::default() };
    for (id, call) in of_lambda {
        if !rights.allow(&id, &call)? {
            review.refused.push(refusal(&id, call));
        }
    }
    for line in notes.lines() {
        let Noted { role, call } = serde_json::from_str(line).with_context(|| format!("the note {line}"))?;
        let Some(id) = rights.roles.get(&role) else { continue };
        review.calls += 1;
        review.roles.insert(id.clone());
        if !rights.allow(id, &call)? {
            review.refused.push(refusal(id, call));
        }
    }
    Ok(review)
}

fn refusal(id: &str, call: Call) -> String {
    let Call { action, resource, keys, enclosing } = call;
    let within = enclosing.map(|operation| format!(" within {operation}")).unwrap_or_default();
    format!("{id}: {action} on {resource} {}{within}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_policy_that_is_too_narrow_is_seen() {
        let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:GetItem",
            "Resource":"arn:aws:dynamodb:*:*:table/members",
            "Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["MEMBER#*"]}}}]}"#;
        let rights = Rights {
            holders: BTreeMap::from([("SsoRole".to_owned(), vec![serde_json::from_str(policy).unwrap()])]),
            roles: BTreeMap::from([("stack-SsoRole-1".to_owned(), "SsoRole".to_owned())]),
            ..Rights::default()
        };
        let note = |role: &str, key: &str| {
            let table = "arn:aws:dynamodb:us-east-1:000000000000:table/members";
            format!(r#"{{"role":"{role}","action":"dynamodb:GetItem","resource":"{table}","keys":["{key}"]}}"#)
        };
        let notes = [note("stack-SsoRole-1", "MEMBER#…"), note("stack-SsoRole-1", "AUDIT#…"), note("other", "AUDIT#…")];
        let resource = "arn:aws:logs:us-east-1:000000000000:log-group:sso:log-stream:one".to_owned();
        let logs = Call { action: "logs:PutLogEvents".to_owned(), resource, keys: Vec::new(), enclosing: None };
        let review = review(&rights, &notes.join("\n"), vec![("SsoRole".to_owned(), logs)]).unwrap();
        assert_eq!((review.calls, review.of_lambda, review.roles.len()), (2, 1, 1));
        assert_eq!(
            review.refused,
            [
                "SsoRole: logs:PutLogEvents on arn:aws:logs:us-east-1:000000000000:log-group:sso:log-stream:one ",
                "SsoRole: dynamodb:GetItem on arn:aws:dynamodb:us-east-1:000000000000:table/members AUDIT#…"
            ]
        );
    }
}
