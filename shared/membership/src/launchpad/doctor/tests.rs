//! Tests the checks with recorded responses, without a server.

use membermail_core::member::{Fingerprint, TeamName};
use rstest::rstest;
use serde_json::{Value, json};

use super::super::response::REDACTED;
use super::Finding;
use super::record::HttpResponse;
use super::report::{Check, Dates, TeamReport};
use super::{identity, roster};
use crate::doctor::Verdict;
use crate::error::Error;
use crate::source::PageCursor;

const FIRST: &str = include_str!("../tests/data/participants-first.json");

fn response(status: u16, body: &Value) -> HttpResponse {
    HttpResponse { status, seconds: 0.5, attempts: 1, body: body.to_string().into_bytes() }
}

fn alice() -> Value {
    let mut person: Value = serde_json::from_str(include_str!("../tests/data/person-1.0.json")).unwrap();
    person["account_status"] = json!("Active");
    person
}

fn with(field: &str, value: Value) -> Value {
    let mut entry = alice();
    entry[field] = value;
    entry
}

fn team() -> TeamReport {
    TeamReport {
        team: TeamName::parse("example-members").unwrap(),
        domains: vec!["example.org".parse().unwrap()],
        created: Some("2006-01-02T03:04:05.000006Z".parse().unwrap()),
        error: None,
        pages: Vec::new(),
        people: 10,
        teams: 1,
        malformed: 0,
        total: 12,
        visible_ids: 0,
        dates: Dates { with_microseconds: 9, ..Dates::default() },
    }
}

fn verdict(findings: &[Finding], check: Check) -> Verdict {
    findings.iter().find(|finding| finding.check == check).unwrap().verdict
}

#[rstest]
#[case::null(response(200, &Value::Null), Verdict::Holds)]
#[case::person(response(200, &alice()), Verdict::Broken)]
#[case::malformed(response(200, &json!({})), Verdict::Broken)]
#[case::refused(response(400, &Value::Null), Verdict::Broken)]
fn unknown_identifier_is_judged(#[case] response: HttpResponse, #[case] expected: Verdict) {
    assert_eq!(identity::check_unknown(&response).verdict, expected);
}

#[rstest]
#[case::both(alice(), Some(alice()), Verdict::Holds, Verdict::Holds)]
#[case::own(alice(), Some(Value::Null), Verdict::Holds, Verdict::Holds)]
#[case::other(Value::Null, Some(alice()), Verdict::Holds, Verdict::Holds)]
#[case::one_root(alice(), None, Verdict::Holds, Verdict::Holds)]
#[case::none(Value::Null, Some(Value::Null), Verdict::Broken, Verdict::Skipped)]
#[case::two_people(alice(), Some(with("name", json!("bob"))), Verdict::Broken, Verdict::Holds)]
#[case::redacted(with("is_valid", json!(REDACTED)), None, Verdict::Broken, Verdict::Broken)]
fn identifier_is_judged_under_both_roots(
    #[case] own: Value,
    #[case] other: Option<Value>,
    #[case] identifier: Verdict,
    #[case] fields: Verdict,
) {
    let other = other.map(|other| response(200, &other));
    let (findings, person) = identity::check_identifier(&response(200, &own), other.as_ref());
    assert_eq!(verdict(&findings, Check::Identifier), identifier);
    assert_eq!(verdict(&findings, Check::PersonFields), fields);
    assert!(person.is_some() || identifier == Verdict::Broken);
    assert!(findings.iter().all(|finding| !finding.detail.contains("alice")));
}

#[rstest]
#[case::one_page(json!({ "start": 0, "total_size": 1, "entries": [alice()] }), Verdict::Holds)]
#[case::two_pages(
    json!({ "start": 0, "total_size": 301, "entries": [alice()], "next_collection_link": "x" }),
    Verdict::Broken
)]
#[case::malformed(json!({ "start": 0, "total_size": 1, "entries": [{}] }), Verdict::Broken)]
#[case::no_list(json!(null), Verdict::Broken)]
fn groups_are_judged(#[case] body: Value, #[case] expected: Verdict) {
    assert_eq!(identity::check_groups(&response(200, &body)).verdict, expected);
}

#[rstest]
#[case(400, Verdict::Holds)]
#[case(200, Verdict::Broken)]
#[case(503, Verdict::Broken)]
fn page_size_limit_is_judged(#[case] status: u16, #[case] expected: Verdict) {
    assert_eq!(roster::check_page_size_limit(&response(status, &Value::Null)).verdict, expected);
}

