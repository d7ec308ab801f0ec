use membermail_core::community::Community;
use membermail_core::language::Language;
use membermail_core::status::Sample;
use membermail_texts::{Texts, parts};
use rstest::rstest;

use super::*;
use crate::public_url::PublicUrl;

fn now() -> Timestamp {
    "2026-11-29T12:00:00Z".parse().unwrap()
}

fn day(date: &str, good: u32, failed: u32) -> Day {
    Day { date: date.parse().unwrap(), good, failed }
}

/// One component in each state.
fn histories() -> Vec<History> {
    let at = "2026-11-29T11:55:00Z".parse().unwrap();
    let newest = |component, is_ok| Some(Sample { component, is_ok, at });
    let troubled = [day("2026-11-03", 276, 12), day("2026-11-04", 0, 288), day("2026-11-29", 143, 0)];
    vec![
        History::new(Component::SignIn, troubled, newest(Component::SignIn, true), now()),
        History::new(Component::Syncs, [day("2026-11-29", 0, 1)], newest(Component::Syncs, false), now()),
        History::new(Component::DomainChecks, [day("2026-11-28", 96, 0)], newest(Component::DomainChecks, true), now()),
        History::new(Component::Mail, [], None, now()),
    ]
}

fn rendered(histories: &[History], language: &str) -> String {
    let community: Community = membermail_communities::community("ubuntu").unwrap();
    let texts = Texts::with_parts(&[parts::STATUS]).unwrap();
    let configured = "https://mail.example.org/live".parse().unwrap();
    let public_url = PublicUrl::for_request(Some(&configured), &Default::default()).unwrap();
    let chosen = Language::parse(language).unwrap();
    let site = Site::public(&public_url, &community, &texts, &Default::default(), Some(&chosen));
    let view = StatusView::new(histories, now(), site.wording);
    StatusPage { site, view }.render().unwrap()
}

#[rstest]
fn page_of_status(#[values("en", "ar", "de")] language: &str) {
    let page = rendered(&histories(), language);
    let body = page.split_once("<main").unwrap().1.split_once("</body>").unwrap().0;
    // 90 days of four components: their order is in another test.
    let body = body.split("<div class=\"days\"").map(|part| part.split_once("</div>").map_or(part, |(_, rest)| rest));
    let lines = body.collect::<String>();
    let lines = lines.lines().filter(|line| !line.is_empty());
    insta::assert_snapshot!(format!("status_page.{language}"), lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn strip_has_a_bar_per_day() {
    let page = rendered(&histories(), "en");
    let strips: Vec<_> = page.split("<div class=\"days\" aria-hidden=\"true\">").skip(1).collect();
    let strip = strips[0].split_once("</div>").unwrap().0;
    let levels: Vec<_> = strip.split("<i class=\"").skip(1).map(|bar| bar.split_once('"').unwrap().0).collect();
    assert_eq!((strips.len(), levels.len()), (4, DAYS));
    assert_eq!(levels[DAYS - 27..DAYS - 24], ["problems", "outage", "no-data"]);
    assert_eq!(levels[DAYS - 1], "good");
}

/// A page for all visitors has no form, and nothing of a session.
#[test]
fn page_has_no_form() {
    let page = rendered(&histories(), "en");
    assert!(!page.contains("<form") && !page.contains("csrf") && !page.contains("<script"), "{page}");
    assert!(page.contains("href=\"/live/status?language=de\""), "{page}");
}

#[rstest]
#[case(&[(9_999, 1)], ".", "99.99")]
#[case(&[(9_905, 95)], ",", "99,05")]
#[case(&[(1, 0)], ",", "100")]
#[case(&[(0, 1)], ".", "0.00")]
fn percentage_is_formatted(#[case] counts: &[(u32, u32)], #[case] decimal: &str, #[case] expected: &str) {
    let days = counts.iter().map(|(good, failed)| day("2026-11-29", *good, *failed));
    let history = History::new(Component::Mail, days, None, now());
    assert_eq!(percent(history.uptime().unwrap(), decimal), expected);
}

#[test]
fn report_has_the_same_states() {
    let histories = histories();
    let report = serde_json::to_value(StatusReport::new(&histories, now())).unwrap();
    let states: Vec<_> = report["components"].as_array().unwrap().iter().map(|one| one["state"].as_str()).collect();
    assert_eq!(states, [Some("operational"), Some("failing"), Some("operational"), Some("unknown")]);
    assert_eq!(report["state"], "failing");
    let first = &report["components"][0];
    assert_eq!((&first["component"], &first["uptime"]), (&"sign-in".into(), &"58.27".into()));
    assert_eq!(first["days"][DAYS - 1], serde_json::json!({ "date": "2026-11-29", "good": 143, "failed": 0 }));
    assert_eq!(report["components"][3]["sampled_at"], serde_json::Value::Null);
}
