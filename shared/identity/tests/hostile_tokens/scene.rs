//! One sign-in as the provider sees it: what it publishes, what it sends by way of the browser, and what it answers. A row of
//! the table changes one thing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RsaEncoding,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const CLIENT_ID: &str = "membermail";
/// With characters that have a meaning in a form, and in HTTP Basic.
pub(crate) const SECRET: &str = "s3cret +/%:&=";
pub(crate) const CODE: &str = "code-of-ada";
pub(crate) const STATE: &str = "our-state";
pub(crate) const NONCE: &str = "our-nonce";
pub(crate) const VERIFIER: &str = "our-verifier-0123456789-0123456789-01234567";
pub(crate) const ACCESS_TOKEN: &str = "access-token-of-ada";
pub(crate) const CALLBACK: &str = "https://mail.example.org/callback/login.example";

/// Two RSA keys and an EC key; making them takes a moment.
pub(crate) struct Keys {
    pub(crate) rsa: KeyPair,
    pub(crate) other: KeyPair,
    pub(crate) ec: EcdsaKeyPair,
}

pub(crate) static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    rsa: KeyPair::generate(KeySize::Rsa2048).unwrap(),
    other: KeyPair::generate(KeySize::Rsa2048).unwrap(),
    ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
});

/// Who signs, and how.
#[derive(Clone, Copy)]
pub(crate) enum Signer {
    Rs256,
    Rs512,
    Ps256,
    Es256,
    /// RS256 with a key that the provider does not publish.
    Stranger,
    HmacOfSecret,
    HmacOfPublicKey,
    /// An empty signature.
    Unsigned,
}

/// An answer instead of the usual one.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) location: Option<String>,
    pub(crate) body: String,
}

/// A sign-in of Ada at one provider.
#[derive(Clone)]
pub(crate) struct Scene {
    pub(crate) issuer: String,
    pub(crate) now: i64,
    /// The parameters of the callback.
    pub(crate) response: Vec<(String, String)>,
    pub(crate) metadata: Value,
    pub(crate) jwks: Value,
    pub(crate) header: Value,
    pub(crate) claims: Value,
    /// The claims as text, for what no `Value` can be.
    pub(crate) payload: Option<String>,
    pub(crate) signer: Signer,
    /// Changes the signed token.
    pub(crate) alter: fn(String) -> String,
    /// Members that the token response has besides the usual ones; `null` removes one.
    pub(crate) token_response: Value,
    pub(crate) user_info: Value,
    /// The PKCE challenge of the code.
    pub(crate) challenge: Option<String>,
    /// The client secret that the provider knows.
    pub(crate) secret: String,
    /// Whether the code was exchanged before.
    pub(crate) code_used: bool,
    /// Answers by path: `metadata`, `jwks`, `token`, `userinfo`.
    pub(crate) pages: BTreeMap<&'static str, Page>,
}

impl Scene {
    /// A valid sign-in.
    pub(crate) fn new(issuer: &str, now: Timestamp) -> Self {
        let now = now.as_second();
        let response = [("state", STATE), ("code", CODE), ("iss", issuer)];
        Self {
            issuer: issuer.to_owned(),
            now,
            response: response.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            metadata: json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "end_session_endpoint": format!("{issuer}/end?hint=1"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                // What a provider lists must not matter.
                "id_token_signing_alg_values_supported": ["none", "HS256", "RS256", "RS512", "PS256", "ES256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
                "code_challenge_methods_supported": ["plain", "S256"],
                "authorization_response_iss_parameter_supported": true,
            }),
            jwks: json!({ "keys": [rsa_jwk("rsa", &KEYS.rsa), ec_jwk("ec", &KEYS.ec)] }),
            header: json!({ "alg": "RS256", "kid": "rsa", "typ": "JWT" }),
            claims: json!({
                "iss": issuer,
                "sub": "1001",
                "aud": CLIENT_ID,
                "exp": now + 120,
                "iat": now,
                "nonce": NONCE,
                "email": "ada@mail.example",
                "email_verified": true,
                "locale": "de",
            }),
            payload: None,
            signer: Signer::Rs256,
            alter: |token| token,
            token_response: json!({}),
            user_info: json!({ "sub": "1001", "email": "ada@mail.example", "email_verified": false }),
            challenge: Some(challenge(VERIFIER)),
            secret: SECRET.to_owned(),
            code_used: false,
            pages: BTreeMap::new(),
        }
    }

