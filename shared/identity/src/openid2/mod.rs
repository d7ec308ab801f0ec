//! A relying party of OpenID Authentication 2.0 for one configured provider, with Simple Registration 1.1. It
//! holds no associations: every assertion is verified directly (11.4.2), so that
//! nothing is shared between requests and a leaked handle opens nothing.
//!
//! There is no discovery: the endpoint and the root of its identifiers are configuration. So an assertion about
//! anything outside that root is refused, whoever signed it.

mod answer;
mod check;
mod confirm;
mod refusal;
mod registration;
mod request;

use reqwest::Client;
use url::Url;

pub use answer::Answer;
pub use check::{Checked, ResponseNonce};
pub use confirm::{ConfirmError, SignedIn};
pub use refusal::Refusal;

/// The namespace of the protocol (4.1.2).
pub(crate) const NS: &str = "http://specs.openid.net/auth/2.0";
/// Simple Registration 1.1; version 1.0 has the other name and the same fields.
pub(crate) const SREG: [&str; 2] = ["http://openid.net/extensions/sreg/1.1", "http://openid.net/sreg/1.0"];

/// The one provider that is believed.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The OP Endpoint URL (section 2).
    pub endpoint: Url,
    /// Its claimed identifiers are this URL and one word of letters and digits behind it.
    pub identifier_root: Url,
}

/// Asks the provider who somebody is, and checks what comes back.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    provider: Provider,
    http: Client,
}

impl RelyingParty {
    /// A relying party of this provider. `http` follows no redirects, retries nothing and has a time limit of 5 s: all
    /// can be set there only.
    pub fn new(provider: Provider, http: Client) -> Self {
        Self { provider, http }
    }
}
