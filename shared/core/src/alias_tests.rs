use proptest::prelude::*;

use super::*;
use crate::address::LocalPart;
use crate::random::CountingRandom;

fn domains() -> Vec<DomainName> {
    vec![DomainName::parse("ubuntu.com").unwrap(), DomainName::parse("kubuntu.org").unwrap()]
}

fn alias(member: MemberId, status: Status, reason: Reason) -> Alias {
    Alias {
        address: Address { local_part: LocalPart::parse("alice").unwrap(), domain: domains()[0].clone() },
        member,
        known_as: ObservedName {
            name: "alice".parse().unwrap(),
            fingerprint: crate::member::Fingerprint(1),
            observed_at: Timestamp::UNIX_EPOCH,
        },
        status,
        reason,
        since: Timestamp::UNIX_EPOCH,
        until: None,
        version: 7,
        erase_pending: false,
    }
}

fn wish(member: MemberId, destination: &EmailAddress) -> Wish<'_> {
    Wish { member, destination, eligible_at: Timestamp::UNIX_EPOCH }
}

fn two_members() -> (MemberId, MemberId) {
    let random = CountingRandom::default();
    (MemberId::new(Timestamp::UNIX_EPOCH, &random), MemberId::new(Timestamp::UNIX_EPOCH, &random))
}

#[rstest::rstest]
#[case::elsewhere("alice@example.org", false)]
#[case::itself("alice@ubuntu.com", true)]
#[case::another_domain_of_ours("bob@kubuntu.org", true)]
#[case::case_does_not_matter("bob@Kubuntu.ORG", true)]
#[case::merely_ends_alike("bob@notubuntu.com", false)]
fn loops(#[case] destination: &str, #[case] expected: bool) {
    assert_eq!(is_loop(&EmailAddress::parse(destination).unwrap(), &domains()), expected);
}

#[rstest::rstest]
#[case::active_stays(Status::Active, Reason::Eligible, "a@example.org", Decision::Unchanged)]
#[case::active_keeps_its_destination(Status::Active, Reason::Eligible, "a@ubuntu.com", Decision::Unchanged)]
#[case::loop_again(Status::Suspended, Reason::Loop, "a@ubuntu.com", Decision::Unchanged)]
#[case::loop_mended(Status::Suspended, Reason::Loop, "a@example.org", Decision::Change { version: 7, status: Status::Active, reason: Reason::Eligible })]
#[case::back_again(Status::Leaving, Reason::NotInTeam, "a@example.org", Decision::Change { version: 7, status: Status::Active, reason: Reason::Eligible })]
#[case::back_with_a_loop(Status::Retired, Reason::NotInTeam, "a@ubuntu.com", Decision::Change { version: 7, status: Status::Suspended, reason: Reason::Loop })]
fn the_owner_asks_again(
    #[case] status: Status,
    #[case] reason: Reason,
    #[case] destination: &str,
    #[case] expected: Decision,
) {
    let (alice, _) = two_members();
    let destination = EmailAddress::parse(destination).unwrap();
    assert_eq!(decide(Some(&alias(alice, status, reason)), wish(alice, &destination), &domains()), expected);
}

/// A message that was on its way while the alias changed tells of a time that is over.
#[rstest::rstest]
#[case::older(-1, Decision::Unchanged)]
#[case::newer(1, Decision::Change { version: 7, status: Status::Active, reason: Reason::Eligible })]
fn an_older_word_of_launchpad_does_not_undo_a_newer_change(#[case] seconds: i64, #[case] expected: Decision) {
    let (alice, _) = two_members();
    let destination = EmailAddress::parse("a@example.org").unwrap();
    let eligible_at = Timestamp::from_second(seconds).unwrap();
    let wish = Wish { eligible_at, ..wish(alice, &destination) };
    assert_eq!(decide(Some(&alias(alice, Status::Leaving, Reason::NotInTeam)), wish, &domains()), expected);
}

fn any_status() -> impl Strategy<Value = Status> {
    prop_oneof![Just(Status::Active), Just(Status::Leaving), Just(Status::Suspended), Just(Status::Retired)]
}

fn any_reason() -> impl Strategy<Value = Reason> {
    prop_oneof![Just(Reason::Eligible), Just(Reason::Loop), Just(Reason::NotInTeam), Just(Reason::Banned)]
}

proptest! {
    /// An address never passes to another person, whatever became of it.
    #[test]
    fn nobody_takes_over_an_address(status in any_status(), reason in any_reason(), looped: bool) {
        let (alice, bob) = two_members();
        let destination = EmailAddress::parse(if looped { "b@ubuntu.com" } else { "b@example.org" }).unwrap();
        let decision = decide(Some(&alias(alice, status, reason)), wish(bob, &destination), &domains());
        prop_assert_eq!(decision, Decision::Refuse(Refusal::Taken));
    }

    /// Applying a decision and asking again changes nothing: any number of deliveries come to one.
    #[test]
    fn a_message_delivered_again_changes_nothing(
        before in proptest::option::of((any_status(), any_reason())),
        asks in proptest::collection::vec(any::<bool>(), 1..2),
        deliveries in 1usize..5,
    ) {
        let (alice, _) = two_members();
        let mut table = before.map(|(status, reason)| alias(alice, status, reason));
        let destination = EmailAddress::parse(if asks[0] { "a@ubuntu.com" } else { "a@example.org" }).unwrap();
        let mut writes = 0;
        for _ in 0..deliveries {
            match decide(table.as_ref(), wish(alice, &destination), &domains()) {
                Decision::Create { status, reason } | Decision::Change { status, reason, .. } => {
                    table = Some(alias(alice, status, reason));
                    writes += 1;
                }
                Decision::Unchanged => {}
                Decision::Refuse(_) => prop_assert!(false, "the owner is never refused"),
            }
        }
        prop_assert!(writes <= 1);
    }
}
