//! Personal data at rest: sealed under a key of the member's own, so that a copy of the table reveals no address, one
//! member's key opens nobody else's, and wiping a member's salt shreds what is theirs.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use membermail_core::address::Address;
use membermail_core::email::EmailAddress;
use membermail_core::master::MasterKeys;
use membermail_core::member::MemberId;
use membermail_core::random::{self, Random};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::Zeroizing;

/// The first byte of what is sealed: which way it was done.
const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// Half of a member's key; the other half is the master secret. 32 random bytes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; 32]);

impl Salt {
    /// A new one, for a new member.
    pub fn new(random: &dyn Random) -> Self {
        Self(random::bytes(random))
    }
}

impl TryFrom<String> for Salt {
    type Error = SealError;
    fn try_from(text: String) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text).map_err(|_| SealError)?;
        bytes.try_into().map(Self).map_err(|_| SealError)
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        STANDARD.encode(salt.0)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt([redacted])")
    }
}

/// An address as the table has it: version, nonce, ciphertext and tag, in Base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

/// What is sealed: bound into the seal, so that one field's bytes cannot stand in for another's.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    /// The address that the sign-in provider gave.
    SignIn,
    /// Where an alias forwards to.
    Destination(&'a Address),
}

impl Field<'_> {
    fn associated_data(self, member: MemberId) -> Vec<u8> {
        match self {
            Self::SignIn => format!("membermail/1/{member}/sign-in"),
            Self::Destination(address) => format!("membermail/1/{member}/destination/{address}"),
        }
        .into_bytes()
    }
}

/// Seals and opens with keys derived from the master secret; opens also what the one before it has sealed.
pub struct Sealer {
    current: Hkdf<Sha256>,
    previous: Option<Hkdf<Sha256>>,
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

impl Sealer {
    /// HKDF-Extract (RFC 5869, 2.2) over the master secret; the members' salts come in as `info`.
    pub fn new(master: &[u8]) -> Self {
        Self { current: Hkdf::new(Some(b"membermail/1"), master), previous: None }
    }

    /// Of a master secret that may have another before it.
    pub fn of(keys: &MasterKeys) -> Self {
        let previous = keys.previous().map(|master| Self::new(master).current);
        Self { previous, ..Self::new(keys.current()) }
    }

    /// Seals an address of this member for this field.
    pub fn seal(
        &self,
        salt: &Salt,
        member: MemberId,
        field: Field<'_>,
        address: &EmailAddress,
        random: &dyn Random,
    ) -> Result<Sealed, SealError> {
        let nonce: [u8; NONCE_BYTES] = random::bytes(random);
        let payload = Payload { msg: address.expose().as_bytes(), aad: &field.associated_data(member) };
        let ciphertext = cipher(&self.current, salt)?.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError)?;
        Ok(Sealed(STANDARD.encode([&[VERSION], nonce.as_slice(), &ciphertext].concat())))
    }

    /// Opens what was sealed for this member and field, and nothing else.
    pub fn open(
        &self,
        salt: &Salt,
        member: MemberId,
        field: Field<'_>,
        sealed: &Sealed,
    ) -> Result<EmailAddress, SealError> {
        let current = open_by(&self.current, salt, member, field, sealed);
        match (&self.previous, current) {
            (Some(previous), Err(SealError)) => open_by(previous, salt, member, field, sealed),
            (_, current) => current,
        }
    }

    /// What the previous master secret has sealed, sealed by the current one; nothing, where it was so already.
    pub fn reseal(
        &self,
        salt: &Salt,
        member: MemberId,
        field: Field<'_>,
        sealed: &Sealed,
        random: &dyn Random,
    ) -> Result<Option<Sealed>, SealError> {
        if open_by(&self.current, salt, member, field, sealed).is_ok() {
            return Ok(None);
        }
        let address = self.open(salt, member, field, sealed)?;
        self.seal(salt, member, field, &address, random).map(Some)
    }
}

fn open_by(
    master: &Hkdf<Sha256>,
    salt: &Salt,
    member: MemberId,
    field: Field<'_>,
    sealed: &Sealed,
) -> Result<EmailAddress, SealError> {
    let bytes = STANDARD.decode(&sealed.0).map_err(|_| SealError)?;
    let (version, rest) = bytes.split_first().ok_or(SealError)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
    if *version != VERSION {
        return Err(SealError);
    }
    let payload = Payload { msg: ciphertext, aad: &field.associated_data(member) };
    let plain = cipher(master, salt)?.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError)?;
    let plain = Zeroizing::new(String::from_utf8(plain).map_err(|_| SealError)?);
    EmailAddress::parse(&plain).map_err(|_| SealError)
}