#[test]
fn page_of_sheet_is_summarized() {
    let mut team = TeamReport { people: 0, teams: 0, dates: Dates::default(), ..team() };
    let mut counts = roster::DateCounts::default();
    let page = HttpResponse { body: FIRST.as_bytes().to_vec(), ..response(200, &Value::Null) };
    let (total, link) = roster::add_page(&mut team, &mut counts, PageCursor { start: 0, size: 4 }, &page).unwrap();
    assert_eq!((total, link.unwrap().contains("ws.start=4")), (5, true));
    assert_eq!((team.people, team.teams, team.malformed, team.total), (2, 1, 0, 5));
    assert_eq!((team.visible_ids, team.dates.with_microseconds), (0, 2));
    assert_eq!((team.shown(), team.hidden(), team.pages[0].entries), (3, 2, 3));
    assert_eq!(team.pages[0].bytes, FIRST.len() as u64);
    counts.summarize(&mut team.dates);
    assert_eq!((team.dates.sharing, team.dates.most_common), (0, None));
}

#[test]
fn deviating_entries_are_counted() {
    let mut team = TeamReport { people: 0, teams: 0, dates: Dates::default(), ..team() };
    let mut counts = roster::DateCounts::default();
    let shared = "2005-06-08T10:20:30.123456+00:00";
    let entries = [
        with("id", json!(7)),
        with("date_created", json!("2009-03-14T15:09:26+00:00")),
        with("date_created", json!(shared)),
        with("date_created", json!(shared)),
        with("is_valid", json!(null)),
        json!(null),
    ];
    let page = response(200, &json!({ "start": 0, "total_size": 6, "entries": entries }));
    roster::add_page(&mut team, &mut counts, PageCursor { start: 0, size: 300 }, &page).unwrap();
    counts.summarize(&mut team.dates);
    assert_eq!((team.people, team.malformed, team.visible_ids), (4, 2, 1));
    let most_common = Some(shared.parse().unwrap());
    assert_eq!(team.dates, Dates { with_microseconds: 3, sharing: 2, most_common, most_common_people: 2 });
}

#[rstest]
#[case::not_found(response(404, &Value::Null), Error::Status { code: 404, oops: None })]
#[case::person(response(200, &alice()), Error::NoSuchTeam)]
#[case::malformed(response(200, &json!({ "is_team": true })), Error::Malformed { what: "a team" })]
fn team_without_date_is_refused(#[case] response: HttpResponse, #[case] error: Error) {
    let mut team = TeamReport { created: None, ..team() };
    assert_eq!(roster::read_created(&mut team, &response), Err(error));
    assert_eq!(team.created, None);
}

#[test]
fn good_teams_hold() {
    let findings = roster::check_teams(&[team(), team()], |_| false);
    assert_eq!(findings.len(), 7);
    assert!(findings.iter().all(|finding| finding.verdict == Verdict::Holds), "{findings:?}");
}

#[rstest]
#[case::missing(TeamReport { created: None, ..team() }, Check::Team)]
#[case::stopped(TeamReport { error: Some("no".to_owned()), ..team() }, Check::Paging)]
#[case::visible_id(TeamReport { visible_ids: 1, ..team() }, Check::IdRedacted)]
#[case::malformed(TeamReport { malformed: 1, ..team() }, Check::Entries)]
#[case::small_total(TeamReport { total: 10, ..team() }, Check::Totals)]
#[case::whole_seconds(TeamReport { dates: Dates::default(), ..team() }, Check::Microseconds)]
fn deviating_team_is_named(#[case] broken: TeamReport, #[case] check: Check) {
    let findings = roster::check_teams(&[team(), broken], |_| false);
    let broken: Vec<_> = findings.iter().filter(|finding| finding.verdict == Verdict::Broken).collect();
    assert_eq!(broken.len(), 1);
    assert_eq!(broken[0].check, check);
    assert!(broken[0].detail.ends_with(": ~example-members"), "{}", broken[0].detail);
}

#[rstest]
#[case::known("2005-06-08T10:20:30.123456Z", 100, Verdict::Holds)]
#[case::few("2010-01-01T00:00:00.1Z", 5, Verdict::Holds)]
#[case::many("2010-01-01T00:00:00.1Z", 6, Verdict::Broken)]
fn shared_date_is_judged(#[case] date: &str, #[case] people: u64, #[case] expected: Verdict) {
    let most_common = Some(date.parse().unwrap());
    let dates = Dates { with_microseconds: 1, sharing: people, most_common, most_common_people: people };
    let july = Fingerprint(1_120_176_000_000_000);
    let findings = roster::check_teams(&[TeamReport { dates, ..team() }], |fingerprint| fingerprint < july);
    assert_eq!(verdict(&findings, Check::SharedDates), expected);
}

#[test]
fn empty_teams_are_skipped() {
    let empty = TeamReport { people: 0, teams: 0, total: 0, ..team() };
    let findings = roster::check_teams(&[empty], |_| false);
    let skipped = findings.iter().filter(|finding| finding.verdict == Verdict::Skipped).count();
    assert_eq!(skipped, 5);
}
