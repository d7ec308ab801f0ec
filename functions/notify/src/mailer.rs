//! The mail server and who we are to it, from a secret that is read once.

use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use membermail_notices::{MailSettings, Relay};
use membermail_runtime::secret;
use tokio::sync::Mutex;

use crate::Error;

/// Where the settings of mail are, if there are any.
pub(crate) struct MailSecret {
    client: Client,
    arn: Option<String>,
    mailer: Mutex<Option<Arc<Mailer>>>,
}

/// Ready to send.
pub(crate) struct Mailer {
    pub(crate) settings: MailSettings,
    pub(crate) relay: Relay,
}

impl MailSecret {
    pub(crate) fn new(client: Client, arn: Option<String>) -> Self {
        Self { client, arn, mailer: Mutex::new(None) }
    }

    /// The mailer; none, where no secret is configured.
    pub(crate) async fn mailer(&self) -> Result<Option<Arc<Mailer>>, Error> {
        let Some(arn) = &self.arn else { return Ok(None) };
        let mut known = self.mailer.lock().await;
        if known.is_none() {
            let settings = MailSettings::parse(&secret::read(&self.client, arn).await?)?;
            let relay = Relay::new(&settings)?;
            *known = Some(Arc::new(Mailer { settings, relay }));
        }
        Ok(known.clone())
    }

    /// The mail server does not let us: the secret may have been changed since it was read.
    pub(crate) async fn forget(&self) {
        *self.mailer.lock().await = None;
    }
}
