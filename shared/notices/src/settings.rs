//! Which mail server takes our mail, and who it is from: one secret, as JSON.

use std::fmt;

use lettre::message::Mailbox;
use membermail_core::email::EmailAddress;
use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};
use zeroize::Zeroizing;

/// The settings of mail. `Debug` shows no address and no password.
#[derive(Clone)]
pub struct MailSettings {
    /// Who notices are from.
    pub from: Mailbox,
    /// Who reads what people answer.
    pub reply_to: Mailbox,
    /// Where operators are told of errors.
    pub operators: EmailAddress,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) login: Option<(String, SecretString)>,
    pub(crate) certificate: Option<String>,
}

/// How the connection is kept to ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Not at all.
    None,
    /// From the start (RFC 8314, 3.3).
    Tls,
    /// Asked for, and nothing is sent without it (RFC 3207).
    StartTls,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Stored {
    relay: Url,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    password: Option<Zeroizing<String>>,
    /// A certificate authority of one's own, as PEM.
    #[serde(default)]
    certificate: Option<String>,
    from: String,
    reply_to: String,
    operators: String,
}

impl MailSettings {
    /// Reads the secret: `relay` (`smtps://HOST`, `starttls://HOST`, or `smtp://HOST` without encryption, each with a
    /// port if need be), `user` and `password` if the relay wants them, `certificate` if its authority is one's own, and
    /// the addresses `from`, `reply-to` and `operators`.
    pub fn parse(json: &str) -> Result<Self, SettingsError> {
        // What serde says of a wrong value can hold the value.
        let stored: Stored = serde_json::from_str(json).map_err(|error| {
            SettingsError::Form(if error.is_data() {
                "a field is missing, unknown or of another kind"
            } else {
                "not JSON"
            })
        })?;
        let (encryption, port) = match stored.relay.scheme() {
            "smtp" => (Encryption::None, 25),
            "starttls" => (Encryption::StartTls, 587),
            "smtps" => (Encryption::Tls, 465),
            _ => return Err(SettingsError::Form("relay must begin with smtps://, starttls:// or smtp://")),
        };
        let host = stored.relay.host_str().ok_or(SettingsError::Form("relay must name a host"))?.to_owned();
        let login = match (stored.user, stored.password) {
            (Some(user), Some(password)) => Some((user, SecretString::from(password.as_str()))),
            (None, None) => None,
            _ => return Err(SettingsError::Form("user and password go together")),
        };
        if login.is_some() && encryption == Encryption::None && !is_loopback(&stored.relay) {
            return Err(SettingsError::Form("a password needs smtps:// or starttls://"));
        }
        let mailbox = |text: &str, field| text.parse::<Mailbox>().map_err(|_| SettingsError::Address(field));
        Ok(Self {
            from: mailbox(&stored.from, "from")?,
            reply_to: mailbox(&stored.reply_to, "reply-to")?,
            operators: EmailAddress::parse(&stored.operators).map_err(|_| SettingsError::Address("operators"))?,
            port: stored.relay.port().unwrap_or(port),
            host,
            encryption,
            login,
            certificate: stored.certificate,
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    // A scheme that is not the web's has no typed host, so its text is read once more.
    match url.host_str().map(Host::parse) {
        Some(Ok(Host::Ipv4(address))) => address.is_loopback(),
        Some(Ok(Host::Ipv6(address))) => address.is_loopback(),
        Some(Ok(Host::Domain(name))) => name == "localhost",
        _ => false,
    }
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSettings")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// The secret is not as it must be: an operator mends it. Says nothing of what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Its form.
    #[error("the mail secret: {0}")]
    Form(&'static str),
    /// One of its addresses.
    #[error("the mail secret: {0} is no address")]
    Address(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(relay: &str, more: &str) -> String {
        let addresses = r#""from":"Ubuntu mail <noreply@ubuntu.example>","reply-to":"help@ubuntu.example","operators":"ops@ubuntu.example""#;
        format!(r#"{{"relay":"{relay}",{more}{addresses}}}"#)
    }

    const LOGIN: &str = r#""user":"membermail","password":"hunter2","#;

    #[rstest::rstest]
    #[case("smtps://mail.example", LOGIN, 465, Encryption::Tls)]
    #[case("starttls://mail.example", LOGIN, 587, Encryption::StartTls)]
    #[case("starttls://mail.example:2525", "", 2525, Encryption::StartTls)]
    #[case("smtp://mail.example", "", 25, Encryption::None)]
    #[case("smtp://127.0.0.1:2525", LOGIN, 2525, Encryption::None)]
    #[case("smtp://localhost:2525", LOGIN, 2525, Encryption::None)]
    fn any_relay_fits(#[case] relay: &str, #[case] more: &str, #[case] port: u16, #[case] encryption: Encryption) {
        let settings = MailSettings::parse(&secret(relay, more)).unwrap();
        assert_eq!((settings.port, settings.encryption), (port, encryption));
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter2") && !shown.contains('@') && !shown.contains("membermail"), "{shown}");
    }

    #[rstest::rstest]
    #[case("smtp://mail.example", LOGIN, "a password needs smtps:// or starttls://")]
    #[case("https://mail.example", "", "relay must begin with smtps://, starttls:// or smtp://")]
    #[case("smtps://mail.example", r#""user":"membermail","#, "user and password go together")]
    #[case("smtps://mail.example", r#""pasword":"hunter2","#, "a field is missing, unknown or of another kind")]
    #[case("smtps:mail", "", "relay must name a host")]
    fn a_wrong_secret_is_told_without_its_content(#[case] relay: &str, #[case] more: &str, #[case] reason: &str) {
        let error = MailSettings::parse(&secret(relay, more)).unwrap_err().to_string();
        assert_eq!(error, format!("the mail secret: {reason}"));
    }

    #[test]
    fn addresses_are_checked() {
        let text = secret("smtps://mail.example", "").replace("ops@ubuntu.example", "ops");
        assert_eq!(MailSettings::parse(&text).unwrap_err(), SettingsError::Address("operators"));
    }
}
