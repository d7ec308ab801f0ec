//! A person by identity.

use rstest::rstest;
use wiremock::matchers::header;

use super::*;
use crate::Source;

const USER_PATH: &str = "/api/v4/users/1001";

async fn look_up(response: &Value) -> Result<Option<Person>, Error> {
    let server = serve(USER_PATH, json_response(response)).await;
    client(&server).person(&identity(ISSUER, "1001")).await
}

#[tokio::test]
async fn person_is_read_by_id() {
    let server = MockServer::start().await;
    let request =
        Mock::given(path(USER_PATH)).and(header("private-token", TOKEN)).and(header("user-agent", USER_AGENT));
    request.respond_with(json_response(&user())).mount(&server).await;
    assert_eq!(client(&server).person(&identity(ISSUER, "1001")).await, Ok(Some(ada())));
    assert_eq!(requests(&server).await, [USER_PATH]);
}

#[tokio::test]
async fn person_is_none_when_absent() {
    let server = serve(USER_PATH, status(404)).await;
    assert_eq!(client(&server).person(&identity(ISSUER, "1001")).await, Ok(None));
}

/// A server never learns of an identity that it did not issue: another issuer's "1001" is another person.
#[rstest]
#[case::other_issuer("https://other.example", "1001")]
#[case::issuer_with_slash("https://gitlab.community.example/", "1001")]
#[case::former_provider("https://id.community.example/+openid", "https://id.community.example/+id/AbC")]
#[case::name(ISSUER, "ada")]
#[case::leading_zero(ISSUER, "01001")]
#[case::zero(ISSUER, "0")]
#[case::sign(ISSUER, "+1001")]
#[case::negative(ISSUER, "-1")]
#[case::beyond_64_bits(ISSUER, "9223372036854775808")]
#[case::path(ISSUER, "1001/keys")]
#[tokio::test]
async fn foreign_identity_is_never_requested(#[case] issuer: &str, #[case] subject: &str) {
    let server = MockServer::start().await;
    let client = client(&server);
    let identity = identity(issuer, subject);
    assert!(!client.is_authority_on(&identity));
    assert_eq!(client.person(&identity).await, Ok(None));
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn other_user_is_malformed() {
    let error = look_up(&changed(user(), "id", json!(1002))).await.unwrap_err();
    assert_eq!(error, Error::Malformed { what: "the id of a user" });
}

#[rstest]
#[case("active", Account::Active)]
#[case("blocked", Account::Suspended)]
#[case("ldap_blocked", Account::Suspended)]
#[case("banned", Account::Suspended)]
#[case("deactivated", Account::Deactivated)]
#[case("blocked_pending_approval", Account::NeverActivated)]
#[case("Active", Account::Inactive)]
#[case("frozen", Account::Inactive)]
#[tokio::test]
async fn account_follows_state(#[case] state: &str, #[case] account: Account) {
    assert_eq!(look_up(&changed(user(), "state", json!(state))).await.unwrap().unwrap().account, account);
}

#[tokio::test]
async fn bot_is_inactive() {
    assert_eq!(look_up(&changed(user(), "bot", json!(true))).await.unwrap().unwrap().account, Account::Inactive);
}

#[rstest]
#[tokio::test]
async fn person_is_malformed_without_field(
    #[values("id", "username", "state", "bot")] field: &str,
    #[values(None, Some(json!(null)), Some(json!([]))  )] value: Option<Value>,
) {
    assert!(matches!(look_up(&changed(user(), field, value)).await, Err(Error::Malformed { .. })));
}

#[rstest]
#[tokio::test]
async fn strange_user_name_is_malformed(#[values("", "-ada", "a da", "ada/x", "ädä")] name: &str) {
    assert_eq!(look_up(&changed(user(), "username", json!(name))).await, Err(Error::Malformed { what: "a user name" }));
}

#[rstest]
#[tokio::test]
async fn malformed_person_is_asked_once(#[values("<html>", "", "null", "[]", "{\"id\": 1001")] body: &str) {
    let server = serve(USER_PATH, status(200).set_body_string(body)).await;
    let error = client(&server).person(&identity(ISSUER, "1001")).await.unwrap_err();
    assert!(matches!(error, Error::Malformed { .. }) && error.is_retryable());
    assert_eq!(requests(&server).await.len(), 1);
}
