//! A relying party of OpenID Authentication 2.0 for one configured provider, with Simple Registration 1.1.
//!
//! It is stateless: instead of using associations, it verifies every assertion directly with the provider (11.4.2), so a
//! leaked association handle is worthless. There is no discovery: the endpoint and the root of its identifiers are
//! configured, and assertions about identifiers outside that root are refused.

mod check;
mod confirm;
mod indirect_response;
mod refusal;
mod registration;
mod request;

use reqwest::Client;
use url::Url;

pub use check::Checked;
pub use confirm::{ConfirmError, SignedIn};
pub use indirect_response::IndirectResponse;
pub use refusal::Refusal;

pub use crate::http_client::http_client;

/// The namespace of OpenID 2.0 (4.1.2).
pub(crate) const NS: &str = "http://specs.openid.net/auth/2.0";
/// Simple Registration 1.1 and 1.0, which have the same fields.
pub(crate) const SREG: [&str; 2] = ["http://openid.net/extensions/sreg/1.1", "http://openid.net/sreg/1.0"];

/// The trusted provider.
#[derive(Clone, Debug)]
pub struct Provider {
    /// The OP Endpoint URL (section 2).
    pub endpoint: Url,
    /// The root of its claimed identifiers, which append a word of ASCII letters and digits.
    pub identifier_root: Url,
}

/// Sends browsers to the provider and verifies its assertions.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    provider: Provider,
    http: Client,
}

impl RelyingParty {
    /// A relying party of this provider; `http` is usually [`http_client`].
    pub fn new(provider: Provider, http: Client) -> Self {
        Self { provider, http }
    }
}
