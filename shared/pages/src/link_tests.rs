use membermail_core::random::CountingRandom;
use membermail_store::KeyContext;
use serde_json::json;

use super::*;

const OWN: &str = "01KATW4Y00YYYYYYYYYYYYYYYY";
const SURVIVOR: &str = "01KATW4Y00ZZZZZZZZZZZZZZZZ";

fn member(id: &str, merged_into: Option<&str>, banned_at: Option<&str>) -> Member {
    serde_json::from_value(json!({
        "id": id,
        "session_epoch": 0,
        "merged_into": merged_into,
        "banned_at": banned_at,
        "salt": KeyContext::new(&CountingRandom::default()),
        "state": "done",
        "requested_at": "2026-11-24T10:00:00Z",
    }))
    .unwrap()
}

fn page_of(member: Member, survivor: Option<Member>) -> Option<String> {
    page_owner(member, survivor).map(|member| member.id.to_string())
}

#[test]
fn linked_session_shows_the_survivor() {
    let linked = member(OWN, Some(SURVIVOR), None);
    let survivor = member(SURVIVOR, None, None);
    assert_eq!(page_of(linked, Some(survivor)).as_deref(), Some(SURVIVOR));
    assert_eq!(page_of(member(OWN, None, None), None).as_deref(), Some(OWN));
}

#[test]
fn linked_session_ends_when_survivor_banned() {
    let linked = member(OWN, Some(SURVIVOR), None);
    let banned = member(SURVIVOR, None, Some("2026-11-24T10:00:00Z"));
    assert_eq!(page_of(linked.clone(), Some(banned)), None);
    assert_eq!(page_of(linked, None), None);
}
