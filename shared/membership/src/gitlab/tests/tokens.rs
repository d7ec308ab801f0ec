//! The token: never shown, and replaced once if the server refuses it.

use std::sync::Mutex;

use async_trait::async_trait;
use rstest::rstest;
use wiremock::matchers::header;

use super::super::Tokens;
use super::*;
use crate::Source;

const USER_PATH: &str = "/api/v4/users/1001";

/// The current token, and the one that a look-up in the secret would return.
struct Rotating {
    current: Mutex<Token>,
    stored: Option<Token>,
}

#[async_trait]
impl Tokens for Rotating {
    async fn token(&self) -> Result<Token, Error> {
        Ok(self.current.lock().unwrap().clone())
    }

    async fn token_after(&self, refused: &Token) -> Result<Option<Token>, Error> {
        let newer = self.stored.clone().filter(|stored| stored != refused);
        if let Some(newer) = &newer {
            self.current.lock().unwrap().clone_from(newer);
        }
        Ok(newer)
    }
}

fn rotating(server: &MockServer, stored: Option<&str>) -> Client {
    let stored = stored.map(|text| Token::parse(text).unwrap());
    let tokens = Rotating { current: Mutex::new(Token::parse("glpat-old").unwrap()), stored };
    Client::new(settings(&server.uri()), Arc::new(tokens), Arc::new(ManualClock::at(now()))).unwrap()
}

/// A server that accepts the new token only.
async fn serve_new_token() -> MockServer {
    let server = MockServer::start().await;
    let accepted = Mock::given(path(USER_PATH)).and(header("private-token", "glpat-new"));
    accepted.respond_with(json_response(&user())).mount(&server).await;
    Mock::given(path(USER_PATH)).respond_with(status(401)).with_priority(9).mount(&server).await;
    server
}

#[tokio::test]
async fn rotated_token_is_used_at_once() {
    let server = serve_new_token().await;
    let client = rotating(&server, Some("glpat-new"));
    for _ in 0..2 {
        assert_eq!(client.person(&identity(ISSUER, "1001")).await, Ok(Some(ada())));
    }
    assert_eq!(requests(&server).await.len(), 3, "the refused token is used once");
}

#[rstest]
#[case::no_other(None, 1)]
#[case::same(Some("glpat-old"), 1)]
#[case::refused_too(Some("glpat-other"), 2)]
#[tokio::test]
async fn refused_token_ends_lookup(#[case] stored: Option<&str>, #[case] expected: usize) {
    let server = serve_new_token().await;
    let error = rotating(&server, stored).person(&identity(ISSUER, "1001")).await.unwrap_err();
    assert_eq!(error, Error::TokenRefused { code: 401 });
    assert_eq!(requests(&server).await.len(), expected);
}

/// 403 means a missing scope, which another version of the same token does not have either.
#[tokio::test]
async fn missing_scope_reads_no_other_token() {
    let server = serve(USER_PATH, status(403)).await;
    let error = rotating(&server, Some("glpat-new")).person(&identity(ISSUER, "1001")).await.unwrap_err();
    assert_eq!(error, Error::TokenRefused { code: 403 });
    assert_eq!(requests(&server).await.len(), 1);
}

#[test]
fn token_is_never_shown() {
    let token = Token::parse(" glpat-secret\n").unwrap();
    assert_eq!(token, Token::parse(TOKEN).unwrap());
    assert_eq!(format!("{token:?}"), "Token(redacted)");
    assert!(format!("{:?}", token.header().unwrap()) == "Sensitive");
}

#[rstest]
fn strange_token_is_refused(#[values("", " \n", "a b", "a\nb", "ä")] text: &str) {
    assert!(matches!(Token::parse(text), Err(Error::NoToken { .. })));
}
