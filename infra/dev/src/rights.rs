//! After all stories: whether AWS would have let the functions do what they did. No emulator here asks IAM.

use std::fs;
use std::path::Path;

use anyhow::{Result, bail};
use membermail_rights::{Review, Rights, review as hold_against};

use crate::aws::cli;
use crate::stack;

/// Holds what functions did against the policies that were deployed.
pub(crate) fn review(endpoint: &str, notes: &Path) -> Result<()> {
    let Ok(notes) = fs::read_to_string(notes) else {
        println!("what functions may do was not looked at: this emulator does not note what they ask for");
        return Ok(());
    };
    let aws = || cli(Some(endpoint));
    let rights = Rights::of_stack(&aws, stack::NAME)?;
    let Review { calls, of_lambda, roles, refused } = hold_against(&rights, &notes, rights.calls_of_lambda(&aws)?)?;
    if !refused.is_empty() {
        bail!("AWS would refuse {} kinds of calls:\n  {}", refused.len(), refused.join("\n  "));
    }
    println!(
        "{calls} kinds of calls of {} functions, and {of_lambda} of Lambda's as them, are within their rights",
        roles.len()
    );
    Ok(())
}
