//! Message authentication codes of tokens.

use data_encoding::BASE32_NOPAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a code is for. A code of one purpose is none of another.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Inline = 1,
    /// The sender of a stored token, which is in the table.
    StoredSender = 2,
    /// The stored token itself, so that a forged one is refused without a look at the table.
    Stored = 3,
    Notice = 4,
}

/// The key of all tokens, from one master secret.
pub(crate) struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// HKDF (RFC 5869).
    #[expect(clippy::expect_used, reason = "HKDF fails only for output of more than 255 hashes")]
    pub(crate) fn derive(master: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let hkdf = Hkdf::<Sha256>::new(Some(b"membermail/1"), master);
        hkdf.expand(b"return-path", key.as_mut_slice()).expect("32 bytes are a short output");
        Self(key)
    }

    /// The code as `length` characters of base32, 5 bits each.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub(crate) fn code(&self, purpose: Purpose, day: i64, domain: &str, subject: &str, length: usize) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).expect("HMAC takes keys of every length");
        mac.update(&[purpose as u8]);
        mac.update(&day.to_be_bytes());
        // No domain has a NUL, so that no two lists of parts give the same message.
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(subject.as_bytes());
        let mut text = BASE32_NOPAD.encode(&mac.finalize().into_bytes());
        text.truncate(length);
        text.make_ascii_lowercase();
        text
    }
}
