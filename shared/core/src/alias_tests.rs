use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, proptest};
use strum::IntoEnumIterator;

use super::*;
use crate::lifecycle::ChangeKind;
use crate::testing::{address, alias, members, observed};

fn domains() -> Vec<DomainName> {
    vec![DomainName::parse("ubuntu.com").unwrap(), DomainName::parse("kubuntu.org").unwrap()]
}

/// The decision on a grant that `member`, found eligible at that second, requests for `alice@ubuntu.com`.
fn decide_at(second: i64, existing: Option<&Alias>, member: MemberId, has_destination: bool) -> GrantDecision {
    let address = address("alice@ubuntu.com");
    let known_as = observed("alice", 1, Timestamp::from_second(second).unwrap());
    let request = GrantRequest { address: &address, existing, known_as: &known_as, renamed_from: None, limit: 3 };
    decide_grant(&request, member, has_destination)
}

fn decide(existing: Option<&Alias>, member: MemberId, has_destination: bool) -> GrantDecision {
    decide_at(0, existing, member, has_destination)
}

const BACK: GrantDecision = GrantDecision::Change { version: 3, status: Status::Active, reason: Reason::Eligible };
const LOOPS: GrantDecision = GrantDecision::Change { version: 3, status: Status::Suspended, reason: Reason::Loop };

#[rstest::rstest]
#[case::elsewhere("alice@example.org", false)]
#[case::itself("alice@ubuntu.com", true)]
#[case::another_domain_of_ours("bob@kubuntu.org", true)]
#[case::case_does_not_matter("bob@Kubuntu.ORG", true)]
#[case::below_a_domain("bob@lists.ubuntu.com", true)]
#[case::merely_ends_alike("bob@notubuntu.com", false)]
fn destination_in_community_is_loop(#[case] destination: &str, #[case] expected: bool) {
    assert_eq!(is_loop(&EmailAddress::parse(destination).unwrap(), &domains()), expected);
}

#[rstest::rstest]
#[case::active_stays(Status::Active, Reason::Eligible, true, GrantDecision::Unchanged)]
#[case::active_without_a_default(Status::Active, Reason::Eligible, false, GrantDecision::Unchanged)]
#[case::loop_again(Status::Suspended, Reason::Loop, false, GrantDecision::Unchanged)]
#[case::loop_mended(Status::Suspended, Reason::Loop, true, BACK)]
#[case::back_again(Status::Leaving, Reason::NotInTeam, true, BACK)]
#[case::deleted_stays(Status::Suspended, Reason::Deleted, true, GrantDecision::Unchanged)]
#[case::deleted_for_good(Status::Retired, Reason::Deleted, true, GrantDecision::Unchanged)]
#[case::returning(Status::Suspended, Reason::Returning, true, BACK)]
#[case::erased_comes_back(Status::Retired, Reason::Erased, true, BACK)]
#[case::back_with_a_loop(Status::Retired, Reason::NotInTeam, false, LOOPS)]
fn repeated_grant_of_owner(
    #[case] status: Status,
    #[case] reason: Reason,
    #[case] has_destination: bool,
    #[case] expected: GrantDecision,
) {
    let [alice] = members();
    assert_eq!(decide(Some(&alias(status, reason)), alice, has_destination), expected);
}

/// A delayed message holds an observation from before the change.
#[rstest::rstest]
#[case::older(-1, GrantDecision::Unchanged)]
#[case::newer(1, BACK)]
fn older_observation_changes_nothing(#[case] seconds: i64, #[case] expected: GrantDecision) {
    let [alice] = members();
    let leaving = alias(Status::Leaving, Reason::NotInTeam);
    assert_eq!(decide_at(seconds, Some(&leaving), alice, true), expected);
}

/// The names that the log and mails show are those in the table.
fn names<T: IntoEnumIterator + Serialize + ToString>() -> String {
    let names = T::iter().map(|value| {
        assert_eq!(serde_json::to_value(&value).unwrap(), value.to_string());
        value.to_string()
    });
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn stored_names_stay() {
    assert_eq!(names::<Status>(), "active leaving suspended retired");
    assert_eq!(
        names::<Reason>(),
        "eligible loop not-in-team not-valid deactivated account-suspended account-closed no-preferred-address \
         code-of-conduct-withdrawn banned ban-lifted domain-retired unassigned deleted returning erased"
    );
    assert_eq!(names::<ChangeKind>(), "grants removals suspensions retirements");
}

fn any<T: IntoEnumIterator + Clone + std::fmt::Debug + 'static>() -> impl Strategy<Value = T> {
    prop::sample::select(T::iter().collect::<Vec<_>>())
}

proptest! {
    /// An address is never reassigned, in any state.
    #[test]
    fn other_members_address_is_refused(status in any::<Status>(), reason in any::<Reason>(), looped: bool) {
        let [_, bob] = members();
        let decision = decide(Some(&alias(status, reason)), bob, !looped);
        prop_assert_eq!(decision, GrantDecision::Refuse(Refusal::Taken));
    }

    /// A grant is idempotent.
    #[test]
    fn repeated_delivery_writes_once(
        before in proptest::option::of((any::<Status>(), any::<Reason>())),
        looped: bool,
        deliveries in 1usize..5,
    ) {
        let [alice] = members();
        let mut table = before.map(|(status, reason)| alias(status, reason));
        let mut writes = 0;
        for _ in 0..deliveries {
            match decide(table.as_ref(), alice, !looped) {
                GrantDecision::Create { status, reason } | GrantDecision::Change { status, reason, .. } => {
                    table = Some(alias(status, reason));
                    writes += 1;
                }
                GrantDecision::Unchanged => {}
                GrantDecision::Refuse(_) => prop_assert!(false, "refused the owner"),
            }
        }
        prop_assert!(writes <= 1);
    }
}
