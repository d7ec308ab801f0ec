//! Signed tokens (RFC 7515, compact serialization): header and signature. Claims are checked elsewhere.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use membermail_core::community::Algorithm;
use openidconnect::core::CoreJsonWebKey;

use super::members::Members;
use super::{Refusal, signature};

/// The kinds of tokens that we verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// ID token (Core 1.0, section 2), from the token endpoint.
    Id,
    /// Logout token (Back-Channel Logout 1.0, 2.4), which anyone can send.
    Logout,
}

impl Kind {
    /// Maximum bytes. A person in thousands of groups has an ID token of 85 KB.
    fn limit(self) -> usize {
        match self {
            Self::Id => 128 * 1024,
            Self::Logout => 16 * 1024,
        }
    }

    /// Whether a token with this `typ` can be of this kind (RFC 8725, 3.11). The claims tell both kinds apart as well: a
    /// logout token has an event and no nonce. Some providers therefore type logout tokens as plain JWTs.
    fn allows(self, typ: &str) -> bool {
        let typ = typ.to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        typ == "jwt" || (self == Self::Logout && typ == "logout+jwt")
    }
}

/// A parsed token; nothing of it is verified.
pub(super) struct Jwt<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    /// Parses a token with one of these algorithms.
    pub(super) fn parse(token: &'a str, kind: Kind, algorithms: &[Algorithm]) -> Result<Self, Refusal> {
        if token.len() > kind.limit() {
            return Err(Refusal::TokenOversized);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::TokenForm)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::TokenForm)?;
        // Refuses padding and unused bits that are not zero, so that a token has one form.
        let decode = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::TokenForm);
        let (header, payload, signature) = (decode(header)?, decode(payload)?, decode(signature)?);

        let header = Members::read(&header, &["alg", "crit", "kid", "typ"]).map_err(|_| Refusal::Header)?;
        let text = |name| header.text(name).map_err(|_| Refusal::Header);
        if header.has("crit") {
            return Err(Refusal::Critical);
        }
        let given = text("alg")?.ok_or(Refusal::Header)?;
        let named = |algorithm: &Algorithm| <&str>::from(*algorithm) == given;
        let algorithm = algorithms.iter().copied().find(named).ok_or(Refusal::Algorithm)?;
        if text("typ")?.is_some_and(|typ| !kind.allows(typ)) {
            return Err(Refusal::Type);
        }
        let key_id = text("kid")?.map(str::to_owned);
        Ok(Self { algorithm, key_id, signed, payload, signature })
    }

    /// Verifies the signature, and returns the claims.
    pub(super) fn verify(&self, key: &CoreJsonWebKey) -> Result<&[u8], Refusal> {
        if signature::is_valid(key, self.algorithm, self.signed.as_bytes(), &self.signature) {
            Ok(&self.payload)
        } else {
            Err(Refusal::Signature)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("JWT", true, true)]
    #[case("jwt", true, true)]
    #[case("application/jwt", true, true)]
    #[case("logout+jwt", false, true)]
    #[case("application/logout+jwt", false, true)]
    #[case("at+jwt", false, false)]
    #[case("", false, false)]
    fn type_fits_its_kind(#[case] typ: &str, #[case] id: bool, #[case] logout: bool) {
        assert_eq!((Kind::Id.allows(typ), Kind::Logout.allows(typ)), (id, logout));
    }
}
