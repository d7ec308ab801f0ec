//! The authentication request (Core 1.0, 3.1.2.1).

use std::fmt;

use jiff::Timestamp;
use oauth2::basic::BasicClient;
use oauth2::{ClientId, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope};
use url::Url;
use zeroize::Zeroizing;

use super::{ProviderError, RelyingParty};

/// Two secrets of one sign-in in one browser, which the caller derives again when the browser returns.
pub struct Transaction {
    /// The nonce of the ID token.
    pub nonce: String,
    /// The code verifier of PKCE: 43 to 128 unreserved characters (RFC 7636, 4.1).
    pub verifier: Zeroizing<String>,
}

impl Transaction {
    /// The verifier for the crate, whose functions panic with an invalid one.
    pub(super) fn code_verifier(&self) -> Result<PkceCodeVerifier, ProviderError> {
        let is_unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if (43..=128).contains(&self.verifier.len()) && self.verifier.bytes().all(is_unreserved) {
            Ok(PkceCodeVerifier::new(self.verifier.to_string()))
        } else {
            Err(ProviderError::Verifier)
        }
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction([redacted])")
    }
}

impl RelyingParty {
    /// The URL that sends the browser to the provider and back to `redirect_uri`.
    ///
    /// # Errors
    /// If the provider's metadata cannot be read.
    pub async fn authorization_url(
        &self,
        redirect_uri: &Url,
        state: &str,
        transaction: &Transaction,
        now: Timestamp,
    ) -> Result<Url, ProviderError> {
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&transaction.code_verifier()?);
        let metadata = self.metadata(now).await?;
        let client = BasicClient::new(ClientId::new(self.provider.client_id.clone()))
            .set_auth_uri(metadata.authorization_endpoint().clone())
            .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
        let (url, _) = client
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_scopes(self.provider.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .add_extra_param("nonce", transaction.nonce.as_str())
            .url();
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::shortest(&"a".repeat(43), true)]
    #[case::longest(&"Z".repeat(128), true)]
    #[case::all_kinds("0123456789-._~ABCDEFGHIJKLMNOPQRSTUVWXYZabcd", true)]
    #[case::empty("", false)]
    #[case::short(&"a".repeat(42), false)]
    #[case::long(&"a".repeat(129), false)]
    #[case::reserved(&"+".repeat(43), false)]
    #[case::letters_beyond_ascii(&"ä".repeat(43), false)]
    fn verifier_has_syntax_of_pkce(#[case] verifier: &str, #[case] valid: bool) {
        let transaction = Transaction { nonce: String::new(), verifier: Zeroizing::new(verifier.to_owned()) };
        assert_eq!(transaction.code_verifier().is_ok(), valid);
    }
}
