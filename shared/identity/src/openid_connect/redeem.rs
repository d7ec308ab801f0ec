//! From a code to a person: token request, ID token, UserInfo.

use std::fmt;

use jiff::Timestamp;
use membermail_core::email::EmailAddress;
use membermail_core::member::{Identity, Subject};
use oauth2::TokenResponse as _;
use oauth2::basic::BasicTokenType;
use openidconnect::AccessTokenHash;
use serde_json::Value;
use subtle::ConstantTimeEq;
use url::Url;

use super::jwt::{Jwt, Kind};
use super::keys::to_crate;
use super::members::Members;
use super::{Code, Credential, RedeemError, Refusal, RelyingParty, Transaction, claims};

/// Maximum characters of a language tag.
const LANGUAGE_LIMIT: usize = 35;

/// A confirmed sign-in.
pub struct SignedIn {
    /// The verified identity: `iss` and `sub`.
    pub identity: Identity,
    /// The person's OpenID 2.0 identifier, from before the provider changed to OpenID Connect.
    pub openid2: Option<Subject>,
    /// The person's e-mail address at the provider.
    pub email: Option<ClaimedEmail>,
    /// The person's preferred language at the provider (BCP 47).
    pub language: Option<String>,
}

/// An e-mail address that the provider knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedEmail {
    /// The address.
    pub address: EmailAddress,
    /// Whether the provider says that it has verified the address. `None` if it does not say.
    pub verified: Option<bool>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl RelyingParty {
    /// Exchanges the code of a checked response, whose state the caller has consumed, and verifies the ID token.
    /// `redirect_uri` and `transaction` are those of the authorization request; `credentials` has the current one first.
    ///
    /// A provider exchanges a code only once, so failures are not retried: the member starts again. The exception is
    /// [`RedeemError::Client`], which leaves the code unused: the caller may have older credentials than the provider, and
    /// try once more with newly read ones.
    ///
    /// # Errors
    /// If the provider fails or refuses the code, or its tokens are refused.
    pub async fn redeem(
        &self,
        code: &Code,
        redirect_uri: &Url,
        transaction: &Transaction,
        credentials: &[Credential],
        now: Timestamp,
    ) -> Result<SignedIn, RedeemError> {
        let metadata = self.metadata(now).await?;
        let tokens = self.exchange(&metadata, code, redirect_uri, transaction, credentials, now).await?;
        if *tokens.token_type() != BasicTokenType::Bearer {
            return Err(Refusal::TokenType.into());
        }
        let id_token = tokens.extra_fields().id_token.as_deref().ok_or(Refusal::NoIdToken)?;
        let jwt = Jwt::parse(id_token, Kind::Id, &self.provider.algorithms)?;
        let key = self.key_of(&jwt, now).await?;
        let claims = Members::read_claims(jwt.verify(&key)?, claims::ID_TOKEN)?;
        let subject = claims::check_id_token(&claims, &self.provider, &transaction.nonce, now)?;
        if let Some(given) = claims.text("at_hash")? {
            let hash = AccessTokenHash::from_token(tokens.access_token(), &to_crate(jwt.algorithm), &key);
            let is_equal = hash.is_ok_and(|hash| hash.as_str().as_bytes().ct_eq(given.as_bytes()).into());
            if !is_equal {
                return Err(Refusal::AccessTokenHash.into());
            }
        }
        let openid2 = claims::openid2_identifier(&claims, &self.provider);
        let claims = match metadata.userinfo_endpoint() {
            Some(endpoint) if claims.get("email").is_none() => {
                self.user_info(endpoint.url(), tokens.access_token(), &subject).await?
            }
            Some(_) | None => claims,
        };
        let identity = Identity { issuer: self.provider.issuer.as_str().to_owned(), subject };
        Ok(SignedIn { identity, openid2, email: email(&claims)?, language: language(&claims) })
    }
}

/// Address and verification are from one source.
fn email(claims: &Members) -> Result<Option<ClaimedEmail>, Refusal> {
    let Some(address) = claims.text("email")?.filter(|address| !address.is_empty()) else { return Ok(None) };
    let address = EmailAddress::parse(address).map_err(Refusal::BadEmail)?;
    Ok(Some(ClaimedEmail { address, verified: claims.get("email_verified").map(is_true) }))
}

/// Some providers send a string. Everything else that is not clearly true is not.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

fn language(claims: &Members) -> Option<String> {
    let tag = claims.get("locale")?.as_str()?;
    (!tag.is_empty() && tag.len() <= LANGUAGE_LIMIT).then(|| tag.to_owned())
}
