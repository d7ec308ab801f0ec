//! Where members sign in.

use serde::{Deserialize, Serialize};
use url::Url;

use super::refuse_foreign;
use crate::newtype::checked_string;

/// A sign-in provider, by protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "ProviderFile", into = "ProviderFile")]
pub enum SignIn {
    /// OpenID Authentication 2.0 with Simple Registration.
    OpenId2(OpenId2),
    /// OpenID Connect Core 1.0, code flow.
    OpenIdConnect(OpenIdConnect),
}

/// A provider of OpenID Authentication 2.0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenId2 {
    /// The label of the sign-in button: "Ubuntu One".
    pub title: String,
    /// The OP Endpoint URL (section 2).
    pub endpoint: Url,
    /// The prefix of claimed identifiers. The provider cannot assert others.
    pub identifier_root: Url,
    /// Whether the provider's word confirms the member's e-mail address. Without it, members confirm it with a code.
    pub trust_email: bool,
}

/// A provider of OpenID Connect, and our registration there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIdConnect {
    /// The label of the sign-in button: "GNOME GitLab".
    pub title: String,
    /// The issuer, compared as a string (Core 1.0, 3.1.3.7): a final slash counts.
    pub issuer: Issuer,
    /// Our client id.
    pub client_id: String,
    /// The requested scopes, with `openid`.
    pub scopes: Vec<String>,
    /// The accepted algorithms of signatures. What the provider lists does not matter.
    pub algorithms: Vec<Algorithm>,
    /// How we authenticate at the token endpoint.
    pub client_authentication: ClientAuthentication,
    /// Whether the provider's word confirms the member's e-mail address, unless it says `email_verified: false`. Without it,
    /// members confirm it with a code.
    pub trust_email: bool,
}

checked_string! {
    /// An issuer: an `http` or `https` URL without query, fragment and credentials, of at most 255 characters. Kept as it is
    /// written.
    Issuer, IssuerError, |text| {
        let url = Url::parse(text).map_err(|_| IssuerError)?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none();
        let has_plain_text = text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic() && !b"?#@".contains(&b));
        if is_plain && has_plain_text { Ok(text.to_owned()) } else { Err(IssuerError) }
    }
}

/// The text is not an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an issuer: an https URL without query and fragment, of at most 255 characters")]
pub struct IssuerError;

impl Issuer {
    /// A path segment that stands for the issuer in redirect URIs: each issuer has its own (RFC 9700, 4.4.2).
    pub fn slug(&self) -> String {
        let text = self.0.split_once("://").map_or(self.as_str(), |(_, rest)| rest).trim_end_matches('/');
        let keep = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
        text.chars().map(keep).collect()
    }

    /// The issuer with another scheme and host, for example those of a fake.
    #[must_use]
    pub fn under(&self, root: &Url) -> Self {
        let path = self.0.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
        Self(format!("{}{path}", root.as_str().trim_end_matches('/')))
    }
}

/// An algorithm of ID token signatures (RFC 7518, 3.1). There is none with a shared secret, and no `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which every provider must support (Core 1.0, 15.1).
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA with P-256 and SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA with P-384 and SHA-384.
    #[serde(rename = "ES384")]
    Es384,
}

/// How we authenticate at the token endpoint (Core 1.0, section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// HTTP Basic with the client secret.
    #[default]
    ClientSecretBasic,
    /// The client secret in the form.
    ClientSecretPost,
    /// A signed assertion instead of a shared secret (RFC 7523).
    PrivateKeyJwt,
}

impl SignIn {
    /// The label of the sign-in button.
    pub fn title(&self) -> &str {
        match self {
            Self::OpenId2(provider) => &provider.title,
            Self::OpenIdConnect(provider) => &provider.title,
        }
    }

    /// The issuer of the identities: the endpoint (OpenID 2.0), or the issuer (OpenID Connect).
    pub fn issuer(&self) -> &str {
        match self {
            Self::OpenId2(provider) => provider.endpoint.as_str(),
            Self::OpenIdConnect(provider) => provider.issuer.as_str(),
        }
    }

