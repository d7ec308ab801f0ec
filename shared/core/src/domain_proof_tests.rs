use proptest::prelude::*;

use super::*;
use crate::community::Rules;
use crate::random::CountingRandom;

const TOKEN: &str = "00112233445566778899aabbccddeeff";
const OTHER: &str = "ffeeddccbbaa99887766554433221100";
const SERVFAIL: Seen = Seen::Unanswered(Unanswered::ServerFailure);

fn day(day: i64) -> Timestamp {
    let start: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
    start + SignedDuration::from_hours(24 * day)
}

fn token() -> Token {
    TOKEN.parse().unwrap()
}

fn grace() -> SignedDuration {
    Rules::default().domain_grace()
}

fn verified() -> Proof {
    Proof::Verified { since: day(0) }
}

fn lapsing() -> Proof {
    Proof::Lapsing { since: day(0), gone_since: day(1) }
}

fn lapsed() -> Proof {
    Proof::Lapsed { gone_since: day(1) }
}

#[rstest::rstest]
#[case::right(&["membermail-site-verification=00112233445566778899aabbccddeeff"], Seen::Found)]
#[case::among_others(&["v=spf1 -all", "membermail-site-verification=00112233445566778899aabbccddeeff"], Seen::Found)]
#[case::beside_an_old_one(
    &["membermail-site-verification=ffeeddccbbaa99887766554433221100",
      "membermail-site-verification=00112233445566778899aabbccddeeff"],
    Seen::Found
)]
#[case::upper_case(&["MEMBERMAIL-SITE-VERIFICATION=00112233445566778899AABBCCDDEEFF"], Seen::Found)]
#[case::blanks(&["  membermail-site-verification= 00112233445566778899aabbccddeeff "], Seen::Found)]
#[case::wrong(&["membermail-site-verification=ffeeddccbbaa99887766554433221100"], Seen::OtherToken)]
#[case::cut(&["membermail-site-verification=00112233"], Seen::OtherToken)]
#[case::more_behind(&["membermail-site-verification=00112233445566778899aabbccddeeff0"], Seen::OtherToken)]
#[case::empty(&["membermail-site-verification="], Seen::OtherToken)]
#[case::within(&["see membermail-site-verification=00112233445566778899aabbccddeeff"], Seen::Missing)]
#[case::the_token_alone(&["00112233445566778899aabbccddeeff"], Seen::Missing)]
#[case::of_somebody_else(&["google-site-verification=00112233445566778899aabbccddeeff"], Seen::Missing)]
#[case::cut_within_a_letter(&["membermail-site-verificatioé"], Seen::Missing)]
fn what_is_seen_in_records(#[case] texts: &[&str], #[case] seen: Seen) {
    let answer = Answer::Records(texts.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(Seen::among(&answer, &token()), seen);
}

#[test]
fn what_is_seen_without_records() {
    assert_eq!(Seen::among(&Answer::Missing, &token()), Seen::Missing);
    for why in [Unanswered::ServerFailure, Unanswered::Refused, Unanswered::TimedOut, Unanswered::Unusable] {
        assert_eq!(Seen::among(&Answer::Unanswered(why), &token()), Seen::Unanswered(why));
    }
}

#[test]
fn tokens_differ_and_are_what_is_found() {
    let random = CountingRandom::default();
    let (one, two) = (Token::new(&random), Token::new(&random));
    assert_ne!(one, two);
    assert_eq!(Token::parse(one.as_str()), Ok(one.clone()));
    assert_eq!(Seen::among(&Answer::Records(vec![one.record()]), &one), Seen::Found);
    assert_eq!(Seen::among(&Answer::Records(vec![one.record()]), &two), Seen::OtherToken);
    assert_ne!(Token::parse(OTHER).unwrap(), token());
    assert_eq!(Token::parse("00112233445566778899AABBCCDDEEFF"), Err(TokenError));
}

#[rstest::rstest]
#[case::first_proof(Proof::Pending, Seen::Found, 2, Proof::Verified { since: day(2) }, Some(DomainEvent::Verified))]
#[case::no_proof_yet(Proof::Pending, Seen::Missing, 2, Proof::Pending, None)]
#[case::no_proof_by_another(Proof::Pending, Seen::OtherToken, 2, Proof::Pending, None)]
#[case::no_proof_by_silence(Proof::Pending, SERVFAIL, 2, Proof::Pending, None)]
#[case::still_there(verified(), Seen::Found, 2, verified(), None)]
#[case::not_known(verified(), SERVFAIL, 2, verified(), None)]
#[case::gone(verified(), Seen::Missing, 1, lapsing(), Some(DomainEvent::RecordGone { until: day(8) }))]
#[case::replaced(verified(), Seen::OtherToken, 1, lapsing(), Some(DomainEvent::RecordGone { until: day(8) }))]
#[case::still_gone(lapsing(), Seen::Missing, 7, lapsing(), None)]
#[case::gone_for_good(lapsing(), Seen::Missing, 8, lapsed(), Some(DomainEvent::Lapsed))]
#[case::late_but_not_known(lapsing(), SERVFAIL, 99, lapsing(), None)]
#[case::back_in_time(lapsing(), Seen::Found, 2, verified(), Some(DomainEvent::Restored))]
#[case::back_late(lapsing(), Seen::Found, 99, verified(), Some(DomainEvent::Restored))]
#[case::lapsed_and_gone(lapsed(), Seen::Missing, 9, lapsed(), None)]
#[case::lapsed_and_not_known(lapsed(), SERVFAIL, 9, lapsed(), None)]
#[case::lapsed_and_back(lapsed(), Seen::Found, 9, Proof::Verified { since: day(9) }, Some(DomainEvent::Restored))]
fn what_a_look_makes_of_a_proof(
    #[case] before: Proof,
    #[case] seen: Seen,
    #[case] on: i64,
    #[case] after: Proof,
    #[case] event: Option<DomainEvent>,
) {
    assert_eq!(before.after(seen, day(on), grace()), (after, event));
}

#[test]
fn the_grace_is_a_week_and_ends_to_the_second() {
    assert_eq!(grace(), SignedDuration::from_hours(7 * 24));
    let gone_for = |duration| lapsing().after(Seen::Missing, day(1) + duration, grace()).0;
    assert_eq!(gone_for(grace() - SignedDuration::from_nanos(1)), lapsing());
    assert_eq!(gone_for(grace()), lapsed());
}

#[test]
fn proofs_read_as_they_were_written() {
    for proof in [Proof::Pending, Proof::Operator { since: day(0) }, verified(), lapsing(), lapsed()] {
        let json = serde_json::to_value(&proof).unwrap();
        assert_eq!(serde_json::from_value::<Proof>(json).unwrap(), proof);
    }
}

fn any_unanswered() -> impl Strategy<Value = Seen> {
    use Unanswered::{Refused, ServerFailure, TimedOut, Unusable};
    prop::sample::select(vec![ServerFailure, Refused, TimedOut, Unusable]).prop_map(Seen::Unanswered)
}

fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![Just(Seen::Found), Just(Seen::Missing), Just(Seen::OtherToken), any_unanswered()]
}

