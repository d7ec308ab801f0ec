//! How we authenticate at the token endpoint: a client secret, or a signed assertion (RFC 7523).

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::later;
use membermail_core::community::ClientAuthentication;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// How long an assertion is valid.
const LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// A credential of ours.
#[derive(Debug)]
pub enum Credential {
    /// A client secret.
    Secret(Secret),
    /// A key that signs assertions.
    Key(SigningKey),
}

/// A client secret.
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// A P-256 key for ES256.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    /// The JWK thumbprint (RFC 7638) of the public key.
    id: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The text is not a credential of the configured method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// An empty secret, which anyone knows.
    #[error("the client secret is empty or has control characters")]
    Secret,
    /// Not a private key for ES256.
    #[error("not a private key: PKCS #8 in PEM, of the curve P-256")]
    Key,
}

impl Credential {
    /// Reads a client secret, or a private key (PKCS #8 in PEM, P-256) for `private-key-jwt`. Blanks around it, for example
    /// of a file's last line, are no part of it.
    ///
    /// # Errors
    /// If it is not one.
    pub fn parse(authentication: ClientAuthentication, text: &str) -> Result<Self, CredentialError> {
        let text = text.trim();
        match authentication {
            ClientAuthentication::ClientSecretBasic | ClientAuthentication::ClientSecretPost => {
                if text.is_empty() || text.chars().any(char::is_control) {
                    return Err(CredentialError::Secret);
                }
                Ok(Self::Secret(Secret(Zeroizing::new(text.to_owned()))))
            }
            ClientAuthentication::PrivateKeyJwt => SigningKey::parse(text).map(Self::Key),
        }
    }
}

impl SigningKey {
    fn parse(pem: &str) -> Result<Self, CredentialError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| CredentialError::Key)?;
        let key = key.secret_pkcs8_der();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key).map_err(|_| CredentialError::Key)?;
        let (x, y) = coordinates(&pair).ok_or(CredentialError::Key)?;
        // RFC 7638, section 3: the members in this order, without blanks.
        let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Ok(Self { id: URL_SAFE_NO_PAD.encode(Sha256::digest(jwk)), pair })
    }

    /// The public key as a JWK, for the registration at the provider.
    pub fn public_jwk(&self) -> String {
        let (x, y) = coordinates(&self.pair).unwrap_or_default();
        let id = &self.id;
        json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": id }).to_string()
    }

    /// An assertion for the token endpoint. Its id is unique, because a code is redeemed once with each key. `None` if the
    /// signature fails.
    pub(super) fn assertion(&self, client_id: &str, endpoint: &str, code: &str, now: Timestamp) -> Option<String> {
        let jti = Sha256::digest(format!("membermail/1/assertion {} {code}", self.id));
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.id });
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": endpoint,
            "jti": URL_SAFE_NO_PAD.encode(jti),
            "iat": now.as_second(),
            "exp": later(now, LIFETIME).as_second(),
        });
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// The coordinates of the public key in base64url.
fn coordinates(pair: &EcdsaKeyPair) -> Option<(String, String)> {
    // Uncompressed (SEC 1, 2.3.3): 4, x, y.
    let (x, y) = pair.public_key().as_ref().strip_prefix(&[4])?.split_at_checked(32)?;
    Some((URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))
}
