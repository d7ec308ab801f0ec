//! Everybody in a team: read again where it changed, and an error where it cannot be right.

use membermail_core::member::{LaunchpadName, TeamName};
use rstest::rstest;
use wiremock::matchers::query_param_is_missing;

use super::*;
use crate::Named;

fn someone(id: u64) -> Value {
    json!({ "id": id, "name": format!("member{id}"), "is_team": false, "is_valid": true, "is_ubuntu_coc_signer": true })
}

fn people(ids: &[u64], total: u64) -> Value {
    json!({ "start": 0, "total_size": total, "entries": ids.iter().map(|id| someone(*id)).collect::<Vec<_>>() })
}

fn participants() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/1.0/~ubuntumembers/participants")).and(query_param("ws.size", "300"))
}

/// How many people were read, in which order, and the totals that came with them.
async fn read(server: &MockServer, hidden: u64) -> Result<(Vec<u64>, Vec<u64>), Error> {
    let team = TeamName::parse("ubuntumembers").unwrap();
    let begin = || (Vec::new(), Vec::new());
    let each = |(ids, totals): &mut (Vec<u64>, Vec<u64>), person: membermail_core::eligibility::Person, total| {
        ids.push(person.id.0);
        totals.push(total);
    };
    client(&server.uri()).participants(&team, hidden, begin, each).await
}

#[tokio::test]
async fn everybody_is_handed_on_with_the_total() {
    let server = MockServer::start().await;
    let mut first = people(&[1, 2], 3);
    first["next_collection_link"] =
        json!(format!("{}/1.0/~ubuntumembers/participants?ws.size=300&ws.start=2", server.uri()));
    participants().and(query_param_is_missing("ws.start")).respond_with(json_answer(&first)).mount(&server).await;
    participants().and(query_param("ws.start", "2")).respond_with(json_answer(&people(&[3], 3))).mount(&server).await;
    assert_eq!(read(&server, 0).await, Ok((vec![1, 2, 3], vec![3, 3, 3])));
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn an_empty_team_is_an_answer() {
    let server = MockServer::start().await;
    participants().respond_with(json_answer(&people(&[], 0))).mount(&server).await;
    assert_eq!(read(&server, 0).await, Ok((Vec::new(), Vec::new())));
    assert_eq!(requests(&server).await, 1);
}

/// Nothing of the first reading is left in the second.
#[rstest]
#[case::one_too_few(people(&[1, 2], 3))]
#[case::one_too_many(people(&[1, 2, 3], 2))]
#[case::somebody_twice(people(&[1, 1], 2))]
#[tokio::test]
async fn what_changed_while_it_was_read_is_read_once_more(#[case] first: Value) {
    let server = MockServer::start().await;
    participants().respond_with(json_answer(&first)).up_to_n_times(1).mount(&server).await;
    participants().respond_with(json_answer(&people(&[2, 4], 2))).mount(&server).await;
    assert_eq!(read(&server, 0).await, Ok((vec![2, 4], vec![2, 2])));
    assert_eq!(requests(&server).await, 2);
}

#[rstest]
#[case::one_too_few(people(&[1, 2], 3), 0)]
#[case::one_too_many(people(&[1, 2, 3], 2), 0)]
#[case::somebody_twice(people(&[1, 1], 2), 0)]
#[case::more_hidden_than_known(people(&[1, 2], 5), 2)]
#[case::fewer_hidden_than_known(people(&[1, 2], 3), 2)]
#[case::none_hidden(people(&[1, 2], 2), 2)]
#[tokio::test]
async fn what_is_wrong_twice_is_an_error(#[case] team: Value, #[case] hidden: u64) {
    let server = MockServer::start().await;
    participants().respond_with(json_answer(&team)).mount(&server).await;
    let error = read(&server, hidden).await.unwrap_err();
    assert_eq!(error, Error::TotalMismatch);
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn private_teams_that_are_known_are_no_contradiction() {
    let server = MockServer::start().await;
    participants().respond_with(json_answer(&people(&[1, 2], 4))).mount(&server).await;
    assert_eq!(read(&server, 2).await, Ok((vec![1, 2], vec![4, 4])));
    assert_eq!(requests(&server).await, 1);
}

/// No second reading can make up for these.
#[rstest]
#[case::a_foreign_link("https://elsewhere.test/1.0/~ubuntumembers/participants", Error::ForeignLink)]
#[case::a_link_back("SERVER/1.0/~ubuntumembers/participants?ws.size=300", Error::RepeatedLink)]
#[tokio::test]
async fn a_bad_link_is_not_read_again(#[case] link: &str, #[case] error: Error) {
    let server = MockServer::start().await;
    let mut first = people(&[1], 2);
    first["next_collection_link"] = json!(link.replace("SERVER", &server.uri()));
    participants().respond_with(json_answer(&first)).mount(&server).await;
    assert_eq!(read(&server, 0).await, Err(error));
    assert_eq!(requests(&server).await, 1);
}

#[rstest]
#[tokio::test]
async fn somebody_without_a_flag_is_an_error(
    #[values("id", "name", "is_team", "is_valid", "is_ubuntu_coc_signer")] field: &str,
) {
    let server = MockServer::start().await;
    let mut team = people(&[1, 2], 2);
    team["entries"][1].as_object_mut().unwrap().remove(field);
    participants().respond_with(json_answer(&team)).mount(&server).await;
    assert_eq!(read(&server, 0).await, Err(Error::Malformed { what: "the participants of a team" }));
}

async fn named(server: &MockServer) -> Result<Named, Error> {
    client(&server.uri()).person_named(&LaunchpadName::parse("member7").unwrap()).await
}

fn by_name() -> wiremock::MockBuilder {
    Mock::given(method("GET")).and(path("/1.0/~member7"))
}

#[tokio::test]
async fn who_has_a_name_is_known_at_once() {
    let server = MockServer::start().await;
    by_name().respond_with(json_answer(&someone(7))).mount(&server).await;
    let Ok(Named::Person(person)) = named(&server).await else { panic!("nobody") };
    assert_eq!((person.id.0, person.name.as_str(), person.is_valid), (7, "member7", true));
    assert_eq!(requests(&server).await, 1);
}

#[rstest]
#[case::free(404, Named::Nobody)]
#[case::suspended(410, Named::Gone)]
#[tokio::test]
async fn a_name_that_nobody_has_is_not_asked_for_again(#[case] status: u16, #[case] expected: Named) {
    let server = MockServer::start().await;
    by_name().respond_with(ResponseTemplate::new(status)).mount(&server).await;
    assert_eq!(named(&server).await, Ok(expected));
    assert_eq!(requests(&server).await, 1);
}

#[tokio::test]
async fn a_name_is_asked_for_again_where_launchpad_fails_and_not_where_it_is_busy() {
    let server = MockServer::start().await;
    by_name().respond_with(ResponseTemplate::new(502)).up_to_n_times(1).mount(&server).await;
    by_name().respond_with(json_answer(&someone(7))).up_to_n_times(1).mount(&server).await;
    assert!(matches!(named(&server).await, Ok(Named::Person(_))));
    assert_eq!(requests(&server).await, 2);
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "120");
    by_name().respond_with(busy).mount(&server).await;
    assert_eq!(named(&server).await, Err(Error::Busy { retry_after: Duration::from_secs(120) }));
    assert_eq!(requests(&server).await, 3);
}
