//! The adaptive page size.

use rstest::rstest;

use super::*;
use crate::http::BODY_LIMIT;

/// A team of `total` people. The people of these numbers have a description of this length.
fn response(request: &Request, total: u64, long: &[u64], length: usize) -> ResponseTemplate {
    let start = number(request, "ws.start");
    let end = (start + number(request, "ws.size")).min(total);
    let mut entries: Vec<_> = (start..end).map(entry).collect();
    for number in long.iter().filter(|number| (start..end).contains(number)) {
        entries[usize::try_from(number - start).unwrap()]["description"] = json!("x".repeat(length));
    }
    let mut page = json!({ "start": start, "total_size": total, "entries": entries });
    if end < total {
        page["next_collection_link"] = json!(format!("{}/1.0/~{TEAM}/participants?ws.start={end}", origin(request)));
    }
    json_response(&page)
}

async fn mount_team(server: &MockServer, total: u64, long: &'static [u64], length: usize) {
    page_request()
        .respond_with(move |request: &Request| response(request, total, long, length))
        .with_priority(9)
        .mount(server)
        .await;
}

#[rstest]
#[case::timeout(recorded(include_str!("data/timeout.http")))]
#[case::front_end(ResponseTemplate::new(504))]
#[case::slow(json_response(&json!(null)).set_delay(Duration::from_secs(5)))]
#[tokio::test]
async fn page_shrinks_after_two_timeouts(#[case] failure: ResponseTemplate) {
    let server = MockServer::start().await;
    mount_team(&server, 400, &[], 0).await;
    page_request().respond_with(failure).up_to_n_times(2).mount(&server).await;
    let page_timeout = Duration::from_secs(1);
    let client = Client::new(Settings { page_timeout, ..settings(&server.uri()) }).unwrap();
    let page = client.roster_page(&group(), PageCursor::default()).await.unwrap();
    assert_eq!((page.shown, page.next), (150, Some(PageCursor { start: 150, size: 300 })));
    assert_eq!(page_positions(&server).await, [(0, 300), (0, 300), (0, 150)]);
}

#[tokio::test]
async fn page_keeps_size_after_other_failures() {
    let server = MockServer::start().await;
    mount_team(&server, 400, &[], 0).await;
    page_request().respond_with(ResponseTemplate::new(502)).up_to_n_times(4).mount(&server).await;
    assert_eq!(roster_page(&server, 0, 0).await.unwrap().shown, 300);
}

#[tokio::test]
async fn page_fails_after_six_retries() {
    let server = serve(page_request(), ResponseTemplate::new(503)).await;
    assert_eq!(roster_page(&server, 0, 0).await, Err(Error::Status { code: 503, oops: None }));
    let sizes: Vec<_> = page_positions(&server).await.into_iter().map(|(_, size)| size).collect();
    assert_eq!(sizes, [300, 300, 150, 150, 75, 75, 37]);
}

#[tokio::test]
async fn size_grows_back_by_doubling() {
    let server = MockServer::start().await;
    mount_team(&server, 600, &[], 0).await;
    let mut cursor = PageCursor { start: 0, size: 37 };
    let mut sizes = Vec::new();
    while let Some(next) = client(&server).roster_page(&group(), cursor).await.unwrap().next {
        sizes.push(next.size);
        cursor = next;
    }
    assert_eq!(sizes, [74, 148, 296, 300]);
}

#[tokio::test]
async fn long_description_passes_at_full_size() {
    let server = MockServer::start().await;
    mount_team(&server, 300, &[7], 5_000_000).await;
    assert_eq!(roster_page(&server, 0, 0).await.unwrap().people.len(), 300);
    assert_eq!(page_positions(&server).await.len(), 1);
}

#[tokio::test]
async fn page_shrinks_when_too_large() {
    let server = MockServer::start().await;
    mount_team(&server, 300, &[70, 140], 5_000_000).await;
    let page = roster_page(&server, 0, 0).await.unwrap();
    assert_eq!((page.shown, page.malformed), (75, 0));
    assert_eq!(page.next, Some(PageCursor { start: 75, size: 150 }));
    assert_eq!(page_positions(&server).await, [(0, 300), (0, 150), (0, 75)]);
}

#[tokio::test]
async fn row_beyond_limit_is_skipped() {
    let server = MockServer::start().await;
    mount_team(&server, 3, &[0], BODY_LIMIT + 1).await;
    let page = roster_page(&server, 0, 2).await.unwrap();
    assert_eq!((page.people.len(), page.shown, page.malformed, page.total), (1, 2, 1, Some(3)));
    assert_eq!(page.next, Some(PageCursor { start: 2, size: 2 }));
    assert_eq!(page_positions(&server).await, [(0, 2), (0, 1), (1, 1)]);
}

#[tokio::test]
async fn last_row_beyond_limit_is_skipped() {
    let server = MockServer::start().await;
    mount_team(&server, 1, &[0], BODY_LIMIT + 1).await;
    let page = roster_page(&server, 0, 1).await.unwrap();
    assert_eq!((page.people.len(), page.shown, page.malformed, page.total, page.next), (0, 1, 1, Some(1), None));
}

#[tokio::test]
async fn many_rows_beyond_limit_fail() {
    let server = MockServer::start().await;
    let huge = ResponseTemplate::new(200).set_body_bytes(vec![b' '; BODY_LIMIT + 1]);
    page_request().respond_with(huge).mount(&server).await;
    assert_eq!(roster_page(&server, 0, 1).await, Err(Error::TooLarge));
    assert_eq!(page_positions(&server).await.len(), 9);
}
