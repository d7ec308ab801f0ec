//! The verification of `cargo dev bench sign-in`: verifies callbacks one after another, with no web server, session or table
//! around it. For OpenID 2.0, `infra/dev/cargo-dev/bench/passport.mjs` has npm's `passport-ubuntu` do the same.
//!
//! `verify openid2 http://localhost:PORT CALLBACKS` prints one line of JSON; `openid-connect` is the other protocol. The root
//! is that of the fakes.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use membermail_core::clock::{Clock as _, SystemClock};
use membermail_core::community::{Algorithm, ClientAuthentication, Issuer};
use membermail_identity::openid_connect::{self, AuthorizationResponse, Credential, Transaction};
use membermail_identity::openid2::{self, IndirectResponse, http_client};
use reqwest::header::LOCATION;
use url::Url;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let protocol = arguments.next().context("missing argument: protocol")?;
    let root: Url = arguments.next().context("missing argument: root URL of the provider")?.parse()?;
    let callbacks: usize = arguments.next().context("missing argument: number of callbacks")?.parse()?;
    ensure!(callbacks > 0, "the number of callbacks must be positive");
    let verifier = match protocol.as_str() {
        "openid2" => Verifier::openid2(&root)?,
        "openid-connect" => Verifier::openid_connect(&root)?,
        other => bail!("no protocol {other}"),
    };

    // Both programs get the same number of unmeasured callbacks first, as a warm-up.
    let warm = callbacks.div_ceil(10);
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let mut urls = Vec::new();
    while urls.len() < callbacks + warm {
        let back = browser.get(verifier.choose(urls.len()).await?).send().await?;
        let back = back.headers().get(LOCATION).with_context(|| format!("no redirect but {}", back.status()))?;
        urls.push(Url::parse(back.to_str()?)?);
    }
    let mut urls = urls.iter().enumerate();
    for (number, url) in urls.by_ref().take(warm) {
        verifier.verify(number, url).await?;
    }

    let cpu = processor_seconds()?;
    let start = Instant::now();
    for (number, url) in urls {
        verifier.verify(number, url).await?;
    }
    let seconds = start.elapsed().as_secs_f64();
    let cpu = processor_seconds()? - cpu;
    println!(r#"{{"seconds":{seconds},"cpu_seconds":{cpu},"peak_mb":{}}}"#, peak_megabytes()?);
    Ok(())
}

/// A relying party with what it needs for a callback.
enum Verifier {
    OpenId2 { relying_party: openid2::RelyingParty, return_to: Url },
    OpenIdConnect { relying_party: openid_connect::RelyingParty, redirect_uri: Url, credentials: Vec<Credential> },
}

impl Verifier {
    fn openid2(root: &Url) -> Result<Self> {
        let provider = openid2::Provider { endpoint: root.join("+openid")?, identifier_root: root.join("+id/")? };
        let relying_party = openid2::RelyingParty::new(provider, http_client()?);
        Ok(Self::OpenId2 { relying_party, return_to: "http://site.example/callback".parse()? })
    }

    fn openid_connect(root: &Url) -> Result<Self> {
        let authentication = ClientAuthentication::ClientSecretBasic;
        let provider = openid_connect::Provider {
            issuer: Issuer::parse(root.as_str().trim_end_matches('/'))?,
            client_id: "membermail".to_owned(),
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            algorithms: vec![Algorithm::Rs256],
            authentication,
            openid2_root: None,
        };
        Ok(Self::OpenIdConnect {
            relying_party: openid_connect::RelyingParty::new(provider, http_client()?),
            redirect_uri: "http://localhost/callback/fake".parse()?,
            // The secret of the fake (`infra/dev/fakes/src/gitlab/mod.rs`).
            credentials: vec![Credential::parse(authentication, "fake-gitlab-client-secret")?],
        })
    }

    /// The URL at which the fake provider signs a person in.
    async fn choose(&self, number: usize) -> Result<Url> {
        let (mut url, path, parameter) = match self {
            Self::OpenId2 { relying_party, return_to } => {
                let url = relying_party.authentication_request(&return_to.join("/")?, return_to);
                (url, "/+openid/sign-in-as", "name")
            }
            Self::OpenIdConnect { relying_party, redirect_uri, .. } => {
                let transaction = transaction(number);
                let url = relying_party.authorization_url(redirect_uri, "state", &transaction, now()).await?;
                (url, "/oauth/authorize/sign-in-as", "user")
            }
        };
        url.set_path(path);
        url.query_pairs_mut().append_pair(parameter, "alice");
        Ok(url)
    }

    async fn verify(&self, number: usize, url: &Url) -> Result<()> {
        let query = url.query().unwrap_or_default();
        match self {
            Self::OpenId2 { relying_party, return_to } => {
                let checked = relying_party.check(IndirectResponse::from_query(query)?, return_to, now())?;
                relying_party.confirm(checked).await?;
            }
            Self::OpenIdConnect { relying_party, redirect_uri, credentials } => {
                let code = relying_party.check_response(AuthorizationResponse::from_query(query)?, now()).await?;
                relying_party.redeem(&code, redirect_uri, &transaction(number), credentials, now()).await?;
            }
        }
        Ok(())
    }
}

/// The secrets of a sign-in, each with the length of those of `sso`.
fn transaction(number: usize) -> Transaction {
    let secret = format!("{number:043}");
    Transaction { nonce: secret.clone(), verifier: secret.into() }
}

fn now() -> Timestamp {
    SystemClock.now()
}

/// CPU time of all threads. `schedstat` has nanoseconds; a tick of `/proc/self/stat` lasts as long as a hundred verifications.
fn processor_seconds() -> Result<f64> {
    let mut nanoseconds = 0.0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().context("no processor time")?.parse::<f64>()?;
    }
    Ok(nanoseconds / 1e9)
}

fn peak_megabytes() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(peak.trim().trim_end_matches("kB").trim().parse::<f64>()? / 1024.0)
}