    /// Whether the provider's word confirms an e-mail address.
    pub fn trusts_email(&self) -> bool {
        match self {
            Self::OpenId2(provider) => provider.trust_email,
            Self::OpenIdConnect(provider) => provider.trust_email,
        }
    }

    /// The path that the provider returns to.
    pub fn callback_path(&self) -> String {
        match self {
            Self::OpenId2(_) => "/callback".to_owned(),
            Self::OpenIdConnect(provider) => format!("/callback/{}", provider.issuer.slug()),
        }
    }

    /// A page of the provider that answers while it works: the endpoint (OpenID 2.0), or the configuration (OpenID Connect
    /// Discovery 1.0, 4). None if the issuer is no URL.
    pub fn probe_url(&self) -> Option<Url> {
        match self {
            Self::OpenId2(provider) => Some(provider.endpoint.clone()),
            Self::OpenIdConnect(provider) => {
                let issuer = provider.issuer.as_str().trim_end_matches('/');
                Url::parse(&format!("{issuer}/.well-known/openid-configuration")).ok()
            }
        }
    }

    /// Replaces scheme and host of its URLs, for example with those of a fake.
    pub(super) fn relocate(&mut self, root: &Url) -> Result<(), url::ParseError> {
        match self {
            Self::OpenId2(provider) => {
                for url in [&mut provider.endpoint, &mut provider.identifier_root] {
                    *url = root.join(url.path().trim_start_matches('/'))?;
                }
            }
            Self::OpenIdConnect(provider) => provider.issuer = provider.issuer.under(root),
        }
        Ok(())
    }

    /// Values that would be unsafe, each with its key and the reason.
    pub(super) fn faults(&self) -> Vec<(&'static str, String)> {
        let Self::OpenIdConnect(provider) = self else { return Vec::new() };
        let mut faults = Vec::new();
        if !provider.issuer.as_str().starts_with("https://") {
            faults.push(("issuer", "issuer has no https: anybody on the network could sign in as a member".to_owned()));
        }
        if provider.client_id.is_empty() {
            faults.push(("client-id", "client-id is empty: register a client at the provider".to_owned()));
        }
        if !provider.scopes.iter().any(|scope| scope == "openid") {
            faults.push(("scopes", "scopes has no \"openid\": the provider would send no ID token".to_owned()));
        }
        if provider.scopes.iter().any(|scope| scope.is_empty() || !scope.bytes().all(|b| b.is_ascii_graphic())) {
            faults.push(("scopes", "scopes has an empty one, or one with a space".to_owned()));
        }
        if provider.algorithms.is_empty() {
            faults.push(("algorithms", "algorithms is empty: every ID token would be refused".to_owned()));
        }
        faults
    }
}

/// A provider as a table of a community file. A struct, because an error in it has its own line.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ProviderFile {
    protocol: Protocol,
    title: String,
    #[serde(default)]
    trust_email: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identifier_root: Option<Url>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<Issuer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    algorithms: Option<Vec<Algorithm>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_authentication: Option<ClientAuthentication>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum Protocol {
    #[serde(rename = "openid-2.0")]
    OpenId2,
    #[serde(rename = "openid-connect")]
    OpenIdConnect,
}

impl TryFrom<ProviderFile> for SignIn {
    type Error = String;

    fn try_from(file: ProviderFile) -> Result<Self, String> {
        let ProviderFile { title, trust_email, .. } = file;
        match file.protocol {
            Protocol::OpenId2 => {
                let foreign = [
                    ("issuer", file.issuer.is_some()),
                    ("client-id", file.client_id.is_some()),
                    ("scopes", file.scopes.is_some()),
                    ("algorithms", file.algorithms.is_some()),
                    ("client-authentication", file.client_authentication.is_some()),
                ];
                refuse_foreign(&foreign, "OpenID 2.0")?;
                Ok(Self::OpenId2(OpenId2 {
                    title,
                    endpoint: file.endpoint.ok_or("missing field `endpoint`")?,
                    identifier_root: file.identifier_root.ok_or("missing field `identifier-root`")?,
                    trust_email,
                }))
            }
            Protocol::OpenIdConnect => {
                let foreign =
                    [("endpoint", file.endpoint.is_some()), ("identifier-root", file.identifier_root.is_some())];
                refuse_foreign(&foreign, "OpenID Connect")?;
                let scopes = file.scopes.unwrap_or_else(|| ["openid", "email"].map(str::to_owned).to_vec());
                Ok(Self::OpenIdConnect(OpenIdConnect {
                    title,
                    issuer: file.issuer.ok_or("missing field `issuer`")?,
                    client_id: file.client_id.ok_or("missing field `client-id`")?,
                    scopes,
                    algorithms: file.algorithms.unwrap_or_else(|| vec![Algorithm::Rs256]),
                    client_authentication: file.client_authentication.unwrap_or_default(),
                    trust_email,
                }))
            }
        }
    }
}

