//! Sends notices by mail: changes to members and admins, failures to operators.
//!
//! Each notice is derived from the table (an outbox entry, a digest, an error report) and has an id made of its cause and
//! its recipient. Delivery is at least once: a notice is marked as sent only after the mail server accepted it, so a crash
//! loses none. Each delivery first claims the notice, so a redelivered message is idempotent.

mod admins;
mod change;
mod defer;
mod deliver;
mod failing;
mod failure;
mod mailboxes;
mod mailer;
mod member;
mod pending_digests;
mod reach;
mod rejection;
mod roles;
mod sweep;
mod test_message;
#[cfg(test)]
mod tests;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::{SignedDuration, Timestamp};
use membermail_core::community::Community;
use membermail_core::message::NotifyMessage;
use membermail_notices::{ComposeError, SendError, SettingsError, Site, SmtpReply, Texts};
use membermail_runtime::batch::{Attempt, Retryable, Worker};
use membermail_runtime::environment::{Environment, WorkerVariables};
use membermail_runtime::queue::QueueError;
use membermail_runtime::secret::{MasterSecret, SecretError};
use membermail_runtime::variables::Variables;
use membermail_store::{SealError, Sealer, Store, StoreError};
use url::Url;

use crate::mailer::MailSecret;
use crate::pending_digests::PendingDigests;

/// Longer than the longest visibility timeout between two attempts.
const IN_FLIGHT_LEASE: SignedDuration = SignedDuration::from_mins(20);

/// Settings and clients, built once per instance.
pub struct Context {
    worker: Worker,
    community: Community,
    site: Site,
    texts: Texts,
    secret: MasterSecret,
    mail: MailSecret,
    store: Store,
    pending_digests: PendingDigests,
    digest_seconds: u16,
    error_interval: SignedDuration,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::of_process();
        let worker = WorkerVariables::read(&mut variables, "NOTIFY_QUEUE", None);
        let secret = variables.required("MASTER_SECRET_ARN");
        let mail: Option<String> = variables.optional("MAIL_SECRET_ARN");
        let url = variables.required("PUBLIC_URL");
        let digest_seconds = variables.optional("DIGEST_SECONDS").unwrap_or(120);
        let error_interval = variables.optional("ERROR_INTERVAL_SECONDS").unwrap_or(24 * 60 * 60);
        let environment = Environment::load(variables).await?;
        Ok(Self {
            worker: environment.worker("notify", worker),
            site: Site::new(&environment.community, Url::parse(&url)?),
            texts: Texts::load()?,
            secret: environment.master_secret(secret),
            mail: MailSecret::new(environment.aws.secrets(), mail),
            community: environment.community,
            store: environment.store,
            pending_digests: PendingDigests::default(),
            digest_seconds,
            error_interval: SignedDuration::from_secs(error_interval),
        })
    }

    /// The end of the in-flight lease of a message that fails now: by then, SQS has redelivered it.
    fn in_flight_until(&self) -> Timestamp {
        let now = self.worker.clock.now();
        now.saturating_add(IN_FLIGHT_LEASE).unwrap_or(now)
    }

    /// Unseals personal data; retries with newer keys in case the master secret was rotated.
    async fn unseal<T>(&self, open: impl Fn(&Sealer) -> Result<T, SealError>) -> Result<T, Error> {
        self.secret.open_with_rotation(|keys| Ok(open(&Sealer::of(keys))?), Error::is_unopened).await
    }
}

/// Handles a batch of messages (partial batch response).
pub async fn handle(context: &Context, event: SqsEvent) -> SqsBatchResponse {
    context.worker.process_attempts(event, |message, attempt| handle_attempt(context, message, attempt)).await
}

/// Handles one delivery of a message. While the mail server rejects all our mail, the message is retried once, in case the
/// mail secret was just changed, and then deferred.
async fn handle_attempt(context: &Context, message: NotifyMessage, attempt: Attempt) -> Result<(), Error> {
    match handle_message(context, message.clone()).await {
        Err(cause) if cause.is_relay_rejection() && attempt.receives > 1 => defer::defer(context, message, cause).await,
        handled => handled,
    }
}

async fn handle_message(context: &Context, message: NotifyMessage) -> Result<(), Error> {
    match message {
        NotifyMessage::Change(notify) => change::deliver_change(context, notify).await,
        NotifyMessage::Digest(digest) => admins::send_digest(context, digest).await,
        NotifyMessage::Failed(failure) => failure::report(context, failure).await,
        NotifyMessage::Undeliverable(undeliverable) => failing::handle_undeliverable(context, undeliverable).await,
        NotifyMessage::Test(test) => test_message::send_test(context, test).await,
        NotifyMessage::Sweep => sweep::sweep(context).await,
    }
}

/// Why a message could not be handled.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("another delivery of this notice is in progress; retry later")]
    Busy,
    #[error("cannot send the mail")]
    Mail(#[from] SendError),
    #[error("the operators' address rejects mail; check the mail secret: {0}")]
    OperatorsReject(SmtpReply),
    #[error("the mail secret is invalid")]
    Settings(#[from] SettingsError),
    #[error("cannot compose the notice")]
    Letter(#[from] ComposeError),
    #[error("cannot read a secret")]
    Secret(#[from] SecretError),
    #[error("cannot unseal personal data")]
    Sealed(#[from] SealError),
    #[error("the table request failed")]
    Store(#[from] StoreError),
    #[error("the queue request failed")]
    Queue(#[from] QueueError),
}

impl Error {
    fn is_unopened(&self) -> bool {
        matches!(self, Self::Sealed(_))
    }

    /// Whether the mail server rejects all our mail until an operator acts.
    fn is_relay_rejection(&self) -> bool {
        matches!(self, Self::Mail(SendError::NotAuthorized(_)))
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        match self {
            Self::Busy | Self::Secret(_) | Self::Queue(_) => true,
            // An operator can correct the secret in the meantime.
            Self::Settings(_) => true,
            Self::Mail(cause) => matches!(cause, SendError::Transient(_) | SendError::NotAuthorized(_)),
            Self::OperatorsReject(_) | Self::Letter(_) | Self::Sealed(_) => false,
            Self::Store(cause) => cause.is_retryable(),
        }
    }
}
