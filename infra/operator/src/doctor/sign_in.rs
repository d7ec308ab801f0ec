//! `membermail doctor sign-in`: an OpenID Connect provider, before the first sign-in.

use std::fmt;
use std::path::PathBuf;

use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::{ClientAuthentication, SignIn};
use membermail_identity::openid_connect::doctor::{Finding, Verdict};
use membermail_identity::openid_connect::{Credential, Provider, RelyingParty, http_client};
use serde::Serialize;
use url::Url;

use crate::context::Context;
use crate::failure::Failure;

/// What to check.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The provider, for development [default: that of the community file]
    #[arg(long, value_name = "URL")]
    provider_url: Option<Url>,
    /// The private key of `private-key-jwt`: print its public half, for the registration
    #[arg(long, value_name = "PEM")]
    key: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    issuer: String,
    /// Paths of the site, for the registration.
    callback_path: String,
    logout_path: String,
    /// The public key to register.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    findings: Vec<Finding>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.issuer)?;
        for Finding { check, verdict, detail } in &self.findings {
            writeln!(f, "{verdict:7}  {check:21}  {detail}")?;
        }
        writeln!(f, "\nFor the registration, below the public URL of the site:")?;
        writeln!(f, "redirect URI: {}", self.callback_path)?;
        writeln!(f, "post-logout redirect URI: /")?;
        writeln!(f, "back-channel logout URI: {}", self.logout_path)?;
        match &self.public_key {
            Some(key) => writeln!(f, "public key: {key}"),
            None => Ok(()),
        }
    }
}

pub(crate) async fn run(context: &Context, options: &Options) -> Result<(), Failure> {
    let mut community = context.deployment.community_without_stack()?;
    community.relocate(options.provider_url.as_ref(), None, None).map_err(Failure::other)?;
    let callback_path = community.sign_in.callback_path();
    let SignIn::OpenIdConnect(provider) = &community.sign_in else {
        return Err(Failure::Other(format!("{} signs in with OpenID 2.0", community.title)));
    };
    let http = http_client().map_err(Failure::other)?;
    let relying_party = RelyingParty::new(Provider::of(provider, None), http);
    let findings = relying_party.examine(SystemClock.now()).await;
    let broken = findings.iter().filter(|finding| finding.verdict == Verdict::Broken).count();
    let report = Report {
        issuer: provider.issuer.to_string(),
        logout_path: callback_path.replacen("/callback", "/logout", 1),
        callback_path,
        public_key: options.key.as_ref().map(read_public_key).transpose()?,
        findings,
    };
    context.output.show(&report)?;
    match broken {
        0 => Ok(()),
        count => Err(Failure::Other(format!("{count} of the checks failed: members could not sign in"))),
    }
}

fn read_public_key(file: &PathBuf) -> Result<String, Failure> {
    let pem = zeroize::Zeroizing::new(std::fs::read_to_string(file).map_err(Failure::other)?);
    match Credential::parse(ClientAuthentication::PrivateKeyJwt, &pem).map_err(Failure::other)? {
        Credential::Key(key) => Ok(key.public_jwk()),
        Credential::Secret(_) => Err(Failure::Other("not a private key".to_owned())),
    }
}
