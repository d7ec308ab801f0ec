use serde_json::json;

use super::Response;

/// A secret that no error and no log may contain.
pub const PLANTED: &str = "hunter2-planted_secret";

/// Responses that the SDK cannot use, each with [`PLANTED`] in another place.
pub fn planted_responses() -> Vec<Response> {
    let page = format!("<html><title>{PLANTED}</title></html>");
    vec![
        // Unparsable JSON.
        Response::Raw(200, format!("{{\"SecretString\":\"{PLANTED}")),
        Response::Raw(200, format!("{{\"SecretString\":{PLANTED}}}")),
        Response::Raw(200, format!("{{\"SecretString\":\"{PLANTED}\"}} and more")),
        Response::Raw(200, PLANTED.to_owned()),
        // Wrong types.
        Response::Ok(
            json!({ "SecretString": [PLANTED], "MessageId": [PLANTED], "Attributes": [PLANTED], "Failed": PLANTED }),
        ),
        Response::Ok(json!(PLANTED)),
        Response::Ok(json!([PLANTED])),
        // Pages of a proxy, and errors that quote.
        Response::Raw(200, page.clone()),
        Response::Raw(400, page.clone()),
        Response::Raw(503, page),
        Response::Error(400, json!({ "__type": "AccessDeniedException", "message": PLANTED })),
        Response::Error(400, json!({ "__type": PLANTED, "message": [PLANTED] })),
    ]
}
