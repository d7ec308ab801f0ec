//! The provider's metadata (OpenID Connect Discovery 1.0), and checks of what we use of them.

use membermail_core::community::ClientAuthentication;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, AsyncHttpClient, EndSessionUrl, HttpRequest, ProviderMetadata};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, HeaderValue};
use serde::{Deserialize, Serialize};

use super::http::{Http, Transport, is_json};
use super::{Provider, ProviderError};

/// Members that the crate does not know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Additional {
    /// RP-Initiated Logout 1.0, 2.1.
    pub(super) end_session_endpoint: Option<EndSessionUrl>,
    /// RFC 9207, section 3.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    /// RFC 8414, section 2.
    pub(super) code_challenge_methods_supported: Option<Vec<String>>,
}

impl AdditionalProviderMetadata for Additional {}

pub(super) type Metadata = ProviderMetadata<
    Additional,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Fetches and checks the metadata. The crate's own function would fetch the keys too, which the first step of a sign-in does
/// not need.
pub(super) async fn fetch(provider: &Provider, http: &Http) -> Result<Metadata, ProviderError> {
    // Discovery 1.0, 4.1.
    let url = format!("{}/.well-known/openid-configuration", provider.issuer.as_str().trim_end_matches('/'));
    let mut request = HttpRequest::new(Vec::new());
    *request.uri_mut() = url.parse().map_err(|_| ProviderError::Malformed("issuer"))?;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    let response = http.call(request).await?;
    if response.status() != StatusCode::OK || !is_json(&response) {
        return Err(ProviderError::Malformed("metadata"));
    }
    let metadata: Metadata =
        serde_json::from_slice(response.body()).map_err(|_| ProviderError::Malformed("metadata"))?;
    check(provider, &metadata)?;
    Ok(metadata)
}

fn check(provider: &Provider, metadata: &Metadata) -> Result<(), ProviderError> {
    // As strings: an equivalent URL is another issuer.
    if metadata.issuer().as_str() != provider.issuer.as_str() {
        return Err(ProviderError::Issuer);
    }
    let token_endpoint = metadata.token_endpoint().ok_or(ProviderError::Missing("token_endpoint"))?;
    let additional = metadata.additional_metadata();
    let endpoints = [
        ("authorization_endpoint", Some(metadata.authorization_endpoint().url())),
        ("token_endpoint", Some(token_endpoint.url())),
        ("jwks_uri", Some(metadata.jwks_uri().url())),
        ("userinfo_endpoint", metadata.userinfo_endpoint().map(|endpoint| endpoint.url())),
        ("end_session_endpoint", additional.end_session_endpoint.as_ref().map(|endpoint| endpoint.url())),
    ];
    let transport = Transport::of(&provider.issuer);
    for (name, url) in endpoints {
        if url.is_some_and(|url| !transport.allows(url)) {
            return Err(ProviderError::Insecure(name));
        }
    }
    // A provider that does not list its methods may support S256 all the same; the nonce protects the code, too.
    let methods = additional.code_challenge_methods_supported.as_ref();
    if methods.is_some_and(|methods| !methods.iter().any(|method| method == "S256")) {
        return Err(ProviderError::Unsupported("PKCE with S256"));
    }
    if provider.authentication == ClientAuthentication::PrivateKeyJwt {
        check_private_key_jwt(metadata)?;
    }
    Ok(())
}

fn check_private_key_jwt(metadata: &Metadata) -> Result<(), ProviderError> {
    let methods = metadata.token_endpoint_auth_methods_supported();
    if !methods.is_some_and(|methods| methods.contains(&CoreClientAuthMethod::PrivateKeyJwt)) {
        return Err(ProviderError::Unsupported("private_key_jwt"));
    }
    let algorithms = metadata.token_endpoint_auth_signing_alg_values_supported();
    if algorithms.is_some_and(|algorithms| !algorithms.contains(&CoreJwsSigningAlgorithm::EcdsaP256Sha256)) {
        return Err(ProviderError::Unsupported("private_key_jwt with ES256"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use membermail_core::community::Issuer;
    use serde_json::json;

    use super::*;

    /// For example those of the Lambda runtime, which has the next visitor's request.
    #[rstest::rstest]
    #[case::provider("https://login.example/token", Ok(()))]
    #[case::another_host("https://token.example/", Ok(()))]
    #[case::local_service("http://127.0.0.1:9001/token", Err(ProviderError::Insecure("token_endpoint")))]
    fn provider_names_no_local_service(#[case] endpoint: &str, #[case] expected: Result<(), ProviderError>) {
        let provider = Provider {
            issuer: Issuer::parse("https://login.example").unwrap(),
            client_id: String::new(),
            scopes: Vec::new(),
            algorithms: Vec::new(),
            authentication: ClientAuthentication::ClientSecretBasic,
            openid2_root: None,
        };
        let metadata = json!({
            "issuer": "https://login.example",
            "authorization_endpoint": "https://login.example/authorize",
            "token_endpoint": endpoint,
            "jwks_uri": "https://login.example/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        assert_eq!(check(&provider, &serde_json::from_value(metadata).unwrap()), expected);
    }
}
