//! A person by identity.

use membermail_core::eligibility::Account;
use membermail_core::member::Fingerprint;
use rstest::rstest;
use wiremock::matchers::header;

use super::*;

const MALFORMED: Error = Error::Malformed { what: "a person" };

async fn lookup_with(response: &Value) -> Result<Option<Person>, Error> {
    let server = serve(person_request(), json_response(response)).await;
    ask(&server).await
}

#[tokio::test]
async fn person_is_read_from_sheet_example() {
    let server = MockServer::start().await;
    person_request().and(header("user-agent", USER_AGENT)).respond_with(json_response(&alice())).mount(&server).await;
    let person = ask(&server).await.unwrap().unwrap();
    // 2009-03-14T15:09:26.535897+00:00
    assert_eq!((person.name.as_str(), person.fingerprint), ("alice", Fingerprint(1_237_043_366_535_897)));
    assert_eq!((person.account, person.signed_code_of_conduct), (Account::Active, true));
    // A bare `+` in the query would be read as a blank.
    let asked = "identifier=https%3A%2F%2Flogin.ubuntu.com%2F%2Bid%2F4Mn8bcd";
    assert_eq!(requests(&server).await, [format!("/devel/people?ws.op=getByOpenIDIdentifier&{asked}")]);
}

#[tokio::test]
async fn identity_is_unknown_under_both_roots() {
    let server = serve(person_request(), recorded(include_str!("data/null.http"))).await;
    assert_eq!(ask(&server).await, Ok(None));
    let asked = ["login.ubuntu.com", "login.launchpad.net"].map(|root| {
        format!("/devel/people?ws.op=getByOpenIDIdentifier&identifier=https%3A%2F%2F{root}%2F%2Bid%2F4Mn8bcd")
    });
    assert_eq!(requests(&server).await, asked);
}

#[tokio::test]
async fn person_is_found_under_other_root() {
    let server = MockServer::start().await;
    let other = query_param("identifier", "https://login.launchpad.net/+id/4Mn8bcd");
    person_request().and(other).respond_with(json_response(&alice())).mount(&server).await;
    person_request().respond_with(json_response(&Value::Null)).with_priority(9).mount(&server).await;
    assert_eq!(ask(&server).await.unwrap().unwrap().name.as_str(), "alice");
    assert_eq!(requests(&server).await.len(), 2);
}

#[rstest]
#[case("Active", true, Account::Active)]
#[case("Active", false, Account::NoPreferredAddress)]
#[case("Placeholder", false, Account::NeverActivated)]
#[case("Unactivated", false, Account::NeverActivated)]
#[case("Deactivated", false, Account::Deactivated)]
#[case("Suspended", false, Account::Suspended)]
#[case("Closed", false, Account::Closed)]
#[case("Deceased", false, Account::Inactive)]
#[case("Frozen", true, Account::Inactive)]
#[tokio::test]
async fn account_follows_status(#[case] status: &str, #[case] is_valid: bool, #[case] account: Account) {
    let response = changed(alice_with("account_status", json!(status)), "is_valid", json!(is_valid));
    assert_eq!(lookup_with(&response).await.unwrap().unwrap().account, account);
}

#[tokio::test]
async fn team_is_inactive() {
    assert_eq!(lookup_with(&alice_with("is_team", json!(true))).await.unwrap().unwrap().account, Account::Inactive);
}

#[tokio::test]
async fn code_of_conduct_can_be_unsigned() {
    assert!(
        !lookup_with(&alice_with("is_ubuntu_coc_signer", json!(false))).await.unwrap().unwrap().signed_code_of_conduct
    );
}

#[rstest]
#[case::without_fraction("2009-03-14T15:09:26+00:00", 1_237_043_366_000_000)]
#[case::with_zulu("2009-03-14T15:09:26.000001Z", 1_237_043_366_000_001)]
#[tokio::test]
async fn date_is_read_in_microseconds(#[case] date: &str, #[case] fingerprint: i64) {
    assert_eq!(
        lookup_with(&alice_with("date_created", json!(date))).await.unwrap().unwrap().fingerprint,
        Fingerprint(fingerprint)
    );
}

#[rstest]
#[tokio::test]
async fn person_is_malformed_without_field(
    #[values("name", "date_created", "is_team", "is_valid", "is_ubuntu_coc_signer", "account_status")] field: &str,
    #[values(None, Some(json!(null)), Some(json!(REDACTED)), Some(json!(1.5)), Some(json!({})))] value: Option<Value>,
) {
    let response = alice_with(field, value);
    assert!(matches!(lookup_with(&response).await, Err(Error::Malformed { .. })), "{response}");
}

#[rstest]
#[case::id("id")]
#[case::preferred_address("preferred_email_address_link")]
#[case::teams_link("super_teams_collection_link")]
#[case::description("description")]
#[tokio::test]
async fn other_fields_are_not_read(#[case] field: &str, #[values(json!(null), json!(7), json!([1]))] value: Value) {
    assert!(lookup_with(&alice_with(field, value)).await.unwrap().is_some());
}

#[rstest]
#[case::html("<html>busy</html>")]
#[case::empty("")]
#[case::half("{\"name\": \"ali")]
#[case::list("[]")]
#[case::word("\"alice\"")]
#[tokio::test]
async fn malformed_person_is_asked_once(#[case] body: &str) {
    let server = serve(person_request(), ResponseTemplate::new(200).set_body_string(body)).await;
    let error = ask(&server).await.unwrap_err();
    assert_eq!(error, MALFORMED);
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await.len(), 1);
}

/// The subject of another provider could be anything, even an identifier of Launchpad.
#[tokio::test]
async fn foreign_identity_is_never_requested() {
    let server = MockServer::start().await;
    let foreign = Identity { issuer: "https://gitlab.example".to_owned(), ..identity() };
    let client = client(&server);
    assert!(client.is_authority_on(&identity()) && !client.is_authority_on(&foreign));
    assert_eq!(client.person(&foreign).await, Ok(None));
    assert!(requests(&server).await.is_empty());
}
