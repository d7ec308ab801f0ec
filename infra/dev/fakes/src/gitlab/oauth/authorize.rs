//! The authorization endpoint, for browsers (RFC 6749, 4.1.1 and 4.1.2).

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use membermail_core::clock::{Clock, SystemClock};
use url::Url;

use super::client::{parameter, parameters};
use super::grants::{Access, Challenge, Grant};
use super::{SCOPES, choose};
use crate::gitlab::GitLab;
use crate::gitlab::fault::OAuth;
use crate::root;
use crate::state::Shared;

/// `GET /oauth/authorize`: the page to choose a user.
pub(super) async fn request(State(shared): State<Shared>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let mut state = shared.lock();
    state.counts.count_gitlab_oauth("authorize");
    let query = query.unwrap_or_default();
    match Request::of(&state.gitlab, &query) {
        Ok(request) => choose::page(&state.gitlab.directory, &request, &query, &root(&headers)),
        Err(refusal) => *refusal,
    }
}

/// `GET /oauth/authorize/sign-in-as?user=KEY`, with the parameters of the request: signs in this user, by id or username.
pub(super) async fn sign_in_as(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let mut state = shared.lock();
    let gitlab = &mut state.gitlab;
    let request = match Request::of(gitlab, &query) {
        Ok(request) => request,
        Err(refusal) => return *refusal,
    };
    let user = parameter(&request.parameters, "user").and_then(|user| gitlab.directory.user(user));
    let Some(user) = user.filter(|user| user.can_sign_in()).map(|user| user.id) else {
        return (StatusCode::FORBIDDEN, "no user of this name can sign in").into_response();
    };
    match gitlab.oauth_faults.next_if(&user.to_string(), OAuth::is_indirect) {
        Some(OAuth::Cancel) => return back(request.cancelled()),
        Some(_) => return back(request.error("server_error")),
        None => {}
    }
    let code = gitlab.grants.issue_code(request.grant(user), SystemClock.now());
    let mut url = request.redirect_uri.clone();
    url.query_pairs_mut().append_pair("code", &code).extend_pairs(request.state());
    back(url)
}

/// A request that may be answered by a redirect.
pub(super) struct Request {
    redirect_uri: Url,
    /// All parameters, for the page.
    pub(super) parameters: Vec<(String, String)>,
}

impl Request {
    /// The error is a page if client or redirect URI are wrong, and otherwise a redirect.
    fn of(gitlab: &GitLab, query: &str) -> Result<Self, Box<Response>> {
        let parameters = parameters(query.as_bytes());
        let application = &gitlab.application;
        if parameter(&parameters, "client_id") != Some(&application.client_id) {
            let text = "Client authentication failed due to unknown client";
            return Err(Box::new((StatusCode::UNAUTHORIZED, text).into_response()));
        }
        let redirect_uri = parameter(&parameters, "redirect_uri").and_then(|uri| application.redirect_uri(uri));
        let Some(redirect_uri) = redirect_uri else {
            let text = "The redirect URI included is not valid.";
            return Err(Box::new((StatusCode::BAD_REQUEST, text).into_response()));
        };
        let request = Self { redirect_uri, parameters };
        let challenge = request.get("code_challenge").is_some();
        let error = match request.get("response_type") {
            None => Some("invalid_request"),
            Some("code") => None,
            Some(_) => Some("unsupported_response_type"),
        };
        // `enforce_configured_scopes`; `doorkeeper`, `lib/doorkeeper/oauth/pre_authorization.rb`.
        let scopes = request.scopes();
        let has_unknown_scope = scopes.is_empty() || scopes.iter().any(|scope| !SCOPES.contains(scope));
        let has_wrong_method =
            challenge && !matches!(request.get("code_challenge_method"), None | Some("plain" | "S256"));
        let error = error
            .or(has_unknown_scope.then_some("invalid_scope"))
            .or(has_wrong_method.then_some("invalid_code_challenge_method"));
        match error {
            Some(error) => Err(Box::new(back(request.error(error)))),
            None => Ok(request),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        parameter(&self.parameters, name)
    }

    fn scopes(&self) -> Vec<&str> {
        self.get("scope").unwrap_or_default().split(' ').filter(|scope| !scope.is_empty()).collect()
    }

    fn state(&self) -> Option<(&str, &str)> {
        self.get("state").map(|state| ("state", state))
    }

    fn grant(&self, user: u64) -> Grant {
        let challenge = self.get("code_challenge").map(str::to_owned);
        let challenge = challenge.map(match self.get("code_challenge_method") {
            Some("S256") => Challenge::S256,
            _ => Challenge::Plain,
        });
        Grant {
            access: Access { user, scopes: self.scopes().into_iter().map(str::to_owned).collect() },
            // The text of the request: `Url` normalises it.
            redirect_uri: self.get("redirect_uri").unwrap_or_default().to_owned(),
            nonce: self.get("nonce").map(str::to_owned),
            challenge,
        }
    }

    /// The redirect of a person who denies the request.
    pub(super) fn cancelled(&self) -> Url {
        self.error("access_denied")
    }

    fn error(&self, error: &str) -> Url {
        let mut url = self.redirect_uri.clone();
        url.query_pairs_mut()
            .append_pair("error", error)
            // Guess: the texts of doorkeeper's `config/locales/en.yml` are longer, and no client reads them.
            .append_pair("error_description", "The request was refused.")
            .extend_pairs(self.state());
        url
    }
}

fn back(url: Url) -> Response {
    (StatusCode::FOUND, [(header::LOCATION, url.as_str())]).into_response()
}
