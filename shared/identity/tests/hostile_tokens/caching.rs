//! Metadata and keys are kept for a while, and requests for them are few.

use jiff::{SignedDuration, Timestamp};
use membermail_identity::openid_connect::{ProviderError, Refusal, RelyingParty};

use crate::party::{now, party, registration, secrets, sign_in_with};
use crate::provider::Provider;
use crate::scene::{KEYS, SECRET, Scene, Signer, rsa_jwk};

struct World {
    provider: Provider,
    party: RelyingParty,
    scene: Scene,
}

impl World {
    async fn new() -> Self {
        let provider = Provider::start().await;
        let scene = Scene::new(&provider.issuer(0), now());
        provider.play("", &scene);
        Self { party: party(registration(&scene.issuer)), provider, scene }
    }

    /// A sign-in so many seconds later: the reason, or "signed in".
    async fn sign_in_at(&mut self, seconds: i64) -> &'static str {
        let at: Timestamp = now() + SignedDuration::from_secs(seconds);
        self.scene.claims["iat"] = at.as_second().into();
        self.scene.claims["exp"] = (at.as_second() + 60).into();
        self.provider.play("", &self.scene);
        let outcome = sign_in_with(&self.party, &self.scene, &secrets(&[SECRET]), at).await;
        outcome.map_or_else(|error| error.unwrap().code(), |_| "signed in")
    }

    /// Requests for metadata and for keys so far.
    fn requests(&self) -> [usize; 2] {
        ["/.well-known/openid-configuration", "/jwks"].map(|path| self.provider.count(path))
    }

    fn fail(&mut self) {
        for path in ["metadata", "jwks"] {
            self.scene.answer(path, 503, "text/html", "");
        }
    }
}

#[tokio::test]
async fn metadata_and_keys_are_kept_ten_minutes() {
    let mut world = World::new().await;
    for (seconds, requests) in [(0, 1), (1, 1), (599, 1), (601, 2), (1200, 2), (1202, 3)] {
        assert_eq!(world.sign_in_at(seconds).await, "signed in");
        assert_eq!(world.requests(), [requests; 2], "after {seconds} s");
    }
}

#[tokio::test]
async fn rotated_key_is_fetched_once() {
    let mut world = World::new().await;
    assert_eq!(world.sign_in_at(0).await, "signed in");
    world.scene.jwks["keys"][0] = rsa_jwk("next", &KEYS.other);
    world.scene.header["kid"] = "next".into();
    world.scene.signer = Signer::Stranger;
    assert_eq!(world.sign_in_at(31).await, "signed in");
    assert_eq!(world.sign_in_at(32).await, "signed in");
    assert_eq!(world.requests(), [1, 2]);
    // The old key is gone.
    world.scene.header["kid"] = "rsa".into();
    world.scene.signer = Signer::Rs256;
    assert_eq!(world.sign_in_at(33).await, Refusal::UnknownKey.code());
}

/// Logout tokens need no code, so anyone can send them.
#[tokio::test]
async fn flood_of_key_ids_costs_one_request() {
    let mut world = World::new().await;
    assert_eq!(world.sign_in_at(0).await, "signed in");
    for second in 0..100 {
        world.scene.header["kid"] = format!("random-{second}").into();
        let at = now() + SignedDuration::from_secs(second);
        let refused = world.party.check_logout_token(&world.scene.token(), at).await.unwrap_err();
        assert_eq!(refused.code(), Refusal::UnknownKey.code());
    }
    // At 30, 60 and 90 seconds.
    assert_eq!(world.requests(), [1, 4]);
}

#[tokio::test]
async fn concurrent_sign_ins_share_one_request() {
    let world = World::new().await;
    let credentials = secrets(&[SECRET]);
    let sign_in = || sign_in_with(&world.party, &world.scene, &credentials, now());
    let (one, two, three) = tokio::join!(sign_in(), sign_in(), sign_in());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(world.requests(), [1, 1]);
}

#[tokio::test]
async fn stale_values_are_used_an_hour() {
    let mut world = World::new().await;
    assert_eq!(world.sign_in_at(0).await, "signed in");
    world.fail();
    assert_eq!(world.sign_in_at(601).await, "signed in");
    // A failing provider is not asked for each sign-in.
    assert_eq!(world.sign_in_at(602).await, "signed in");
    assert_eq!(world.requests(), [2, 2]);
    assert_eq!(world.sign_in_at(3599).await, "signed in");
    assert_eq!(world.sign_in_at(3601).await, ProviderError::Unavailable(String::new()).code());
}

#[tokio::test]
async fn clock_set_back_does_not_keep_values() {
    let mut world = World::new().await;
    assert_eq!(world.sign_in_at(0).await, "signed in");
    assert_eq!(world.sign_in_at(-86_400).await, "signed in");
    assert_eq!(world.requests(), [2, 2]);
}
