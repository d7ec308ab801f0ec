//! A team by name.

use membermail_core::eligibility::Group;
use membermail_core::member::Fingerprint;
use rstest::rstest;

use super::*;

async fn group(server: &MockServer) -> Result<Option<Group>, Error> {
    client(server).group(&team()).await
}

fn team_response() -> Value {
    let team = changed(alice_with("name", json!(TEAM)), "is_team", json!(true));
    changed(team, "date_created", json!("2006-01-02T03:04:05.000006+00:00"))
}

#[tokio::test]
async fn group_is_read_with_date() {
    let server = serve(team_request(), json_response(&team_response())).await;
    let group = group(&server).await.unwrap().unwrap();
    assert_eq!((group.name.as_str(), group.fingerprint), (TEAM, Fingerprint(1_136_171_045_000_006)));
}

#[tokio::test]
async fn persons_name_is_no_group() {
    let server = serve(team_request(), json_response(&alice())).await;
    assert_eq!(group(&server).await, Ok(None));
}

#[rstest]
#[case::not_found(recorded(include_str!("data/not-found.http")))]
#[case::gone(ResponseTemplate::new(410).set_body_raw("<html>gone</html>", "text/html"))]
#[tokio::test]
async fn absent_group_is_none_at_once(#[case] response: ResponseTemplate) {
    let server = serve(team_request(), response).await;
    assert_eq!(group(&server).await, Ok(None));
    assert_eq!(requests(&server).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn group_is_malformed_without_field(
    #[values("is_team", "date_created")] field: &str,
    #[values(None, Some(json!(null)), Some(json!(REDACTED)), Some(json!(1)))] value: Option<Value>,
) {
    let server = serve(team_request(), json_response(&changed(team_response(), field, value))).await;
    assert_eq!(group(&server).await, Err(Error::Malformed { what: "a team" }));
}

#[rstest]
#[case::column_default("2005-06-08T10:20:30.123456+00:00", true)]
#[case::last_of_june("2005-06-30T23:59:59.999999+00:00", true)]
#[case::first_of_july("2005-07-01T00:00:00+00:00", false)]
#[case::later("2009-03-14T15:09:26.535897+00:00", false)]
#[tokio::test]
async fn date_is_shared_before_july_2005(#[case] date: &str, #[case] is_shared: bool) {
    let server = MockServer::start().await;
    let date: jiff::Timestamp = date.parse().unwrap();
    assert_eq!(client(&server).is_shared(Fingerprint(date.as_microsecond())), is_shared);
}