    /// Sets a parameter of the callback.
    pub(crate) fn respond(&mut self, name: &str, value: &str) {
        self.omit(name);
        self.response.push((name.to_owned(), value.to_owned()));
    }

    /// Removes a parameter of the callback.
    pub(crate) fn omit(&mut self, name: &str) {
        self.response.retain(|(known, _)| known != name);
    }

    /// Removes a claim.
    pub(crate) fn unclaim(&mut self, name: &str) {
        self.claims.as_object_mut().unwrap().remove(name);
    }

    /// Signs with another algorithm than usual.
    pub(crate) fn sign(&mut self, algorithm: &str, key_id: &str, signer: Signer) {
        self.header = json!({ "alg": algorithm, "kid": key_id, "typ": "JWT" });
        self.signer = signer;
    }

    /// Answers a path with this text.
    pub(crate) fn answer(&mut self, path: &'static str, status: u16, content_type: &'static str, body: &str) {
        self.pages.insert(path, Page { status, content_type, location: None, body: body.to_owned() });
    }

    /// Redirects a path to a valid answer elsewhere.
    pub(crate) fn redirect(&mut self, path: &'static str) {
        let location = Some(format!("{}/moved/{path}", self.issuer));
        self.pages.insert(path, Page { status: 302, content_type: "text/plain", location, body: String::new() });
    }

    /// The query of the callback.
    pub(crate) fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.response).finish()
    }

    /// The signed token.
    pub(crate) fn token(&self) -> String {
        let payload = self.payload.clone().unwrap_or_else(|| self.claims.to_string());
        let header = self.header.as_str().map_or_else(|| self.header.to_string(), str::to_owned);
        let signed = format!("{}.{}", to_text(header), to_text(payload));
        let signature = sign(self.signer, signed.as_bytes());
        (self.alter)(format!("{signed}.{}", to_text(signature)))
    }

    /// The body of the token response.
    pub(crate) fn tokens(&self) -> Value {
        let mut tokens = json!({ "access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": self.token() });
        let members = tokens.as_object_mut().unwrap();
        for (name, value) in self.token_response.as_object().unwrap() {
            members.insert(name.clone(), value.clone());
        }
        members.retain(|_, value| !value.is_null());
        tokens
    }
}

fn sign(signer: Signer, signed: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let rsa = |key: &KeyPair, encoding: &'static dyn RsaEncoding| {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &random, signed, &mut signature).unwrap();
        signature
    };
    let mac = |key: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed).as_ref().to_vec();
    match signer {
        Signer::Rs256 => rsa(&KEYS.rsa, &RSA_PKCS1_SHA256),
        Signer::Rs512 => rsa(&KEYS.rsa, &RSA_PKCS1_SHA512),
        Signer::Ps256 => rsa(&KEYS.rsa, &RSA_PSS_SHA256),
        Signer::Stranger => rsa(&KEYS.other, &RSA_PKCS1_SHA256),
        Signer::Es256 => KEYS.ec.sign(&random, signed).unwrap().as_ref().to_vec(),
        Signer::HmacOfSecret => mac(SECRET.as_bytes()),
        Signer::HmacOfPublicKey => mac(KEYS.rsa.public_key().as_ref()),
        Signer::Unsigned => Vec::new(),
    }
}

pub(crate) fn to_text(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The S256 challenge (RFC 7636, 4.2).
pub(crate) fn challenge(verifier: &str) -> String {
    to_text(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()))
}

/// The `at_hash` of an access token (Core 1.0, 3.1.3.6).
pub(crate) fn access_token_hash(access_token: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, access_token.as_bytes());
    to_text(&hash.as_ref()[..16])
}

/// The public key as a JWK.
pub(crate) fn rsa_jwk(id: &str, key: &KeyPair) -> Value {
    // RSAPublicKey (RFC 8017, A.1.1) of 2048 bits in DER: two integers at fixed places.
    let der = key.public_key().as_ref();
    let (modulus, exponent) = (&der[9..265], &der[267..270]);
    json!({ "kty": "RSA", "use": "sig", "kid": id, "n": to_text(modulus), "e": to_text(exponent) })
}

pub(crate) fn ec_jwk(id: &str, key: &EcdsaKeyPair) -> Value {
    let point = key.public_key().as_ref();
    json!({
        "kty": "EC", "crv": "P-256", "use": "sig", "kid": id, "x": to_text(&point[1..33]), "y": to_text(&point[33..]),
    })
}
