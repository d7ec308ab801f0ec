//! The assertion of an OpenID 2.0 provider.

use lambda_http::Request;
use lambda_http::http::{Method, header};
use membermail_identity::openid2::{IndirectResponse, RelyingParty, SignedIn};
use membermail_identity::state::State;
use membermail_pages::public_url::PublicUrl;
use membermail_store::Consumed;

use super::{Confirmed, check_state};
use crate::context::Context;
use crate::error::SignInError;
use crate::providers::Provider;

/// Until the provider has confirmed the assertion, only the state and the nonce are written.
pub(super) async fn confirm(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    (provider, relying_party, is_former): (&Provider, &RelyingParty, bool),
) -> Result<(Confirmed, State), SignInError> {
    let assertion = read_assertion(request)?;
    let now = context.clock.now();
    // A plain sign-in has a state without an issuer, and the former provider has no plain sign-ins.
    let issuers = [Some(provider.issuer.as_str()), None];
    let issuers = if is_former { &issuers[..1] } else { &issuers[..] };
    let state = check_state(context, request, public_url, assertion.parameter("state"), issuers).await?;

    // Consumed before the provider is asked: the provider confirms an assertion once, so after a lost response the same URL
    // would only get a denial, which looks like a forgery.
    let checked = relying_party.check(assertion, &public_url.join(&provider.callback_path), now)?;
    let nonce = checked.nonce();
    let consumed = context.store.consume_sign_in(checked.issuer(), nonce, &state.id, now, &*context.random).await?;
    if consumed == Consumed::AlreadyUsed {
        return Err(SignInError::Replayed);
    }
    let SignedIn { identity, email, language } = relying_party.confirm(checked).await?;
    Ok((Confirmed { identity, email: Some((email, None)), language, former: None }, state))
}

fn read_assertion(request: &Request) -> Result<IndirectResponse, SignInError> {
    let query = request.uri().query().unwrap_or_default();
    if request.method() == Method::POST {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        Ok(IndirectResponse::from_form(query, media_type, request.body())?)
    } else {
        Ok(IndirectResponse::from_query(query)?)
    }
}
