//! The mail server and who we are to it, from a secret that is read again every few minutes.

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

/// Where the settings of mail are, if there are any.
pub(crate) struct MailSecret {
    client: Client,
    arn: Option<String>,
    known: Mutex<Option<Known>>,
}

struct Known {
    mailer: Arc<Mailer>,
    /// What it was made of: one that is the same keeps its connections.
    text: Zeroizing<String>,
    read: Instant,
    /// Whether it does not do what it should: the secret may have been changed since.
    in_doubt: bool,
}

/// Ready to send.
pub(crate) struct Mailer {
    pub(crate) settings: MailSettings,
    pub(crate) relay: Relay,
}

impl MailSecret {
    pub(crate) fn new(client: Client, arn: Option<String>) -> Self {
        Self { client, arn, known: Mutex::new(None) }
    }

    /// The mailer; none, where no secret is configured.
    pub(crate) async fn mailer(&self) -> Result<Option<Arc<Mailer>>, Error> {
        let Some(arn) = &self.arn else { return Ok(None) };
        let mut known = self.known.lock().await;
        match known.as_mut() {
            Some(known) if known.read.elapsed() < secret::FRESH && !known.in_doubt => {}
            Some(known) => {
                // What was good so far is used until there is something better.
                match read(&self.client, arn).await {
                    Ok(new) if new.text == known.text => {}
                    Ok(new) => *known = new,
                    Err(cause) => warn!(cause = chain(&cause), "the mail secret could not be read again"),
                }
                (known.read, known.in_doubt) = (Instant::now(), false);
            }
            None => *known = Some(read(&self.client, arn).await?),
        }
        Ok(known.as_ref().map(|known| Arc::clone(&known.mailer)))
    }

    /// The mail server does not let us, or does not answer: the secret may have been changed since it was read.
    pub(crate) async fn doubt(&self) {
        if let Some(known) = self.known.lock().await.as_mut() {
            known.in_doubt = true;
        }
    }
}

async fn read(client: &Client, arn: &str) -> Result<Known, Error> {
    let text = secret::read(client, arn).await?;
    let settings = MailSettings::parse(&text)?;
    let relay = Relay::new(&settings)?;
    Ok(Known { mailer: Arc::new(Mailer { settings, relay }), text, read: Instant::now(), in_doubt: false })
}
