//! HMAC-SHA256 (RFC 2104) and base64url.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The HMAC of a message; keys can have any length.
#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
pub(crate) fn tag(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Encodes as base64url without padding (RFC 4648, section 5), for URLs, cookies and forms.
pub(crate) fn to_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes base64url text of exactly `N` bytes.
pub(crate) fn from_text<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Decodes base64url text.
pub(crate) fn from_text_of_any_length(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
