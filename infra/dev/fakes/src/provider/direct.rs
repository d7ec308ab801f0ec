//! Direct requests of relying parties (section 5.1), with fault injection.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;

use crate::faults::Provider;
use crate::openid::Refusal;
use crate::openid::message::{Fields, NS, Request, key_values};
use crate::state::Shared;

/// Responds to `associate` and `check_authentication`.
pub(super) async fn respond(shared: &Shared, request: &Request) -> Response {
    let (result, fault) = {
        let mut state = shared.lock();
        let now = SystemClock.now();
        let identifier = request.get("identity").and_then(|identity| Some(identity.rsplit_once("/+id/")?.1));
        let login = identifier.and_then(|identifier| state.community.login_by_identifier(identifier));
        let key = login.map(|(key, _)| key.clone());
        let fault = state.provider_faults.next_if(key.as_deref().unwrap_or_default(), |fault| !fault.is_indirect());
        match request.get("mode").filter(|_| request.is_openid_2()) {
            Some("check_authentication") => {
                state.counts.count_provider("check_authentication");
                let is_single_use = fault != Some(Provider::ConfirmsAgain);
                // launchpad.md, 9: a malformed request gets 400.
                let checked = state.associations.check_authentication(request, is_single_use, now);
                (checked.ok_or_else(|| error_fields("assoc_handle, signed or sig is missing")), fault)
            }
            Some("associate") => {
                state.counts.count_provider("associate");
                (state.associations.associate(request, now, &OsRandom).map_err(refusal_fields), fault)
            }
            _ => {
                state.counts.count_provider("unknown");
                (Err(error_fields("unknown mode or namespace")), fault)
            }
        }
    };
    match fault {
        Some(Provider::Status { status }) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY).into_response();
        }
        Some(Provider::Malformed) => return "<html>We will be back soon</html>".into_response(),
        Some(Provider::Denied) => {
            return key_values(&[("ns", NS), ("is_valid", "false")]).into_response();
        }
        Some(Provider::Slow { millis }) => tokio::time::sleep(std::time::Duration::from_millis(millis)).await,
        Some(Provider::Cancel | Provider::Error | Provider::SetupNeeded | Provider::ConfirmsAgain) | None => {}
    }
    match result {
        Ok(fields) => key_values(&fields).into_response(),
        Err(fields) => (StatusCode::BAD_REQUEST, key_values(&fields)).into_response(),
    }
}

/// The fields of a direct error response (5.1.2.2).
fn error_fields(message: &str) -> Fields {
    vec![("ns", NS.to_owned()), ("error", message.to_owned())]
}

fn refusal_fields(refusal: Refusal) -> Fields {
    match refusal {
        // The response names a supported pair (8.2.4).
        Refusal::UnsupportedType => {
            let mut fields = error_fields("this pair of association type and session type is not supported");
            fields.extend(
                [("error_code", "unsupported-type"), ("session_type", "DH-SHA256"), ("assoc_type", "HMAC-SHA256")]
                    .map(|(name, value)| (name, value.to_owned())),
            );
            fields
        }
        Refusal::InvalidKeyExchange => error_fields("the parameters of the key exchange are missing or invalid"),
    }
}
