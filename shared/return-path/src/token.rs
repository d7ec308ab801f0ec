//! Making and opening return-path addresses.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use membermail_core::address::{DomainName, LOCAL_PART_OCTETS};
use membermail_core::dot_atom::is_dot_atom;
use membermail_core::master::MasterKeys;
use membermail_core::member::MemberId;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::mac::{Key, Purpose};
use crate::sender::Sender;
use crate::spelling;

/// How many days after its own a token is valid: the queue of this host (5 days), the destination's, and some time for a
/// person who answers.
const VALID_DAYS: i64 = 14;
const DAY_SECONDS: i64 = 24 * 3600;

/// Characters of a day.
const DAY: usize = 2;
/// Characters of a MAC: 50 bits, against online guesses at an SMTP server.
const MAC: usize = 10;
/// Characters of the MAC of a stored sender: 130 bits, so that no two senders share a token.
const SENDER_MAC: usize = 26;

const INLINE: &str = "r";
const STORED: &str = "s";
const NOTICE: &str = "n";

/// Makes and opens the addresses of one return-path domain.
pub struct ReturnPath {
    current: Key,
    previous: Option<Key>,
    domain: DomainName,
}

/// An address in the return-path domain. `Debug` omits it: it can contain the sender.
#[derive(Clone, PartialEq, Eq)]
pub struct ReturnAddress {
    text: Zeroizing<String>,
    stored: Option<StoredToken>,
}

/// A token whose sender is in the table. It reveals nothing of the sender.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoredToken {
    text: String,
    day: i64,
}

/// What a valid address was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Mail of this sender, which was forwarded.
    Sender(Sender),
    /// Mail of a sender that the table has under this token, which was forwarded.
    Stored(StoredToken),
    /// A notice to this member.
    Notice(MemberId),
}

/// Why an address does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It is in another domain.
    #[error("not an address of the return-path domain")]
    OtherDomain,
    /// Forged, changed, expired, or made on a later day than today.
    #[error("not a valid return path")]
    Invalid,
}

impl ReturnPath {
    /// Derives the keys from the master secrets.
    pub fn new(keys: &MasterKeys, domain: DomainName) -> Self {
        Self { current: Key::derive(keys.current()), previous: keys.previous().map(Key::derive), domain }
    }

    /// The return-path domain.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// The address for forwarded mail of this sender. If it has a [`ReturnAddress::stored_token`], the caller stores the
    /// sender under it before the mail leaves. The same for the same sender and day.
    pub fn for_sender(&self, sender: &Sender, now: Timestamp) -> ReturnAddress {
        let day = day(now);
        let inline = inline(&self.current, sender, day, &self.domain);
        match inline.filter(|token| token.len() <= LOCAL_PART_OCTETS) {
            Some(token) => self.address(&token, None),
            None => {
                let token = StoredToken { text: stored(&self.current, sender, day, &self.domain), day };
                self.address(&token.text.clone(), Some(token))
            }
        }
    }

    /// The address for a notice to this member.
    pub fn for_notice(&self, member: MemberId, now: Timestamp) -> ReturnAddress {
        self.address(&notice(&self.current, member, day(now), &self.domain), None)
    }

    /// Opens an address `TOKEN@DOMAIN`. Case is ignored.
    pub fn open(&self, address: &str, now: Timestamp) -> Result<Opened, OpenError> {
        let address = Zeroizing::new(address.to_ascii_lowercase());
        let (token, domain) = address.rsplit_once('@').ok_or(OpenError::OtherDomain)?;
        if domain != self.domain.as_str() {
            return Err(OpenError::OtherDomain);
        }
        self.open_token(token, now).ok_or(OpenError::Invalid)
    }

