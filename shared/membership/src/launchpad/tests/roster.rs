//! A team's pages: hidden and malformed entries, and where the next page begins.

use membermail_core::member::Fingerprint;
use rstest::rstest;

use super::*;
use crate::read_roster;

const MALFORMED: Error = Error::Malformed { what: "the participants of a team" };

/// A page of the fact sheet with links to the test's server.
fn example(server: &MockServer, text: &str) -> Value {
    serde_json::from_str(&text.replace("https://api.launchpad.net", &server.uri())).unwrap()
}

async fn mount_examples(server: &MockServer) {
    let last = example(server, include_str!("data/participants-last.json"));
    page_request().and(query_param("ws.start", "4")).respond_with(json_response(&last)).mount(server).await;
    let first = example(server, include_str!("data/participants-first.json"));
    page_request().respond_with(json_response(&first)).with_priority(9).mount(server).await;
}

/// Bob, deactivated by an admin, is still listed. A private team is hidden, a public one is shown and left out.
#[tokio::test]
async fn page_is_read_from_sheet_example() {
    let server = MockServer::start().await;
    mount_examples(&server).await;
    let first = roster_page(&server, 0, 4).await.unwrap();
    let people: Vec<_> = first.people.iter().map(|one| (one.name.as_str(), one.is_valid)).collect();
    assert_eq!(people, [("alice", true), ("bob", false)]);
    assert_eq!(first.people[1].fingerprint, Fingerprint(1_321_009_871_111_213));
    assert!(first.people[1].signed_code_of_conduct);
    assert_eq!((first.shown, first.malformed, first.total), (3, 0, Some(5)));
    assert_eq!(first.next, Some(PageCursor { start: 4, size: 8 }));
    let last = roster_page(&server, 4, 8).await.unwrap();
    assert_eq!((last.people.len(), last.shown, last.total, last.next), (1, 1, Some(5), None));
    assert_eq!(
        requests(&server).await,
        ["/1.0/~example-members/participants?ws.size=4", "/1.0/~example-members/participants?ws.size=8&ws.start=4"]
    );
}

/// The one row is a private team, so that the page has no entry.
#[rstest]
#[case::shown(vec![json!({ "name": "alice" })])]
#[case::hidden(vec![])]
#[tokio::test]
async fn total_costs_one_row(#[case] entries: Vec<Value>) {
    let server = MockServer::start().await;
    page_request().respond_with(json_response(&page(&server, 0, 1, 901, entries))).mount(&server).await;
    assert_eq!(client(&server).roster_total(&group()).await, Ok(Some(901)));
    assert_eq!(requests(&server).await, ["/1.0/~example-members/participants?ws.size=1"]);
}

#[tokio::test]
async fn roster_is_read_whole() {
    let server = MockServer::start().await;
    mount_examples(&server).await;
    let mut pages = 0;
    let whole = read_roster(&client(&server), &group(), |_| pages += 1).await.unwrap();
    let names: Vec<_> = whole.people.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["alice", "bob", "zoe"]);
    assert_eq!((whole.pages, whole.shown, whole.malformed, whole.total, pages), (2, 4, 0, Some(5), 2));
}

#[tokio::test]
async fn page_has_largest_size_unless_asked() {
    let server = serve(page_request(), json_response(&whole_list(0, vec![]))).await;
    assert_eq!(roster_page(&server, 0, 0).await.unwrap(), RosterPage { total: Some(0), ..RosterPage::default() });
    assert!(roster_page(&server, 0, 301).await.is_ok());
    assert_eq!(page_positions(&server).await, [(0, 300), (0, 300)]);
}

/// Rows count, entries do not.
#[tokio::test]
async fn cursor_counts_hidden_rows() {
    let server = MockServer::start().await;
    page_request().respond_with(json_response(&page(&server, 300, 300, 700, vec![]))).mount(&server).await;
    let page = roster_page(&server, 300, 300).await.unwrap();
    assert_eq!((page.shown, page.next), (0, Some(PageCursor { start: 600, size: 300 })));
}

#[tokio::test]
async fn cursor_follows_smaller_page_than_asked() {
    let server = MockServer::start().await;
    page_request().respond_with(json_response(&page(&server, 0, 75, 700, vec![entry(1)]))).mount(&server).await;
    let page = roster_page(&server, 0, 300).await.unwrap();
    assert_eq!(page.next, Some(PageCursor { start: 75, size: 300 }));
}

