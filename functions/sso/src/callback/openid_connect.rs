//! The code of an OpenID Connect provider.

use lambda_http::Request;
use membermail_identity::openid_connect::{AuthorizationResponse, ClaimedEmail, SignedIn, Transaction};
use membermail_identity::state::State;
use membermail_pages::public_url::PublicUrl;
use membermail_store::Consumed;

use super::{Confirmed, check_state};
use crate::context::Context;
use crate::error::SignInError;
use crate::providers::{Client, Provider, Redeemable};

/// Until the provider has exchanged the code, only the state and the nonce are written.
pub(super) async fn confirm(
    context: &Context,
    request: &Request,
    public_url: &PublicUrl,
    provider: &Provider,
    client: &Client,
) -> Result<(Confirmed, State), SignInError> {
    let response = AuthorizationResponse::from_query(request.uri().query().unwrap_or_default())?;
    let now = context.clock.now();
    let issuers = [Some(provider.issuer.as_str())];
    let mut state = check_state(context, request, public_url, Some(response.state()), &issuers).await?;
    let code = client.relying_party.check_response(response, now).await?;

    // Consumed before the code is exchanged: the provider accepts a code once (RFC 6749, 4.1.2).
    let nonce = &state.secrets.nonce;
    let consumed = context.store.consume_sign_in(&provider.issuer, nonce, &state.id, now, &*context.random).await?;
    if consumed == Consumed::AlreadyUsed {
        return Err(SignInError::Replayed);
    }
    let nonce = std::mem::take(&mut state.secrets.nonce);
    let verifier = std::mem::take(&mut state.secrets.verifier);
    let redirect_uri = public_url.join(&provider.callback_path);
    let transaction = Transaction { nonce, verifier };
    let code = Redeemable { code: &code, redirect_uri: &redirect_uri, transaction: &transaction, now };
    let signed_in = client.redeem(&code).await?;
    let SignedIn { identity, openid2: former, email, language } = signed_in;
    let email = email.map(|ClaimedEmail { address, verified }| (address, verified));
    Ok((Confirmed { identity, email, language, former }, state))
}
