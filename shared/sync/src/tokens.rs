//! The token of the membership source, from Secrets Manager.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use membermail_membership::Error;
use membermail_membership::gitlab::{Token, Tokens};
use membermail_runtime::batch::chain;
use membermail_runtime::secret::fetch;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::info;

/// Minimum time between two requests for a secret whose token the source refuses.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);

/// The token in a secret. It is fetched when it is needed first, and again if the source refuses it, so that a rotated token
/// needs no restart. Concurrent callers wait for one request (single-flight).
///
/// Not a [`RotatingSecret`](membermail_runtime::rotating_secret::RotatingSecret), which also reads the previous version and
/// refreshes both: a new token is valid at the source before it is in the secret, so that would only cost requests.
pub struct SecretTokens {
    client: Client,
    arn: String,
    cache: Mutex<Option<CachedToken>>,
}

struct CachedToken {
    token: Token,
    fetched_at: Instant,
}

impl SecretTokens {
    /// Fetches nothing yet.
    pub fn new(client: Client, arn: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), cache: Mutex::default() }
    }

    async fn fetch(&self) -> Result<CachedToken, Error> {
        let fetched_at = Instant::now();
        let text = fetch(&self.client, &self.arn).await.map_err(|cause| Error::NoToken { why: chain(&cause) })?;
        Ok(CachedToken { token: Token::parse(&text)?, fetched_at })
    }
}

#[async_trait]
impl Tokens for SecretTokens {
    async fn token(&self) -> Result<Token, Error> {
        let mut cache = self.cache.lock().await;
        if let Some(cached) = &*cache {
            return Ok(cached.token.clone());
        }
        Ok(cache.insert(self.fetch().await?).token.clone())
    }

    async fn token_after(&self, refused: &Token) -> Result<Option<Token>, Error> {
        let mut cache = self.cache.lock().await;
        if let Some(cached) = &*cache {
            if cached.token != *refused {
                return Ok(Some(cached.token.clone()));
            }
            if cached.fetched_at.elapsed() < REFRESH_INTERVAL {
                return Ok(None);
            }
        }
        let token = cache.insert(self.fetch().await?).token.clone();
        if token == *refused {
            return Ok(None);
        }
        info!("the token of the membership source was rotated");
        Ok(Some(token))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex as StdMutex;

    use membermail_runtime::testing::{FakeAws, Response};
    use serde_json::json;

    use super::*;

    /// A secret whose text can change, and the number of requests for it.
    #[derive(Clone, Default)]
    struct Secret(Arc<StdMutex<(String, u32)>>);

    impl Secret {
        fn set(&self, text: &str) {
            self.0.lock().unwrap().0 = text.to_owned();
        }

        fn requests(&self) -> u32 {
            self.0.lock().unwrap().1
        }

        fn tokens(&self) -> SecretTokens {
            let secret = self.clone();
            let aws = FakeAws::new(move |operation, _| {
                assert_eq!(operation, "GetSecretValue");
                let mut secret = secret.0.lock().unwrap();
                secret.1 += 1;
                match secret.0.as_str() {
                    "denied" => Response::error("AccessDeniedException"),
                    text => Response::Ok(json!({ "SecretString": text })),
                }
            });
            SecretTokens::new(aws.secrets(), "arn")
        }
    }

    fn token(text: &str) -> Token {
        Token::parse(text).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn rotated_token_is_fetched_once() {
        let secret = Secret::default();
        secret.set("old");
        let tokens = secret.tokens();
        assert_eq!(secret.requests(), 0);
        assert_eq!((tokens.token().await, tokens.token().await), (Ok(token("old")), Ok(token("old"))));
        secret.set("new");
        assert_eq!(tokens.token_after(&token("old")).await, Ok(None), "fetched a moment ago");
        tokio::time::advance(REFRESH_INTERVAL).await;
        assert_eq!(tokens.token_after(&token("old")).await, Ok(Some(token("new"))));
        assert_eq!(tokens.token_after(&token("old")).await, Ok(Some(token("new"))), "another caller");
        assert_eq!((tokens.token().await, secret.requests()), (Ok(token("new")), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn refused_token_is_fetched_rarely() {
        let secret = Secret::default();
        secret.set("old");
        let tokens = secret.tokens();
        tokens.token().await.unwrap();
        tokio::time::advance(REFRESH_INTERVAL).await;
        for _ in 0..10 {
            assert_eq!(tokens.token_after(&token("old")).await, Ok(None));
        }
        assert_eq!(secret.requests(), 2);
    }

    #[rstest::rstest]
    #[tokio::test]
    async fn unreadable_secret_is_no_token(#[values("denied", "", "two words")] text: &str) {
        let secret = Secret::default();
        secret.set(text);
        let error = secret.tokens().token().await.unwrap_err();
        assert!(matches!(error, Error::NoToken { .. }) && error.is_retryable(), "{error}");
        secret.set("token");
    }
}
