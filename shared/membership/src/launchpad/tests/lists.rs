//! Lists of several pages, and those that contradict themselves.

use rstest::rstest;
use wiremock::matchers::query_param_is_missing;
use wiremock::{Request, Respond};

use super::*;

/// A page after the first.
fn page(start: u64) -> wiremock::MockBuilder {
    Mock::given(path("/devel/~alice/super_teams")).and(query_param("ws.start", start.to_string()))
}

fn first_page() -> wiremock::MockBuilder {
    super_teams().and(query_param_is_missing("ws.start"))
}

fn link(server: &MockServer, start: u64) -> String {
    format!("{}/devel/~alice/super_teams?ws.size=300&memo={start}&ws.start={start}", server.uri())
}

/// A page with a link to the next.
fn linked(mut page: Value, next: &str) -> Value {
    page["next_collection_link"] = json!(next);
    page
}

async fn mount(server: &MockServer, first: &Value, second: Option<&Value>) {
    first_page().respond_with(json_answer(first)).mount(server).await;
    if let Some(second) = second {
        page(2).respond_with(json_answer(second)).mount(server).await;
    }
}

#[tokio::test]
async fn pages_are_followed_by_their_links() {
    let server = server().await;
    mount(&server, &linked(teams(&["c1", "a1"], 5), &link(&server, 2)), None).await;
    page(2)
        .and(query_param("memo", "2"))
        .respond_with(json_answer(&linked(teams(&["d1", "b1"], 5), &link(&server, 4))))
        .mount(&server)
        .await;
    page(4).respond_with(json_answer(&teams(&["e1"], 5))).mount(&server).await;
    assert_eq!(team_names(&standing(&server).await.unwrap()), ["a1", "b1", "c1", "d1", "e1"]);
    assert_eq!(requests(&server).await, 4);
}

#[tokio::test]
async fn somebody_in_no_team_is_known() {
    let server = server().await;
    mount(&server, &teams(&[], 0), None).await;
    assert!(team_names(&standing(&server).await.unwrap()).is_empty());
}

/// lazr.restful counts private teams in the total and leaves them out of the entries.
#[tokio::test]
async fn private_teams_are_counted_but_not_listed() {
    let server = server().await;
    mount(&server, &teams(&["ubuntumembers"], 3), None).await;
    assert_eq!(team_names(&standing(&server).await.unwrap()), ["ubuntumembers"]);
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn a_total_can_be_behind_a_link() {
    let server = server().await;
    let mut first = linked(teams(&["a1", "b1"], 0), &link(&server, 2));
    first.as_object_mut().unwrap().remove("total_size");
    first["total_size_link"] = json!(format!("{}/total", server.uri()));
    Mock::given(path("/total")).respond_with(json_answer(&json!(3))).mount(&server).await;
    mount(&server, &first, Some(&teams(&["c1"], 3))).await;
    assert_eq!(team_names(&standing(&server).await.unwrap()), ["a1", "b1", "c1"]);
    assert_eq!(requests(&server).await, 4);
}

#[rstest]
#[case::more_than_the_total(teams(&["a1", "b1"], 1), None)]
#[case::missing_pages(teams(&["a1"], 301), None)]
#[case::seen_twice(teams(&["a1", "b1"], 4), Some(teams(&["b1", "c1"], 4)))]
#[case::changed_total(teams(&["a1", "b1"], 4), Some(teams(&["c1", "d1"], 5)))]
#[tokio::test]
async fn a_contradiction_is_read_once_more(#[case] first: Value, #[case] second: Option<Value>) {
    let server = server().await;
    let first = if second.is_some() { linked(first, &link(&server, 2)) } else { first };
    mount(&server, &first, second.as_ref()).await;
    let error = standing(&server).await.unwrap_err();
    assert_eq!(error, Error::TotalMismatch);
    assert!(error.is_retryable());
    assert_eq!(requests(&server).await, if second.is_some() { 5 } else { 3 });
}

#[tokio::test]
async fn a_list_that_settles_is_good() {
    let server = server().await;
    let first = |total| linked(teams(&["a1", "b1"], total), &link(&server, 2));
    first_page().respond_with(json_answer(&first(4))).up_to_n_times(1).mount(&server).await;
    mount(&server, &first(3), Some(&teams(&["c1"], 3))).await;
    assert_eq!(team_names(&standing(&server).await.unwrap()), ["a1", "b1", "c1"]);
    assert_eq!(requests(&server).await, 5);
}

#[rstest]
#[case::host("http://elsewhere.test/devel/x", Error::ForeignLink)]
#[case::scheme("https://127.0.0.1:PORT/devel/x", Error::ForeignLink)]
#[case::port("http://127.0.0.1:1/devel/x", Error::ForeignLink)]
#[case::credentials("http://a:b@127.0.0.1:PORT/devel/x", Error::ForeignLink)]
#[case::no_url("/devel/x", Error::Malformed { what: "a link" })]
#[case::repeated("http://127.0.0.1:PORT/devel/~alice/super_teams?ws.size=300#again", Error::RepeatedLink)]
#[tokio::test]
async fn a_bad_next_link_is_refused(#[case] next: &str, #[case] error: Error) {
    let server = server().await;
    let next = next.replace("PORT", &server.address().port().to_string());
    mount(&server, &linked(teams(&["a1"], 2), &next), None).await;
    assert_eq!(standing(&server).await, Err(error));
    assert_eq!(requests(&server).await, 2);
}

#[tokio::test]
async fn a_foreign_link_to_the_teams_is_refused() {
    let server = MockServer::start().await;
    let mut answer = alice(&server);
    answer["super_teams_collection_link"] = json!("https://elsewhere.test/devel/~alice/super_teams");
    person().respond_with(json_answer(&answer)).mount(&server).await;
    assert_eq!(standing(&server).await, Err(Error::ForeignLink));
}

#[rstest]
#[case::no_total(json!({"entries": [], "start": 0}), "a list without a total")]
#[case::no_entries(json!({"total_size": 0}), "the teams of a person")]
#[case::mistyped_total(json!({"total_size": "1", "entries": []}), "the teams of a person")]
#[case::no_name(json!({"total_size": 1, "entries": [{"id": 1}]}), "the teams of a person")]
#[case::bad_name(json!({"total_size": 1, "entries": [{"name": "Not A Name"}]}), "the teams of a person")]
#[tokio::test]
async fn a_malformed_list_is_an_error(#[case] first: Value, #[case] what: &'static str) {
    let server = server().await;
    mount(&server, &first, None).await;
    assert_eq!(standing(&server).await, Err(Error::Malformed { what }));
}

/// Each page links to one that was never seen.
struct Endless(String);

impl Respond for Endless {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let start = request.url.query_pairs().find(|(name, _)| name == "ws.start");
        let start: u64 = start.map_or(0, |(_, start)| start.parse().unwrap());
        let next = format!("{}/devel/~alice/super_teams?ws.size=300&ws.start={}", self.0, start + 1);
        json_answer(&linked(teams(&[&format!("team{start}")], 10_000), &next))
    }
}

#[tokio::test]
async fn an_endless_list_ends() {
    let server = server().await;
    super_teams().respond_with(Endless(server.uri())).mount(&server).await;
    let client = client_with(&server.uri(), Duration::from_secs(30));
    let result = client.standing(&ClaimedIdentifier::parse(IDENTIFIER).unwrap()).await;
    assert_eq!(result, Err(Error::TooManyPages));
    assert_eq!(requests(&server).await, 1001);
}
