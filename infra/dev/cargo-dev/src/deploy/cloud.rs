//! Calls of CloudFormation for one stack.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::types::{Capability, ChangeSetStatus, ChangeSetType, Parameter, Stack, StackStatus, Tag};

use super::aws_error::{describe, has_code};
use super::changes::Change;
use super::events::{Event, Log};
use super::parameters::{Parameters, Source, Values};
use super::poll::Poll;
use super::state::{Target, is_in_progress, is_success};

/// Beginnings of CloudFormation's reasons for a change set without changes.
const EMPTY: [&str; 2] = ["The submitted information didn't contain changes", "No updates are to be performed"];

/// CloudFormation, for the stack of a deployment.
pub(crate) struct Cloud<'a> {
    pub(crate) client: Client,
    pub(crate) target: &'a Target,
}

/// What a change set is made of.
pub(crate) struct Request<'a> {
    pub(crate) kind: ChangeSetType,
    pub(crate) template_url: &'a str,
    pub(crate) parameters: &'a Parameters,
    pub(crate) tags: &'a Values,
    pub(crate) role: Option<&'a str>,
}

/// A change set that can be executed.
#[derive(Debug)]
pub(crate) struct ChangeSet {
    pub(crate) id: String,
    pub(crate) stack_id: String,
    pub(crate) changes: Vec<Change>,
}

