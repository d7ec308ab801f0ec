use super::*;
use crate::member::test_member;

const ONE: &str = "01KATW4Y00YYYYYYYYYYYYYYYY";
const OTHER: &str = "01KATW4Y00ZZZZZZZZZZZZZZZZ";

fn member(id: &str) -> Member {
    test_member(id, "alice")
}

/// The other member after it was linked.
fn linked_to(survivor: &str) -> Member {
    let mut other = member(OTHER);
    other.merged_into = MemberId::parse(survivor).ok();
    other
}

fn banned(mut member: Member) -> Member {
    member.banned_at = Some(jiff::Timestamp::UNIX_EPOCH);
    member
}

fn refusal(result: Result<(), Failure>) -> (&'static str, String) {
    let failure = result.unwrap_err();
    (failure.kind(), failure.to_string())
}

#[test]
fn unlinked_members_can_be_linked() {
    assert!(check_link(&member(ONE), &member(OTHER)).is_ok());
}

#[test]
fn link_is_refused_with_reason() {
    let linked = linked_to(ONE);
    let elsewhere = linked_to("01KATW4Y00XXXXXXXXXXXXXXXX");
    let banned = banned(member(OTHER));
    let refusals = [
        refusal(check_link(&member(ONE), &member(ONE))),
        refusal(check_link(&member(ONE), &linked)),
        refusal(check_link(&linked, &member(ONE))),
        refusal(check_link(&member(ONE), &elsewhere)),
        refusal(check_link(&elsewhere, &member(ONE))),
        refusal(check_link(&member(ONE), &banned)),
        refusal(check_link(&banned, &member(ONE))),
    ];
    insta::assert_debug_snapshot!(refusals);
}

#[test]
fn unlink_is_refused_with_reason() {
    let mut survivor = member(ONE);
    survivor.merged.extend(MemberId::parse(OTHER));
    let linked = linked_to(ONE);
    assert!(check_unlink(&survivor, &linked).is_ok());
    let banned = banned(survivor.clone());
    let refusals = [
        refusal(check_unlink(&survivor, &survivor)),
        refusal(check_unlink(&linked, &survivor)),
        refusal(check_unlink(&member(ONE), &member(OTHER))),
        refusal(check_unlink(&banned, &linked)),
    ];
    insta::assert_debug_snapshot!(refusals);
}

#[rstest::rstest]
#[case("3", Some(Count::AtMost(3)))]
#[case("0", Some(Count::AtMost(0)))]
#[case("default", Some(Count::Default))]
#[case("-1", None)]
#[case("65536", None)]
#[case("many", None)]
fn count_is_number_or_default(#[case] text: &str, #[case] expected: Option<Count>) {
    assert_eq!(text.parse::<Count>().ok(), expected);
}

#[test]
fn link_views() {
    let one = member(ONE);
    let mut other = member(OTHER);
    other.observation = None;
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let links = [LinkChange::Linked, LinkChange::Unlinked].map(|did| LinkView::new(&one, &other, did).to_string());
    let limits = [Some(5), None]
        .map(|limit| LimitView { member: one.id, domain: domain.clone(), limit, default: 3 }.to_string());
    insta::assert_snapshot!([links, limits].concat().join("---\n"));
}
