//! Our relying party at a scene's provider.

use std::time::Duration;

use jiff::Timestamp;
use membermail_core::community::{Algorithm, ClientAuthentication, Issuer};
use membermail_identity::openid_connect::{
    AuthorizationResponse, Credential, Provider, RedeemError, RelyingParty, SignedIn, Transaction,
};
use zeroize::Zeroizing;

use crate::scene::{CALLBACK, CLIENT_ID, NONCE, SECRET, STATE, Scene, VERIFIER};

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

/// Our registration at the provider.
pub(crate) fn registration(issuer: &str) -> Provider {
    Provider {
        issuer: Issuer::parse(issuer).unwrap(),
        client_id: CLIENT_ID.to_owned(),
        scopes: ["openid", "email"].map(str::to_owned).to_vec(),
        algorithms: vec![Algorithm::Rs256],
        authentication: ClientAuthentication::ClientSecretBasic,
        openid2_root: Some("https://login.example/+id/".parse().unwrap()),
    }
}

pub(crate) fn party(provider: Provider) -> RelyingParty {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(5))
        .no_proxy()
        .build()
        .unwrap();
    RelyingParty::new(provider, http)
}

pub(crate) fn transaction() -> Transaction {
    Transaction { nonce: NONCE.to_owned(), verifier: Zeroizing::new(VERIFIER.to_owned()) }
}

pub(crate) fn secrets(texts: &[&str]) -> Vec<Credential> {
    let parse = |text: &&str| Credential::parse(ClientAuthentication::ClientSecretBasic, text).unwrap();
    texts.iter().map(parse).collect()
}

/// A whole sign-in with a new relying party; `None` is another state than ours.
pub(crate) async fn sign_in(scene: &Scene) -> Result<SignedIn, Option<RedeemError>> {
    sign_in_with(&party(registration(&scene.issuer)), scene, &secrets(&[SECRET]), now()).await
}

pub(crate) async fn sign_in_with(
    party: &RelyingParty,
    scene: &Scene,
    credentials: &[Credential],
    now: Timestamp,
) -> Result<SignedIn, Option<RedeemError>> {
    let response = AuthorizationResponse::from_query(&scene.query()).map_err(|refusal| Some(refusal.into()))?;
    // In place of the signed state.
    if response.state() != STATE {
        return Err(None);
    }
    let code = party.check_response(response, now).await.map_err(|error| Some(error.into()))?;
    let callback = CALLBACK.parse().unwrap();
    party.redeem(&code, &callback, &transaction(), credentials, now).await.map_err(Some)
}
