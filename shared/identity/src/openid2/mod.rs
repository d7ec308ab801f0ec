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

use std::time::Duration;

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
    /// A relying party of this provider, which it asks with a client like [`http_client`].
    pub fn new(provider: Provider, http: Client) -> Self {
        Self { provider, http }
    }
}

/// How long a connection to the provider is kept for the next sign-in: it saves a TLS handshake when many people sign in,
/// and is shorter than the time after which firewalls drop a silent connection.
const KEPT: Duration = Duration::from_secs(20);

/// The client that asks the provider. The provider confirms an assertion once, so a request must not be sent twice:
/// nothing is retried. Of a kept connection that the provider has closed, only a request that was not begun goes to
/// another one.
pub fn http_client() -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("membermail/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(KEPT)
        .timeout(Duration::from_secs(5))
        .build()
}
