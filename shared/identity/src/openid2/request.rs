//! The authentication request (section 9): sends the browser to the provider.

use url::Url;

use super::{NS, RelyingParty, SREG};

/// The provider finds out which of its identifiers signs in (7.3.1).
const IDENTIFIER_SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";

impl RelyingParty {
    /// Where to send the browser so that it comes back to `return_to`, which lies under `realm` (9.2). Asks for the
    /// address and, optionally, the language: a name could change, and Launchpad decides on teams.
    pub fn authentication_request(&self, realm: &Url, return_to: &Url) -> Url {
        let mut url = self.provider.endpoint.clone();
        url.query_pairs_mut()
            .append_pair("openid.ns", NS)
            .append_pair("openid.mode", "checkid_setup")
            .append_pair("openid.claimed_id", IDENTIFIER_SELECT)
            .append_pair("openid.identity", IDENTIFIER_SELECT)
            .append_pair("openid.return_to", return_to.as_str())
            .append_pair("openid.realm", realm.as_str())
            .append_pair("openid.ns.sreg", SREG[0])
            .append_pair("openid.sreg.required", "email")
            .append_pair("openid.sreg.optional", "language");
        url
    }
}
