//! The events of a stack, as progress of a deployment.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{ResourceStatus, StackEvent};

/// Reasons of resources that failed only because another one did.
const CONSEQUENCES: [&str; 2] = ["Resource creation cancelled", "Resource update cancelled"];

/// An event of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    id: String,
    status: String,
    kind: String,
    logical_id: String,
    reason: String,
}

impl From<&StackEvent> for Event {
    fn from(event: &StackEvent) -> Self {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Self {
            id: text(event.event_id()),
            status: text(event.resource_status().map(ResourceStatus::as_str)),
            kind: text(event.resource_type()),
            logical_id: text(event.logical_resource_id()),
            reason: text(event.resource_status_reason()),
        }
    }
}

impl Event {
    fn is_failure(&self) -> bool {
        self.status.ends_with("_FAILED")
    }

    fn is_end(&self) -> bool {
        self.is_failure() || self.status.ends_with("_COMPLETE")
    }

    /// The line that reports it: ends of operations only, and why they failed.
    pub(crate) fn line(&self) -> Option<String> {
        let Self { status, kind, logical_id, reason, .. } = self;
        let reason = if self.is_failure() { format!(": {reason}") } else { String::new() };
        self.is_end().then(|| format!("  {status:<24} {logical_id} ({kind}){reason}"))
    }
}

/// The events that have been reported.
#[derive(Debug, Default)]
pub(crate) struct Log {
    seen: BTreeSet<String>,
    causes: Vec<String>,
}

impl Log {
    /// Whether an event has been reported; CloudFormation lists the newest events first.
    pub(crate) fn has(&self, event: &Event) -> bool {
        self.seen.contains(&event.id)
    }

    /// Takes the events of earlier operations without reporting them.
    pub(crate) fn skip(&mut self, events: &[Event]) {
        self.seen.extend(events.iter().map(|event| event.id.clone()));
    }

    /// Takes listed events, newest first, and returns the new ones in their order of time.
    pub(crate) fn take<'a>(&mut self, newest_first: &'a [Event]) -> Vec<&'a Event> {
        let mut new = Vec::new();
        for event in newest_first.iter().rev() {
            if self.seen.insert(event.id.clone()) {
                if event.is_failure() && !CONSEQUENCES.iter().any(|reason| event.reason.starts_with(reason)) {
                    self.causes.push(format!("{}: {}", event.logical_id, event.reason));
                }
                new.push(event);
            }
        }
        new
    }

    /// Why the operation failed.
    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, logical_id: &str, status: &str, reason: &str) -> Event {
        let event = StackEvent::builder().event_id(id).logical_resource_id(logical_id).resource_type("AWS::SQS::Queue");
        Event::from(&event.resource_status(status.into()).resource_status_reason(reason).build())
    }

    /// A failed creation, newest first.
    fn failed() -> Vec<Event> {
        vec![
            event("5", "SyncQueue", "CREATE_FAILED", "Resource creation cancelled"),
            event("4", "WriteQueue", "CREATE_FAILED", "The queue name is invalid"),
            event("3", "NotifyQueue", "CREATE_COMPLETE", ""),
            event("2", "WriteQueue", "CREATE_IN_PROGRESS", ""),
            event("1", "membermail", "CREATE_IN_PROGRESS", "User Initiated"),
        ]
    }

    #[test]
    fn ends_are_reported_in_order() {
        let mut log = Log::default();
        let events = failed();
        let lines: Vec<_> = log.take(&events).into_iter().filter_map(Event::line).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn event_is_reported_once() {
        let mut log = Log::default();
        let events = failed();
        log.skip(&events[4..]);
        assert!(log.has(&events[4]) && !log.has(&events[3]));
        assert_eq!(log.take(&events[2..]), [&events[3], &events[2]]);
        assert_eq!(log.take(&events), [&events[1], &events[0]]);
        assert!(log.take(&events).is_empty());
    }

    #[test]
    fn cancelled_resource_is_no_cause() {
        let mut log = Log::default();
        log.take(&failed());
        assert_eq!(log.causes(), ["WriteQueue: The queue name is invalid"]);
    }
}
