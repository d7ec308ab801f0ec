//! Providers that do not answer, or send clients elsewhere.

use std::time::Duration;

use membermail_identity::openid_connect::{ProviderError, RedeemError, RelyingParty};
use reqwest::redirect::Policy;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::has_input;
use crate::party::{now, registration, secrets, sign_in, sign_in_with};
use crate::provider::Provider;
use crate::scene::{SECRET, Scene};

fn party_with(scene: &Scene, redirects: Policy, timeout: Duration) -> RelyingParty {
    let http = reqwest::Client::builder().redirect(redirects).timeout(timeout).no_proxy().build().unwrap();
    RelyingParty::new(registration(&scene.issuer), http)
}

#[tokio::test]
async fn unreachable_provider_is_unavailable() {
    let scene = Scene::new("http://127.0.0.1:1/0", now());
    let error = sign_in(&scene).await.unwrap_err().unwrap();
    assert!(matches!(error, RedeemError::Provider(ProviderError::Unavailable(_))) && !has_input(&error, &scene));
}

#[rstest::rstest]
#[case::silent("")]
#[case::half_of_a_response("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")]
#[tokio::test]
async fn slow_provider_times_out(#[case] start: &'static str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let scene = Scene::new(&format!("http://{}/0", listener.local_addr().unwrap()), now());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut connection, _)) = listener.accept().await {
            // The client takes a response only after its request.
            let _ = connection.read(&mut [0; 1024]).await.unwrap();
            connection.write_all(start.as_bytes()).await.unwrap();
            open.push(connection);
        }
    });
    let party = party_with(&scene, Policy::none(), Duration::from_millis(200));
    let error = sign_in_with(&party, &scene, &secrets(&[SECRET]), now()).await.unwrap_err();
    assert_eq!(error, Some(ProviderError::TimedOut.into()));
}

/// The client's own setting is not the only protection: its caller can pass any client.
#[rstest::rstest]
#[case("metadata")]
#[case("token")]
#[case("jwks")]
#[case("userinfo")]
#[tokio::test]
async fn followed_redirect_is_refused(#[case] path: &'static str) {
    let provider = Provider::start().await;
    let mut scene = Scene::new(&provider.issuer(0), now());
    scene.unclaim("email");
    scene.redirect(path);
    provider.play("", &scene);
    let party = party_with(&scene, Policy::default(), Duration::from_secs(5));
    let error = sign_in_with(&party, &scene, &secrets(&[SECRET]), now()).await.unwrap_err();
    assert_eq!(error, Some(ProviderError::Redirect.into()));
}
