//! Pages of a group's members.

use rstest::rstest;

use super::*;
use crate::source::{PageCursor, RosterPage, Source, read_roster};

const MALFORMED: Error = Error::Malformed { what: "the members of a group" };

/// A page as GitLab sends it, with the headers of `lib/api/helpers/pagination.rb`.
fn page(rows: &[Value], next: &str, total: Option<u64>) -> ResponseTemplate {
    let response = json_response(&json!(rows)).insert_header("x-next-page", next);
    match total {
        Some(total) => response.insert_header("x-total", total.to_string()),
        None => response,
    }
}

/// The members with these ids.
fn members(ids: std::ops::Range<u64>) -> Vec<Value> {
    ids.map(member).collect()
}

/// A server with members of the ids 1 to `total`.
async fn serve_members(total: u64, is_counted: bool) -> MockServer {
    serve(MEMBERS_PATH, move |request: &Request| {
        let (at, size) = (number(request, "page"), number(request, "per_page"));
        let start = (at - 1) * size;
        let end = total.min(start + size);
        let next = if end < total { (at + 1).to_string() } else { String::new() };
        page(&members(start + 1..end + 1), &next, is_counted.then_some(total))
            .insert_header("x-page", at.to_string())
            .insert_header("x-per-page", size.to_string())
    })
    .await
}

async fn read(server: &MockServer, start: u64) -> Result<RosterPage, Error> {
    client(server).roster_page(&group(), PageCursor { start, size: 0 }).await
}

async fn first_page(rows: &[Value]) -> RosterPage {
    let server = serve(MEMBERS_PATH, page(rows, "", Some(rows.len() as u64))).await;
    read(&server, 0).await.unwrap()
}

#[tokio::test]
async fn roster_is_read_by_id() {
    let server = serve_members(201, true).await;
    let whole = read_roster(&client(&server), &group(), |_| {}).await.unwrap();
    assert_eq!((whole.people.len(), whole.pages, whole.shown, whole.total), (201, 3, 201, Some(201)));
    assert_eq!((whole.people[0].name.as_str(), whole.people[0].fingerprint), ("member1", Fingerprint(1)));
    assert_eq!(requests(&server).await[1], format!("{MEMBERS_PATH}?per_page=100&page=2"));
}

/// Above 10,000 members, GitLab sends neither a total nor a link to the last page.
#[tokio::test]
async fn uncounted_roster_is_read_whole() {
    let server = serve_members(10_001, false).await;
    let whole = read_roster(&client(&server), &group(), |_| {}).await.unwrap();
    assert_eq!((whole.people.len(), whole.pages, whole.total), (10_001, 101, None));
    assert_eq!(client(&server).roster_total(&group()).await, Ok(None));
}

#[tokio::test]
async fn total_costs_one_row() {
    let server = serve_members(901, true).await;
    assert_eq!(client(&server).roster_total(&group()).await, Ok(Some(901)));
    assert_eq!(requests(&server).await, [format!("{MEMBERS_PATH}?per_page=1&page=1")]);
}

#[tokio::test]
async fn only_counting_members_are_listed() {
    let rows = [
        member(1),
        changed(member(2), "access_level", json!(20)),
        changed(member(3), "state", json!("blocked")),
        changed(member(4), "membership_state", json!("awaiting")),
        changed(member(5), "expires_at", json!("2026-11-24")),
        changed(member(6), "expires_at", json!("2026-11-25")),
    ];
    let page = first_page(&rows).await;
    let ids: Vec<_> = page.people.iter().map(|entry| entry.fingerprint.0).collect();
    assert_eq!((ids, page.shown, page.malformed, page.total), (vec![1, 6], 6, 0, Some(6)));
    assert!(page.people.iter().all(|entry| entry.check().is_ok()));
}

