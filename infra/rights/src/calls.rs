//! What functions did, held against what their roles may do.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{Call, Rights};

/// What came of it.
#[derive(Debug, Default)]
pub struct Review {
    /// Kinds of calls of how many roles.
    pub calls: usize,
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

/// Holds each line of notes against the rights of its role. Roles of other stacks are passed over.
pub fn review(rights: &Rights, notes: &str) -> Result<Review> {
    let mut review = Review::default();
    for line in notes.lines() {
        let Noted { role, call } = serde_json::from_str(line).with_context(|| format!("the note {line}"))?;
        let Some(id) = rights.roles.get(&role) else { continue };
        review.calls += 1;
        review.roles.insert(id.clone());
        if !rights.allow(id, &call)? {
            let Call { action, resource, keys, enclosing } = call;
            let within = enclosing.map(|operation| format!(" within {operation}")).unwrap_or_default();
            review.refused.push(format!("{id}: {action} on {resource} {}{within}", keys.join(", ")));
        }
    }
    Ok(review)
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
        };
        let note = |role: &str, key: &str| {
            let table = "arn:aws:dynamodb:us-east-1:000000000000:table/members";
            format!(r#"{{"role":"{role}","action":"dynamodb:GetItem","resource":"{table}","keys":["{key}"]}}"#)
        };
        let notes = [note("stack-SsoRole-1", "MEMBER#…"), note("stack-SsoRole-1", "AUDIT#…"), note("other", "AUDIT#…")];
        let review = review(&rights, &notes.join("\n")).unwrap();
        assert_eq!((review.calls, review.roles.len()), (2, 1));
        assert_eq!(
            review.refused,
            ["SsoRole: dynamodb:GetItem on arn:aws:dynamodb:us-east-1:000000000000:table/members AUDIT#…"]
        );
    }
}
