//! Codes and access tokens.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use membermail_core::random::{OsRandom, bytes};

/// `config/initializers/doorkeeper.rb`: the default of `authorization_code_expires_in`.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// `config/initializers/doorkeeper.rb`, `access_token_expires_in`, in seconds.
pub(super) const TOKEN_SECONDS: i64 = 7_200;

/// Codes and access tokens that are in use.
#[derive(Default)]
pub(crate) struct Grants {
    codes: HashMap<String, (Grant, Timestamp)>,
    tokens: HashMap<String, (Access, Timestamp)>,
}

/// A sign-in between the browser's request and the token request.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) access: Access,
    pub(super) redirect_uri: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: Option<Challenge>,
}

/// A PKCE challenge with its method (RFC 7636, 4.2).
#[derive(Clone)]
pub(super) enum Challenge {
    Plain(String),
    S256(String),
}

/// The rights of an access token.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) user: u64,
    pub(super) scopes: Vec<String>,
}

impl Grants {
    /// A new code for this sign-in.
    pub(super) fn issue_code(&mut self, grant: Grant, now: Timestamp) -> String {
        let code = random_text();
        self.codes.insert(code.clone(), (grant, now + CODE_LIFETIME));
        code
    }

    /// The sign-in of a code, once.
    pub(super) fn take_code(&mut self, code: &str, now: Timestamp) -> Option<Grant> {
        self.codes.remove(code).filter(|(_, expires)| now < *expires).map(|(grant, _)| grant)
    }

    /// A new access token.
    pub(super) fn issue_token(&mut self, access: Access, now: Timestamp) -> String {
        let token = random_text();
        self.tokens.insert(token.clone(), (access, now + SignedDuration::from_secs(TOKEN_SECONDS)));
        token
    }

    /// The rights of an access token.
    pub(super) fn access(&self, token: &str, now: Timestamp) -> Option<&Access> {
        self.tokens.get(token).filter(|(_, expires)| now < *expires).map(|(access, _)| access)
    }
}

/// `config/initializers/doorkeeper.rb`: hexadecimal, of 32 bytes.
pub(super) fn random_text() -> String {
    bytes::<32>(&OsRandom).iter().map(|byte| format!("{byte:02x}")).collect()
}
