//! An OpenID 2.0 provider without associations of the relying party's: every handle is private and verifies once.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::{self, OsRandom};
use sha2::Sha256;
use url::Url;

use crate::people::Person;
use crate::state::Shared;

const NS: &str = "http://specs.openid.net/auth/2.0";
const SREG: &str = "http://openid.net/extensions/sreg/1.1";
const TEAMS: &str = "http://ns.launchpad.net/2007/openid-teams";
/// People on the page at most.
const ROWS: usize = 120;

type Fields = BTreeMap<String, String>;

#[derive(Template)]
#[template(path = "choose.html")]
struct Choose {
    rows: Vec<Row>,
    cancel: String,
}

struct Row {
    name: String,
    shows: &'static str,
    href: String,
}

/// `GET /+openid`: the browser comes with a request.
pub async fn indirect(State(shared): State<Shared>, RawQuery(query): RawQuery) -> Response {
    shared.lock().counts.provider += 1;
    let query = query.unwrap_or_default();
    let fields = read(query.as_bytes());
    let (Some(return_to), Some("checkid_setup" | "checkid_immediate")) = (return_to(&fields), get(&fields, "mode"))
    else {
        return (StatusCode::BAD_REQUEST, "no OpenID 2.0 request with a return_to under its realm").into_response();
    };
    if get(&fields, "mode") == Some("checkid_immediate") {
        return back(return_to, &[("ns", NS.to_owned()), ("mode", "setup_needed".to_owned())]);
    }
    let mut cancel = return_to;
    cancel.query_pairs_mut().append_pair("openid.ns", NS).append_pair("openid.mode", "cancel");
    let state = shared.lock();
    let mut rows: Vec<_> = state
        .people
        .persons
        .values()
        .map(|person| Row {
            name: person.name.clone(),
            shows: person.shows,
            href: format!("/+openid/sign-in-as?{}&{query}", encode(&[("name", &person.name)])),
        })
        .collect();
    // Those who show something come first.
    rows.sort_by_key(|row| row.shows.is_empty());
    rows.truncate(ROWS);
    match (Choose { rows, cancel: cancel.to_string() }).render() {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// `GET /+openid/sign-in-as?name=NAME&…`: somebody was chosen.
pub async fn sign_in_as(State(shared): State<Shared>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let fields = read(query.unwrap_or_default().as_bytes());
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let (Some(return_to), Some(name)) = (return_to(&fields), fields.get("name")) else {
        return (StatusCode::BAD_REQUEST, "no name, or no return_to under its realm").into_response();
    };
    let mut state = shared.lock();
    let Some((key, person)) =
        state.people.persons.get_key_value(name).map(|(key, person)| (key.clone(), person.clone()))
    else {
        return (StatusCode::NOT_FOUND, "nobody of that name").into_response();
    };
    let asked: Vec<_> = get(&fields, "lp.query_membership").unwrap_or_default().split(',').collect();
    let teams = state.people.teams_of(&key);
    let teams: Vec<_> = asked.into_iter().filter(|team| teams.contains(*team)).collect();
    state.issued += 1;
    let handle = format!("private-{}", state.issued);
    let secret = random::bytes(&OsRandom);
    let now = SystemClock.now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let nonce = format!("{now}{}", state.issued);
    let assertion = assertion(&person, host, &return_to, &teams.join(","), &handle, nonce, &secret);
    state.handles.insert(handle, secret);
    back(return_to, &assertion)
}

/// `POST /+openid`: the relying party itself.
pub async fn direct(State(shared): State<Shared>, body: axum::body::Bytes) -> Response {
    let mut fields = read(&body);
    let mut state = shared.lock();
    state.counts.provider += 1;
    match get(&fields, "mode") {
        Some("check_authentication") => {
            let secret = get(&fields, "assoc_handle").and_then(|handle| state.handles.get(handle).copied());
            fields.insert("openid.mode".to_owned(), "id_res".to_owned());
            let valid = secret.is_some_and(|secret| {
                let names: Vec<_> = get(&fields, "signed").unwrap_or_default().split(',').collect();
                let signed = names.iter().map(|name| (*name, get(&fields, name).unwrap_or_default()));
                Some(sign(signed, &secret).as_str()) == get(&fields, "sig")
            });
            if let Some(handle) = get(&fields, "assoc_handle").filter(|_| valid) {
                // A private handle verifies once (11.4.2.1).
                state.handles.remove(handle);
            }
            format!("ns:{NS}\nis_valid:{valid}\n").into_response()
        }
        Some("associate") => {
            let text = format!("ns:{NS}\nerror:no associations here\nerror_code:unsupported-type\n");
            (StatusCode::BAD_REQUEST, text).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, format!("ns:{NS}\nerror:unknown mode\n")).into_response(),
    }
}

fn assertion(
    person: &Person,
    host: &str,
    return_to: &Url,
    teams: &str,
    handle: &str,
    nonce: String,
    secret: &[u8; 32],
) -> Vec<(&'static str, String)> {
    let identifier = format!("http://{host}/+id/{}", person.word);
    let mut fields = vec![
        ("op_endpoint", format!("http://{host}/+openid")),
        ("claimed_id", identifier.clone()),
        ("identity", identifier),
        ("return_to", return_to.to_string()),
        ("response_nonce", nonce),
        ("assoc_handle", handle.to_owned()),
        ("ns.sreg", SREG.to_owned()),
        ("sreg.email", person.email.clone()),
        ("sreg.nickname", person.nickname.clone()),
        ("ns.lp", TEAMS.to_owned()),
        ("lp.is_member", teams.to_owned()),
    ];
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    let signature = sign(fields.iter().map(|(name, value)| (*name, value.as_str())), secret);
    fields.push(("signed", names.join(",")));
    fields.push(("sig", signature));
    fields.push(("ns", NS.to_owned()));
    fields.push(("mode", "id_res".to_owned()));
    fields
}

/// HMAC-SHA256 over the key-value form (6.1).
fn sign<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>, secret: &[u8; 32]) -> String {
    let text: String = fields.map(|(name, value)| format!("{name}:{value}\n")).collect();
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    STANDARD.encode(mac.chain_update(text).finalize().into_bytes())
}

/// The URL to go back to, if it lies under the realm (9.2).
fn return_to(fields: &Fields) -> Option<Url> {
    let return_to: Url = get(fields, "return_to")?.parse().ok()?;
    let realm: Url = get(fields, "realm")?.parse().ok()?;
    (get(fields, "ns")? == NS && return_to.origin() == realm.origin() && return_to.path().starts_with(realm.path()))
        .then_some(return_to)
}

fn back(mut return_to: Url, fields: &[(&str, String)]) -> Response {
    let mut pairs = return_to.query_pairs_mut();
    for (name, value) in fields {
        pairs.append_pair(&format!("openid.{name}"), value);
    }
    drop(pairs);
    Redirect::to(return_to.as_str()).into_response()
}

fn read(text: &[u8]) -> Fields {
    form_urlencoded::parse(text).into_owned().collect()
}

fn get<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(&format!("openid.{name}")).map(String::as_str)
}

fn encode(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