    fn open_token(&self, token: &str, now: Timestamp) -> Option<Opened> {
        let kind = token.get(..1)?;
        let today = day(now);
        let written = token.get(1..1 + DAY)?;
        let day = (0..=VALID_DAYS).map(|age| today - age).find(|day| day_text(*day) == written)?;
        let rest = token.get(1 + DAY..)?;
        match kind {
            INLINE => {
                let mut parts = rest.splitn(3, '=');
                let upper_case = parts.next()?.get(MAC..)?;
                let domain = parts.next()?;
                let local_part = spelling::restore(parts.next()?, upper_case)?;
                let sender = Sender::parse(&format!("{local_part}@{domain}")).ok()?;
                let is_valid = self.keys().any(|key| {
                    inline(key, &sender, day, &self.domain).is_some_and(|expected| is_equal(&expected, token))
                });
                is_valid.then_some(Opened::Sender(sender))
            }
            STORED => {
                let sender_mac = rest.get(..SENDER_MAC)?;
                let is_valid = self.keys().any(|key| is_equal(&with_check(key, sender_mac, day, &self.domain), token));
                is_valid.then(|| Opened::Stored(StoredToken { text: token.to_owned(), day }))
            }
            NOTICE => {
                let member = MemberId::parse(&rest.get(MAC..)?.to_ascii_uppercase()).ok()?;
                let is_valid = self.keys().any(|key| is_equal(&notice(key, member, day, &self.domain), token));
                is_valid.then_some(Opened::Notice(member))
            }
            _ => None,
        }
    }

    /// Whether the token was made for this sender. The table says which sender it has, and this checks it.
    pub fn is_token_of(&self, token: &StoredToken, sender: &Sender) -> bool {
        self.keys().any(|key| is_equal(&stored(key, sender, token.day, &self.domain), &token.text))
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    fn address(&self, token: &str, stored: Option<StoredToken>) -> ReturnAddress {
        ReturnAddress { text: Zeroizing::new(format!("{token}@{}", self.domain)), stored }
    }
}

/// Days since 1970.
fn day(now: Timestamp) -> i64 {
    now.as_second().div_euclid(DAY_SECONDS)
}

/// The last 10 bits of the day. The MAC covers the whole number.
fn day_text(day: i64) -> String {
    let bits = u16::try_from(day.rem_euclid(1 << 10)).unwrap_or_default() << 6;
    let mut text = BASE32_NOPAD.encode(&bits.to_be_bytes());
    text.truncate(DAY);
    text.make_ascii_lowercase();
    text
}

/// None if the sender has characters that not every server takes in a sender, or reads in the same way.
fn inline(key: &Key, sender: &Sender, day: i64, domain: &DomainName) -> Option<String> {
    let local_part = sender.local_part();
    let is_harmless = local_part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=.-_+".contains(&byte));
    if !is_dot_atom(local_part) || !is_harmless || DomainName::parse(sender.domain()).is_err() {
        return None;
    }
    let mac = key.code(Purpose::Inline, day, domain.as_str(), sender.expose(), MAC);
    let upper_case = spelling::upper_case(local_part);
    let local_part = local_part.to_ascii_lowercase();
    Some(format!("{INLINE}{}{mac}{upper_case}={}={local_part}", day_text(day), sender.domain()))
}

fn stored(key: &Key, sender: &Sender, day: i64, domain: &DomainName) -> String {
    let sender_mac = key.code(Purpose::StoredSender, day, domain.as_str(), sender.expose(), SENDER_MAC);
    with_check(key, &sender_mac, day, domain)
}

fn with_check(key: &Key, sender_mac: &str, day: i64, domain: &DomainName) -> String {
    let check = key.code(Purpose::Stored, day, domain.as_str(), sender_mac, MAC);
    format!("{STORED}{}{sender_mac}{check}", day_text(day))
}

fn notice(key: &Key, member: MemberId, day: i64, domain: &DomainName) -> String {
    let member = member.to_string().to_ascii_lowercase();
    let mac = key.code(Purpose::Notice, day, domain.as_str(), &member, MAC);
    format!("{NOTICE}{}{mac}{member}", day_text(day))
}

fn is_equal(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}

impl ReturnAddress {
    /// `TOKEN@DOMAIN`, for the envelope.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The token, if the sender has to be stored.
    pub fn stored_token(&self) -> Option<&StoredToken> {
        self.stored.as_ref()
    }
}

impl fmt::Debug for ReturnAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnAddress([redacted])")
    }
}

impl StoredToken {
    /// The local part of the address, in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// From when on the token is invalid, so that its sender can be deleted.
    pub fn expires(&self) -> Timestamp {
        Timestamp::from_second((self.day + VALID_DAYS + 1) * DAY_SECONDS).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
