//! What an operator checks at a provider before the first sign-in: its metadata and keys against the community file.

use jiff::Timestamp;
use membermail_core::community::ClientAuthentication;
use openidconnect::core::CoreClientAuthMethod;
use openidconnect::{JsonWebKey, JwsSigningAlgorithm};
use serde::{Deserialize, Serialize};

use super::RelyingParty;
use super::keys::{fetch, to_crate};
use super::metadata::Metadata;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// Whether sign-ins can work with it.
    pub verdict: Verdict,
    /// The evidence. It has only our own words, numbers, and names from the community file.
    pub detail: String,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Check {
    /// The metadata can be read, name the issuer of the community file, and have the endpoints that we use.
    Metadata,
    /// The provider signs with an algorithm of the community file.
    Algorithms,
    /// The provider supports PKCE with S256.
    Pkce,
    /// The provider supports the client authentication of the community file.
    ClientAuthentication,
    /// The provider knows the scopes of the community file.
    Scopes,
    /// Responses name their issuer (RFC 9207).
    IssuerInResponse,
    /// There is a usable key for each algorithm.
    Keys,
    /// Members can sign out at the provider.
    Logout,
}

/// Whether sign-ins can work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    /// As expected.
    Holds,
    /// Sign-ins fail because of it.
    Broken,
    /// The provider does not say, or does not offer it; sign-ins work all the same.
    Unknown,
}

impl RelyingParty {
    /// Reads the provider's metadata and keys, and compares them with the community file. Two requests.
    pub async fn examine(&self, now: Timestamp) -> Vec<Finding> {
        let metadata = match self.metadata(now).await {
            Ok(metadata) => metadata,
            Err(cause) => return vec![finding(Check::Metadata, Verdict::Broken, cause.to_string())],
        };
        let issuer = format!("{} has all endpoints", self.provider.issuer);
        let mut findings = vec![finding(Check::Metadata, Verdict::Holds, issuer)];
        findings.extend(self.compare(&metadata));
        findings.push(self.examine_keys(&metadata).await);
        findings
    }

    fn compare(&self, metadata: &Metadata) -> Vec<Finding> {
        let additional = metadata.additional_metadata();
        let listed = metadata.id_token_signing_alg_values_supported();
        let algorithms = &self.provider.algorithms;
        let usable = algorithms.iter().filter(|algorithm| listed.contains(&to_crate(**algorithm))).count();
        let algorithms = format!("{usable} of {} configured algorithms are listed", algorithms.len());
        let methods = additional.code_challenge_methods_supported.as_ref().map(|_| true);
        let scopes = metadata.scopes_supported().map(|known| {
            let is_known = |scope: &&String| known.iter().any(|one| one.as_str() == scope.as_str());
            self.provider.scopes.iter().filter(|scope| !is_known(scope)).cloned().collect::<Vec<_>>()
        });
        let scopes = match scopes {
            None => finding(Check::Scopes, Verdict::Unknown, "the provider lists none"),
            Some(missing) if missing.is_empty() => finding(Check::Scopes, Verdict::Holds, "all are listed"),
            Some(missing) => finding(Check::Scopes, Verdict::Unknown, format!("not listed: {}", missing.join(", "))),
        };
        let issuer = match additional.authorization_response_iss_parameter_supported {
            true => finding(Check::IssuerInResponse, Verdict::Holds, "responses name the issuer"),
            false => finding(
                Check::IssuerInResponse,
                Verdict::Unknown,
                "responses do not name the issuer; its own redirect URI tells it apart",
            ),
        };
        let logout = match &additional.end_session_endpoint {
            Some(_) => finding(Check::Logout, Verdict::Holds, "members can sign out at the provider"),
            None => finding(Check::Logout, Verdict::Unknown, "there is no end_session_endpoint"),
        };
        vec![
            finding(Check::Algorithms, if usable > 0 { Verdict::Holds } else { Verdict::Broken }, algorithms),
            match methods {
                // Metadata with other methods only are refused before.
                Some(_) => finding(Check::Pkce, Verdict::Holds, "S256 is listed"),
                None => finding(Check::Pkce, Verdict::Unknown, "the provider lists no methods"),
            },
            self.compare_authentication(metadata),
            scopes,
            issuer,
            logout,
        ]
    }

    fn compare_authentication(&self, metadata: &Metadata) -> Finding {
        let (method, name) = match self.provider.authentication {
            ClientAuthentication::ClientSecretBasic => (CoreClientAuthMethod::ClientSecretBasic, "client-secret-basic"),
            ClientAuthentication::ClientSecretPost => (CoreClientAuthMethod::ClientSecretPost, "client-secret-post"),
            ClientAuthentication::PrivateKeyJwt => (CoreClientAuthMethod::PrivateKeyJwt, "private-key-jwt"),
        };
        // RFC 8414, section 2: without a list it is client_secret_basic.
        let is_listed = match metadata.token_endpoint_auth_methods_supported() {
            Some(methods) => methods.contains(&method),
            None => method == CoreClientAuthMethod::ClientSecretBasic,
        };
        let verdict = if is_listed { Verdict::Holds } else { Verdict::Broken };
        let not = if is_listed { "" } else { "not " };
        finding(Check::ClientAuthentication, verdict, format!("{name} is {not}supported"))
    }

    async fn examine_keys(&self, metadata: &Metadata) -> Finding {
        let keys = match fetch(metadata, &self.http).await {
            Ok(keys) => keys,
            Err(cause) => return finding(Check::Keys, Verdict::Broken, cause.to_string()),
        };
        let types: Vec<_> =
            self.provider.algorithms.iter().filter_map(|algorithm| to_crate(*algorithm).key_type()).collect();
        let count = keys.keys().iter().filter(|key| types.contains(key.key_type())).count();
        let verdict = if count > 0 { Verdict::Holds } else { Verdict::Broken };
        finding(Check::Keys, verdict, format!("{count} keys fit the configured algorithms"))
    }
}

fn finding(check: Check, verdict: Verdict, detail: impl Into<String>) -> Finding {
    Finding { check, verdict, detail: detail.into() }
}
