//! The signing key, and tokens signed with it.

use anyhow::{Context, Result, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An RSA key of 2,048 bits with its public numbers.
pub(crate) struct SigningKey {
    pair: KeyPair,
    id: String,
    modulus: String,
    exponent: String,
}

/// Bytes before the modulus in the public key of 2,048 bits (RFC 8017, A.1.1): a sequence of two integers, of which the
/// first starts with a zero byte.
const MODULUS_START: usize = 9;
const MODULUS_LENGTH: usize = 256;
/// Bytes between modulus and exponent: type and length of the second integer.
const EXPONENT_START: usize = MODULUS_START + MODULUS_LENGTH + 2;

impl SigningKey {
    pub(super) fn generate() -> Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).context("cannot generate a key")?;
        let public = pair.public_key().as_ref();
        ensure!(public.len() == EXPONENT_START + 3, "an unexpected public key");
        let modulus = URL_SAFE_NO_PAD.encode(&public[MODULUS_START..MODULUS_START + MODULUS_LENGTH]);
        let exponent = URL_SAFE_NO_PAD.encode(&public[EXPONENT_START..]);
        // `lib/doorkeeper/openid_connect.rb`, `build_jwk`: the thumbprint of RFC 7638.
        let thumbprint = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(thumbprint));
        Ok(Self { pair, id, modulus, exponent })
    }

    /// `app/controllers/doorkeeper/openid_connect/discovery_controller.rb`, `keys_response`.
    pub(super) fn public(&self) -> Value {
        json!({ "kty": "RSA", "kid": self.id, "e": self.exponent, "n": self.modulus, "use": "sig", "alg": "RS256" })
    }

    /// The claims as a compact JWS (RFC 7515, 7.1).
    pub(super) fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.id });
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).context("cannot sign")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
