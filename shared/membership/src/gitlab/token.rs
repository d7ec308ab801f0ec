//! The token of an account at the server.

use std::fmt;

use async_trait::async_trait;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use crate::error::Error;

/// A personal access token. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    /// The token in this text, without surrounding white space.
    ///
    /// # Errors
    /// If the text is empty or no valid header.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::NoToken { why: "it is empty or has characters that no token has".to_owned() });
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The value of the header `PRIVATE-TOKEN`.
    pub(crate) fn header(&self) -> Result<HeaderValue, Error> {
        let value = HeaderValue::from_str(&self.0);
        let mut value = value.map_err(|_| Error::NoToken { why: "it is no valid header".to_owned() })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Where the client gets its token from.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// The token to use now.
    async fn token(&self) -> Result<Token, Error>;

    /// Another token than the one that the server refused; none if there is no other yet.
    async fn token_after(&self, refused: &Token) -> Result<Option<Token>, Error>;
}

/// A token that does not change.
#[async_trait]
impl Tokens for Token {
    async fn token(&self) -> Result<Token, Error> {
        Ok(self.clone())
    }

    async fn token_after(&self, _: &Token) -> Result<Option<Token>, Error> {
        Ok(None)
    }
}
