//! Mail to an alias with several destinations, or with none that mail may go to now.

#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::protocol::Reply;
use membermail_alias_map::settings::CacheTtls;
use membermail_alias_map::source::LookupResult;
use membermail_core::clock::{Clock, later};

use crate::support::{FakeSource, clock, destination, lookups, lookups_with, settings};

const LOOP: &str = "OK 550 5.4.6 Mail to this address would come back to this host";
const LATER: &str = "OK 450 4.2.1 This address cannot take mail just now; please try again later";
const SWITCHED_OFF: &str = "OK 550 5.2.1 This address is switched off";

fn source() -> Arc<FakeSource> {
    let source = FakeSource::default();
    source.list("old.example");
    source.put_all("two@ubuntu.com", &["two@mail.example", "Two@tags.example"]);
    source.put_all("own-tag@ubuntu.com", &["own+x@tags.example", "own@tags.example", "\"a, b\"@mail.example"]);
    source.put_all("partly@ubuntu.com", &["a@kubuntu.org", "b@mail.example", "c@lists.ubuntu.com"]);
    source.put_all("round@ubuntu.com", &["a@deep.lists.kubuntu.org", "a@mx.forwards.example"]);
    source.put_all("below-host@ubuntu.com", &["a@x.mx.forwards.example", "a@y.back.forwards.example"]);
    source.put_all("below-listed@ubuntu.com", &["a@old.example", "a@x.old.example"]);
    source.put_all("near@ubuntu.com", &["a@notubuntu.com", "a@forwards.example", "a@ubuntu.com.example"]);
    source.put_all("idn@ubuntu.com", &["plain@mail.example", "Jo.Doe@bücher.example"]);
    source.put_result("paused@ubuntu.com", LookupResult::Paused { is_permanent: false });
    source.put_result("off@ubuntu.com", LookupResult::Paused { is_permanent: true });
    Arc::new(source)
}

fn maps() -> Lookups {
    let mut settings = settings(CacheTtls::default());
    settings.subaddress_domains = vec!["tags.example".parse().unwrap()];
    lookups_with(source(), &settings, clock())
}

#[rstest::rstest]
#[case::all("alias two@ubuntu.com", "OK two@mail.example, Two@tags.example")]
#[case::tag_where_supported("alias two+news@ubuntu.com", "OK two@mail.example, Two+news@tags.example")]
#[case::own_tag("alias own-tag+y@ubuntu.com", "OK own+x@tags.example, own+y@tags.example, \"a, b\"@mail.example")]
#[case::not_rejected("reject two@ubuntu.com", "NOTFOUND ")]
#[case::loops_are_left_out("alias partly@ubuntu.com", "OK b@mail.example")]
#[case::partly_loop_is_not_rejected("reject partly@ubuntu.com", "NOTFOUND ")]
#[case::only_loops("alias round@ubuntu.com", "NOTFOUND ")]
#[case::only_loops_are_rejected("reject round+x@ubuntu.com", LOOP)]
#[case::below_the_host("reject below-host@ubuntu.com", LOOP)]
#[case::below_a_removed_domain("reject below-listed@ubuntu.com", LOOP)]
#[case::near_our_names("alias near@ubuntu.com", "OK a@notubuntu.com, a@forwards.example, a@ubuntu.com.example")]
#[case::paused("alias paused@ubuntu.com", "NOTFOUND ")]
#[case::paused_is_deferred("reject paused+x@ubuntu.com", LATER)]
#[case::paused_for_good("alias off@ubuntu.com", "NOTFOUND ")]
#[case::paused_for_good_is_rejected("reject off@ubuntu.com", SWITCHED_OFF)]
#[tokio::test]
async fn alias_reaches_its_destinations(#[case] data: &str, #[case] expected: &str) {
    let maps = maps();
    maps.list_domains().await.unwrap();
    assert_eq!(maps.reply(data.as_bytes()).await.to_data(), expected);
}

