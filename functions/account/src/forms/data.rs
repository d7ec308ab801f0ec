//! Downloading all data of a member, and erasing it.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_identity::session;
use membermail_pages::data::{Erased, is_erase_word};
use membermail_pages::layout::Site;
use membermail_pages::response::{self, with_cookie};
use tracing::info;

use super::submission::Submission;
use crate::error::Error;
use crate::lists::load_export;

/// `POST /export`: the file. The history shows it to the member.
pub(super) async fn download(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    let export = load_export(form.context, &form.member).await?;
    let json = serde_json::to_string_pretty(&export)?;
    form.context.store.record_export(form.member.id, form.cause(), &*form.context.random).await?;
    info!("member {} exported their data", form.member.id);
    Ok(response::download("membermail-data.json", "application/json", json))
}

/// `POST /erase`: erases everything after a typed word, and shows a receipt. All sessions have ended then, so a second
/// submission does nothing.
pub(super) async fn erase(form: &Submission<'_>) -> Result<Response<Body>, Error> {
    if !form.field("word").is_some_and(|typed| is_erase_word(&form.context.texts, &typed)) {
        return Ok(form.refuse(StatusCode::UNPROCESSABLE_ENTITY, "erase-not-confirmed"));
    }
    let store = &form.context.store;
    let receipt = store.erase_on_request(&form.member, form.cause(), &*form.context.random).await?;
    info!("member {} erased their data", form.member.id);
    for entry in &receipt.entries {
        form.announce(*entry).await;
    }
    let site = Site { csrf_token: None, ..form.site.clone() };
    let page = response::page(StatusCode::OK, &Erased { site, receipt: &receipt });
    Ok(with_cookie(page, &session::clearing_cookie(form.public_url.is_https())))
}
