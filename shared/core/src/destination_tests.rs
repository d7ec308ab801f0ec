use proptest::prelude::*;

use super::*;
use crate::random::CountingRandom;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + hours * 3600).unwrap()
}

fn destination(is_trusted: bool, hours: i64) -> Destination {
    Destination::new(DestinationId::new(at(hours), &CountingRandom::default()), is_trusted, at(hours))
}

fn pause(is_permanent: bool) -> Option<Pause> {
    Some(Pause { since: at(0), is_permanent })
}

#[test]
fn mail_goes_to_confirmed_destinations() {
    let all =
        [destination(true, 0), destination(false, 0), Destination { removed: Some(at(1)), ..destination(true, 0) }];
    assert_eq!(route(None, &all), Route::To(vec![&all[0]]));
    assert_eq!(route(pause(true), &all), Route::Paused { is_permanent: true });
    assert_eq!(route(pause(false), &all), Route::Paused { is_permanent: false });
}

#[test]
fn unconfirmed_alias_waits_three_days() {
    let all = [destination(false, 0), destination(false, 5)];
    assert_eq!(route(None, &all), Route::Unconfirmed { until: at(5 + 72) });
    let removed = [Destination { removed: Some(at(1)), ..destination(false, 0) }];
    assert_eq!(route(None, &removed), Route::Unconfirmed { until: Timestamp::MIN });
    assert_eq!(route(None, []), Route::Unconfirmed { until: Timestamp::MIN });
}

#[rstest::rstest]
#[case::new(0, 0, 1, true)]
#[case::last_minute(29, 4, 1, true)]
#[case::too_late(30, 0, 1, false)]
#[case::too_many_attempts(0, 5, 1, false)]
#[case::sessions_ended(0, 0, 2, false)]
fn code_is_valid(#[case] minutes: i64, #[case] attempts: u32, #[case] epoch: u64, #[case] is_open: bool) {
    let pending = Pending { id: Ulid::nil(), requested_at: at(0), attempts, epoch: 1, replaces: false };
    assert_eq!(pending.is_open(epoch, at(0) + SignedDuration::from_mins(minutes)), is_open);
}

#[rstest::rstest]
#[case::same("x@ubuntu.com", Err(Unsuitable::Community))]
#[case::upper_case("x@UBUNTU.com", Err(Unsuitable::Community))]
#[case::below("x@lists.ubuntu.com", Err(Unsuitable::Community))]
#[case::deep_below("x@a.b.ubuntu.com", Err(Unsuitable::Community))]
#[case::other_end("x@notubuntu.com", Ok(()))]
#[case::above("x@com.example", Ok(()))]
#[case::host("x@mail.host.example", Err(Unsuitable::MailHost))]
#[case::below_host("x@a.mail.host.example", Err(Unsuitable::MailHost))]
#[case::beside_host("x@host.example", Ok(()))]
#[case::idn("x@bücher.example", Ok(()))]
#[case::own_idn("x@bücher.test", Err(Unsuitable::Community))]
#[case::own_a_label("x@xn--bcher-kva.test", Err(Unsuitable::Community))]
fn own_domains_are_unsuitable(#[case] address: &str, #[case] expected: Result<(), Unsuitable>) {
    let domains = |names: &[&str]| names.iter().map(|name| DomainName::parse(name).unwrap()).collect();
    let own = OwnDomains {
        community: domains(&["ubuntu.com", "xn--bcher-kva.test"]),
        mail_hosts: domains(&["mail.host.example"]),
    };
    assert_eq!(own.check(&EmailAddress::parse(address).unwrap()), expected);
}

fn code(text: &str) -> StatusCode {
    text.parse().unwrap()
}

#[test]
fn destination_fails_after_a_day() {
    let first = Failures::register(None, code("5.1.1"), at(0), false).unwrap();
    assert!(!first.is_failing(at(0)));
    assert_eq!(Failures::register(Some(&first), code("5.1.1"), at(0), false), None, "reported twice");
    let soon = Failures::register(Some(&first), code("5.1.1"), at(23), false).unwrap();
    assert!(!soon.is_failing(at(23)));
    let later = Failures::register(Some(&soon), code("5.2.2"), at(24), false).unwrap();
    assert!(later.is_failing(at(24)) && later.count == 3 && later.reply == code("5.2.2"));
    assert!(later.is_failing(at(24 + 14 * 24)) && !later.is_failing(at(25 + 14 * 24)));
    let again = Failures::register(Some(&later), code("5.1.1"), at(24 + 15 * 24), false).unwrap();
    assert!(again.count == 1 && !again.is_failing(at(24 + 15 * 24)));
}

#[test]
fn failed_test_is_a_failure() {
    assert_eq!(Failures::register(None, code("5.7.1"), at(0), false), None, "about the message");
    assert!(Failures::register(None, code("5.7.1"), at(0), true).unwrap().is_failing(at(1)));
}

#[test]
fn state_is_shown() {
    let failures = Failures::register(None, code("5.1.1"), at(0), true);
    assert_eq!(destination(false, 0).state(at(0)), DestinationState::Unconfirmed);
    assert_eq!(destination(true, 0).state(at(0)), DestinationState::Confirmed);
    let failing = Destination { failures, ..destination(true, 0) };
    assert_eq!(failing.state(at(0)), DestinationState::Failing);
    assert_eq!(failing.state(at(24 * 15)), DestinationState::Confirmed);
}

proptest! {
    #[test]
    fn only_whole_labels_count(prefix in "[a-z0-9.-]{0,12}") {
        let own = DomainName::parse("ubuntu.com").unwrap();
        let is_below = prefix.is_empty() || prefix.ends_with('.');
        prop_assert_eq!(is_within(&format!("{prefix}ubuntu.com"), &own), is_below);
    }
}