/// What membermail-bounce asks.
#[rstest::rstest]
#[case::first("two@ubuntu.com two@mail.example", Some(0))]
#[case::second("two@ubuntu.com Two@tags.example", Some(1))]
#[case::other_case("TWO@Ubuntu.com TWO@Tags.Example", Some(1))]
#[case::tag_of_mail("two+news@ubuntu.com Two+news@tags.example", Some(1))]
#[case::tag_in_report_only("two@ubuntu.com two+News@tags.example", Some(1))]
#[case::tag_in_address_only("two+news@ubuntu.com two@tags.example", Some(1))]
#[case::tag_elsewhere("two+news@ubuntu.com two+news@mail.example", None)]
#[case::own_tag("own-tag@ubuntu.com own+x@tags.example", Some(0))]
#[case::beside_own_tag("own-tag+y@ubuntu.com own+y@tags.example", Some(1))]
#[case::quoted("own-tag@ubuntu.com \"a, b\"@mail.example", Some(2))]
#[case::a_label("idn@ubuntu.com jo.doe@XN--bcher-kva.example", Some(1))]
#[case::u_label("idn@ubuntu.com jo.doe@BÜCHER.example", Some(1))]
#[case::left_out_as_a_loop("partly@ubuntu.com a@kubuntu.org", Some(0))]
#[case::other_domain("two@ubuntu.com two@other.example", None)]
#[case::other_alias("partly@ubuntu.com two@mail.example", None)]
#[case::paused("paused@ubuntu.com two@mail.example", None)]
#[case::unknown_alias("nobody@ubuntu.com two@mail.example", None)]
#[case::foreign_alias("two@other.example two@mail.example", None)]
#[case::role("postmaster@ubuntu.com one@ops.example", None)]
#[case::no_recipient("two@ubuntu.com", None)]
#[case::empty_recipient("two@ubuntu.com ", None)]
#[case::no_address("two@ubuntu.com two", None)]
#[case::quoted_alias("\"a b\"@ubuntu.com two@mail.example", None)]
#[case::nothing("", None)]
#[tokio::test]
async fn destination_of_report_is_found(#[case] key: &str, #[case] expected: Option<usize>) {
    let reply = maps().reply(format!("destination {key}").as_bytes()).await;
    assert_eq!(reply, expected.map_or(Reply::NotFound, |number| Reply::Ok(destination(number).to_string())));
}

/// Also when the result is in the cache, and when the table is down.
#[tokio::test]
async fn unconfirmed_alias_is_rejected_later() {
    let clock = clock();
    let source = source();
    let until = later(clock.now(), SignedDuration::from_secs(60));
    source.put_result("new@ubuntu.com", LookupResult::Unconfirmed { until });
    let ttls = CacheTtls { hits: Duration::ZERO, misses: Duration::ZERO, ..CacheTtls::default() };
    let lookups = lookups_with(source.clone(), &settings(ttls), clock.clone());
    for is_down in [false, true] {
        source.fail(is_down);
        for (step, expected) in [(59, LATER), (1, SWITCHED_OFF), (100, SWITCHED_OFF)] {
            clock.advance(SignedDuration::from_secs(step));
            assert_eq!(lookups.reply(b"reject new@ubuntu.com").await.to_data(), expected, "{step} s {is_down}");
            assert_eq!(lookups.reply(b"alias new@ubuntu.com").await, Reply::NotFound);
        }
        clock.advance(SignedDuration::from_secs(-160));
    }
}

/// Within the TTL of misses, not that of hits.
#[tokio::test]
async fn confirmed_destination_is_used_soon() {
    let source = source();
    source.put_result("new@ubuntu.com", LookupResult::Unconfirmed { until: Timestamp::MAX });
    let ttls = CacheTtls { hits: Duration::from_secs(600), misses: Duration::from_millis(50), ..CacheTtls::default() };
    let lookups = lookups(source.clone(), ttls);
    assert_eq!(lookups.reply(b"reject new@ubuntu.com").await.to_data(), LATER);
    source.put("new@ubuntu.com", "new@mail.example");
    assert_eq!(lookups.reply(b"reject new@ubuntu.com").await.to_data(), LATER);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(lookups.reply(b"alias new@ubuntu.com").await.to_data(), "OK new@mail.example");
}

#[tokio::test]
async fn sealed_destination_is_temporary() {
    let source = source();
    source.sealed.store(true, Ordering::SeqCst);
    let lookups = lookups(source, CacheTtls::default());
    for data in ["alias two@ubuntu.com", "reject two@ubuntu.com", "destination two@ubuntu.com two@mail.example"] {
        assert!(matches!(lookups.reply(data.as_bytes()).await, Reply::Temp(_)), "{data}");
    }
}