impl From<SignIn> for ProviderFile {
    fn from(sign_in: SignIn) -> Self {
        let empty = Self {
            protocol: Protocol::OpenId2,
            title: String::new(),
            trust_email: false,
            endpoint: None,
            identifier_root: None,
            issuer: None,
            client_id: None,
            scopes: None,
            algorithms: None,
            client_authentication: None,
        };
        match sign_in {
            SignIn::OpenId2(OpenId2 { title, endpoint, identifier_root, trust_email }) => {
                Self { title, endpoint: Some(endpoint), identifier_root: Some(identifier_root), trust_email, ..empty }
            }
            SignIn::OpenIdConnect(provider) => Self {
                protocol: Protocol::OpenIdConnect,
                title: provider.title,
                trust_email: provider.trust_email,
                issuer: Some(provider.issuer),
                client_id: Some(provider.client_id),
                scopes: Some(provider.scopes),
                algorithms: Some(provider.algorithms),
                client_authentication: Some(provider.client_authentication),
                ..empty
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("https://gitlab.example.org", "gitlab.example.org")]
    #[case("https://sso.example.org/realms/People/", "sso.example.org-realms-people")]
    #[case("http://localhost:8481", "localhost-8481")]
    fn slug_is_one_path_segment(#[case] issuer: &str, #[case] slug: &str) {
        assert_eq!(Issuer::parse(issuer).unwrap().slug(), slug);
    }

    #[rstest::rstest]
    #[case("https://gitlab.example.org", "https://gitlab.example.org/.well-known/openid-configuration")]
    #[case(
        "https://sso.example.org/realms/people/",
        "https://sso.example.org/realms/people/.well-known/openid-configuration"
    )]
    fn probed_page_is_configuration(#[case] issuer: &str, #[case] expected: &str) {
        let provider = OpenIdConnect {
            title: "Example".to_owned(),
            issuer: Issuer::parse(issuer).unwrap(),
            client_id: "id".to_owned(),
            scopes: Vec::new(),
            algorithms: Vec::new(),
            client_authentication: ClientAuthentication::default(),
            trust_email: false,
        };
        assert_eq!(SignIn::OpenIdConnect(provider).probe_url().unwrap().as_str(), expected);
    }

    #[rstest::rstest]
    #[case::no_slash("https://gitlab.example.org", "http://localhost:9")]
    #[case::slash("https://git.example.org/", "http://localhost:9/")]
    #[case::path("https://sso.example.org/realms/people", "http://localhost:9/realms/people")]
    fn relocated_issuer_keeps_its_path(#[case] issuer: &str, #[case] relocated: &str) {
        let root = Url::parse("http://localhost:9/").unwrap();
        assert_eq!(Issuer::parse(issuer).unwrap().under(&root).as_str(), relocated);
    }

    #[rstest::rstest]
    #[case("gitlab.example.org")]
    #[case("ftp://gitlab.example.org")]
    #[case("https://gitlab.example.org/?a=b")]
    #[case("https://gitlab.example.org/#a")]
    #[case("https://a:b@gitlab.example.org/")]
    #[case("https://gitlab.example.org/ä")]
    fn issuers_are_plain_urls(#[case] text: &str) {
        assert_eq!(Issuer::parse(text), Err(IssuerError));
    }
}