fn cipher(master: &Hkdf<Sha256>, salt: &Salt) -> Result<XChaCha20Poly1305, SealError> {
    let mut key = Zeroizing::new([0; 32]);
    master.expand(&salt.0, key.as_mut_slice()).map_err(|_| SealError)?;
    Ok(XChaCha20Poly1305::new(&Key::from(*key)))
}

/// What was to be opened was not sealed so: another key, another field, or changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not open")]
pub struct SealError;

#[cfg(test)]
mod tests {
    use membermail_core::address::{DomainName, LocalPart};
    use membermail_core::random::CountingRandom;
    use proptest::prelude::*;

    use super::*;

    fn address() -> Address {
        Address { local_part: LocalPart::parse("alice").unwrap(), domain: DomainName::parse("ubuntu.com").unwrap() }
    }

    proptest! {
        #[test]
        fn only_its_own_key_member_and_field_open_it(flip in 0_usize..60, bit in 0_u8..8, master: [u8; 32]) {
            let random = CountingRandom::default();
            let (salt, other_salt) = (Salt::new(&random), Salt::new(&random));
            let member = MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random);
            let other = MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random);
            let email = EmailAddress::parse("alice@mail.example").unwrap();
            let address = address();
            let field = Field::Destination(&address);
            let sealer = Sealer::new(&master);
            let sealed = sealer.seal(&salt, member, field, &email, &random).unwrap();
            prop_assert_eq!(sealer.open(&salt, member, field, &sealed), Ok(email));
            prop_assert_eq!(sealer.open(&other_salt, member, field, &sealed), Err(SealError));
            prop_assert_eq!(sealer.open(&salt, other, field, &sealed), Err(SealError));
            prop_assert_eq!(sealer.open(&salt, member, Field::SignIn, &sealed), Err(SealError));
            prop_assert_eq!(Sealer::new(b"another").open(&salt, member, field, &sealed), Err(SealError));
            let mut bytes = STANDARD.decode(&sealed.0).unwrap();
            bytes[flip % 59] ^= 1 << bit;
            let changed = Sealed(STANDARD.encode(bytes));
            prop_assert_eq!(sealer.open(&salt, member, field, &changed), Err(SealError));
        }
    }

    #[test]
    fn what_an_earlier_master_secret_sealed_opens_until_it_is_gone() {
        let random = CountingRandom::default();
        let (salt, member) = (Salt::new(&random), MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random));
        let email = EmailAddress::parse("alice@mail.example").unwrap();
        let of = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
        let sealed = Sealer::new(b"old").seal(&salt, member, Field::SignIn, &email, &random).unwrap();
        let both = Sealer::of(&MasterKeys::new(of("new"), Some(of("old"))));
        assert_eq!(both.open(&salt, member, Field::SignIn, &sealed), Ok(email.clone()));
        let resealed = both.reseal(&salt, member, Field::SignIn, &sealed, &random).unwrap().unwrap();
        assert_eq!(both.reseal(&salt, member, Field::SignIn, &resealed, &random), Ok(None));
        // It is the new one's alone: the old one opens it no more, and the new one needs no other.
        assert_eq!(Sealer::new(b"old").open(&salt, member, Field::SignIn, &resealed), Err(SealError));
        let new = Sealer::of(&MasterKeys::new(of("new"), None));
        assert_eq!(new.open(&salt, member, Field::SignIn, &resealed), Ok(email));
        assert_eq!(new.open(&salt, member, Field::SignIn, &sealed), Err(SealError));
        assert_eq!(new.reseal(&salt, member, Field::SignIn, &sealed, &random), Err(SealError));
        // What is sealed while there are two is sealed by the new one.
        let address = address();
        let field = Field::Destination(&address);
        let fresh =
            both.seal(&salt, member, field, &new.open(&salt, member, Field::SignIn, &resealed).unwrap(), &random);
        assert!(new.open(&salt, member, field, &fresh.unwrap()).is_ok());
    }

    #[test]
    fn nothing_prints_itself() {
        let random = CountingRandom::default();
        let salt = Salt::new(&random);
        let sealer = Sealer::new(b"master");
        let member = MemberId::new(jiff::Timestamp::UNIX_EPOCH, &random);
        let email = EmailAddress::parse("alice@mail.example").unwrap();
        let sealed = sealer.seal(&salt, member, Field::SignIn, &email, &random).unwrap();
        assert_eq!(format!("{salt:?} {sealer:?} {sealed:?}"), "Salt([redacted]) Sealer([redacted]) Sealed(…)");
    }
}
