//! Signing algorithms (section 6.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The algorithm of an association, with the name of its association type (8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
pub(crate) enum Mac {
    /// HMAC-SHA1, keys of 160 bits.
    #[strum(serialize = "HMAC-SHA1")]
    Sha1,
    /// HMAC-SHA256, keys of 256 bits.
    #[strum(serialize = "HMAC-SHA256")]
    Sha256,
}

impl Mac {
    /// The association type (8.3).
    pub(crate) fn association_type(self) -> &'static str {
        self.into()
    }

    /// The Diffie-Hellman session type with the same key length (8.4.2).
    pub(crate) fn session_type(self) -> &'static str {
        match self {
            Self::Sha1 => "DH-SHA1",
            Self::Sha256 => "DH-SHA256",
        }
    }

    /// Bytes of a key.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The hash function of the algorithm.
    pub(crate) fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// Signs a text; returns the signature in Base64.
    pub(crate) fn sign(self, key: &[u8], text: &str) -> String {
        let signature = match self {
            Self::Sha1 => {
                Hmac::<Sha1>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            }
            Self::Sha256 => {
                Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            }
        };
        // This cannot fail: HMAC accepts keys of any length.
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
    fn signature_matches_rfc_vectors(#[case] mac: Mac, #[case] expected: &str) {
        assert_eq!(mac.sign(b"Jefe", "what do ya want for nothing?"), expected);
    }
}
