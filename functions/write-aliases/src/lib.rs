//! The only function that changes aliases: grants addresses to eligible members, applies the steps of plans, and records
//! failed deliveries.

mod apply_steps;
mod collect;
mod delivery_failure;
mod grant;
#[cfg(test)]
mod tests;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use membermail_core::address::DomainName;
use membermail_core::community::Rules;
use membermail_core::member::MemberId;
use membermail_core::message::WriteAliases;
use membermail_runtime::batch::{Retryable, Worker};
use membermail_runtime::environment::{Environment, WorkerVariables};
use membermail_runtime::queue::QueueError;
use membermail_runtime::variables::Variables;
use membermail_store::{Store, StoreError};

/// Default `maxReceiveCount` of the write queue.
const MAX_RECEIVES: u32 = 16;

/// Settings and clients, built once per instance.
pub struct Context {
    worker: Worker,
    domains: Vec<DomainName>,
    rules: Rules,
    store: Store,
    /// The queue of the mail host. Its messages are only ever read as failed deliveries, and no others are.
    failure_queue_arn: String,
    /// Queues of this function without an event source.
    collected_queue_arns: Vec<String>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::of_process();
        let worker = WorkerVariables::read(&mut variables, "WRITE_QUEUE", Some(MAX_RECEIVES));
        let failure_queue_arn = variables.required("DELIVERY_FAILURE_QUEUE_ARN");
        let collected: Option<String> = variables.optional("COLLECTED_QUEUE_ARNS");
        let environment = Environment::load(variables).await?;
        Ok(Self {
            worker: environment.worker("write-aliases", worker),
            domains: environment.community.domain_names().cloned().collect(),
            rules: environment.community.rules,
            store: environment.store,
            failure_queue_arn,
            collected_queue_arns: collected.iter().flat_map(|arns| arns.split(',')).map(str::to_owned).collect(),
        })
    }
}

/// Handles a batch of messages (partial batch response). The queue decides how a message is read: the mail host must not be
/// able to grant an address.
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    // A batch comes from one queue. Should one ever be mixed, none of it may change an alias.
    let is_from_mail_host = |record: &SqsMessage| record.event_source_arn.as_ref() == Some(&context.failure_queue_arn);
    if event.records.iter().any(is_from_mail_host) {
        return context.worker.process(event, |message| delivery_failure::handle_failure(context, message)).await;
    }
    context.worker.process(event, |message| handle_message(context, message)).await
}

async fn handle_message(context: &Context, message: WriteAliases) -> Result<(), Error> {
    match message {
        WriteAliases::Grant(message) => grant::handle_grant(context, message).await,
        WriteAliases::Apply(steps) => apply_steps::apply_steps(context, steps).await,
        WriteAliases::Collect => collect::collect(context).await,
    }
}

/// Why a message could not be handled.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no such member")]
    NoMember,
    #[error("the table request failed")]
    Store(#[from] StoreError),
    #[error("the queue request failed")]
    Queue(#[from] QueueError),
    #[error("a step of a plan failed")]
    Step {
        member: MemberId,
        #[source]
        cause: Box<Error>,
    },
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::NoMember => false,
            Self::Queue(_) => true,
            Self::Store(cause) => cause.is_retryable(),
            Self::Step { cause, .. } => cause.is_retryable(),
        }
    }

    fn member(&self) -> Option<MemberId> {
        match self {
            Self::Step { member, .. } => Some(*member),
            Self::NoMember | Self::Store(_) | Self::Queue(_) => None,
        }
    }
}
