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
    let rights = Rights::of_stack(&|| cli(Some(endpoint)), stack::NAME)?;
    let Review { calls, roles, refused } = hold_against(&rights, &notes)?;
    if !refused.is_empty() {
        bail!("AWS would refuse {} kinds of calls:\n  {}", refused.len(), refused.join("\n  "));
    }
    println!("{calls} kinds of calls of {} functions are within their rights", roles.len());
    Ok(())
}
