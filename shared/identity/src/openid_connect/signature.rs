//! Verifies signatures with AWS-LC, which rustls links anyway. The crate's own verification would link second implementations
//! of RSA and of elliptic curves (`docs/decisions/0014-openid-connect.md`).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use membermail_core::community::Algorithm;
use openidconnect::core::CoreJsonWebKey;
use serde::Deserialize;

/// The parameters of a public key (RFC 7518, 6.2.1 and 6.3.1). The crate gives no access to them except by serializing.
#[derive(Deserialize)]
struct Parameters {
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Whether the signature is the key's. A key that is malformed, too short, or for another algorithm has no valid signature.
pub(super) fn is_valid(key: &CoreJsonWebKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let parameters = serde_json::to_value(key).ok().and_then(|key| serde_json::from_value::<Parameters>(key).ok());
    let Some(parameters) = parameters else { return false };
    let verified = match algorithm {
        Algorithm::Rs256 => parameters.verify_rsa(&RSA_PKCS1_2048_8192_SHA256, message, signature),
        Algorithm::Rs384 => parameters.verify_rsa(&RSA_PKCS1_2048_8192_SHA384, message, signature),
        Algorithm::Rs512 => parameters.verify_rsa(&RSA_PKCS1_2048_8192_SHA512, message, signature),
        Algorithm::Ps256 => parameters.verify_rsa(&RSA_PSS_2048_8192_SHA256, message, signature),
        Algorithm::Es256 => parameters.verify_ec(&P256, message, signature),
        Algorithm::Es384 => parameters.verify_ec(&P384, message, signature),
    };
    verified.is_some()
}

/// A curve with the hash of its algorithm.
struct Curve {
    name: &'static str,
    /// Bytes of a coordinate.
    size: usize,
    algorithm: &'static EcdsaVerificationAlgorithm,
}

const P256: Curve = Curve { name: "P-256", size: 32, algorithm: &ECDSA_P256_SHA256_FIXED };
const P384: Curve = Curve { name: "P-384", size: 48, algorithm: &ECDSA_P384_SHA384_FIXED };

impl Parameters {
    fn verify_rsa(&self, parameters: &RsaParameters, message: &[u8], signature: &[u8]) -> Option<()> {
        let key = RsaPublicKeyComponents { n: integer(self.n.as_deref()?)?, e: integer(self.e.as_deref()?)? };
        key.verify(parameters, message, signature).ok()
    }

    fn verify_ec(&self, curve: &Curve, message: &[u8], signature: &[u8]) -> Option<()> {
        let coordinate = |text: &Option<String>| {
            let bytes = URL_SAFE_NO_PAD.decode(text.as_deref()?).ok()?;
            (bytes.len() == curve.size).then_some(bytes)
        };
        // Uncompressed (SEC 1, 2.3.3): 4, x, y.
        let point = [vec![4], coordinate(&self.x)?, coordinate(&self.y)?].concat();
        let verified = curve.algorithm.verify_sig(&point, message, signature).ok();
        verified.filter(|()| self.crv.as_deref() == Some(curve.name))
    }
}

/// Some servers write leading zeros, which RFC 7518 forbids.
fn integer(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[zeros..].to_vec())
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
