//! A fake provider that signs and verifies assertions, and a valid response of it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use membermail_identity::openid2::{Checked, IndirectResponse, Provider, Refusal, RelyingParty};
use sha2::Sha256;
use url::Url;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const KEY: &[u8] = b"known to the provider alone";
pub(crate) const NS: &str = "http://specs.openid.net/auth/2.0";
pub(crate) const SREG: &str = "http://openid.net/extensions/sreg/1.1";

pub(crate) fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

pub(crate) fn callback() -> Url {
    "https://mail.example.org/live/callback".parse().unwrap()
}

/// The ordered parameters of a response.
#[derive(Clone)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Pairs {
    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(pair) => pair.1 = value.to_owned(),
            None => self.0.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub(crate) fn push(&mut self, name: &str, value: &str) -> &mut Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn remove(&mut self, name: &str) -> &mut Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn unsign(&mut self, name: &str) -> &mut Self {
        let kept: Vec<_> = self.get("openid.signed").split(',').filter(|signed| *signed != name).collect();
        let kept = kept.join(",");
        self.set("openid.signed", &kept)
    }

    /// Adds these fields to the signature.
    pub(crate) fn sign_too(&mut self, names: &str) -> &mut Self {
        let signed = format!("{},{names}", self.get("openid.signed"));
        self.set("openid.signed", &signed).sign()
    }

    /// Signs as the provider would (6.1).
    pub(crate) fn sign(&mut self) -> &mut Self {
        let signature = signature(self);
        self.set("openid.sig", &signature)
    }

    pub(crate) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

fn signature(pairs: &Pairs) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    for name in pairs.get("openid.signed").split(',') {
        mac.update(format!("{name}:{}\n", pairs.get(&format!("openid.{name}"))).as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A relying party of the provider at this root.
pub(crate) fn party(root: &Url, http: reqwest::Client) -> RelyingParty {
    let [endpoint, identifier_root] = ["/+openid", "/+id/"].map(|path| root.join(path).unwrap());
    RelyingParty::new(Provider { endpoint, identifier_root }, http)
}

/// For tests without requests to the provider.
pub(crate) fn party_alone() -> RelyingParty {
    party(&"https://login.example/".parse().unwrap(), reqwest::Client::new())
}

/// Confirms what the provider signed.
fn verify(request: &Request) -> ResponseTemplate {
    let mut pairs = Pairs(form_urlencoded::parse(&request.body).into_owned().collect());
    let is_check = pairs.get("openid.mode") == "check_authentication";
    pairs.set("openid.mode", "id_res");
    let is_valid = is_check && signature(&pairs) == pairs.get("openid.sig");
    ResponseTemplate::new(200).set_body_string(format!("ns:{NS}\nis_valid:{is_valid}\n"))
}

pub(crate) struct World {
    pub(crate) server: MockServer,
    pub(crate) party: RelyingParty,
}

impl World {
    /// A provider that verifies what it signed.
    pub(crate) async fn new() -> Self {
        let world = Self::silent().await;
        Mock::given(method("POST")).respond_with(verify).mount(&world.server).await;
        world
    }

    /// A provider whose responses the test defines.
    pub(crate) async fn silent() -> Self {
        let server = MockServer::start().await;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_millis(500))
            .no_proxy()
            .build()
            .unwrap();
        let party = party(&Url::parse(&server.uri()).unwrap(), http);
        Self { server, party }
    }

    /// Replaces the HTTP client.
    pub(crate) fn with_http(self, http: reqwest::Client) -> Self {
        let party = party(&Url::parse(&self.server.uri()).unwrap(), http);
        Self { party, ..self }
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.server.uri())
    }

    /// A valid response.
    pub(crate) fn good(&self) -> Pairs {
        let identifier = self.at("/+id/AbC1234");
        let fields = [
            ("state", "our-state".to_owned()),
            ("openid.ns", NS.to_owned()),
            ("openid.mode", "id_res".to_owned()),
            ("openid.op_endpoint", self.at("/+openid")),
            ("openid.claimed_id", identifier.clone()),
            ("openid.identity", identifier),
            ("openid.return_to", format!("{}?state=our-state", callback())),
            ("openid.response_nonce", "2026-11-24T09:59:58Zunique".to_owned()),
            ("openid.assoc_handle", "handle".to_owned()),
            ("openid.ns.sreg", SREG.to_owned()),
            ("openid.sreg.email", "alice@mail.example".to_owned()),
            ("openid.sreg.language", "de".to_owned()),
            (
                "openid.signed",
                "op_endpoint,claimed_id,identity,return_to,response_nonce,assoc_handle,\
                 ns.sreg,sreg.email,sreg.language"
                    .to_owned(),
            ),
        ];
        let mut pairs = Pairs(fields.map(|(name, value)| (name.to_owned(), value)).to_vec());
        pairs.sign();
        pairs
    }

    pub(crate) fn check(&self, query: &str) -> Result<Checked, Refusal> {
        self.party.check(IndirectResponse::from_query(query)?, &callback(), now())
    }

    pub(crate) async fn asked(&self) -> usize {
        self.server.received_requests().await.unwrap_or_default().len()
    }
}
