//! Personal data at rest: sealed with a key per member, so that a copy of the table reveals no address, one member's key
//! opens no other member's data, and deleting a member's key context crypto-shreds their data.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use membermail_core::destination::DestinationId;
use membermail_core::email::EmailAddress;
use membermail_core::master::MasterKeys;
use membermail_core::member::MemberId;
use membermail_core::random::{self, Random};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The first byte of sealed data: the version of the format.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// A member's key context: 32 random bytes, the `info` of HKDF-Expand (RFC 5869, 2.3). Replacing it crypto-shreds the member's
/// data, because the key cannot be derived again.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyContext([u8; 32]);

impl KeyContext {
    /// Generates a key context.
    pub fn new(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }
}

impl TryFrom<String> for KeyContext {
    type Error = SealError;
    fn try_from(text: String) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text).map_err(|_| SealError)?;
        bytes.try_into().map(Self).map_err(|_| SealError)
    }
}

impl From<KeyContext> for String {
    fn from(key_context: KeyContext) -> Self {
        STANDARD.encode(key_context.0)
    }
}

impl fmt::Debug for KeyContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyContext([redacted])")
    }
}

/// A sealed address: version, nonce, ciphertext and tag, in Base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// The field of a sealed address, which is associated data: a sealed address cannot be moved to another field.
#[derive(Clone, Copy, Debug)]
pub enum Field {
    /// The sign-in address of a member.
    SignIn,
    /// The address of a destination.
    Destination(DestinationId),
}

impl Field {
    fn associated_data(self, member: MemberId) -> Vec<u8> {
        match self {
            Self::SignIn => format!("membermail/1/{member}/sign-in"),
            Self::Destination(id) => format!("membermail/1/{member}/destination/{id}"),
        }
        .into_bytes()
    }
}

/// Seals and opens addresses with keys derived from the master secret. During a key rotation it also opens addresses that
/// the previous master secret has sealed.
pub struct Sealer {
    pub(crate) current: Hkdf<Sha256>,
    pub(crate) previous: Option<Hkdf<Sha256>>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

impl Sealer {
    /// HKDF-Extract (RFC 5869, 2.2) over the master secret.
    pub fn new(master: &[u8]) -> Self {
        Self { current: Hkdf::new(Some(b"membermail/1"), master), previous: None }
    }

    /// A sealer with the current and, during a key rotation, the previous master secret.
    pub fn of(keys: &MasterKeys) -> Self {
        let previous = keys.previous().map(|master| Self::new(master).current);
        Self { previous, ..Self::new(keys.current()) }
    }

    /// Seals an address for this member and field.
    pub fn seal(
        &self,
        key_context: &KeyContext,
        member: MemberId,
        field: Field,
        address: &EmailAddress,
        random: &dyn Random,
    ) -> Result<Sealed, SealError> {
        self.seal_text(&key_context.0, &field.associated_data(member), address.expose(), random)
    }

    /// Seals a text with the key of this HKDF `info`.
    pub(crate) fn seal_text(
        &self,
        info: &[u8],
        associated_data: &[u8],
        text: &str,
        random: &dyn Random,
    ) -> Result<Sealed, SealError> {
        let nonce: [u8; NONCE_BYTES] = random::bytes(random);
        let payload = Payload { msg: text.as_bytes(), aad: associated_data };
        let ciphertext = cipher(&self.current, info)?.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError)?;
        Ok(Sealed(STANDARD.encode([&[VERSION], nonce.as_slice(), &ciphertext].concat())))
    }

    /// Opens a text that [`seal_text`](Self::seal_text) sealed.
    pub(crate) fn open_text(
        &self,
        info: &[u8],
        associated_data: &[u8],
        sealed: &Sealed,
    ) -> Result<Zeroizing<String>, SealError> {
        let current = decrypt(&self.current, info, associated_data, sealed);
        match (&self.previous, current) {
            (Some(previous), Err(SealError)) => decrypt(previous, info, associated_data, sealed),
            (_, current) => current,
        }
    }

    /// Opens an address that was sealed for this member and field.
    pub fn open(
        &self,
        key_context: &KeyContext,
        member: MemberId,
        field: Field,
        sealed: &Sealed,
    ) -> Result<EmailAddress, SealError> {
        let plain = self.open_text(&key_context.0, &field.associated_data(member), sealed)?;
        EmailAddress::parse(&plain).map_err(|_| SealError)
    }

    /// Reseals an address of the previous master secret with the current one. None, if the current one has sealed it.
    pub fn reseal(
        &self,
        key_context: &KeyContext,
        member: MemberId,
        field: Field,
        sealed: &Sealed,
        random: &dyn Random,
    ) -> Result<Option<Sealed>, SealError> {
        if decrypt(&self.current, &key_context.0, &field.associated_data(member), sealed).is_ok() {
            return Ok(None);
        }
        let address = self.open(key_context, member, field, sealed)?;
        self.seal(key_context, member, field, &address, random).map(Some)
    }
}

