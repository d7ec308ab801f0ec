//! Signing algorithms (section 6.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What an association signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mac {
    /// HMAC-SHA1, keys of 160 bits.
    Sha1,
    /// HMAC-SHA256, keys of 256 bits.
    Sha256,
}

impl Mac {
    /// By its name as an association type (8.3).
    pub(crate) fn of(association_type: &str) -> Option<Self> {
        match association_type {
            "HMAC-SHA1" => Some(Self::Sha1),
            "HMAC-SHA256" => Some(Self::Sha256),
            _ => None,
        }
    }

    /// Its name as an association type.
    pub(crate) fn association_type(self) -> &'static str {
        match self {
            Self::Sha1 => "HMAC-SHA1",
            Self::Sha256 => "HMAC-SHA256",
        }
    }

    /// The session type that hides a key of its length (8.4.2).
    pub(crate) fn session_type(self) -> &'static str {
        match self {
            Self::Sha1 => "DH-SHA1",
            Self::Sha256 => "DH-SHA256",
        }
    }

    /// Octets of a key.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The hash alone.
    pub(super) fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// The signature of a text, in Base64.
    pub(crate) fn sign(self, key: &[u8], text: &str) -> String {
        let signature = match self {
            Self::Sha1 => {
                Hmac::<Sha1>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            }
            Self::Sha256 => {
                Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            }
        };
        // HMAC takes keys of any length.
        STANDARD.encode(signature.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 and RFC 4231, test case 2 of both.
    #[rstest::rstest]
    #[case(Mac::Sha1, "7/zfauXrL6LSdBbV8YTfnCWafHk=")]
    #[case(Mac::Sha256, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")]
    fn signs_as_the_rfcs_say(#[case] mac: Mac, #[case] expected: &str) {
        assert_eq!(mac.sign(b"Jefe", "what do ya want for nothing?"), expected);
    }
}
