//! The master secret: read when it is first needed, and again every few minutes, so that one which was changed is used
//! everywhere before long. What was sealed or signed by the one before it opens meanwhile: whoever finds something that
//! does not open asks for newer keys, and only then is the previous one read too.

use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use membermail_core::master::MasterKeys;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::warn;
use zeroize::Zeroizing;

/// After so long a secret is read again. What is sealed by a key that was changed is sealed by the new one from then on.
pub const FRESH: Duration = Duration::from_secs(300);
/// Whoever sends us what does not open must not make us ask more often than this.
const PAUSE: Duration = Duration::from_secs(5);
/// The version before the current one, as Secrets Manager calls it.
const PREVIOUS: &str = "AWSPREVIOUS";

/// The secret that every key is derived from.
pub struct MasterSecret {
    client: Client,
    arn: String,
    known: Mutex<Option<Known>>,
}

struct Known {
    keys: MasterKeys,
    read: Instant,
    /// When the previous one was last asked for.
    asked_for_both: Option<Instant>,
}

impl MasterSecret {
    /// Knows where the secret is; reads nothing yet, so that a start costs no request.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), known: Mutex::new(None) }
    }

    /// The keys, as they were a few minutes ago at most.
    pub async fn keys(&self) -> Result<MasterKeys, SecretError> {
        let mut known = self.known.lock().await;
        let read = Instant::now();
        match known.as_mut() {
            Some(known) if known.read.elapsed() < FRESH => {}
            Some(known) => match self.current().await {
                Ok(current) if current.as_slice() == known.keys.current() => known.read = read,
                // What the former one sealed does not open by this one alone, and then both are read.
                Ok(current) => *known = Known { keys: MasterKeys::new(current, None), read, asked_for_both: None },
                Err(cause) => {
                    // They were good so far, and most likely are.
                    warn!(cause = %cause, "the master secret could not be read again");
                    known.read = read;
                }
            },
            None => {
                let keys = MasterKeys::new(self.current().await?, None);
                *known = Some(Known { keys, read, asked_for_both: None });
            }
        }
        known.as_ref().map(|known| known.keys.clone()).ok_or(SecretError::TooShort)
    }

    /// Whether it can be read just now, whatever was read before.
    pub async fn reach(&self) -> Result<(), SecretError> {
        self.current().await.map(drop)
    }

    /// Opens or verifies; what does not open, once more by the keys of this moment, the previous one among them.
    pub async fn opening<T, E: From<SecretError>>(
        &self,
        open: impl Fn(&MasterKeys) -> Result<T, E>,
        is_unopened: impl Fn(&E) -> bool,
    ) -> Result<T, E> {
        let keys = self.keys().await?;
        match open(&keys) {
            Err(cause) if is_unopened(&cause) => match self.newer(&keys).await? {
                Some(newer) => open(&newer),
                None => Err(cause),
            },
            done => done,
        }
    }

    /// The keys of this moment, if they are others than those.
    pub async fn newer(&self, than: &MasterKeys) -> Result<Option<MasterKeys>, SecretError> {
        let mut known = self.known.lock().await;
        let just_asked = |known: &Known| known.asked_for_both.is_some_and(|asked| asked.elapsed() < PAUSE);
        if !known.as_ref().is_some_and(just_asked) {
            let (read, current) = (Instant::now(), self.current().await?);
            let previous = self.previous().await?;
            *known = Some(Known { keys: MasterKeys::new(current, previous), read, asked_for_both: Some(read) });
        }
        Ok(known.as_ref().map(|known| known.keys.clone()).filter(|keys| keys != than))
    }

    async fn current(&self) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        key(read(&self.client, &self.arn).await?)
    }

    async fn previous(&self) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
        previous(&self.client, &self.arn).await?.map(key).transpose()
    }
}

/// A text that is long enough to derive keys from.
pub fn key(text: Zeroizing<String>) -> Result<Zeroizing<Vec<u8>>, SecretError> {
    if text.len() < 32 {
        return Err(SecretError::TooShort);
    }
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

/// The text of any secret.
pub async fn read(client: &Client, arn: &str) -> Result<Zeroizing<String>, SecretError> {
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| SecretError::Unavailable(DisplayErrorContext(error).to_string()))?;
    Ok(Zeroizing::new(answer.secret_string.unwrap_or_default()))
}

/// The text that a secret had before it was changed, while Secrets Manager has that.
pub async fn previous(client: &Client, arn: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
    match client.get_secret_value().secret_id(arn).version_stage(PREVIOUS).send().await {
        Ok(answer) => Ok(answer.secret_string.map(Zeroizing::new)),
        Err(error) if matches!(error.as_service_error(), Some(GetSecretValueError::ResourceNotFoundException(_))) => {
            Ok(None)
        }
        Err(error) => Err(SecretError::Unavailable(DisplayErrorContext(error).to_string())),
    }
}

/// A secret cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Try again; if it lasts, an operator looks at the function's rights.
    #[error("a secret cannot be read: {0}")]
    Unavailable(String),
    /// An operator sets a proper one.
    #[error("the master secret has fewer than 32 characters")]
    TooShort,
}
