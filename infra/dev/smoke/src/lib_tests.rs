//! The requests are those that the template's policies allow, and all of them.

use std::collections::BTreeSet;
use std::path::Path;

use membermail_permissions::template::{ACCOUNT, REGION, Template};
use membermail_permissions::{Call, is_call_allowed};
use serde_json::Value;

use super::*;

fn template() -> Template {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../template.yaml");
    Template::read(&path, "membermail", &[("Community", "ubuntu")]).unwrap()
}

fn call(action: &str, keys: &BTreeSet<&str>, is_transaction: bool) -> Call {
    let keys =
        keys.iter().map(|prefix| if prefix.ends_with('#') { format!("{prefix}1") } else { (*prefix).to_owned() });
    Call {
        action: format!("dynamodb:{action}"),
        resource: format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/membermail-Table-1A2B3C"),
        keys: keys.collect(),
        enclosing: is_transaction.then(|| "TransactWriteItems".to_owned()),
    }
}

#[test]
fn template_allows_every_shape() {
    let template = template();
    for shapes in SHAPES {
        let mut policies = template.policies(shapes.holder).unwrap();
        policies.extend(template.policies("AuditAppendOnlyPolicy").unwrap());
        for request in shapes.requests {
            for (action, keys) in request.authorizations() {
                let call = call(action, &keys, request.is_transaction());
                assert!(is_call_allowed(&policies, &call).unwrap(), "{}: {request}", shapes.holder);
            }
        }
    }
}

/// A permission that no request needs is either too much, or the request is missing here.
#[test]
fn shapes_use_every_permission() {
    let template = template();
    let mut unused = Vec::new();
    for shapes in SHAPES {
        let used: BTreeSet<_> = shapes
            .requests
            .iter()
            .flat_map(Request::authorizations)
            .flat_map(|(action, keys)| keys.into_iter().map(move |key| (action.to_owned(), key.to_owned())))
            .collect();
        let policies = serde_json::to_value(template.policies(shapes.holder).unwrap()).unwrap();
        for statement in policies.as_array().unwrap().iter().flat_map(|policy| list(&policy["Statement"])) {
            let keys = &statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            for (action, key) in list(&statement["Action"]).flat_map(|action| list(keys).map(move |key| (action, key)))
            {
                let action = action.as_str().unwrap().trim_start_matches("dynamodb:").to_owned();
                let key = key.as_str().unwrap().trim_end_matches('*').to_owned();
                if !used.contains(&(action.clone(), key.clone())) {
                    unused.push(format!("{}: {action} {key}", shapes.holder));
                }
            }
        }
    }
    assert!(unused.is_empty(), "{unused:#?}");
}

/// A list, or the only element of one.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let single = (!value.is_array() && !value.is_null()).then_some(value);
    value.as_array().into_iter().flatten().chain(single)
}

#[rstest::rstest]
#[case::single("GetItem", &["MEMBER#…"], false, true)]
#[case::transaction("PutItem", &["NONCE#…", "STATE#…"], true, true)]
#[case::part_of_one("PutItem", &["NONCE#…"], true, true)]
#[case::not_in_one("PutItem", &["NONCE#…"], false, false)]
#[case::other_kind("PutItem", &["DOMAIN#…"], true, false)]
#[case::mixed("PutItem", &["NONCE#…", "SESSION#…"], true, false)]
fn recorded_request_is_found(#[case] action: &str, #[case] keys: &[&str], #[case] enclosed: bool, #[case] found: bool) {
    let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    assert_eq!(covers("SsoRole", action, &keys, enclosed), found);
}

#[test]
fn denied_request_is_named() {
    let results = [
        (Request::Get("MEMBER#"), Verdict::Allowed),
        (Request::Transaction(&[(Part::Update, "MEMBER#"), (Part::Put, "AUDIT#")]), Verdict::Denied),
        (Request::QueryIndex, Verdict::Failed("the request timed out".to_owned())),
    ];
    let check = check_requests("WriteAliasesRole", &results);
    assert_eq!(check.found, "1 of 3 kinds of requests allowed");
    let Outcome::Failed(reason) = check.outcome else { panic!("{:?}", check.outcome) };
    assert_eq!(
        reason,
        "denied: transaction of PutItem AUDIT#, UpdateItem MEMBER#; Query of the index failed: the request timed out"
    );
}

#[test]
fn unknown_role_is_rejected() {
    assert_eq!(chosen(&[]).unwrap().len(), SHAPES.len());
    assert_eq!(chosen(&["SsoRole".to_owned()]).unwrap()[0].holder, "SsoRole");
    assert!(chosen(&["Sso".to_owned()]).is_err());
}
