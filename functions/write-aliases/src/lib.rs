//! The one function that changes aliases: it gives addresses to eligible members and takes the steps of plans.

mod grant;
mod take;
#[cfg(test)]
mod tests;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Rules;
use membermail_core::member::MemberId;
use membermail_core::message::{Notify, ToNotify, WriteAliases};
use membermail_core::random::{OsRandom, Random};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::{Inbox, Reports, Retryable, chain};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{Sealer, Store, StoreError};
use tracing::warn;
use ulid::Ulid;

/// How often the write queue shows a message, unless the template says otherwise.
const TRIES: u32 = 12;

/// What the function holds through its life.
pub struct Context {
    domains: Vec<DomainName>,
    rules: Rules,
    secret: MasterSecret,
    store: Store,
    inbox: Queue,
    reports: Reports,
    metrics: Metrics,
    clock: Box<dyn Clock>,
    random: Box<dyn Random>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let inbox = variables.required("WRITE_QUEUE_URL");
        let notices = variables.required("NOTIFY_QUEUE_URL");
        let secret = variables.required("MASTER_SECRET_ARN");
        let tries = variables.optional("WRITE_QUEUE_TRIES");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        Ok(Self {
            domains: community.domain_names().cloned().collect(),
            rules: community.rules,
            secret: MasterSecret::new(aws.secrets(), secret),
            store: Store::new(aws.dynamodb(), table),
            inbox: Queue::new(aws.sqs(), inbox),
            reports: Reports { queue: Queue::new(aws.sqs(), notices), tries: tries.unwrap_or(TRIES) },
            metrics: Metrics::to_log(),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        })
    }

    /// Does what opens and seals, and once more where the master secret was changed meanwhile.
    async fn sealing<T>(&self, act: impl AsyncFn(&Sealer) -> Result<T, StoreError>) -> Result<T, Error> {
        let keys = self.secret.keys().await?;
        match act(&Sealer::of(&keys)).await {
            Err(cause) if cause.is_unopened() => match self.secret.newer(&keys).await? {
                Some(newer) => Ok(act(&Sealer::of(&newer)).await?),
                None => Err(cause.into()),
            },
            done => Ok(done?),
        }
    }

    /// Asks for a change to be told. It lies in the outbox already, from where it is told later if this fails, so that a
    /// queue that is full or away never stops an alias.
    async fn tell(&self, entry: Ulid, request_id: &str) {
        let message = ToNotify::Change(Notify { entry, request_id: request_id.to_owned() });
        if let Err(cause) = self.reports.queue.send(&message).await {
            warn!(cause = chain(&cause), "a notice waits in the outbox");
        }
    }
}

/// Handles a batch; a record that failed comes back alone.
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    let Context { inbox: queue, reports, metrics, clock, random, .. } = context;
    let (reports, clock, random) = (Some(reports), &**clock, &**random);
    let inbox = Inbox { step: "write-aliases", queue, reports, metrics, clock, random };
    let handle = |message| async move {
        match message {
            WriteAliases::Grant(wish) => grant::grant(context, wish).await,
            WriteAliases::Take(steps) => take::take(context, steps).await,
        }
    };
    inbox.each(event, handle).await
}

/// Why an alias was not written.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no such member")]
    NoMember,
    #[error("the master secret")]
    Secret(#[from] SecretError),
    #[error("the table")]
    Store(#[from] StoreError),
    #[error("a step of a plan")]
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
            Self::Secret(_) => true,
            Self::Store(cause) => cause.is_retryable(),
            Self::Step { cause, .. } => cause.is_retryable(),
        }
    }

    fn member(&self) -> Option<MemberId> {
        match self {
            Self::Step { member, .. } => Some(*member),
            Self::NoMember | Self::Secret(_) | Self::Store(_) => None,
        }
    }
}
