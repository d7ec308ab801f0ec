//! ID tokens: form, header, key and signature.

use membermail_identity::openid_connect::Refusal;
use serde_json::json;

use super::super::scene::{KEYS, SECRET, Signer, ec_jwk, rsa_jwk, to_text};
use super::{LAST_WINS, NO_LIMIT, Row, accepted, refused};

pub(super) fn rows() -> Vec<Row> {
    vec![
        refused("oversized token", Refusal::TokenOversized, |s| s.claims["x"] = "x".repeat(100 * 1024).into())
            .differs(NO_LIMIT),
        refused("token of two parts", Refusal::TokenForm, |s| {
            s.alter = |token| token.rsplit_once('.').unwrap().0.into()
        }),
        refused("encrypted token", Refusal::TokenForm, |s| s.alter = |token| format!("{token}.x.x")),
        refused("empty token", Refusal::TokenForm, |s| s.alter = |_| String::new()),
        refused("token with padding", Refusal::TokenForm, |s| s.alter = |token| format!("{token}==")).differs(LENIENT),
        refused("token with a blank", Refusal::TokenForm, |s| s.alter = |token| format!("{token} ")).differs(LENIENT),
        refused("signature in another form", Refusal::TokenForm, |s| s.alter = other_form).differs(LENIENT),
        refused("header is a list", Refusal::Header, |s| s.header = json!(["RS256"])),
        refused("header without an algorithm", Refusal::Header, |s| s.header = json!({ "kid": "rsa" })),
        refused("algorithm twice", Refusal::Header, |s| {
            s.header = r#"{"alg":"none","alg":"RS256","kid":"rsa"}"#.into()
        })
        .differs(LAST_WINS),
        refused("key id that is a number", Refusal::Header, |s| s.header = json!({ "alg": "RS256", "kid": 1 })),
        refused("unsigned token", Refusal::Algorithm, |s| s.sign("none", "rsa", Signer::Unsigned)),
        refused("unsigned token in capitals", Refusal::Algorithm, |s| s.sign("NONE", "rsa", Signer::Unsigned)),
        refused("HS256 with the client secret", Refusal::Algorithm, |s| s.sign("HS256", "rsa", Signer::HmacOfSecret)),
        refused("HS256 with the public key", Refusal::Algorithm, |s| s.sign("HS256", "rsa", Signer::HmacOfPublicKey)),
        refused("ES256 with a key of the provider", Refusal::Algorithm, |s| s.sign("ES256", "ec", Signer::Es256)),
        refused("RS512 with a key of the provider", Refusal::Algorithm, |s| s.sign("RS512", "rsa", Signer::Rs512)),
        refused("PS256 with a key of the provider", Refusal::Algorithm, |s| s.sign("PS256", "rsa", Signer::Ps256)),
        refused("algorithm in lower case", Refusal::Algorithm, |s| s.sign("rs256", "rsa", Signer::Rs256)),
        refused("PS256 called RS256", Refusal::Signature, |s| s.signer = Signer::Ps256),
        refused("critical extension", Refusal::Critical, |s| s.header["crit"] = json!(["exp"])),
        refused("no critical extension, but the member", Refusal::Critical, |s| s.header["crit"] = json!(null)),
        refused("access token as ID token", Refusal::Type, |s| s.header["typ"] = "at+jwt".into()).differs(ANY_TYPE),
        refused("logout token as ID token", Refusal::Type, |s| s.header["typ"] = "logout+jwt".into()).differs(ANY_TYPE),
        accepted("token without a type", |s| s.header = json!({ "alg": "RS256", "kid": "rsa" })),
        refused("unknown key", Refusal::UnknownKey, |s| s.header["kid"] = "other".into()),
        refused("key for encryption", Refusal::UnknownKey, |s| s.jwks["keys"][0]["use"] = "enc".into()),
        refused("key for another algorithm", Refusal::UnknownKey, |s| s.jwks["keys"][0]["alg"] = "RS384".into()),
        refused("key of another type", Refusal::UnknownKey, |s| s.jwks = json!({ "keys": [ec_jwk("rsa", &KEYS.ec)] })),
        refused("key of 1024 bits", Refusal::UnknownKey, |s| {
            s.jwks["keys"][0]["n"] = to_text([0xc5; 128]).into();
        }),
        refused("secret key among the public ones", Refusal::Algorithm, |s| {
            s.jwks["keys"][0] = json!({ "kty": "oct", "kid": "rsa", "k": to_text(SECRET) });
            s.sign("HS256", "rsa", Signer::HmacOfSecret);
        }),
        refused("two keys with one id", Refusal::AmbiguousKey, |s| {
            s.jwks = json!({ "keys": [rsa_jwk("rsa", &KEYS.other), rsa_jwk("rsa", &KEYS.rsa)] });
        }),
        refused("no key id and two keys", Refusal::AmbiguousKey, |s| {
            s.header = json!({ "alg": "RS256" });
            s.jwks = json!({ "keys": [rsa_jwk("a", &KEYS.other), rsa_jwk("b", &KEYS.rsa)] });
        }),
        accepted("no key id and one key that fits", |s| s.header = json!({ "alg": "RS256" })),
        accepted("unusable keys beside the right one", |s| {
            let odd = [
                json!({ "kty": "lattice", "kid": "rsa", "alg": "ML-DSA-65" }),
                json!({ "kty": "RSA" }),
                json!({ "kty": "EC", "kid": "rsa", "crv": "P-999", "x": 1 }),
            ];
            s.jwks["keys"].as_array_mut().unwrap().extend(odd);
        }),
        accepted("text beside the right key", |s| s.jwks["keys"].as_array_mut().unwrap().push("key".into()))
            .differs("it refuses a key set with a member that is no object"),
        refused("signature of a stranger", Refusal::Signature, |s| s.signer = Signer::Stranger),
        refused("key of a stranger in the header", Refusal::Signature, |s| {
            s.signer = Signer::Stranger;
            s.header["jwk"] = rsa_jwk("rsa", &KEYS.other);
        }),
        refused("no signature", Refusal::Signature, |s| s.signer = Signer::Unsigned),
        refused("claims of another token", Refusal::Signature, |s| s.alter = other_claims),
    ]
}

/// We refuse all forms but one, so that a token cannot be told apart from a copy of it.
const LENIENT: &str = "its decoder of base64url tolerates padding, blanks and unused bits";
/// RFC 8725, 3.11.
const ANY_TYPE: &str = "it does not look at the type of ID tokens";

/// Changes bits that the encoding does not use: 256 bytes leave four of them.
fn other_form(token: String) -> String {
    let (rest, last) = token.split_at(token.len() - 1);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.iter().position(|letter| [*letter] == last.as_bytes()).unwrap();
    format!("{rest}{}", char::from(alphabet[index ^ 1]))
}

fn other_claims(token: String) -> String {
    let [header, _, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    format!("{header}.{}.{signature}", to_text(r#"{"sub":"1"}"#))
}
