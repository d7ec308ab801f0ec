//! The authentication request (section 9).

use url::Url;

use super::{NS, RelyingParty, SREG};

/// Lets the provider determine the identifier (7.3.1).
const IDENTIFIER_SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";

impl RelyingParty {
    /// The URL that sends the browser to the provider and back to `return_to`, which is below `realm` (9.2). Requests only the
    /// e-mail address and, optionally, the language: names can change, and Launchpad is the authority on teams.
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
