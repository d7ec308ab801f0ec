//! What Launchpad says of a person, and what is made of it.

use rstest::rstest;
use wiremock::matchers::header;

use super::*;
use crate::SettingsError;

#[tokio::test]
async fn a_member_takes_two_requests_each_with_the_user_agent() {
    let server = MockServer::start().await;
    let agent = || header("user-agent", USER_AGENT);
    person().and(agent()).respond_with(json_answer(&alice(&server))).expect(1).mount(&server).await;
    super_teams()
        .and(agent())
        .respond_with(json_answer(&teams(&["b-team", "a-team"], 2)))
        .expect(1)
        .mount(&server)
        .await;
    let standing = standing(&server).await.unwrap();
    assert_eq!(team_names(&standing), ["a-team", "b-team"]);
    let Standing::Known { person, .. } = standing else { panic!("not known") };
    assert_eq!((person.id.0, person.name.as_str()), (7, "alice"));
    assert!(person.is_valid && !person.is_team && person.signed_code_of_conduct);
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn an_unknown_identity_takes_one_request() {
    let server = MockServer::start().await;
    person().respond_with(json_answer(&Value::Null)).mount(&server).await;
    assert_eq!(standing(&server).await, Ok(Standing::Unknown));
    assert_eq!(requests(&server).await, 1);
}

#[rstest]
#[case::unsigned("is_ubuntu_coc_signer", false)]
#[case::not_valid("is_valid", false)]
#[case::a_team("is_team", true)]
#[tokio::test]
async fn the_teams_of_the_ineligible_are_not_asked_for(#[case] flag: &str, #[case] value: bool) {
    let server = MockServer::start().await;
    let mut answer = alice(&server);
    answer[flag] = json!(value);
    answer["super_teams_collection_link"] = Value::Null;
    person().respond_with(json_answer(&answer)).mount(&server).await;
    let standing = standing(&server).await.unwrap();
    assert!(team_names(&standing).is_empty());
    let Standing::Known { person, .. } = standing else { panic!("not known") };
    let mut read = json!({
        "is_ubuntu_coc_signer": person.signed_code_of_conduct,
        "is_valid": person.is_valid,
        "is_team": person.is_team,
    });
    assert_eq!(read[flag].take(), json!(value));
    assert_eq!(requests(&server).await, 1);
}

#[rstest]
#[case::no_json("<html>busy</html>")]
#[case::empty("")]
#[case::half("{\"id\": 7, \"name\": \"ali")]
#[case::a_list("[]")]
#[case::a_word("\"alice\"")]
#[tokio::test]
async fn a_malformed_person_is_an_error_and_asked_for_again(#[case] body: &str) {
    let server = MockServer::start().await;
    person().respond_with(ResponseTemplate::new(200).set_body_string(body)).mount(&server).await;
    let error = standing(&server).await.unwrap_err();
    assert_eq!(error, Error::Malformed { what: "a person" });
    assert!(error.is_retryable());
    assert!(requests(&server).await > 1);
}

#[rstest]
#[tokio::test]
async fn a_missing_or_mistyped_field_is_an_error(
    #[values("id", "name", "is_team", "is_valid", "is_ubuntu_coc_signer")] field: &str,
    #[values(None, Some(Value::Null), Some(json!("yes")), Some(json!(1.5)))] value: Option<Value>,
) {
    if field == "name" && value == Some(json!("yes")) {
        return;
    }
    let server = MockServer::start().await;
    let mut answer = alice(&server);
    match value {
        Some(value) => answer[field] = value,
        None => drop(answer.as_object_mut().unwrap().remove(field)),
    }
    person().respond_with(json_answer(&answer)).mount(&server).await;
    assert_eq!(standing(&server).await, Err(Error::Malformed { what: "a person" }));
}

#[tokio::test]
async fn a_person_without_a_link_to_their_teams_is_an_error() {
    let server = MockServer::start().await;
    let mut answer = alice(&server);
    answer["super_teams_collection_link"] = Value::Null;
    person().respond_with(json_answer(&answer)).mount(&server).await;
    let error = standing(&server).await.unwrap_err();
    assert_eq!(error, Error::Malformed { what: "a person without a link to their teams" });
}

#[rstest]
#[case::root("", "/devel/people")]
#[case::slash("/", "/devel/people")]
#[case::folder("/lp", "/lp/devel/people")]
#[case::folder_and_slash("/lp/", "/lp/devel/people")]
#[tokio::test]
async fn the_root_may_have_a_path(#[case] root: &str, #[case] asked: &str) {
    let server = MockServer::start().await;
    Mock::given(path(asked)).respond_with(json_answer(&Value::Null)).mount(&server).await;
    let client = client(&format!("{}{root}", server.uri()));
    assert_eq!(client.standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await, Ok(Standing::Unknown));
}

#[rstest]
#[case::scheme("ftp://api.launchpad.net/", USER_AGENT, false)]
#[case::no_host("data:text/plain,x", USER_AGENT, false)]
#[case::credentials("https://a:b@api.launchpad.net/", USER_AGENT, false)]
#[case::query("https://api.launchpad.net/?a=b", USER_AGENT, false)]
#[case::no_agent("https://api.launchpad.net/", " ", false)]
#[case::broken_agent("https://api.launchpad.net/", "a\nb", false)]
#[case::good("https://api.launchpad.net/", USER_AGENT, true)]
fn settings_are_checked(#[case] api: &str, #[case] agent: &str, #[case] good: bool) {
    let settings = Settings { api: api.parse().unwrap(), user_agent: agent.to_owned(), patience: Duration::MAX };
    let made = Client::new(settings);
    assert_eq!(made.is_ok(), good);
    assert!(matches!(made, Ok(_) | Err(SettingsError::Api | SettingsError::UserAgent)));
}

#[rstest]
#[case::its_own(None, "https://api.launchpad.net/")]
#[case::one_instead(Some("http://127.0.0.1:8/"), "http://127.0.0.1:8/")]
fn a_community_has_its_launchpad_and_a_contact(#[case] instead: Option<&str>, #[case] api: &str) {
    let community = membermail_communities::community("ubuntu").unwrap();
    let instead = instead.map(|url| url.parse().unwrap());
    let settings = Settings::of(&community, instead, Duration::from_secs(7));
    assert_eq!(settings.api.as_str(), api);
    // The program with its version, and a page that tells who is behind it.
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(settings.user_agent, format!("membermail/{version} (+https://help.ubuntu.com/community/EmailAlias)"));
    assert!(Client::new(settings).is_ok());
}
