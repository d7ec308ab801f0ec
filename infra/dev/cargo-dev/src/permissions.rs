//! After the end-to-end tests: checks that IAM would have allowed the calls of all functions. The emulators do not
//! enforce IAM.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use membermail_permissions::{Permissions, Review};

use crate::aws::cli;
use crate::stack;

/// The stack of the example community, which tests deploy when they need it (`tests/src/example.rs`), and the file in the
/// state folder that says so.
const EXAMPLE: (&str, &str) = ("membermail-example", "example.json");

/// Checks the recorded calls of each stack against its deployed policies.
pub(crate) fn review(endpoint: &str, state: &Path, calls: &Path) -> Result<()> {
    review_stack(endpoint, stack::NAME, calls)?;
    if state.join(EXAMPLE.1).is_file() {
        review_stack(endpoint, EXAMPLE.0, calls)?;
    }
    Ok(())
}

fn review_stack(endpoint: &str, name: &str, calls: &Path) -> Result<()> {
    let Ok(recorded) = fs::read_to_string(calls) else {
        println!("permissions were not checked: this emulator does not record calls");
        return Ok(());
    };
    let aws = || cli(Some(endpoint));
    let permissions = Permissions::of_stack(&aws, name)?;
    let lambda_calls = permissions.lambda_calls(&aws)?;
    let review = membermail_permissions::review(&permissions, &recorded, lambda_calls)?;
    let Review { calls, lambda_calls, roles, denied, requests } = review;
    let unknown = requests.iter().filter(|(role, call)| {
        let action = call.action.strip_prefix("dynamodb:").unwrap_or(&call.action);
        let is_index = call.resource.contains("/index/");
        !is_index && !membermail_smoke::covers(role, action, &call.keys, call.enclosing.is_some())
    });
    let unknown: Vec<_> =
        unknown.map(|(role, call)| format!("{role}: {} {}", call.action, call.keys.join(", "))).collect();
    if !unknown.is_empty() {
        bail!("the smoke test (infra/dev/smoke/src/shapes.rs) lacks requests:\n  {}", unknown.join("\n  "));
    }
    if !denied.is_empty() {
        bail!("IAM would deny {} calls:\n  {}", denied.len(), denied.join("\n  "));
    }
    println!(
        "permissions of {name}: all {calls} distinct calls of {} functions are allowed, and {lambda_calls} of Lambda itself",
        roles.len()
    );
    Ok(())
}
