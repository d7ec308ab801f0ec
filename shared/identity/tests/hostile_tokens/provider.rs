//! A provider on loopback that plays scenes, each under an issuer of its own.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::scene::{CALLBACK, CLIENT_ID, CODE, NONCE, Page, SECRET, STATE, Scene, VERIFIER, challenge};

/// A request that the provider got.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) form: Vec<(String, String)>,
}

#[derive(Default)]
struct Stage {
    scenes: Mutex<Vec<(String, Scene)>>,
    seen: Mutex<Vec<Seen>>,
}

/// The running provider.
#[derive(Clone)]
pub(crate) struct Provider {
    root: String,
    stage: Arc<Stage>,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let stage = Arc::<Stage>::default();
        let app = Router::new().fallback(answer).with_state(Arc::clone(&stage));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { root, stage }
    }

    /// The issuer of a scene.
    pub(crate) fn issuer(&self, index: usize) -> String {
        format!("{}/{index}", self.root())
    }

    /// Adds a scene, or replaces the one of its issuer.
    pub(crate) fn play(&self, name: &str, scene: &Scene) {
        let mut scenes = self.stage.scenes.lock().unwrap();
        scenes.retain(|(_, known)| known.issuer != scene.issuer);
        scenes.push((name.to_owned(), scene.clone()));
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.stage.seen.lock().unwrap().clone()
    }

    /// The number of requests whose path ends so.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path.ends_with(path)).count()
    }

    /// The address without a slash at its end.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }
}

async fn answer(State(stage): State<Arc<Stage>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    stage.seen.lock().unwrap().push(Seen { path: path.clone(), form: form.clone() });
    let scenes = stage.scenes.lock().unwrap();
    if path == "/scenes" {
        return axum::Json(listing(&scenes)).into_response();
    }
    let Some((index, rest)) = path.trim_start_matches('/').split_once('/') else { return not_found() };
    let issuer = format!("/{index}");
    let Some((_, scene)) = scenes.iter().find(|(_, scene)| scene.issuer.ends_with(&issuer)) else { return not_found() };
    let (is_moved, rest) = rest.strip_prefix("moved/").map_or((false, rest), |rest| (true, rest));
    let name = if rest == ".well-known/openid-configuration" { "metadata" } else { rest };
    match scene.pages.get(name) {
        Some(page) if !is_moved => page.clone().into_response(),
        _ => match name {
            "metadata" => axum::Json(scene.metadata.clone()).into_response(),
            "jwks" => axum::Json(scene.jwks.clone()).into_response(),
            "token" => exchange(scene, authorization, &form),
            "userinfo" => axum::Json(scene.user_info.clone()).into_response(),
            _ => not_found(),
        },
    }
}

fn not_found() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// Answers a token request (RFC 6749, 5.1 and 5.2; RFC 7636, 4.6): the client first, then the code.
fn exchange(scene: &Scene, authorization: Option<&str>, form: &[(String, String)]) -> Response {
    let field = |name| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let refuse = |status: StatusCode, error| (status, axum::Json(json!({ "error": error }))).into_response();
    // Basic has both parts percent-encoded (RFC 6749, 2.3.1).
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("{}:{}", encoded(CLIENT_ID), encoded(&scene.secret));
    let is_client = authorization == Some(&format!("Basic {}", STANDARD.encode(basic)))
        || field("client_secret") == Some(&scene.secret)
        || field("client_assertion").is_some_and(|_| scene.secret.is_empty());
    if !is_client {
        return refuse(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let verifier = field("code_verifier").unwrap_or_default();
    let is_of_code = field("code") == Some(CODE)
        && !scene.code_used
        && field("redirect_uri") == Some(CALLBACK)
        // Without a challenge, a verifier is refused, too: that is the downgrade of RFC 9700, 4.8.2.
        && scene.challenge.as_deref() == Some(&challenge(verifier));
    if !is_of_code {
        return refuse(StatusCode::BAD_REQUEST, "invalid_grant");
    }
    axum::Json(scene.tokens()).into_response()
}

/// What a relying party must know to finish each sign-in.
fn listing(scenes: &[(String, Scene)]) -> Value {
    let entry = |(name, scene): &(String, Scene)| {
        json!({
            "name": name,
            "issuer": scene.issuer,
            "callback": format!("{}?{}", CALLBACK, scene.query()),
            "verifier": VERIFIER,
            "nonce": NONCE,
            "state": STATE,
            "clientId": CLIENT_ID,
            "secret": SECRET,
        })
    };
    scenes.iter().map(entry).collect()
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = Response::builder().header(header::CONTENT_TYPE, self.content_type).status(self.status);
        if let Some(location) = self.location {
            response = response.header(header::LOCATION, location);
        }
        response.body(self.body.into()).unwrap()
    }
}