/// If pages shift, a user is listed with two memberships: the one that counts is on the roster.
#[tokio::test]
async fn higher_of_two_memberships_counts() {
    let page = first_page(&[changed(member(1), "access_level", json!(10)), member(1)]).await;
    assert_eq!(page.people.len(), 1);
}

#[rstest]
#[case::one_of_two(vec![member(1), json!({ "id": 2 })], Ok(1))]
#[case::the_only_one(vec![json!({})], Ok(1))]
#[case::all(vec![json!({}), json!(null)], Err(MALFORMED))]
#[tokio::test]
async fn malformed_members_are_counted(#[case] rows: Vec<Value>, #[case] malformed: Result<u64, Error>) {
    let server = serve(MEMBERS_PATH, page(&rows, "", Some(rows.len() as u64))).await;
    assert_eq!(read(&server, 0).await.map(|page| page.malformed), malformed);
}

#[rstest]
#[case::same_page(page(&members(1..101), "1", Some(900)), Error::RepeatedLink)]
#[case::skipped_page(page(&members(1..101), "3", Some(900)), Error::TotalMismatch)]
#[case::early_end(page(&members(1..101), "", Some(900)), Error::TotalMismatch)]
#[case::empty_page_with_next(page(&[], "2", None), Error::TotalMismatch)]
#[case::small_total(page(&members(1..4), "", Some(2)), Error::TotalMismatch)]
#[case::too_many_rows(page(&members(1..102), "", None), Error::TotalMismatch)]
#[case::other_page(page(&members(1..4), "", None).insert_header("x-page", "7"), Error::TotalMismatch)]
#[case::other_size(page(&members(1..21), "2", None).insert_header("x-per-page", "20"), Error::TotalMismatch)]
#[case::no_header(json_response(&json!(members(1..4))), MALFORMED)]
#[case::text_next(page(&members(1..4), "two", None), MALFORMED)]
#[case::text_total(page(&members(1..4), "", None).insert_header("x-total", "many"), MALFORMED)]
#[case::no_list(json_response(&json!({ "message": "x" })).insert_header("x-next-page", ""), MALFORMED)]
#[tokio::test]
async fn contradictory_page_is_refused(#[case] response: ResponseTemplate, #[case] error: Error) {
    let server = serve(MEMBERS_PATH, response).await;
    assert_eq!(read(&server, 0).await, Err(error));
}

#[rstest]
#[case::next("<https://gitlab.example/api/v4/x?page=2&per_page=100>; rel=\"next\"", Ok(Some(100)))]
#[case::after_first(
    "<https://gitlab.example/x?page=1>; rel=\"first\", <https://gitlab.example/x?page=2>; rel=\"next\"",
    Ok(Some(100))
)]
#[case::last_page("<https://gitlab.example/x?page=1>; rel=\"first\"", Ok(None))]
#[case::other_number("<https://gitlab.example/x?page=9>; rel=\"next\"", Err(Error::TotalMismatch))]
#[case::no_number("<https://gitlab.example/x>; rel=\"next\"", Err(MALFORMED))]
#[case::no_url("next; rel=\"next\"", Err(MALFORMED))]
#[tokio::test]
async fn link_replaces_missing_header(#[case] links: &str, #[case] next: Result<Option<u64>, Error>) {
    let response = json_response(&json!(members(1..101))).insert_header("link", links);
    let server = serve(MEMBERS_PATH, response).await;
    assert_eq!(read(&server, 0).await.map(|page| page.next.map(|next| next.start)), next);
}

#[tokio::test]
async fn endless_list_is_refused() {
    let server = serve(MEMBERS_PATH, page(&members(1..101), "100001", None)).await;
    assert_eq!(read(&server, 9_999_900).await, Err(Error::TooManyPages));
}

/// The group was deleted, or the token lost sight of it.
#[tokio::test]
async fn roster_fails_without_group() {
    let server = serve(MEMBERS_PATH, status(404)).await;
    assert_eq!(read(&server, 0).await, Err(Error::NoSuchTeam));
}
