//! A provider of OpenID Connect on loopback (Core 1.0, code flow with PKCE; RFC 9207; Back-Channel Logout 1.0). It signs with
//! ES256 and keeps nothing but its codes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::Url;

const KEY_ID: &str = "one";

#[derive(Clone)]
pub(crate) struct Issuer {
    /// The root URL; the issuer has no final slash.
    pub(crate) root: Url,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    pair: EcdsaKeyPair,
    now: Timestamp,
    /// The client secret that the provider has now.
    secret: String,
    /// Nonce and challenge by code.
    codes: BTreeMap<String, (String, String)>,
    /// Claims that replace those of the ID token.
    claims: Value,
    token_requests: usize,
    number: usize,
}

pub(crate) async fn start(now: Timestamp) -> Issuer {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let inner = Inner {
        pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        now,
        secret: "secret-1".to_owned(),
        codes: BTreeMap::new(),
        claims: json!({}),
        token_requests: 0,
        number: 0,
    };
    let issuer = Issuer { root, inner: Arc::new(Mutex::new(inner)) };
    let app = Router::new()
        .route("/.well-known/openid-configuration", get(configuration))
        .route("/jwks", get(keys))
        .route("/token", post(token))
        .with_state(issuer.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    issuer
}

impl Issuer {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn id(&self) -> String {
        self.root.as_str().trim_end_matches('/').to_owned()
    }

    pub(crate) fn rotate_secret(&self, secret: &str) {
        self.inner().secret = secret.to_owned();
    }

    /// Replaces claims of the ID tokens; `null` removes one.
    pub(crate) fn set_claims(&self, claims: Value) {
        self.inner().claims = claims;
    }

    pub(crate) fn set_time(&self, now: Timestamp) {
        self.inner().now = now;
    }

    pub(crate) fn token_requests(&self) -> usize {
        self.inner().token_requests
    }

    /// The person agrees: the URL that the provider sends the browser back to.
    pub(crate) fn agree(&self, request: &Url) -> Url {
        let parameters: BTreeMap<_, _> = request.query_pairs().into_owned().collect();
        assert_eq!(
            (parameters["response_type"].as_str(), parameters["code_challenge_method"].as_str()),
            ("code", "S256")
        );
        let mut inner = self.inner();
        inner.number += 1;
        let code = format!("code-{}", inner.number);
        inner.codes.insert(code.clone(), (parameters["nonce"].clone(), parameters["code_challenge"].clone()));
        let mut back = Url::parse(&parameters["redirect_uri"]).unwrap();
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", &parameters["state"])
            .append_pair("iss", &self.id());
        back
    }

    /// A logout token for this subject.
    pub(crate) fn logout_token(&self, subject: &str, issued_at: Timestamp) -> String {
        let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
        let issued_at = issued_at.as_second();
        let claims = json!({
            "iss": self.id(), "aud": "membermail", "sub": subject, "iat": issued_at, "exp": issued_at + 120,
            "jti": "logout-1", "events": event,
        });
        self.inner().sign("logout+jwt", &claims)
    }
}

impl Inner {
    fn sign(&self, kind: &str, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": kind, "kid": KEY_ID });
        let [header, claims] = [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

async fn configuration(State(issuer): State<Issuer>) -> Json<Value> {
    let at = |path: &str| issuer.root.join(path).unwrap().to_string();
    Json(json!({
        "issuer": issuer.id(),
        "authorization_endpoint": at("authorize"),
        "token_endpoint": at("token"),
        "jwks_uri": at("jwks"),
        "end_session_endpoint": at("end"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(State(issuer): State<Issuer>) -> Json<Value> {
    let inner = issuer.inner();
    let point = inner.pair.public_key().as_ref().to_vec();
    let (x, y) = point[1..].split_at(32);
    let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    Json(
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": KEY_ID, "use": "sig", "alg": "ES256" }] }),
    )
}

async fn token(
    State(issuer): State<Issuer>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let mut inner = issuer.inner();
    inner.token_requests += 1;
    let expected = format!("Basic {}", STANDARD.encode(format!("membermail:{}", inner.secret)));
    if headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) != Some(&expected) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" })));
    }
    let challenge = |verifier: &str| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    let Some((nonce, expected)) = inner.codes.remove(&form["code"]) else {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    };
    if challenge(&form["code_verifier"]) != expected {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" })));
    }
    let now = inner.now.as_second();
    let mut claims = json!({
        "iss": issuer.id(), "aud": "membermail", "sub": "1001", "iat": now, "exp": now + 300, "nonce": nonce,
        "email": "ada@mail.example", "email_verified": true,
    });
    for (name, value) in inner.claims.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let id_token = inner.sign("JWT", &claims);
    (StatusCode::OK, Json(json!({ "access_token": "a", "token_type": "Bearer", "id_token": id_token })))
}