fn any_proof() -> impl Strategy<Value = Proof> {
    let operator = Proof::Operator { since: day(0) };
    prop::sample::select(vec![Proof::Pending, operator, verified(), lapsing(), lapsed()])
}

/// Looks at hours after each other, with what each sees.
fn looks(seen: impl Strategy<Value = Seen>) -> impl Strategy<Value = Vec<(i64, Seen)>> {
    prop::collection::vec((0_i64..100, seen), 0..60)
}

proptest! {
    #[test]
    fn no_silence_changes_anything(proof in any_proof(), looks in looks(any_unanswered())) {
        let (mut now, before) = (day(2), proof.clone());
        let mut proof = proof;
        for (hours, seen) in looks {
            now += SignedDuration::from_hours(hours);
            let (after, event) = proof.after(seen, now, grace());
            prop_assert_eq!(event, None);
            proof = after;
        }
        prop_assert_eq!(proof, before);
    }

    /// The rules said in another way: what a domain is follows from its last definite answers alone.
    #[test]
    fn new_addresses_stop_only_after_a_grace_without_the_record(
        looks in looks(any_seen()),
        grace in 1_i64..400,
    ) {
        let grace = SignedDuration::from_hours(grace);
        let (mut now, mut proof) = (day(0), Proof::Pending);
        let (mut ever, mut gone_since, mut open) = (false, None, false);
        for (hours, seen) in looks {
            now += SignedDuration::from_hours(hours);
            let was_open = open;
            match seen {
                Seen::Found => (ever, gone_since, open) = (true, None, true),
                Seen::Missing | Seen::OtherToken if ever => {
                    let since: Timestamp = *gone_since.get_or_insert(now);
                    open = open && now.duration_since(since) < grace;
                }
                _ => {}
            }
            let (after, event) = proof.after(seen, now, grace);
            prop_assert_eq!(after.is_verified(), open);
            // Whoever is told of nothing loses nothing.
            prop_assert_eq!(was_open && !open, event == Some(DomainEvent::Lapsed));
            prop_assert_eq!(event.is_some(), std::mem::discriminant(&after) != std::mem::discriminant(&proof));
            proof = after;
        }
    }

    #[test]
    fn an_operators_word_stands(looks in looks(any_seen())) {
        let (mut now, word) = (day(0), Proof::Operator { since: day(0) });
        for (hours, seen) in looks {
            now += SignedDuration::from_hours(hours);
            prop_assert_eq!(word.after(seen, now, grace()), (word.clone(), None));
        }
    }
}
