//! Shows a change set, and finds the changes that concern stored data.

use aws_sdk_cloudformation::types::{ChangeAction, Replacement, ResourceChange};
use comfy_table::{Table, presets};
use thiserror::Error;

/// Types of resources whose replacement or removal loses data, or makes the stack start without its data.
const STATEFUL: [(&str, &str); 3] = [
    ("AWS::DynamoDB::Table", "the stack continues with another, empty table"),
    ("AWS::SecretsManager::Secret", "data that is sealed with this secret can no longer be read"),
    ("AWS::SQS::Queue", "messages in this queue are lost"),
];

/// A change of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    action: String,
    logical_id: String,
    kind: String,
    replacement: &'static str,
    /// What happens to the data, if this change concerns it.
    loss: Option<&'static str>,
}

impl From<&ResourceChange> for Change {
    fn from(change: &ResourceChange) -> Self {
        let kind = change.resource_type().unwrap_or_default();
        let replacement = match change.replacement() {
            Some(Replacement::True) => "yes",
            Some(Replacement::Conditional) => "maybe",
            _ => "",
        };
        let action = change.action().map_or("", ChangeAction::as_str);
        let is_loss = action == ChangeAction::Remove.as_str() || !replacement.is_empty();
        let stateful = STATEFUL.iter().find(|(stateful, _)| is_loss && *stateful == kind);
        Self {
            action: action.to_owned(),
            logical_id: change.logical_resource_id().unwrap_or_default().to_owned(),
            kind: kind.to_owned(),
            replacement,
            loss: stateful.map(|(_, loss)| *loss),
        }
    }
}

/// A change set removes or replaces resources with data.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub(crate) struct DataLoss(String);

#[cfg(test)]
impl DataLoss {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A table of all changes; those of data come first.
pub(crate) fn table(changes: &[Change]) -> String {
    let mut sorted: Vec<_> = changes.iter().collect();
    sorted.sort_by_key(|change| (change.loss.is_none(), &change.action, &change.kind, &change.logical_id));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["action", "resource", "type", "replacement"]);
    for Change { action, logical_id, kind, replacement, .. } in sorted {
        table.add_row([action.as_str(), logical_id, kind, replacement]);
    }
    table.lines().map(|line| format!("  {}\n", line.trim_end())).collect()
}

/// One line with the number of changes by action.
pub(crate) fn summary(changes: &[Change]) -> String {
    let of = |action: &str| changes.iter().filter(|change| change.action == action).count();
    let others = changes.len() - of("Add") - of("Modify") - of("Remove");
    let others = if others == 0 { String::new() } else { format!(", {others} other changes") };
    format!("{} to add, {} to modify, {} to remove{others}", of("Add"), of("Modify"), of("Remove"))
}

/// Describes what the changes do to stored data, if anything.
pub(crate) fn data_loss(changes: &[Change]) -> Option<DataLoss> {
    let mut lines: Vec<_> = changes.iter().filter_map(line).collect();
    lines.sort_unstable();
    (!lines.is_empty()).then(|| DataLoss(lines.join("\n")))
}

fn line(change: &Change) -> Option<String> {
    let Change { logical_id, action, replacement, loss, .. } = change;
    let what = match (action.as_str(), *replacement) {
        ("Remove", _) => "leaves the stack",
        (_, "yes") => "is replaced",
        _ => "may be replaced",
    };
    loss.map(|loss| format!("{logical_id} {what}: {loss}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(action: &str, id: &str, kind: &str, replacement: Option<Replacement>) -> Change {
        let change = ResourceChange::builder().action(action.into()).logical_resource_id(id).resource_type(kind);
        Change::from(&change.set_replacement(replacement).build())
    }

    fn changes() -> Vec<Change> {
        vec![
            change("Modify", "Sso", "AWS::Lambda::Function", Some(Replacement::False)),
            change("Add", "Throttles", "AWS::CloudWatch::Alarm", None),
            change("Modify", "ApiDeployment", "AWS::ApiGateway::Deployment", Some(Replacement::True)),
            change("Remove", "OldAlarm", "AWS::CloudWatch::Alarm", None),
            change("Modify", "Table", "AWS::DynamoDB::Table", Some(Replacement::Conditional)),
            change("Remove", "MasterSecret", "AWS::SecretsManager::Secret", None),
            change("Modify", "WriteQueue", "AWS::SQS::Queue", Some(Replacement::True)),
            change("Modify", "NotifyQueue", "AWS::SQS::Queue", Some(Replacement::False)),
            change("Dynamic", "Nested", "AWS::CloudFormation::Stack", None),
        ]
    }

    #[test]
    fn changes_of_data_come_first() {
        insta::assert_snapshot!(table(&changes()));
    }

    #[test]
    fn summary_counts_by_action() {
        assert_eq!(summary(&changes()), "1 to add, 5 to modify, 2 to remove, 1 other changes");
        assert_eq!(summary(&changes()[1..2]), "1 to add, 0 to modify, 0 to remove");
    }

    #[test]
    fn data_loss_is_described() {
        insta::assert_snapshot!(data_loss(&changes()).unwrap());
    }

    #[test]
    fn added_or_modified_data_is_kept() {
        let kept = [
            change("Add", "Table", "AWS::DynamoDB::Table", None),
            change("Modify", "Table", "AWS::DynamoDB::Table", Some(Replacement::False)),
            change("Remove", "Sso", "AWS::Lambda::Function", None),
        ];
        assert_eq!(data_loss(&kept), None);
    }
}
