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
#[case::of_another_service(&["google-site-verification=00112233445566778899aabbccddeeff"], Seen::Missing)]
#[case::quotes(&[r#""membermail-site-verification=00112233445566778899aabbccddeeff""#], Seen::Found)]
#[case::single_quotes(&["'membermail-site-verification=00112233445566778899aabbccddeeff'"], Seen::Found)]
#[case::typographic_quotes(&["“membermail-site-verification=00112233445566778899aabbccddeeff”"], Seen::Found)]
#[case::german_quotes(&["„membermail-site-verification=00112233445566778899aabbccddeeff“"], Seen::Found)]
#[case::reversed_quotes(&["‟membermail-site-verification=00112233445566778899aabbccddeeff”"], Seen::Found)]
#[case::typographic_single_quotes(&["‘membermail-site-verification=00112233445566778899aabbccddeeff’"], Seen::Found)]
#[case::angle_quotes(&["« membermail-site-verification=00112233445566778899aabbccddeeff »"], Seen::Found)]
#[case::two_quotes(&["““membermail-site-verification=00112233445566778899aabbccddeeff””"], Seen::Found)]
#[case::quote_before(&[r#""membermail-site-verification=00112233445566778899aabbccddeeff"#], Seen::Found)]
#[case::quote_behind(&["membermail-site-verification=00112233445566778899aabbccddeeff”"], Seen::Found)]
#[case::blanks_around_quotes(&[r#" " membermail-site-verification=00112233445566778899aabbccddeeff "  "#], Seen::Found)]
#[case::quoted_token(&[r#"membermail-site-verification="00112233445566778899aabbccddeeff""#], Seen::Found)]
#[case::quoted_wrong_token(&[r#""membermail-site-verification=ffeeddccbbaa99887766554433221100""#], Seen::OtherToken)]
#[case::text_behind_quotes(&[r#""membermail-site-verification=00112233445566778899aabbccddeeff" for mail"#], Seen::OtherToken)]
#[case::quote_within_token(&[r#"membermail-site-verification=001122334455"66778899aabbccddeeff"#], Seen::OtherToken)]
#[case::quoted_within(&[r#"see "membermail-site-verification=00112233445566778899aabbccddeeff""#], Seen::Missing)]
#[case::quoted_key(&[r#""membermail-site-verification"=00112233445566778899aabbccddeeff"#], Seen::Missing)]
#[case::quotes_alone(&["“”"], Seen::Missing)]
#[case::cut_within_a_letter(&["membermail-site-verificatioé"], Seen::Missing)]
fn record_is_found_by_its_token(#[case] texts: &[&str], #[case] seen: Seen) {
    let answer = DnsAnswer::Records(texts.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(Seen::among(&answer, &token()), seen);
}

#[test]
fn query_without_records_is_classified() {
    assert_eq!(Seen::among(&DnsAnswer::Missing, &token()), Seen::Missing);
    for why in [Unanswered::ServerFailure, Unanswered::Refused, Unanswered::TimedOut, Unanswered::Unusable] {
        assert_eq!(Seen::among(&DnsAnswer::Unanswered(why), &token()), Seen::Unanswered(why));
    }
}

#[test]
fn token_of_domain_is_found() {
    let random = CountingRandom::default();
    let one = Token::new(&random);
    let two = Token::new(&random);
    assert_ne!(one, two);
    assert_eq!(Token::parse(one.as_str()), Ok(one.clone()));
    assert_eq!(Seen::among(&DnsAnswer::Records(vec![one.record()]), &one), Seen::Found);
    assert_eq!(Seen::among(&DnsAnswer::Records(vec![one.record()]), &two), Seen::OtherToken);
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
fn check_changes_proof(
    #[case] before: Proof,
    #[case] seen: Seen,
    #[case] on: i64,
    #[case] after: Proof,
    #[case] event: Option<DomainEvent>,
) {
    assert_eq!(before.after(seen, day(on), grace()), (after, event));
}

#[test]
fn grace_period_ends_after_a_week() {
    assert_eq!(grace(), SignedDuration::from_hours(7 * 24));
    let end = day(1) + grace();
    assert_eq!(lapsing().after(Seen::Missing, end - SignedDuration::from_nanos(1), grace()).0, lapsing());
    assert_eq!(lapsing().after(Seen::Missing, end, grace()).0, lapsed());
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

proptest! {
    #[test]
    fn unanswered_query_changes_nothing(proof in any_proof(), seen in any_unanswered(), hours in 0_i64..6_000) {
        let now = day(2) + SignedDuration::from_hours(hours);
        prop_assert_eq!(proof.after(seen, now, grace()), (proof.clone(), None));
    }

    /// Independently of the implementation: only the last definite answers decide on the proof.
    #[test]
    fn domain_lapses_only_after_grace_period(
        checks in prop::collection::vec((0_i64..100, any_seen()), 0..60),
        grace in 1_i64..400,
    ) {
        let grace = SignedDuration::from_hours(grace);
        let mut now = day(0);
        let mut proof = Proof::Pending;
        let mut ever = false;
        let mut gone_since = None;
        let mut open = false;
        for (hours, seen) in checks {
            now += SignedDuration::from_hours(hours);
            let was_open = open;
            match seen {
                Seen::Found => {
                    ever = true;
                    open = true;
                    gone_since = None;
                }
                Seen::Missing | Seen::OtherToken if ever => {
                    let since: Timestamp = *gone_since.get_or_insert(now);
                    open = open && now.duration_since(since) < grace;
                }
                _ => {}
            }
            let (after, event) = proof.after(seen, now, grace);
            prop_assert_eq!(after.is_verified(), open);
            // Without an event the domain stays verified.
            prop_assert_eq!(was_open && !open, event == Some(DomainEvent::Lapsed));
            prop_assert_eq!(event.is_some(), std::mem::discriminant(&after) != std::mem::discriminant(&proof));
            proof = after;
        }
    }

    #[test]
    fn operator_overrides_dns(seen in any_seen(), hours in 0_i64..6_000) {
        let decided = Proof::Operator { since: day(0) };
        let now = day(0) + SignedDuration::from_hours(hours);
        prop_assert_eq!(decided.after(seen, now, grace()), (decided.clone(), None));
    }
}
