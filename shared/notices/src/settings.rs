//! The mail secret: a JSON document with the relay, its login and our own addresses.

use std::fmt;

use lettre::message::Mailbox;
use membermail_core::address::DomainName;
use membermail_core::email::EmailAddress;
use membermail_core::json::JsonError;
use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};
use zeroize::Zeroizing;

/// The parsed mail secret. `Debug` shows no address and no password.
#[derive(Clone)]
pub struct MailSettings {
    /// The `From` address of notices.
    pub from: Mailbox,
    /// The `Reply-To` address of notices.
    pub reply_to: Mailbox,
    /// The operators' address, for failure reports.
    pub operators: EmailAddress,
    /// The return-path domain of the mail host, if the relay is the mail host: bounces of notices then come back as reports.
    pub return_path_domain: Option<DomainName>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) encryption: Encryption,
    pub(crate) login: Option<(String, SecretString)>,
    pub(crate) certificate: Option<String>,
}

/// Encryption of the connection to the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// No encryption.
    None,
    /// Implicit TLS (RFC 8314, 3.3).
    Tls,
    /// Mandatory STARTTLS (RFC 3207).
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
    /// A private certificate authority, as PEM.
    #[serde(default)]
    certificate: Option<String>,
    from: String,
    reply_to: String,
    operators: String,
    #[serde(default)]
    return_path_domain: Option<DomainName>,
}

impl MailSettings {
    /// Parses the secret: `relay` (`smtps://HOST`, `starttls://HOST`, or `smtp://HOST` without encryption, each with an
    /// optional port), `user` and `password` if the relay requires a login, `certificate` for a private certificate
    /// authority, the addresses `from`, `reply-to` and `operators`, and `return-path-domain` if the relay is the mail host.
    pub fn parse(json: &str) -> Result<Self, SettingsError> {
        let stored: Stored = serde_json::from_str(json).map_err(JsonError::from)?;
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
        Ok(Self {
            from: stored.from.parse().map_err(|_| SettingsError::Address("from"))?,
            reply_to: stored.reply_to.parse().map_err(|_| SettingsError::Address("reply-to"))?,
            operators: EmailAddress::parse(&stored.operators).map_err(|_| SettingsError::Address("operators"))?,
            return_path_domain: stored.return_path_domain,
            port: stored.relay.port().unwrap_or(port),
            host,
            encryption,
            login,
            certificate: stored.certificate,
        })
    }
}

fn is_loopback(url: &Url) -> bool {
    // `Url` parses an IP address only for web schemes, so the host is parsed again.
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

/// The mail secret is invalid and an operator must correct it. Contains nothing of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// It is no JSON document with these fields.
    #[error("the mail secret: {0}")]
    Json(#[from] JsonError),
    /// A field is invalid.
    #[error("the mail secret: {0}")]
    Form(&'static str),
    /// The named field is not an address.
    #[error("the mail secret: {0} is not an address")]
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
    fn relay_url_sets_port_and_encryption(
        #[case] relay: &str,
        #[case] more: &str,
        #[case] port: u16,
        #[case] encryption: Encryption,
    ) {
        let settings = MailSettings::parse(&secret(relay, more)).unwrap();
        assert_eq!((settings.port, settings.encryption), (port, encryption));
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter2") && !shown.contains('@') && !shown.contains("membermail"), "{shown}");
    }

    #[rstest::rstest]
    #[case("smtp://mail.example", LOGIN, "a password needs smtps:// or starttls://")]
    #[case("https://mail.example", "", "relay must begin with smtps://, starttls:// or smtp://")]
    #[case("smtps://mail.example", r#""user":"membermail","#, "user and password go together")]
    #[case("smtps:mail", "", "relay must name a host")]
    fn invalid_secret_error_hides_content(#[case] relay: &str, #[case] more: &str, #[case] reason: &str) {
        let error = MailSettings::parse(&secret(relay, more)).unwrap_err().to_string();
        assert_eq!(error, format!("the mail secret: {reason}"));
    }

    #[rstest::rstest]
    #[case::unknown_field(
        r#""hunter2":"hunter2","#,
        "a field is missing, unknown or has the wrong type at line 1, column "
    )]
    #[case::type_of_field(
        r#""user":["hunter2"],"#,
        "a field is missing, unknown or has the wrong type at line 1, column "
    )]
    #[case::no_json("hunter2,", "not JSON at line 1, column ")]
    #[case::cut_off(r#""password":"hunter2"#, "not JSON at line 1, column ")]
    fn unparsable_secret_error_hides_content(#[case] more: &str, #[case] reason: &str) {
        let error = MailSettings::parse(&secret("smtps://mail.example", more)).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with(&format!("the mail secret: {reason}")), "{text}");
        assert!(!format!("{text} {error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn invalid_address_is_rejected() {
        let text = secret("smtps://mail.example", "").replace("ops@ubuntu.example", "ops");
        assert_eq!(MailSettings::parse(&text).unwrap_err(), SettingsError::Address("operators"));
    }
}
