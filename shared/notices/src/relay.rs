//! The way to the mail server.

use std::time::Duration;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use secrecy::ExposeSecret;

use crate::reply::Verdict;
use crate::settings::Encryption;
use crate::{Letter, MailSettings, Reply};

/// How long a message may take, from the connection to the last answer.
const PATIENCE: Duration = Duration::from_secs(10);

const LATE: &str = "it takes too long";

/// A mail server that passes our mail on. Each message has a connection of its own: functions freeze between events, and a
/// connection that was kept meanwhile is likely dead.
#[derive(Clone)]
pub struct Relay {
    transport: AsyncSmtpTransport<Tokio1Executor>,
}

impl Relay {
    /// Knows how to reach it; no connection is made yet.
    pub fn new(settings: &MailSettings) -> Result<Self, SendError> {
        let tls = || -> Result<TlsParameters, SendError> {
            let mut builder = TlsParameters::builder(settings.host.clone());
            if let Some(pem) = &settings.certificate {
                let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|error| read(&error))?;
                builder = builder.add_root_certificate(certificate);
            }
            builder.build_rustls().map_err(|error| read(&error))
        };
        let tls = match settings.encryption {
            Encryption::None => Tls::None,
            Encryption::Tls => Tls::Wrapper(tls()?),
            Encryption::StartTls => Tls::Required(tls()?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
            .port(settings.port)
            .tls(tls)
            .timeout(Some(PATIENCE));
        if let Some((user, password)) = &settings.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build() })
    }

    /// Hands a message over. When this returns, the server answers for it.
    pub async fn send(&self, letter: &Letter) -> Result<(), SendError> {
        // By reference to its parts, as the transport's own `send` takes the message away.
        let bytes = letter.0.formatted();
        let sending = self.transport.send_raw(letter.0.envelope(), &bytes);
        // The transport's own limit ends with the connection.
        match tokio::time::timeout(PATIENCE, sending).await {
            Ok(sent) => sent.map(drop).map_err(|error| read(&error)),
            Err(_) => Err(SendError::Later(LATE.to_owned())),
        }
    }
}

/// Why a message was not handed over. Never with the server's words: they often hold the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Out of reach, or it answered 4xx: try again.
    #[error("the mail server does not take it now: {0}")]
    Later(String),
    /// It takes no mail of ours at all: an operator looks at the mail secret. Try again.
    #[error("the mail server does not let us: {0}")]
    NotAllowed(Reply),
    /// It says that there is no such mailbox.
    #[error("the mailbox takes no mail: {0}")]
    NoMailbox(Reply),
    /// It refuses this message.
    #[error("the mail server refuses the message: {0}")]
    Refused(Reply),
}

fn read(error: &lettre::transport::smtp::Error) -> SendError {
    let Some(code) = error.status() else {
        let what = if error.is_timeout() {
            LATE.to_owned()
        } else if error.is_response() {
            "it speaks no SMTP that we know".to_owned()
        } else {
            // A connection, TLS, or our own side: no address is in these words.
            error.to_string()
        };
        return SendError::Later(what);
    };
    let words = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let reply = Reply::read(u16::from(code), &words);
    match reply.verdict() {
        Verdict::Later => SendError::Later(reply.to_string()),
        Verdict::NotAllowed => SendError::NotAllowed(reply),
        Verdict::NoMailbox => SendError::NoMailbox(reply),
        Verdict::Refused => SendError::Refused(reply),
    }
}
