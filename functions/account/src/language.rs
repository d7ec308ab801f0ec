//! `POST /language`: chooses the language of the pages, in the browser's cookie and, if a member is signed in, for their mails
//! as well.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use membermail_core::language::Language;
use membermail_identity::language_cookie;
use membermail_pages::form;
use membermail_pages::layout::{Message, Next, Site};
use membermail_pages::public_url::PublicUrl;
use membermail_pages::response::{self, with_cookie};
use membermail_pages::signed_in::{SignedIn, authenticate, find_owner};
use membermail_runtime::batch::chain;
use membermail_store::StoreError;
use membermail_texts::Texts;
use tracing::{error, warn};

use crate::context::Context;

/// Stores the choice, and returns to the page with the form.
pub(crate) async fn choose(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    site: Site<'_>,
) -> Response<Body> {
    let Some(language) = chosen_language(&context.texts, request) else {
        return response::page(StatusCode::BAD_REQUEST, &Message::new(site, "invalid-language", Next::START));
    };
    match store_choice(context, request, public_url, &language).await {
        Ok(Choice::Stored) => {
            let next = response::see_other(form::next_url(request, public_url).as_str());
            with_cookie(next, &language_cookie::cookie(&language, public_url.is_https()))
        }
        Ok(Choice::Forged) => {
            warn!("refused a choice of the language without a valid CSRF token");
            response::page(StatusCode::FORBIDDEN, &Message::new(site, "invalid-language", Next::START))
        }
        Err(cause) => {
            error!(cause = chain(&cause), "storing the language failed");
            response::page(StatusCode::SERVICE_UNAVAILABLE, &Message::new(site, "failed", Next::START))
        }
    }
}

enum Choice {
    /// Of the member, or of a visitor, of whom nothing is stored.
    Stored,
    /// The form is not from a page of the session.
    Forged,
}

/// The language in the form, if the site has it.
fn chosen_language(texts: &Texts, request: &Request) -> Option<Language> {
    let tag = form::field(request, "language")?;
    let is_known = texts.each().any(|translator| translator.tag() == tag);
    if is_known { Language::parse(&tag).ok() } else { None }
}

async fn store_choice(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    language: &Language,
) -> Result<Choice, StoreError> {
    let now = context.clock.now();
    let signed_in = authenticate(&context.store, request.headers(), public_url.is_https(), now).await?;
    let Some(SignedIn { session, member, .. }) = signed_in else { return Ok(Choice::Stored) };
    if !form::has_csrf_token(request, &session) {
        return Ok(Choice::Forged);
    }
    // Mails about the addresses of linked members follow the linked profiles.
    if let Some(owner) = find_owner(&context.store, member).await? {
        for id in owner.ids() {
            context.store.choose_language(id, language).await?;
        }
    }
    Ok(Choice::Stored)
}
