//! The doctor against a server.

use membermail_core::community::Community;

use super::super::doctor::{Check, CheckPlan, Finding, Report, examine};
use super::settings::community;
use super::*;
use crate::doctor::Verdict;

const CREATED: &str = "2006-01-02T03:04:05.000006Z";

async fn mount_team(server: &MockServer) {
    let team = changed(alice_with("is_team", json!(true)), "date_created", json!(CREATED));
    team_request().respond_with(json_response(&team)).mount(server).await;
    let limit = recorded(include_str!("data/page-size.http"));
    page_request().and(query_param("ws.size", "301")).respond_with(limit).mount(server).await;
}

/// A healthy service, where the identity is known under the other root alone.
async fn healthy_server() -> MockServer {
    let server = MockServer::start().await;
    let other = query_param("identifier", "https://login.launchpad.net/+id/4Mn8bcd");
    person_request().and(other).respond_with(json_response(&alice())).mount(&server).await;
    person_request().respond_with(json_response(&Value::Null)).with_priority(9).mount(&server).await;
    groups_request().respond_with(json_response(&whole_list(1, vec![entry(1)]))).mount(&server).await;
    mount_team(&server).await;
    let last = page(&server, 300, 300, 302, vec![entry(3)]);
    page_request().and(query_param("ws.start", "300")).respond_with(json_response(&last)).mount(&server).await;
    let first = page(&server, 0, 300, 302, vec![entry(1), entry(2), entry(2)]);
    page_request().respond_with(json_response(&first)).with_priority(9).mount(&server).await;
    server
}

async fn examine_all(server: &MockServer) -> (Report, Vec<String>) {
    let community: Community = community();
    let plan = CheckPlan::new(&community, Some(identity().subject), Vec::new());
    let mut steps = Vec::new();
    let report = examine(&client(server), &plan, |step| steps.push(step.to_owned())).await.unwrap();
    (report, steps)
}

fn verdict(report: &Report, check: Check) -> Verdict {
    report.findings.iter().find(|finding| finding.check == check).unwrap().verdict
}

#[tokio::test]
async fn healthy_service_holds() {
    let server = healthy_server().await;
    let (report, steps) = examine_all(&server).await;
    assert_eq!(report.findings.len(), 12);
    assert!(report.findings.iter().all(|one| one.verdict == Verdict::Holds), "{:?}", report.findings);
    assert_eq!(report.broken().count(), 0);
    let team = &report.teams[0];
    assert_eq!((team.people, team.total, team.hidden(), team.pages.len()), (4, 302, 298, 2));
    assert_eq!((team.dates.sharing, team.dates.most_common_people), (2, 2));
    assert_eq!(requests(&server).await.len(), steps.len());
}

/// The report can go into an issue.
#[tokio::test]
async fn report_names_teams_only() {
    let (report, _) = examine_all(&healthy_server().await).await;
    let text = report.to_string();
    let json = serde_json::to_string(&report).unwrap();
    for private in ["alice", "member1", "4Mn8bcd"] {
        assert!(!text.contains(private) && !json.contains(private), "{private}: {text}");
    }
    assert!(text.contains(&format!("team-created = \"{CREATED}\"  # example.org: ~example-members\n")), "{text}");
    assert!(text.contains("holds    id-redacted         id is redacted\n"), "{text}");
    assert!(text.contains("rows 302: 4 people, 0 teams, 0 malformed, 298 hidden\n"), "{text}");
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[tokio::test]
async fn missing_team_is_a_finding() {
    let server = serve(person_request(), json_response(&Value::Null)).await;
    let (report, _) = examine_all(&server).await;
    assert_eq!(verdict(&report, Check::Team), Verdict::Broken);
    assert_eq!(verdict(&report, Check::Identifier), Verdict::Broken);
    assert_eq!(verdict(&report, Check::Groups), Verdict::Skipped);
    assert_eq!(report.teams[0].error.as_deref(), Some("the membership source returned status 404"));
    assert!(!report.to_string().contains("team-created"));
}

#[tokio::test]
async fn failing_pages_are_a_finding() {
    let server = MockServer::start().await;
    person_request().respond_with(json_response(&Value::Null)).mount(&server).await;
    mount_team(&server).await;
    page_request().respond_with(recorded(include_str!("data/timeout.http"))).with_priority(9).mount(&server).await;
    let (report, _) = examine_all(&server).await;
    assert_eq!(verdict(&report, Check::Team), Verdict::Holds);
    assert_eq!(verdict(&report, Check::Paging), Verdict::Broken);
    assert_eq!(verdict(&report, Check::IdRedacted), Verdict::Skipped);
    let pages = requests(&server).await.iter().filter(|one| one.ends_with("participants?ws.size=300")).count();
    assert_eq!(pages, 7);
}

#[tokio::test]
async fn identity_is_skipped_unless_given() {
    let server = healthy_server().await;
    let plan = CheckPlan::new(&community(), None, vec![team(), team()]);
    let report = examine(&client(&server), &plan, |_| ()).await.unwrap();
    let skipped: Vec<_> =
        report.findings.iter().filter(|one| one.verdict == Verdict::Skipped).map(|one: &Finding| one.check).collect();
    assert_eq!(skipped, [Check::Identifier, Check::PersonFields, Check::Groups]);
    assert_eq!(report.teams.len(), 1);
}

#[tokio::test]
async fn unreachable_service_is_an_error() {
    let client = Client::new(settings("http://127.0.0.1:1/")).unwrap();
    let plan = CheckPlan::new(&community(), None, Vec::new());
    assert_eq!(examine(&client, &plan, |_| ()).await, Err(Error::Unreachable));
}