/// The list shrank below the cursor while it was read.
#[tokio::test]
async fn page_beyond_end_is_last() {
    let response = json!({ "start": 0, "total_size": 310, "entries": [] });
    let server = serve(page_request(), json_response(&response)).await;
    assert_eq!(roster_page(&server, 600, 300).await.unwrap().next, None);
}

#[rstest]
#[tokio::test]
async fn malformed_entry_is_skipped(
    #[values("name", "date_created", "is_team", "is_valid", "is_ubuntu_coc_signer")] field: &str,
    #[values(None, Some(json!(null)), Some(json!(REDACTED)), Some(json!(1)))] value: Option<Value>,
) {
    let list = whole_list(3, vec![entry(1), changed(entry(2), field, value), entry(3)]);
    let server = serve(page_request(), json_response(&list)).await;
    let page = roster_page(&server, 0, 0).await.unwrap();
    let names: Vec<_> = page.people.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["member1", "member3"]);
    assert_eq!((page.shown, page.malformed, page.total), (3, 1, Some(3)));
}

#[rstest]
#[case::null(json!(null))]
#[case::text(json!("member2"))]
#[case::empty(json!({}))]
#[case::no_name(changed(entry(2), "name", json!("-x")))]
#[tokio::test]
async fn strange_entry_is_skipped(#[case] strange: Value) {
    let list = whole_list(2, vec![strange, entry(1)]);
    let server = serve(page_request(), json_response(&list)).await;
    let page = roster_page(&server, 0, 0).await.unwrap();
    assert_eq!((page.people.len(), page.shown, page.malformed), (1, 2, 1));
}

#[rstest]
#[case::one(1, Ok(1))]
#[case::two(2, Err(MALFORMED))]
#[tokio::test]
async fn page_fails_when_all_malformed(#[case] entries: usize, #[case] malformed: Result<u64, Error>) {
    let list = whole_list(entries as u64, vec![json!({}); entries]);
    let server = serve(page_request(), json_response(&list)).await;
    assert_eq!(roster_page(&server, 0, 0).await.map(|page| page.malformed), malformed);
}

#[rstest]
#[case::no_entries(json!({ "start": 0, "total_size": 0 }), MALFORMED)]
#[case::no_total(json!({ "start": 0, "entries": [] }), MALFORMED)]
#[case::text_total(json!({ "start": 0, "total_size": "1", "entries": [] }), MALFORMED)]
#[case::other_start(json!({ "start": 300, "total_size": 1, "entries": [entry(1)] }), Error::TotalMismatch)]
#[case::no_link(json!({ "start": 0, "total_size": 301, "entries": [entry(1)] }), Error::TotalMismatch)]
#[tokio::test]
async fn contradictory_page_is_refused(#[case] response: Value, #[case] error: Error) {
    let server = serve(page_request(), json_response(&response)).await;
    assert!(error.is_retryable());
    assert_eq!(roster_page(&server, 0, 0).await, Err(error));
}

#[rstest]
#[case::host("https://elsewhere.test/x?ws.start=600", Error::ForeignLink)]
#[case::scheme("https://127.0.0.1:PORT/x?ws.start=600", Error::ForeignLink)]
#[case::port("http://127.0.0.1:1/x?ws.start=600", Error::ForeignLink)]
#[case::credentials("http://a:b@127.0.0.1:PORT/x?ws.start=600", Error::ForeignLink)]
#[case::no_url("/x?ws.start=600", Error::Malformed { what: "a link" })]
#[case::no_number("http://127.0.0.1:PORT/x?ws.start=many", Error::Malformed { what: "a link" })]
#[case::same("http://127.0.0.1:PORT/x?ws.start=300", Error::RepeatedLink)]
#[case::backwards("http://127.0.0.1:PORT/x?ws.start=299", Error::RepeatedLink)]
#[case::first("http://127.0.0.1:PORT/x?ws.size=300", Error::RepeatedLink)]
#[tokio::test]
async fn bad_link_is_refused(#[case] link: &str, #[case] error: Error) {
    let server = MockServer::start().await;
    let mut response = page(&server, 300, 300, 700, vec![entry(1)]);
    response["next_collection_link"] = json!(link.replace("PORT", &server.address().port().to_string()));
    page_request().respond_with(json_response(&response)).mount(&server).await;
    assert_eq!(roster_page(&server, 300, 300).await, Err(error));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn link_beyond_total_is_refused() {
    let server = MockServer::start().await;
    let mut response = page(&server, 600, 300, 600, vec![]);
    response["next_collection_link"] = json!(next_link(&server, 900));
    page_request().respond_with(json_response(&response)).mount(&server).await;
    assert_eq!(roster_page(&server, 600, 300).await, Err(Error::TotalMismatch));
}
