//! What a deployment does with a stack, by the stack's status.

use aws_sdk_cloudformation::types::{ChangeSetType, StackStatus};
use thiserror::Error;

/// Options that repeat this deployment's stack, region and profile in a command of the AWS command line.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) stack: String,
    pub(crate) region: String,
    pub(crate) profile: Option<String>,
}

impl Target {
    /// A command for this stack.
    pub(crate) fn command(&self, command: &str) -> String {
        let profile = self.profile.iter().map(|profile| format!(" --profile {profile}")).collect::<String>();
        format!("aws cloudformation {command} --stack-name {} --region {}{profile}", self.stack, self.region)
    }
}

/// Why a stack cannot be deployed to.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum StateError {
    #[error(
        "the stack {stack} is {status}: its creation failed and it cannot be updated. See the reasons with \
         `{events}`, delete it with `{delete}`, and deploy again"
    )]
    FailedCreation { stack: String, status: String, events: String, delete: String },
    #[error(
        "the stack {stack} is {status}: resources are left that CloudFormation could not delete. A table with deletion \
         protection is one of them; turn the protection off if the table may go. Then run `{delete}`, or \
         `{force}` to leave the resources behind, and deploy again"
    )]
    FailedDeletion { stack: String, status: String, delete: String, force: String },
    #[error(
        "the stack {stack} is {status}: neither the last update nor its rollback succeeded. See the reasons with \
         `{events}`, repair them, run `{continue_rollback}`, and deploy again"
    )]
    FailedRollback { stack: String, status: String, events: String, continue_rollback: String },
    #[error(
        "the stack {stack} is {status}: its last update failed and was not rolled back. Run `{rollback}`, and deploy again"
    )]
    FailedUpdate { stack: String, status: String, rollback: String },
    #[error("the stack {stack} is {status}: wait until this has ended (`{wait}`), and deploy again")]
    InProgress { stack: String, status: String, wait: String },
    #[error("the stack {stack} is {status}, which this version of `cargo dev` does not know")]
    Unknown { stack: String, status: String },
}

/// The type of the change set for a stack of this status; `None` is a stack that does not exist.
pub(crate) fn change_set_type(status: Option<&StackStatus>, target: &Target) -> Result<ChangeSetType, StateError> {
    use StackStatus as S;
    let Some(status) = status else { return Ok(ChangeSetType::Create) };
    let stack = target.stack.clone();
    let name = status.as_str().to_owned();
    let delete = target.command("delete-stack");
    let events = target.command("describe-stack-events");
    Err(match status {
        // A stack of which only a change set exists: nothing has been created.
        S::ReviewInProgress | S::DeleteComplete => return Ok(ChangeSetType::Create),
        S::CreateComplete
        | S::UpdateComplete
        | S::UpdateRollbackComplete
        | S::ImportComplete
        | S::ImportRollbackComplete => return Ok(ChangeSetType::Update),
        S::CreateFailed | S::RollbackComplete => StateError::FailedCreation { stack, status: name, events, delete },
        S::RollbackFailed | S::DeleteFailed => {
            let force = format!("{delete} --deletion-mode FORCE_DELETE_STACK");
            StateError::FailedDeletion { stack, status: name, delete, force }
        }
        S::UpdateRollbackFailed | S::ImportRollbackFailed => {
            let continue_rollback = target.command("continue-update-rollback");
            StateError::FailedRollback { stack, status: name, events, continue_rollback }
        }
        S::UpdateFailed => StateError::FailedUpdate { stack, status: name, rollback: target.command("rollback-stack") },
        _ if is_in_progress(status) => {
            StateError::InProgress { wait: target.command(waiter(status)), stack, status: name }
        }
        _ => StateError::Unknown { stack, status: name },
    })
}

/// Whether CloudFormation is still working on a stack.
pub(crate) fn is_in_progress(status: &StackStatus) -> bool {
    status.as_str().ends_with("_IN_PROGRESS")
}

/// Whether a deployment has succeeded.
pub(crate) fn is_success(status: &StackStatus) -> bool {
    matches!(status, StackStatus::CreateComplete | StackStatus::UpdateComplete)
}

fn waiter(status: &StackStatus) -> &'static str {
    match status {
        StackStatus::CreateInProgress => "wait stack-create-complete",
        StackStatus::DeleteInProgress => "wait stack-delete-complete",
        StackStatus::RollbackInProgress | StackStatus::UpdateRollbackInProgress => "wait stack-rollback-complete",
        _ => "wait stack-update-complete",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(profile: Option<&str>) -> Target {
        Target { stack: "mm".to_owned(), region: "eu-west-1".to_owned(), profile: profile.map(str::to_owned) }
    }

    #[rstest::rstest]
    #[case::absent(None, ChangeSetType::Create)]
    #[case::only_a_change_set(Some(StackStatus::ReviewInProgress), ChangeSetType::Create)]
    #[case::deleted(Some(StackStatus::DeleteComplete), ChangeSetType::Create)]
    #[case::created(Some(StackStatus::CreateComplete), ChangeSetType::Update)]
    #[case::updated(Some(StackStatus::UpdateComplete), ChangeSetType::Update)]
    #[case::rolled_back(Some(StackStatus::UpdateRollbackComplete), ChangeSetType::Update)]
    fn stack_is_created_or_updated(#[case] status: Option<StackStatus>, #[case] expected: ChangeSetType) {
        assert_eq!(change_set_type(status.as_ref(), &target(None)), Ok(expected));
    }

    /// Every status of CloudFormation leads to a change set or to a command.
    #[test]
    fn every_other_status_names_a_command() {
        let mut text = String::new();
        for name in StackStatus::values() {
            if let Err(error) = change_set_type(Some(&StackStatus::from(*name)), &target(None)) {
                text.push_str(&format!("{error}\n"));
            }
        }
        insta::assert_snapshot!(text);
    }

    #[test]
    fn unknown_status_is_reported() {
        let status = StackStatus::from("HIBERNATED");
        let error = change_set_type(Some(&status), &target(None)).unwrap_err().to_string();
        assert_eq!(error, "the stack mm is HIBERNATED, which this version of `cargo dev` does not know");
    }

    #[test]
    fn command_repeats_the_profile() {
        let command = target(Some("prod")).command("delete-stack");
        assert_eq!(command, "aws cloudformation delete-stack --stack-name mm --region eu-west-1 --profile prod");
    }
}