fn decrypt(
    master: &Hkdf<Sha256>,
    info: &[u8],
    associated_data: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<String>, SealError> {
    let bytes = STANDARD.decode(&sealed.0).map_err(|_| SealError)?;
    let (version, rest) = bytes.split_first().ok_or(SealError)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
    if *version != VERSION {
        return Err(SealError);
    }
    let payload = Payload { msg: ciphertext, aad: associated_data };
    let plain = cipher(master, info)?.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError)?;
    String::from_utf8(plain).map(Zeroizing::new).map_err(|_| SealError)
}

fn cipher(master: &Hkdf<Sha256>, info: &[u8]) -> Result<XChaCha20Poly1305, SealError> {
    let mut key = Zeroizing::new([0; 32]);
    master.expand(info, key.as_mut_slice()).map_err(|_| SealError)?;
    Ok(XChaCha20Poly1305::new(&Key::from(*key)))
}

/// Sealed data does not open: it has another key or field, or was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not open")]
pub struct SealError;

#[cfg(test)]
mod tests {
    use membermail_core::random::CountingRandom;
    use proptest::prelude::*;

    use super::*;

    fn field() -> Field {
        Field::Destination(DestinationId::new(jiff::Timestamp::UNIX_EPOCH, &CountingRandom::default()))
    }

    proptest! {
        #[test]
        fn only_own_key_and_field_open(flip in 0_usize..60, bit in 0_u8..8, master: [u8; 32]) {
            let random = CountingRandom::default();
            let key_context = KeyContext::new(&random);
            let other_key_context = KeyContext::new(&random);
            let member = MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random);
            let other = MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random);
            let email = EmailAddress::parse("alice@mail.example").unwrap();
            let field = field();
            let sealer = Sealer::new(&master);
            let sealed = sealer.seal(&key_context, member, field, &email, &random).unwrap();
            prop_assert_eq!(sealer.open(&key_context, member, field, &sealed), Ok(email));
            prop_assert_eq!(sealer.open(&other_key_context, member, field, &sealed), Err(SealError));
            prop_assert_eq!(sealer.open(&key_context, other, field, &sealed), Err(SealError));
            prop_assert_eq!(sealer.open(&key_context, member, Field::SignIn, &sealed), Err(SealError));
            prop_assert_eq!(Sealer::new(b"another").open(&key_context, member, field, &sealed), Err(SealError));
            let mut bytes = STANDARD.decode(&sealed.0).unwrap();
            bytes[flip % 59] ^= 1 << bit;
            let changed = Sealed(STANDARD.encode(bytes));
            prop_assert_eq!(sealer.open(&key_context, member, field, &changed), Err(SealError));
        }
    }

    #[test]
    fn previous_secret_opens_until_removed() {
        let random = CountingRandom::default();
        let key_context = KeyContext::new(&random);
        let member = MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random);
        let email = EmailAddress::parse("alice@mail.example").unwrap();
        let secret = Zeroizing::new(b"new".to_vec());
        let sealed = Sealer::new(b"old").seal(&key_context, member, Field::SignIn, &email, &random).unwrap();
        let both = Sealer::of(&MasterKeys::new(secret.clone(), Some(Zeroizing::new(b"old".to_vec()))));
        assert_eq!(both.open(&key_context, member, Field::SignIn, &sealed), Ok(email.clone()));
        let resealed = both.reseal(&key_context, member, Field::SignIn, &sealed, &random).unwrap().unwrap();
        assert_eq!(both.reseal(&key_context, member, Field::SignIn, &resealed, &random), Ok(None));
        // The resealed address needs the new secret only, and the old one no longer opens it.
        assert_eq!(Sealer::new(b"old").open(&key_context, member, Field::SignIn, &resealed), Err(SealError));
        let new = Sealer::of(&MasterKeys::new(secret, None));
        assert_eq!(new.open(&key_context, member, Field::SignIn, &resealed), Ok(email.clone()));
        assert_eq!(new.open(&key_context, member, Field::SignIn, &sealed), Err(SealError));
        assert_eq!(new.reseal(&key_context, member, Field::SignIn, &sealed, &random), Err(SealError));
        // With two secrets, new addresses are sealed with the new one.
        let field = field();
        let fresh = both.seal(&key_context, member, field, &email, &random).unwrap();
        assert_eq!(new.open(&key_context, member, field, &fresh), Ok(email));
    }

    #[test]
    fn debug_output_is_redacted() {
        let random = CountingRandom::default();
        let key_context = KeyContext::new(&random);
        let sealer = Sealer::new(b"master");
        let member = MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random);
        let email = EmailAddress::parse("alice@mail.example").unwrap();
        let sealed = sealer.seal(&key_context, member, Field::SignIn, &email, &random).unwrap();
        assert_eq!(
            format!("{key_context:?} {sealer:?} {sealed:?}"),
            "KeyContext([redacted]) Sealer([redacted]) Sealed(…)"
        );
    }
}
