//! Tells people what they must know, by mail: members and admins of what changed, operators of what failed.
//!
//! Each notice is derived from what the table has (the outbox, a digest, the reports of an error) and known by an id that
//! says what it tells to whom. It is marked as sent only once the mail server has taken it, so that a crash loses none; and
//! a delivery claims it first, so that a repeat reaches no person twice.

mod admins;
mod change;
mod deliver;
mod digests;
mod failure;
mod mailer;
mod member;
mod sweep;
#[cfg(test)]
mod tests;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::master::MasterKeys;
use membermail_core::message::ToNotify;
use membermail_core::random::{OsRandom, Random};
use membermail_notices::{LetterError, Reply, SendError, SettingsError, Site, Texts};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::{Inbox, Retryable};
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::{Queue, QueueError};
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::{SealError, Sealer, Store, StoreError};
use url::Url;

use crate::digests::Digests;
use crate::mailer::MailSecret;

/// Longer than the longest wait between two tries of the queue.
const TRYING: SignedDuration = SignedDuration::from_mins(20);

/// What the function holds through its life.
pub struct Context {
    community: Community,
    site: Site,
    texts: Texts,
    secret: MasterSecret,
    mail: MailSecret,
    store: Store,
    inbox: Queue,
    digests: Digests,
    digest_seconds: u16,
    error_interval: SignedDuration,
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
        let inbox = variables.required("NOTIFY_QUEUE_URL");
        let secret = variables.required("MASTER_SECRET_ARN");
        let mail: Option<String> = variables.optional("MAIL_SECRET_ARN");
        let url = variables.required("PUBLIC_URL");
        let digest: Option<u16> = variables.optional("DIGEST_SECONDS");
        let interval: Option<i64> = variables.optional("ERROR_INTERVAL_SECONDS");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        Ok(Self {
            site: Site::new(&community, Url::parse(&url)?),
            community,
            texts: Texts::load()?,
            secret: MasterSecret::new(aws.secrets(), secret),
            mail: MailSecret::new(aws.secrets(), mail),
            store: Store::new(aws.dynamodb(), table),
            inbox: Queue::new(aws.sqs(), inbox),
            digests: Digests::default(),
            digest_seconds: digest.unwrap_or(120),
            error_interval: SignedDuration::from_secs(interval.unwrap_or(24 * 60 * 60)),
            metrics: Metrics::to_log(),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        })
    }

    /// Until when the queue has surely tried again what fails now.
    fn trying_until(&self) -> Timestamp {
        let now = self.clock.now();
        now.saturating_add(TRYING).unwrap_or(now)
    }

    /// Opens what is sealed, by newer keys where the master secret was changed meanwhile.
    async fn opening<T>(&self, open: impl Fn(&Sealer) -> Result<T, SealError>) -> Result<T, Error> {
        let with = |keys: &MasterKeys| Ok(open(&Sealer::of(keys))?);
        self.secret.opening(with, |cause| matches!(cause, Error::Sealed(_))).await
    }
}

/// Handles a batch; a notice that did not go comes back alone.
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    let Context { inbox: queue, metrics, clock, random, .. } = context;
    // notify cannot report its own failures by mail; its dead-letter queue has an alarm.
    let inbox = Inbox { step: "notify", queue, reports: None, metrics, clock: &**clock, random: &**random };
    inbox.each(event, |message| carry_out(context, message)).await
}

async fn carry_out(context: &Context, message: ToNotify) -> Result<(), Error> {
    match message {
        ToNotify::Change(notify) => change::tell(context, notify).await,
        ToNotify::Digest(digest) => admins::send_digest(context, digest).await,
        ToNotify::Failed(failure) => failure::tell(context, failure).await,
        ToNotify::Undeliverable(undeliverable) => member::tell_undeliverable(context, undeliverable).await,
        ToNotify::Sweep => sweep::sweep(context).await,
    }
}

/// Why a notice did not go.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("another is sending the same notice just now")]
    Busy,
    #[error("the mail server")]
    Mail(#[from] SendError),
    #[error("the operators' own address refuses mail: {0}")]
    OperatorsRefuse(Reply),
    #[error("the settings of mail")]
    Settings(#[from] SettingsError),
    #[error("the notice")]
    Letter(#[from] LetterError),
    #[error("a secret")]
    Secret(#[from] SecretError),
    #[error("what is sealed")]
    Sealed(#[from] SealError),
    #[error("the table")]
    Store(#[from] StoreError),
    #[error("the queue")]
    Queue(#[from] QueueError),
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Busy | Self::Secret(_) | Self::Queue(_) => true,
            // An operator mends the secret meanwhile.
            Self::Settings(_) => true,
            Self::Mail(cause) => matches!(cause, SendError::Later(_) | SendError::NotAllowed(_)),
            Self::OperatorsRefuse(_) | Self::Letter(_) | Self::Sealed(_) => false,
            Self::Store(cause) => cause.is_retryable(),
        }
    }
}
