//! A destination address: personal data that cannot be printed by accident.

use std::fmt;

use idna::AsciiDenyList;
use zeroize::Zeroizing;

/// Octets of an address at most (RFC 5321, 4.5.3.1.3).
const LIMIT: usize = 254;
/// Octets of a domain label at most (RFC 1035, 2.3.4).
const LABEL_LIMIT: usize = 63;

/// A member's own address outside the community. `Debug` is redacted and there is no `Display` or `Serialize`: code that
/// needs the text calls [`expose`](Self::expose).
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    text: Zeroizing<String>,
    at: usize,
}

impl EmailAddress {
    /// Reads an `addr-spec` (RFC 5322, 3.4.1) of at most 254 octets and nothing around it: no display name, comment,
    /// list or blank. The local part is ASCII, because not every mail server takes SMTPUTF8. The domain is a host name
    /// of at least two labels, in lower case and with A-labels (RFC 5890) in place of U-labels; no address literal.
    ///
    /// The mailer (lettre) accepts every address that this accepts: it reads the local part by the same rule.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Syntax)?;
        let domain = host_name(domain)?;
        if local.len() > LIMIT || local.len() + 1 + domain.len() > LIMIT {
            return Err(EmailError::TooLong);
        }
        if !local.is_ascii() || !email_address::EmailAddress::is_valid_local_part(local) {
            return Err(EmailError::LocalPart);
        }
        Ok(Self { text: Zeroizing::new(format!("{local}@{domain}")), at: local.len() })
    }

    /// The text: for the envelope, the member's own page and the sealed item, never for a log.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

/// The domain in lower case with A-labels.
fn host_name(domain: &str) -> Result<String, EmailError> {
    // UTS 46 maps to lower case and checks A-labels; STD3 leaves letters, digits and hyphens alone.
    let ascii = idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::STD3).map_err(|_| EmailError::Domain)?;
    let labels: Vec<_> = ascii.split('.').collect();
    // A last label of digits alone is that of an IPv4 address (RFC 3696, section 2).
    let is_number = labels.last().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if labels.len() < 2 || is_number || !labels.into_iter().all(is_label) {
        return Err(EmailError::Domain);
    }
    Ok(ascii.into_owned())
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_LIMIT).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress([redacted])")
    }
}

/// Why a text is not a valid address. Contains nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// There is no `@`.
    #[error("not an e-mail address that mail can be sent to: it has no @")]
    Syntax,
    /// Not a dot-atom or quoted string in ASCII, or longer than 64 octets.
    #[error("not an e-mail address that mail can be sent to: the part before the @ is invalid")]
    LocalPart,
    /// Not a host name of at least two labels.
    #[error("not an e-mail address that mail can be sent to: the part after the @ is not a domain name")]
    Domain,
    /// More than 254 octets.
    #[error("not an e-mail address that mail can be sent to: it is too long")]
    TooLong,
}

#[cfg(test)]
#[path = "email_tests.rs"]
mod tests;
