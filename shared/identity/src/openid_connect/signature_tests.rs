//! Signatures of generated keys.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};

use super::*;

const MESSAGE: &[u8] = b"header.claims";

static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads an RSAPublicKey (RFC 8017, A.1.1) of 2048 bits: a sequence of two integers.
fn rsa_jwk() -> Value {
    let der = RSA.public_key().as_ref();
    let modulus = &der[9..9 + 256];
    let exponent = &der[der.len() - 3..];
    json!({ "kty": "RSA", "n": encoded(modulus), "e": encoded(exponent) })
}

fn rsa_signature(encoding: &'static dyn RsaEncoding) -> Vec<u8> {
    let mut signature = vec![0; RSA.public_modulus_len()];
    RSA.sign(encoding, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
    signature
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm, name: &str) -> (Value, Vec<u8>) {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let jwk = json!({ "kty": "EC", "crv": name, "x": encoded(x), "y": encoded(y) });
    (jwk, pair.sign(&SystemRandom::new(), MESSAGE).unwrap().as_ref().to_vec())
}

/// A key and its signature for an algorithm.
fn signed(algorithm: Algorithm) -> (Value, Vec<u8>) {
    match algorithm {
        Algorithm::Rs256 => (rsa_jwk(), rsa_signature(&RSA_PKCS1_SHA256)),
        Algorithm::Rs384 => (rsa_jwk(), rsa_signature(&RSA_PKCS1_SHA384)),
        Algorithm::Rs512 => (rsa_jwk(), rsa_signature(&RSA_PKCS1_SHA512)),
        Algorithm::Ps256 => (rsa_jwk(), rsa_signature(&RSA_PSS_SHA256)),
        Algorithm::Es256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
        Algorithm::Es384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
    }
}

fn verify(jwk: &Value, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    is_valid(&serde_json::from_value(jwk.clone()).unwrap(), algorithm, message, signature)
}

const ALL: [Algorithm; 6] =
    [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Es256, Algorithm::Es384];

#[test]
fn signature_fits_only_its_algorithm() {
    for algorithm in ALL {
        let (jwk, signature) = signed(algorithm);
        for other in ALL {
            assert_eq!(verify(&jwk, other, MESSAGE, &signature), other == algorithm, "{algorithm} as {other}");
        }
    }
}

#[test]
fn altered_signature_is_invalid() {
    for algorithm in ALL {
        let (jwk, signature) = signed(algorithm);
        let mut altered = signature.clone();
        altered[10] ^= 1;
        for (message, signature) in [
            (&b"header.other"[..], &signature[..]),
            (MESSAGE, &altered),
            (MESSAGE, &signature[1..]),
            (MESSAGE, &[0].into_iter().chain(signature.clone()).collect::<Vec<_>>()),
            (MESSAGE, &[]),
        ] {
            assert!(!verify(&jwk, algorithm, message, signature), "{algorithm}: {signature:?}");
        }
    }
}

/// RFC 7518, 6.3.1.1: some implementations write a sign byte.
#[test]
fn leading_zeros_are_ignored() {
    let (mut jwk, signature) = signed(Algorithm::Rs256);
    for name in ["n", "e"] {
        let bytes = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        jwk[name] = encoded(&[vec![0, 0], bytes].concat()).into();
    }
    assert!(verify(&jwk, Algorithm::Rs256, MESSAGE, &signature));
}

#[rstest::rstest]
#[case::no_modulus(Algorithm::Rs256, "n", Value::Null)]
#[case::modulus_of_zeros(Algorithm::Rs256, "n", "AAAA".into())]
#[case::short_modulus(Algorithm::Rs256, "n", encoded(&[0xc5; 128]).into())]
#[case::no_exponent(Algorithm::Rs256, "e", Value::Null)]
#[case::exponent_of_one(Algorithm::Rs256, "e", "AQ".into())]
#[case::another_curve(Algorithm::Es256, "crv", "P-384".into())]
#[case::curve_for_key_exchange(Algorithm::Es256, "crv", "Ed25519".into())]
#[case::no_curve(Algorithm::Es256, "crv", Value::Null)]
#[case::no_coordinate(Algorithm::Es256, "y", Value::Null)]
#[case::point_off_the_curve(Algorithm::Es256, "x", encoded(&[7; 32]).into())]
#[case::short_coordinate(Algorithm::Es256, "x", encoded(&[7; 31]).into())]
fn malformed_key_verifies_nothing(#[case] algorithm: Algorithm, #[case] name: &str, #[case] value: Value) {
    let (mut jwk, signature) = signed(algorithm);
    jwk[name] = value;
    assert!(!verify(&jwk, algorithm, MESSAGE, &signature));
}
