//! The master secret: read when it is first needed, then kept for the life of the process.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

/// The secret that every key is derived from.
pub struct MasterSecret {
    client: Client,
    arn: String,
    value: OnceCell<Zeroizing<String>>,
}

impl MasterSecret {
    /// Knows where the secret is; reads nothing yet, so that a start costs no request.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), value: OnceCell::new() }
    }

    /// The secret's bytes.
    pub async fn get(&self) -> Result<&[u8], SecretError> {
        let value = self.value.get_or_try_init(|| self.read()).await?;
        Ok(value.as_bytes())
    }

    /// Whether it can be read just now, whatever was read before.
    pub async fn reach(&self) -> Result<(), SecretError> {
        self.read().await.map(drop)
    }

    async fn read(&self) -> Result<Zeroizing<String>, SecretError> {
        match read(&self.client, &self.arn).await? {
            text if text.len() >= 32 => Ok(text),
            _ => Err(SecretError::TooShort),
        }
    }
}

/// The text of any secret.
pub async fn read(client: &Client, arn: &str) -> Result<Zeroizing<String>, SecretError> {
    let answer = client.get_secret_value().secret_id(arn).send().await;
    let answer = answer.map_err(|error| SecretError::Unavailable(DisplayErrorContext(error).to_string()))?;
    Ok(Zeroizing::new(answer.secret_string.unwrap_or_default()))
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
