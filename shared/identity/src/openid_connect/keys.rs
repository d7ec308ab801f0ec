//! The provider's keys, and which of them signed a token.

use jiff::Timestamp;
use membermail_core::community::Algorithm;
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{
    DiscoveryError, JsonWebKey, JsonWebKeyAlgorithm, JsonWebKeySet, JsonWebKeyUse, JwsSigningAlgorithm,
};
use serde_json::Value;

use super::http::Http;
use super::jwt::Jwt;
use super::metadata::Metadata;
use super::{CheckError, ProviderError, Refusal, RelyingParty};

/// Minimum characters of an RSA modulus in base64url: 2048 bits (RFC 7518, 3.3).
const MODULUS_LENGTH: usize = 342;

impl RelyingParty {
    /// The key that signed a token. An unknown key id is looked up once more in fresh keys (Core 1.0, 10.1.1), unless that
    /// happened a moment ago.
    pub(super) async fn key_of(&self, jwt: &Jwt<'_>, now: Timestamp) -> Result<CoreJsonWebKey, CheckError> {
        let metadata = self.metadata(now).await?;
        let keys = self.keys.get(now, fetch(&metadata, &self.http)).await?;
        match choose(&keys, jwt) {
            Err(Refusal::UnknownKey) => {}
            chosen => return Ok(chosen?.clone()),
        }
        let newer = self.keys.get_newer(&keys, now, fetch(&metadata, &self.http)).await?;
        let newer = newer.ok_or(Refusal::UnknownKey)?;
        Ok(choose(&newer, jwt)?.clone())
    }
}

pub(super) async fn fetch(metadata: &Metadata, http: &Http) -> Result<CoreJsonWebKeySet, ProviderError> {
    // The crate skips keys that it cannot read.
    let fetched = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), http).await;
    let keys = fetched.map_err(|error| match error {
        DiscoveryError::Request(error) => error,
        // It has the body, which must not be logged.
        _ => ProviderError::Malformed("key set"),
    })?;
    Ok(JsonWebKeySet::new(keys.keys().iter().filter(|key| is_strong(key)).cloned().collect()))
}

/// The crate accepts short RSA keys, and gives no access to the modulus except by serializing.
fn is_strong(key: &CoreJsonWebKey) -> bool {
    let length = |value: Value| value.get("n").and_then(Value::as_str).map(str::len);
    serde_json::to_value(key).ok().and_then(length).is_none_or(|length| length >= MODULUS_LENGTH)
}

/// The one key with the token's key id, for its algorithm and for signatures.
fn choose<'a>(keys: &'a CoreJsonWebKeySet, jwt: &Jwt<'_>) -> Result<&'a CoreJsonWebKey, Refusal> {
    let algorithm = to_crate(jwt.algorithm);
    let fits = |key: &&CoreJsonWebKey| {
        let has_algorithm = match key.signing_alg() {
            JsonWebKeyAlgorithm::Algorithm(given) => *given == algorithm,
            JsonWebKeyAlgorithm::Unspecified => true,
            JsonWebKeyAlgorithm::Unsupported => false,
        };
        let has_id = jwt.key_id.as_deref().is_none_or(|id| key.key_id().is_some_and(|known| known.as_str() == id));
        has_id
            && has_algorithm
            && algorithm.key_type().as_ref() == Some(key.key_type())
            && key.key_use().is_none_or(JsonWebKeyUse::allows_signature)
    };
    let mut fitting = keys.keys().iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err(Refusal::AmbiguousKey),
        (None, _) => Err(Refusal::UnknownKey),
    }
}

/// The crate's name of an algorithm.
pub(super) fn to_crate(algorithm: Algorithm) -> CoreJwsSigningAlgorithm {
    match algorithm {
        Algorithm::Rs256 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        Algorithm::Rs384 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        Algorithm::Rs512 => CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        Algorithm::Ps256 => CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        Algorithm::Es256 => CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        Algorithm::Es384 => CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    }
}
