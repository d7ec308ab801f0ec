//! Gives an eligible member their address at one domain, or says why not.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use membermail_core::address::{Address, DomainName, LocalPart};
use membermail_core::alias::Refusal;
use membermail_core::audit::Actor;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::message::WriteAlias;
use membermail_core::random::{OsRandom, Random};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::{self, Retryable};
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{Cause, Grant, Sealer, Store, StoreError};
use tracing::info;

/// What the function holds through its life.
pub struct Context {
    domains: Vec<DomainName>,
    secret: MasterSecret,
    store: Store,
    inbox: Queue,
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
        let secret = variables.required("MASTER_SECRET_ARN");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await;
        Ok(Self {
            domains: community.domain_names().cloned().collect(),
            secret: MasterSecret::new(aws.secrets(), secret),
            store: Store::new(aws.dynamodb(), table),
            inbox: Queue::new(aws.sqs(), inbox),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        })
    }
}

/// Handles a batch; a record that failed comes back alone.
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    batch::each(event, &context.inbox, &*context.random, |wish| write(context, wish)).await
}

async fn write(context: &Context, wish: WriteAlias) -> Result<(), Error> {
    let WriteAlias { member, name, domain, request_id } = wish;
    let now = context.clock.now();
    let outcome = match LocalPart::of(&name) {
        Err(why) => Grant::Refused(Refusal::Name(why)),
        Ok(local_part) => {
            let sealer = Sealer::new(context.secret.get().await?);
            let member = context.store.member(member).await?.ok_or(Error::NoMember)?;
            let address = Address { local_part, domain: domain.clone() };
            let cause = Cause { actor: Actor::Member, request_id: &request_id, now };
            let store = &context.store;
            store.grant(&sealer, &member, &address, &context.domains, cause, &*context.random).await?
        }
    };
    let word = match &outcome {
        Grant::Created(_) => "created",
        Grant::Changed(_) => "changed",
        Grant::Unchanged => "unchanged",
        Grant::Banned => "banned",
        Grant::Refused(refusal) => {
            context.store.refuse(member, &domain, refusal, now).await?;
            "refused"
        }
    };
    info!(request_id, outcome = word, %domain, "address of member {member} {word}");
    Ok(())
}

/// Why an address was not written.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("no such member")]
    NoMember,
    #[error("the master secret")]
    Secret(#[from] SecretError),
    #[error("the table")]
    Store(#[from] StoreError),
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::NoMember => false,
            Self::Secret(_) => true,
            Self::Store(cause) => cause.is_retryable(),
        }
    }
}
