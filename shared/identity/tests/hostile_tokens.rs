//! The OpenID Connect relying party against a provider that sends hostile responses and tokens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

#[path = "hostile_tokens/provider.rs"]
mod provider;
#[path = "hostile_tokens/rows/mod.rs"]
mod rows;
#[path = "hostile_tokens/scene.rs"]
mod scene;

#[path = "hostile_tokens/accepted.rs"]
mod accepted;
#[path = "hostile_tokens/caching.rs"]
mod caching;
#[path = "hostile_tokens/connections.rs"]
mod connections;
#[path = "hostile_tokens/credentials.rs"]
mod credentials;
#[path = "hostile_tokens/doctor.rs"]
mod doctor;
#[path = "hostile_tokens/logout.rs"]
mod logout;
#[path = "hostile_tokens/party.rs"]
mod party;
#[path = "hostile_tokens/properties.rs"]
mod properties;

use membermail_identity::openid_connect::RedeemError;
use party::{now, sign_in};
use rows::{Ours, Peer};
use scene::Scene;

#[tokio::test]
async fn every_row_has_its_own_outcome() {
    let provider = provider::Provider::start().await;
    let rows = rows::all();
    let mut wrong = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        assert!(!matches!(row.peer, Peer::Differs("")), "{} has no reason", row.name);
        let mut scene = Scene::new(&provider.issuer(index), now());
        (row.change)(&mut scene);
        provider.play(row.name, &scene);
        let outcome = sign_in(&scene).await;
        if let Err(Some(error)) = &outcome {
            assert!(!has_input(error, &scene), "{}: {error:?}", row.name);
        }
        let is_right = match (&row.ours, &outcome) {
            (Ours::Accepts, Ok(_)) | (Ours::State, Err(None)) => true,
            (Ours::Refuses(expected), Err(Some(error))) => expected == error,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{}: {outcome:?}", row.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows.iter().filter(|row| !matches!(row.ours, Ours::Accepts)).count() >= 40);
}

/// The texts go to the log.
fn has_input(error: &RedeemError, scene: &Scene) -> bool {
    let texts = [error.to_string(), format!("{error:?}"), error.code().to_owned()];
    let host = scene.issuer.trim_start_matches("http://");
    let inputs = ["ada@", "mail.example", "evil", host, scene::CODE, scene::ACCESS_TOKEN, scene::NONCE, scene::SECRET];
    texts.iter().any(|text| inputs.iter().any(|input| text.contains(input)))
}