impl Cloud<'_> {
    /// The stack with this name or id, if it exists.
    pub(crate) async fn stack(&self, name: &str) -> Result<Option<Stack>> {
        match self.client.describe_stacks().stack_name(name).send().await {
            Ok(stacks) => Ok(stacks.stacks.unwrap_or_default().into_iter().next()),
            Err(error) if has_code(&error, "ValidationError") => Ok(None),
            Err(error) => bail!("cannot describe the stack {name}: {}", describe(&error)),
        }
    }

    /// Creates a change set; `None` if there is nothing to change.
    pub(crate) async fn create_change_set(&self, name: &str, request: &Request<'_>) -> Result<Option<ChangeSet>> {
        let create = self.client.create_change_set().stack_name(&self.target.stack).change_set_name(name);
        let create = create.change_set_type(request.kind.clone()).template_url(request.template_url);
        let create = create.capabilities(Capability::CapabilityIam).capabilities(Capability::CapabilityAutoExpand);
        let parameters = request.parameters.sent.iter().map(|(name, source)| parameter(name, source)).collect();
        let tags: Vec<_> =
            request.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        // Without tags, the stack keeps its own.
        let create = create.set_parameters(Some(parameters)).set_tags((!tags.is_empty()).then_some(tags));
        let created = match create.set_role_arn(request.role.map(str::to_owned)).send().await {
            Ok(created) => created,
            Err(error) => bail!("cannot create a change set: {}", describe(&error)),
        };
        let id = created.id().context("the change set has no id")?.to_owned();
        let stack_id = created.stack_id().unwrap_or(&self.target.stack).to_owned();
        let changes = self.changes(&id).await?;
        if changes.is_none() {
            self.delete_change_set(&id).await?;
        }
        Ok(changes.map(|changes| ChangeSet { id, stack_id, changes }))
    }

    /// Waits for a change set and reads its changes; `None` if it has none.
    async fn changes(&self, id: &str) -> Result<Option<Vec<Change>>> {
        let mut poll = Poll::new();
        let mut changes = Vec::new();
        let mut page = None;
        loop {
            let described =
                match self.client.describe_change_set().change_set_name(id).set_next_token(page).send().await {
                    Ok(described) => described,
                    Err(error) => bail!("cannot describe the change set: {}", describe(&error)),
                };
            match described.status() {
                Some(ChangeSetStatus::CreateComplete) => {}
                Some(ChangeSetStatus::Failed) => {
                    let reason = described.status_reason().unwrap_or_default();
                    if EMPTY.iter().any(|empty| reason.starts_with(empty)) {
                        return Ok(None);
                    }
                    bail!("CloudFormation rejects the template: {reason}");
                }
                _ => {
                    page = None;
                    poll.wait().await;
                    continue;
                }
            }
            changes.extend(described.changes().iter().filter_map(|change| change.resource_change()).map(Change::from));
            page = described.next_token;
            if page.is_none() {
                return Ok(Some(changes));
            }
        }
    }

    /// Deletes a change set.
    pub(crate) async fn delete_change_set(&self, id: &str) -> Result<()> {
        match self.client.delete_change_set().change_set_name(id).send().await {
            Ok(_) => Ok(()),
            Err(error) => bail!("cannot delete the change set: {}", describe(&error)),
        }
    }

    /// Deletes a stack of which only a change set existed.
    pub(crate) async fn delete_empty_stack(&self, stack_id: &str) -> Result<()> {
        let stack = self.stack(stack_id).await?;
        if stack.and_then(|stack| stack.stack_status) != Some(StackStatus::ReviewInProgress) {
            return Ok(());
        }
        match self.client.delete_stack().stack_name(stack_id).send().await {
            Ok(_) => Ok(()),
            Err(error) => bail!("cannot delete the empty stack: {}", describe(&error)),
        }
    }

    /// Executes a change set, reports its events until the end, and returns the stack.
    pub(crate) async fn execute(&self, change_set: &ChangeSet, report: impl Fn(&Event)) -> Result<Stack> {
        let stack_id = &change_set.stack_id;
        let mut log = Log::default();
        // The newest page is enough: the events of this operation come before it.
        log.skip(&self.event_page(stack_id, None).await?.0);
        if let Err(error) = self.client.execute_change_set().change_set_name(&change_set.id).send().await {
            bail!("cannot execute the change set: {}", describe(&error));
        }
        let followed = self.follow(stack_id, &mut log, report).await;
        let stack = followed.with_context(|| {
            let events = self.target.command("describe-stack-events");
            format!("the deployment continues, but its progress cannot be read: see `{events}`")
        })?;
        match stack.stack_status() {
            Some(status) if is_success(status) => Ok(stack),
            status => {
                let status = status.map(StackStatus::as_str).unwrap_or_default();
                let causes: String = log.causes().iter().map(|cause| format!("\n  {cause}")).collect();
                bail!("the deployment failed; the stack {} is {status}{causes}", self.target.stack)
            }
        }
    }

    /// Reports events until CloudFormation has finished.
    async fn follow(&self, stack_id: &str, log: &mut Log, report: impl Fn(&Event)) -> Result<Stack> {
        let mut poll = Poll::new();
        let mut has_started = false;
        loop {
            poll.wait().await;
            // The events come before the status: until the first one, the stack has the status of its last operation.
            let events = self.events(stack_id, log).await?;
            has_started |= !log.take(&events).into_iter().inspect(|event| report(event)).collect::<Vec<_>>().is_empty();
            let stack = self.stack(stack_id).await?.context("the stack is gone")?;
            if has_started && !stack.stack_status().is_some_and(is_in_progress) {
                let events = self.events(stack_id, log).await?;
                log.take(&events).into_iter().for_each(&report);
                return Ok(stack);
            }
        }
    }

    /// Events that the log does not have, newest first.
    async fn events(&self, stack_id: &str, log: &Log) -> Result<Vec<Event>> {
        let (mut events, mut page) = self.event_page(stack_id, None).await?;
        while page.is_some() && !events.iter().any(|event| log.has(event)) {
            let (older, next) = self.event_page(stack_id, page).await?;
            events.extend(older);
            page = next;
        }
        Ok(events)
    }

    /// A page of events, and the token of the next one.
    async fn event_page(&self, stack_id: &str, page: Option<String>) -> Result<(Vec<Event>, Option<String>)> {
        match self.client.describe_stack_events().stack_name(stack_id).set_next_token(page).send().await {
            Ok(listed) => Ok((listed.stack_events().iter().map(Event::from).collect(), listed.next_token)),
            Err(error) => bail!("cannot read the events of the stack: {}", describe(&error)),
        }
    }

    /// Protects the stack against deletion.
    pub(crate) async fn protect(&self) -> Result<()> {
        let update = self.client.update_termination_protection().stack_name(&self.target.stack);
        match update.enable_termination_protection(true).send().await {
            Ok(_) => Ok(()),
            Err(error) => bail!("cannot enable termination protection: {}", describe(&error)),
        }
    }
}

fn parameter(name: &str, source: &Source) -> Parameter {
    let parameter = Parameter::builder().parameter_key(name);
    match source {
        Source::Given(value) => parameter.parameter_value(value),
        Source::Previous => parameter.use_previous_value(true),
    }
    .build()
}

/// The parameters of a stack.
pub(crate) fn parameters_of(stack: &Stack) -> Values {
    let pairs = stack.parameters().iter().filter_map(|parameter| {
        Some((parameter.parameter_key()?.to_owned(), parameter.parameter_value().unwrap_or_default().to_owned()))
    });
    pairs.collect()
}

/// The outputs of a stack.
pub(crate) fn outputs_of(stack: &Stack) -> BTreeMap<&str, &str> {
    stack.outputs().iter().filter_map(|output| Some((output.output_key()?, output.output_value()?))).collect()
}

#[cfg(test)]
#[path = "cloud_tests.rs"]
mod tests;
