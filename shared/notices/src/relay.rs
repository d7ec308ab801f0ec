//! The SMTP client.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailParameter};
use secrecy::ExposeSecret;

use crate::classify::{ReplyClass, Stage, classify};
use crate::settings::Encryption;
use crate::{ComposedMail, MailSettings, SmtpReply};

/// Timeout for one message, from connecting to the final reply.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout for the end of the session. The message was accepted or rejected before.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

const TIMEOUT_ERROR: &str = "timed out";

/// A mail relay. Each message has its own connection: Lambda freezes a function between events, and a pooled connection
/// would most likely be closed by then.
#[derive(Clone)]
pub struct Relay {
    host: String,
    port: u16,
    tls: Option<TlsParameters>,
    /// Whether the connection is encrypted by STARTTLS.
    is_starttls: bool,
    login: Option<Credentials>,
}

impl Relay {
    /// Builds the client; does not connect yet.
    pub fn new(settings: &MailSettings) -> Result<Self, SendError> {
        let tls = match settings.encryption {
            Encryption::None => None,
            Encryption::Tls | Encryption::StartTls => Some(tls_parameters(settings)?),
        };
        let login = settings.login.as_ref();
        Ok(Self {
            host: settings.host.clone(),
            port: settings.port,
            tls,
            is_starttls: settings.encryption == Encryption::StartTls,
            login: login.map(|(user, password)| Credentials::new(user.clone(), password.expose_secret().to_owned())),
        })
    }

    /// Sends a message. After `Ok`, the relay is responsible for it (RFC 5321, 6.1).
    pub async fn send(&self, mail: &ComposedMail) -> Result<(), SendError> {
        let bytes = mail.0.formatted();
        let sending = async {
            let mut connection = self.connect().await.map_err(|error| send_error(Stage::Session, &error, ""))?;
            let sent = self.submit(&mut connection, mail.0.envelope(), &bytes).await;
            Ok((connection, sent))
        };
        match tokio::time::timeout(SEND_TIMEOUT, sending).await {
            Ok(Ok((mut connection, sent))) => {
                // A relay that is slow to say goodbye has the message already: it must not be sent again.
                let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.abort()).await;
                sent
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(SendError::Transient(TIMEOUT_ERROR.to_owned())),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let (host, name) = ((self.host.as_str(), self.port), ClientId::default());
        let implicit = self.tls.clone().filter(|_| !self.is_starttls);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(host, Some(SEND_TIMEOUT), &name, implicit, None).await?;
        if let Some(tls) = self.tls.clone().filter(|_| self.is_starttls) {
            connection.starttls(tls, &name).await?;
        }
        Ok(connection)
    }

    /// Runs the commands one by one, since the library's own `send` does not say which one was rejected.
    async fn submit(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<(), SendError> {
        let (sender, recipients) = (envelope.from(), envelope.to());
        let recipient: &str = recipients.first().map_or("", AsRef::as_ref);
        let error = |stage| move |error: lettre::transport::smtp::Error| send_error(stage, &error, recipient);
        if let Some(login) = &self.login {
            connection.auth(DEFAULT_MECHANISMS, login).await.map_err(error(Stage::Session))?;
        }
        let is_ascii = sender.into_iter().chain(recipients).all(|address| AsRef::<str>::as_ref(address).is_ascii());
        let parameters = if is_ascii { Vec::new() } else { vec![MailParameter::SmtpUtfEight] };
        connection.command(Mail::new(sender.cloned(), parameters)).await.map_err(error(Stage::Sender))?;
        for recipient in recipients {
            let command = Rcpt::new(recipient.clone(), Vec::new());
            connection.command(command).await.map_err(error(Stage::Recipient))?;
        }
        connection.command(Data).await.map_err(error(Stage::Content))?;
        connection.message(message).await.map(drop).map_err(error(Stage::Content))
    }
}

fn tls_parameters(settings: &MailSettings) -> Result<TlsParameters, SendError> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.certificate {
        let certificate =
            Certificate::from_pem(pem.as_bytes()).map_err(|error| send_error(Stage::Session, &error, ""))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| send_error(Stage::Session, &error, ""))
}

/// Why a message was not sent. Contains no text of the server, which often holds the recipient's address.
/// The words are outcomes of the metric of mails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
pub enum SendError {
    /// The server cannot be reached or replied with 4xx: retry.
    #[strum(serialize = "later")]
    #[error("temporary failure of the mail server: {0}")]
    Transient(String),
    /// The server rejects us, and so all of our mail. An operator must check the mail secret or the relay; retry.
    #[strum(serialize = "not-allowed")]
    #[error("the mail server rejects our login, sender or relaying; check the mail secret and the relay: {0}")]
    NotAuthorized(SmtpReply),
    /// The mailbox does not exist or accepts no mail.
    #[strum(serialize = "no-mailbox")]
    #[error("the mailbox accepts no mail: {0}")]
    MailboxUnavailable(SmtpReply),
    /// The server permanently rejects this message.
    #[strum(serialize = "refused")]
    #[error("the mail server rejects the message: {0}")]
    Rejected(SmtpReply),
}

fn send_error(stage: Stage, error: &lettre::transport::smtp::Error, recipient: &str) -> SendError {
    let Some(code) = error.status() else {
        let cause = if error.is_timeout() {
            TIMEOUT_ERROR.to_owned()
        } else if error.is_response() {
            "invalid SMTP reply".to_owned()
        } else {
            // A connection, TLS or client error: its text holds no address.
            error.to_string()
        };
        return SendError::Transient(cause);
    };
    let text = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let reply = SmtpReply::new(u16::from(code), &text);
    match classify(stage, reply, &text, recipient) {
        ReplyClass::Transient => SendError::Transient(reply.to_string()),
        ReplyClass::NotAuthorized => SendError::NotAuthorized(reply),
        ReplyClass::MailboxUnavailable => SendError::MailboxUnavailable(reply),
        ReplyClass::Rejected => SendError::Rejected(reply),
    }
}
