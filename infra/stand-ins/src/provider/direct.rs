//! Requests of relying parties themselves (section 5.1), and how the answers go wrong.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;

use super::association::Refusal;
use super::message::{Fields, NS, Request, key_values};
use crate::faults::Provider;
use crate::state::Shared;

/// Answers `associate` and `check_authentication`.
pub(super) async fn answer(shared: &Shared, request: &Request) -> Response {
    let (answer, fault) = {
        let mut state = shared.lock();
        let now = SystemClock.now();
        let word = request.get("identity").and_then(|identity| identity.rsplit_once("/+id/"));
        let key = word.and_then(|(_, word)| state.community.login_of(word)).map(|(key, _)| key.clone());
        let fault = state.provider_faults.next_if(key.as_deref().unwrap_or_default(), |fault| !fault.is_indirect());
        match request.get("mode").filter(|_| request.is_ours()) {
            Some("check_authentication") => {
                state.counts.provider("check_authentication");
                let once = fault != Some(Provider::ConfirmsAgain);
                // launchpad.md, 9: a broken request gets 400.
                let checked = state.associations.check(request, once, now);
                (checked.ok_or_else(|| error("assoc_handle, signed or sig is missing")), fault)
            }
            Some("associate") => {
                state.counts.provider("associate");
                (state.associations.associate(request, now, &OsRandom).map_err(refused), fault)
            }
            _ => {
                state.counts.provider("unknown");
                (Err(error("unknown mode or namespace")), fault)
            }
        }
    };
    match fault {
        Some(Provider::Status { status }) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
        }
        Some(Provider::Malformed) => return "<html>We will be back soon</html>".into_response(),
        Some(Provider::Denied) => {
            return key_values([("ns", NS), ("is_valid", "false")]).into_response();
        }
        Some(Provider::Slow { millis }) => tokio::time::sleep(std::time::Duration::from_millis(millis)).await,
        Some(Provider::Cancel | Provider::Error | Provider::SetupNeeded | Provider::ConfirmsAgain) | None => {}
    }
    let text = |fields: &Fields| key_values(fields.iter().map(|(name, value)| (*name, value.as_str())));
    match answer {
        Ok(fields) => text(&fields).into_response(),
        Err(fields) => (StatusCode::BAD_REQUEST, text(&fields)).into_response(),
    }
}

/// A direct error (5.1.2.2).
fn error(words: &str) -> Fields {
    vec![("ns", NS.to_owned()), ("error", words.to_owned())]
}

fn refused(refusal: Refusal) -> Fields {
    match refusal {
        // With what would do instead (8.2.4).
        Refusal::UnsupportedType => {
            let mut fields = error("that pair of association and session type is not spoken here");
            fields.extend(
                [("error_code", "unsupported-type"), ("session_type", "DH-SHA256"), ("assoc_type", "HMAC-SHA256")]
                    .map(|(name, value)| (name, value.to_owned())),
            );
            fields
        }
        Refusal::Exchange => error("these numbers make no key exchange"),
    }
}
