//! The master secret: read when it is first needed, and again every few minutes, so that one which was changed is used
//! everywhere before long. What was sealed or signed by the one before it opens meanwhile: whoever finds something that
//! does not open asks for newer keys, and only then is the previous one read too.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use membermail_core::master::MasterKeys;
use tokio::time::{Instant, timeout};
use tracing::warn;
use zeroize::Zeroizing;

/// After so long a secret is read again. What is sealed by a key that was changed is sealed by the new one from then on.
pub const FRESH: Duration = Duration::from_secs(300);
/// Whoever sends us what does not open must not make us ask more often than this.
const PAUSE: Duration = Duration::from_secs(5);
/// Who reads the secret again waits no longer than this, as good keys are at hand …
const SLOWEST: Duration = Duration::from_secs(1);
/// … and it is tried again after that.
const AGAIN: Duration = Duration::from_secs(30);
/// The version before the current one, as Secrets Manager calls it.
const PREVIOUS: &str = "AWSPREVIOUS";

/// The secret that every key is derived from.
///
/// Nobody who only needs keys that are known waits for Secrets Manager, but for the one who reads them again: locks on
/// what is known are held for no request, and whatever is cut off in the middle leaves what is known as it was.
pub struct MasterSecret {
    client: Client,
    arn: String,
    known: Mutex<Option<Known>>,
    /// One at a time where there are no keys yet, or others are asked for. It holds when that last failed.
    asking: tokio::sync::Mutex<Option<Instant>>,
}

struct Known {
    keys: MasterKeys,
    /// When they are read again.
    due: Instant,
    /// When the previous one was last asked for too, and whether there was an answer.
    asked_for_both: Option<(Instant, bool)>,
}

impl Known {
    fn of(keys: MasterKeys, read: Instant) -> Self {
        Self { keys, due: read + FRESH, asked_for_both: None }
    }
}

impl MasterSecret {
    /// Knows where the secret is; reads nothing yet, so that a start costs no request.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        let (known, asking) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { client, arn: arn.into(), known, asking }
    }

    /// The keys, as they were a few minutes ago at most, or for as long as they cannot be read again.
    pub async fn keys(&self) -> Result<MasterKeys, SecretError> {
        match self.at_hand() {
            Some((keys, false)) => Ok(keys),
            Some((keys, true)) => Ok(self.read_again(keys).await),
            None => self.first().await,
        }
    }

    /// What is known, and whether it falls to this caller to read it again.
    fn at_hand(&self) -> Option<(MasterKeys, bool)> {
        let mut known = self.known();
        let known = known.as_mut()?;
        let is_due = known.due <= Instant::now();
        if is_due {
            // Until the answer is there, others go on with what is known; and if none comes, they do for longer.
            known.due = Instant::now() + AGAIN;
        }
        Some((known.keys.clone(), is_due))
    }

    async fn read_again(&self, keys: MasterKeys) -> MasterKeys {
        let read = Instant::now();
        let current = match timeout(SLOWEST, self.current()).await {
            Ok(Ok(current)) => current,
            // They were good so far, and most likely are.
            Ok(Err(cause)) => {
                warn!(cause = %cause, "the master secret could not be read again");
                return keys;
            }
            Err(_) => {
                warn!("the master secret could not be read again in {SLOWEST:?}");
                return keys;
            }
        };
        let mut known = self.known();
        match known.as_mut() {
            Some(known) if current.as_slice() == known.keys.current() => known.due = read + FRESH,
            // What the former one sealed does not open by this one alone, and then both are read.
            _ => *known = Some(Known::of(MasterKeys::new(current, None), read)),
        }
        known.as_ref().map_or(keys, |known| known.keys.clone())
    }

    async fn first(&self) -> Result<MasterKeys, SecretError> {
        let begin = Instant::now();
        let mut failed = self.asking.lock().await;
        if let Some((keys, _)) = self.at_hand() {
            return Ok(keys);
        }
        // Whoever waited for another's request, and it failed, would wait as long for their own.
        if failed.is_some_and(|failed| failed > begin) {
            return Err(SecretError::a_moment_ago());
        }
        match self.current().await {
            Ok(current) => {
                let keys = MasterKeys::new(current, None);
                *self.known() = Some(Known::of(keys.clone(), begin));
                Ok(keys)
            }
            Err(cause) => {
                *failed = Some(Instant::now());
                Err(cause)
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
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
        let _one_at_a_time = self.asking.lock().await;
        let others = |known: &Known| (known.keys != *than).then(|| known.keys.clone());
        if let Some(known) = self.known().as_mut() {
            match known.asked_for_both {
                Some((asked, answered)) if asked.elapsed() < PAUSE => {
                    let others = others(known);
                    return if answered || others.is_some() { Ok(others) } else { Err(SecretError::a_moment_ago()) };
                }
                // Whoever is cut off while they wait has had no answer.
                _ => known.asked_for_both = Some((Instant::now(), false)),
            }
        }
        let read = Instant::now();
        let keys = MasterKeys::new(self.current().await?, self.previous().await?);
        let known = Known { asked_for_both: Some((read, true)), ..Known::of(keys, read) };
        Ok(others(self.known().insert(known)))
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

impl SecretError {
    fn a_moment_ago() -> Self {
        Self::Unavailable("it could not be read a moment ago".to_owned())
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
