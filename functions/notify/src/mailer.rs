//! The SMTP client, configured by the mail secret. The secret is cached and read again every few minutes.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use membermail_notices::{MailSettings, Relay};
use membermail_runtime::batch::chain;
use membermail_runtime::secret;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::warn;
use zeroize::Zeroizing;

use crate::Error;

/// The mail secret, if one is configured.
pub(crate) struct MailSecret {
    client: Client,
    arn: Option<String>,
    cached: Mutex<Option<Cached>>,
}

struct Cached {
    mailer: Arc<Mailer>,
    /// The secret's text, to detect a change.
    text: Zeroizing<String>,
    read_at: Instant,
    /// Set after a failed delivery, because the secret may have changed.
    is_stale: bool,
    /// Set while the mail server rejects all mail with this secret.
    is_rejected: bool,
}

/// The SMTP client with its settings.
pub(crate) struct Mailer {
    pub(crate) settings: MailSettings,
    pub(crate) relay: Relay,
}

impl MailSecret {
    pub(crate) fn new(client: Client, arn: Option<String>) -> Self {
        Self { client, arn, cached: Mutex::new(None) }
    }

    /// The mailer, or `None` if no secret is configured. Uses the cached secret if reading it again fails (stale-if-error).
    pub(crate) async fn mailer(&self) -> Result<Option<Arc<Mailer>>, Error> {
        let Some(arn) = &self.arn else { return Ok(None) };
        let mut cached = self.cached.lock().await;
        match cached.as_mut() {
            Some(cached) if cached.read_at.elapsed() < secret::REFRESH_INTERVAL && !cached.is_stale => {}
            Some(cached) => {
                match read(&self.client, arn).await {
                    Ok(new) if new.text == cached.text => {}
                    Ok(new) => *cached = new,
                    Err(cause) => warn!(cause = chain(&cause), "mail secret could not be read, using the cached one"),
                }
                cached.read_at = Instant::now();
                cached.is_stale = false;
            }
            None => *cached = Some(read(&self.client, arn).await?),
        }
        Ok(cached.as_ref().map(|cached| Arc::clone(&cached.mailer)))
    }

    /// Records whether the mail server rejects all our mail. Returns whether that has changed, so that an outage is logged
    /// once and not with each notice.
    pub(crate) async fn record_rejected(&self, is_rejected: bool) -> bool {
        let mut cached = self.cached.lock().await;
        cached.as_mut().is_some_and(|cached| std::mem::replace(&mut cached.is_rejected, is_rejected) != is_rejected)
    }

    /// Has the secret read again before the next mail, after the mail server rejected us or did not answer.
    pub(crate) async fn mark_stale(&self) {
        if let Some(cached) = self.cached.lock().await.as_mut() {
            cached.is_stale = true;
        }
    }
}

async fn read(client: &Client, arn: &str) -> Result<Cached, Error> {
    let text = secret::fetch(client, arn).await?;
    let settings = MailSettings::parse(&text)?;
    let relay = Relay::new(&settings)?;
    let mailer = Arc::new(Mailer { settings, relay });
    Ok(Cached { mailer, text, read_at: Instant::now(), is_stale: false, is_rejected: false })
}
