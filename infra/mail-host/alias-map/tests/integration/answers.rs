//! Replies to Postfix while the source works, fails, hangs and changes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use membermail_alias_map::protocol::Reply;
use membermail_alias_map::settings::CacheTtls;
use membermail_alias_map::source::LookupResult;
use membermail_core::alias::{Reason, Status};
use membermail_core::email::EmailAddress;

use crate::support::{FakeSource, clock, lookups, settings};

const ALICE: &[u8] = b"alias alice@ubuntu.com";

fn millis(hits: u64, misses: u64, stale: u64) -> CacheTtls {
    let [hits, misses, stale_if_error, query_timeout] = [hits, misses, stale, 300].map(Duration::from_millis);
    CacheTtls { hits, misses, stale_if_error, query_timeout }
}

fn source_with_alice() -> Arc<FakeSource> {
    let source = FakeSource::default();
    source.put("alice@ubuntu.com", "alice@mail.example");
    source.put("round@ubuntu.com", "round@kubuntu.org");
    source.put("host@ubuntu.com", "postmaster@mx.forwards.example");
    source.put("back@ubuntu.com", "anybody@back.forwards.example");
    source.put_result("gone@ubuntu.com", LookupResult::Rejects(Status::Suspended, Reason::NotInTeam));
    source.put_result("banned@ubuntu.com", LookupResult::Rejects(Status::Suspended, Reason::Banned));
    Arc::new(source)
}

async fn wait(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[rstest::rstest]
#[case("alias alice@ubuntu.com", "OK alice@mail.example")]
#[case("alias ALICE+x@Ubuntu.com", "OK alice@mail.example")]
#[case("alias bob@ubuntu.com", "NOTFOUND ")]
#[case("alias alice@kubuntu.org", "NOTFOUND ")]
#[case("alias alice@example.org", "NOTFOUND ")]
#[case("alias @ubuntu.com", "NOTFOUND ")]
#[case("alias \"alice\"@ubuntu.com", "NOTFOUND ")]
#[case("alias älice@ubuntu.com", "NOTFOUND ")]
#[case("alias ", "NOTFOUND ")]
#[case::admins("alias postmaster@ubuntu.com", "OK one@ops.example, three@ops.example")]
#[case::no_admin_can_act("alias postmaster@kubuntu.org", "OK operators@ops.example")]
#[case::admins_are_not_rejected("reject postmaster@ubuntu.com", "NOTFOUND ")]
#[case::active_is_not_rejected("reject alice@ubuntu.com", "NOTFOUND ")]
#[case::domain_key_of_access_table("reject ubuntu.com", "NOTFOUND ")]
#[case::suspended("alias gone@ubuntu.com", "NOTFOUND ")]
#[case::suspended_is_rejected("reject gone@ubuntu.com", "OK 550 5.2.1 This address is switched off")]
#[case::tag_is_rejected_like_its_alias("reject gone+x@ubuntu.com", "OK 550 5.2.1 This address is switched off")]
#[case::banned("reject banned@ubuntu.com", "OK 550 5.2.1 This address is switched off")]
#[case::loop_is_not_found("alias round@ubuntu.com", "NOTFOUND ")]
#[case::loop_is_rejected("reject round@ubuntu.com", "OK 550 5.4.6 Mail to this address would come back to this host")]
#[case::loop_by_host("reject host@ubuntu.com", "OK 550 5.4.6 Mail to this address would come back to this host")]
#[case::loop_by_host_is_not_found("alias host@ubuntu.com", "NOTFOUND ")]
#[case::loop_by_return_path("reject back@ubuntu.com", "OK 550 5.4.6 Mail to this address would come back to this host")]
#[case::host_role("alias postmaster@mx.forwards.example", "OK operators@ops.example")]
#[case::host_role_of_any_case("alias Abuse+x@MX.forwards.example", "OK operators@ops.example")]
#[case::reports_come_from("alias mailer-daemon@mx.forwards.example", "OK operators@ops.example")]
#[case::host_role_is_not_rejected("reject postmaster@mx.forwards.example", "NOTFOUND ")]
#[case::host_has_no_other("alias root@mx.forwards.example", "NOTFOUND ")]
#[case::host_has_no_alias("alias alice@mx.forwards.example", "NOTFOUND ")]
#[case::role_of_return_path("alias postmaster@back.forwards.example", "OK operators@ops.example")]
#[case::role_is_not_for_bounces_only("reject abuse@back.forwards.example", "NOTFOUND ")]
#[case::other_of_return_path("alias alice@back.forwards.example", "NOTFOUND ")]
#[case::host_is_ours("domain MX.forwards.example", "OK OK")]
#[case::return_path_is_relayed("domain back.forwards.example", "NOTFOUND ")]
#[case::ours("domain Ubuntu.com", "OK OK")]
#[case::not_verified("domain kubuntu.org", "NOTFOUND ")]
#[case::foreign("domain example.org", "NOTFOUND ")]
#[case::empty_domain("domain ", "NOTFOUND ")]
#[case::unknown_map("passwd root", "PERM no such map")]
#[tokio::test]
async fn request_gets_reply(#[case] data: &str, #[case] expected: &str) {
    let lookups = lookups(source_with_alice(), CacheTtls::default());
    assert_eq!(lookups.reply(data.as_bytes()).await.to_data(), expected);
}

#[tokio::test]
async fn foreign_keys_cause_no_query() {
    let source = source_with_alice();
    let lookups = lookups(source.clone(), CacheTtls::default());
    for data in [
        "alias a@example.org",
        "domain example.org",
        "alias \"a\"@ubuntu.com",
        "reject a@ubuntu.com.",
        "alias \u{fffd}",
    ] {
        assert_eq!(lookups.reply(data.as_bytes()).await, Reply::NotFound);
    }
    assert_eq!(lookups.reply(b"alias \xff\xfe@ubuntu.com").await, Reply::NotFound);
    // The list of domains, once for all of these.
    assert_eq!(source.queries(), 1);
}

#[tokio::test]
async fn concurrent_requests_share_one_query() {
    let source = Arc::new(FakeSource { delay: Duration::from_millis(100), ..FakeSource::default() });
    source.put("alice@ubuntu.com", "alice@mail.example");
    let lookups = Arc::new(lookups(source.clone(), CacheTtls::default()));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let lookups = Arc::clone(&lookups);
        all.spawn(async move { lookups.reply(ALICE).await });
    }
    while let Some(reply) = all.join_next().await {
        assert_eq!(reply.unwrap(), Reply::Ok("alice@mail.example".into()));
    }
    assert_eq!(source.queries(), 1);
}

#[tokio::test]
async fn requests_fail_fast_when_table_hangs() {
    let source = source_with_alice();
    source.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    let lookups = Arc::new(lookups(source.clone(), millis(50, 50, 1_000)));
    let begin = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for number in 0..100 {
        let lookups = Arc::clone(&lookups);
        let data = format!("alias alice{}@ubuntu.com", number % 2);
        all.spawn(async move { lookups.reply(data.as_bytes()).await });
    }
    while let Some(reply) = all.join_next().await {
        assert!(matches!(reply.unwrap(), Reply::Temp(_)));
    }
    assert!(begin.elapsed() < Duration::from_millis(1_500), "{:?}", begin.elapsed());
    assert!(source.queries() <= 4, "{} queries to a hanging table", source.queries());
}

#[tokio::test]
async fn open_circuit_breaker_sends_one_probe() {
    let source = source_with_alice();
    for number in 0..50 {
        source.put(&format!("known{number}@ubuntu.com"), "known@mail.example");
    }
    let lookups = Arc::new(lookups(source.clone(), millis(50, 50, 60_000)));
    for number in 0..50 {
        lookups.reply(format!("alias known{number}@ubuntu.com").as_bytes()).await;
    }
    source.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    wait(100).await;
    for _ in 0..2 {
        assert_eq!(lookups.reply(b"alias known0@ubuntu.com").await, Reply::Ok("known@mail.example".into()));
    }
    // The breaker lets the next probe through.
    wait(1_100).await;
    let queries = source.queries();
    let mut all = tokio::task::JoinSet::new();
    for number in 0..50 {
        let lookups = Arc::clone(&lookups);
        all.spawn(async move {
            let begin = Instant::now();
            let reply = lookups.reply(format!("alias known{number}@ubuntu.com").as_bytes()).await;
            (reply, begin.elapsed())
        });
    }
    let all = all.join_all().await;
    assert!(all.iter().all(|(reply, _)| *reply == Reply::Ok("known@mail.example".into())));
    let slow: Vec<_> = all.iter().map(|(_, took)| *took).filter(|took| *took > Duration::from_millis(100)).collect();
    assert!(slow.len() == 1 && source.queries() == queries + 1, "{slow:?}, {} queries", source.queries() - queries);
}

#[tokio::test]
async fn concurrent_requests_wait_for_one_timeout() {
    let source = source_with_alice();
    let lookups = Arc::new(lookups(source.clone(), millis(50, 50, 60_000)));
    lookups.reply(ALICE).await;
    source.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    wait(100).await;
    let begin = Instant::now();
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let lookups = Arc::clone(&lookups);
        all.spawn(async move { lookups.reply(ALICE).await });
    }
    assert!(all.join_all().await.iter().all(|reply| *reply == Reply::Ok("alice@mail.example".into())));
    assert!(begin.elapsed() < Duration::from_millis(550), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn single_timeout_keeps_breaker_closed() {
    let source = source_with_alice();
    let lookups =
        lookups(source.clone(), CacheTtls { query_timeout: Duration::from_millis(300), ..CacheTtls::default() });
    source.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(lookups.reply(ALICE).await, Reply::Temp(_)));
    source.hangs.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::NotFound);
    assert_eq!(lookups.reply(ALICE).await, Reply::Ok("alice@mail.example".into()));
}

/// Only lookups that need decryption fail.
#[tokio::test]
async fn unavailable_secret_keeps_breaker_closed() {
    let source = source_with_alice();
    let lookups = lookups(source.clone(), CacheTtls::default());
    source.sealed.store(true, std::sync::atomic::Ordering::SeqCst);
    for number in 0..5 {
        assert!(matches!(lookups.reply(ALICE).await, Reply::Temp(_)));
        assert_eq!(lookups.reply(format!("alias bob{number}@ubuntu.com").as_bytes()).await, Reply::NotFound);
        assert!(matches!(lookups.reply(b"reject gone@ubuntu.com").await, Reply::Ok(_)));
    }
}

#[tokio::test]
async fn hits_and_misses_expire_by_ttl() {
    let source = source_with_alice();
    let lookups = lookups(source.clone(), millis(600, 200, 60_000));
    for _ in 0..5 {
        lookups.reply(ALICE).await;
        lookups.reply(b"alias bob@ubuntu.com").await;
    }
    assert_eq!(source.queries(), 2);
    source.put("bob@ubuntu.com", "bob@mail.example");
    wait(300).await;
    lookups.reply(ALICE).await;
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::Ok("bob@mail.example".into()));
    assert_eq!(source.queries(), 3);
    wait(400).await;
    lookups.reply(ALICE).await;
    assert_eq!(source.queries(), 4);
}

#[tokio::test]
async fn outage_serves_stale_hits_only() {
    let source = source_with_alice();
    let lookups = lookups(source.clone(), millis(50, 50, 1_500));
    lookups.reply(ALICE).await;
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::NotFound);
    assert!(matches!(lookups.reply(b"reject gone@ubuntu.com").await, Reply::Ok(_)));
    source.fail(true);
    wait(100).await;
    assert_eq!(lookups.reply(ALICE).await, Reply::Ok("alice@mail.example".into()));
    assert!(matches!(lookups.reply(b"reject gone@ubuntu.com").await, Reply::Ok(_)));
    for data in
        [&b"alias bob@ubuntu.com"[..], b"alias carol@ubuntu.com", b"reject carol@ubuntu.com", b"domain ubuntu.com"]
    {
        assert!(matches!(lookups.reply(data).await, Reply::Temp(_)), "{}", String::from_utf8_lossy(data));
    }
    let queries = source.queries();
    for _ in 0..20 {
        lookups.reply(b"alias carol@ubuntu.com").await;
    }
    assert_eq!(source.queries(), queries, "the open breaker let a query through");
    wait(1_600).await;
    assert!(matches!(lookups.reply(ALICE).await, Reply::Temp(_)), "older than the stale-if-error limit");
    source.fail(false);
    wait(1_100).await;
    assert_eq!(lookups.reply(ALICE).await, Reply::Ok("alice@mail.example".into()));
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::NotFound);
}

#[tokio::test]
async fn reload_applies_at_once() {
    let source = source_with_alice();
    let lookups = lookups(source.clone(), millis(60_000, 60_000, 60_000));
    lookups.reply(ALICE).await;
    lookups.reply(ALICE).await;
    assert_eq!(source.queries(), 1);
    let mut settings = settings(millis(0, 0, 0));
    settings.subaddress_domains = vec!["mail.example".parse().unwrap()];
    settings.operators = EmailAddress::parse("others@ops.example").unwrap();
    lookups.reload(&settings);
    assert_eq!(lookups.reply(b"alias alice+x@ubuntu.com").await, Reply::Ok("alice+x@mail.example".into()));
    assert_eq!(lookups.reply(b"alias abuse@kubuntu.org").await, Reply::Ok("others@ops.example".into()));
    assert_eq!(source.queries(), 3);
}

#[tokio::test]
async fn cache_size_is_bounded() {
    let source = Arc::new(FakeSource::default());
    let mut settings = settings(CacheTtls::default());
    settings.cache_megabytes = 1;
    let community = vec!["ubuntu.com".parse().unwrap()];
    let lookups = membermail_alias_map::lookups::Lookups::new(source.clone(), community, &settings, clock());
    for number in 0..20_000 {
        lookups.reply(format!("alias somebody{number}@ubuntu.com").as_bytes()).await;
    }
    let (entries, bytes) = lookups.cache_size().await;
    assert!(bytes <= 1024 * 1024 && entries > 500, "{entries} entries of {bytes} bytes");
}

/// `old.example` is in the table and not in the community file.
fn source_with_unlisted_domain() -> Arc<FakeSource> {
    let source = source_with_alice();
    source.list("old.example");
    source.put("bob@old.example", "bob@mail.example");
    source.put_result("gone@old.example", LookupResult::Rejects(Status::Suspended, Reason::DomainRetired));
    source
}

#[tokio::test]
async fn removed_domain_still_forwards() {
    let source = source_with_unlisted_domain();
    let lookups = lookups(source.clone(), CacheTtls::default());
    for (data, reply) in [
        ("domain old.example", Reply::Ok("OK".into())),
        ("domain Old.Example", Reply::Ok("OK".into())),
        ("alias bob+tag@old.example", Reply::Ok("bob@mail.example".into())),
        ("alias stranger@old.example", Reply::NotFound),
        ("alias postmaster@old.example", Reply::Ok("one@ops.example, three@ops.example".into())),
        ("reject bob@old.example", Reply::NotFound),
        (
            "reject gone@old.example",
            Reply::Ok("550 5.1.6 The community has given up this domain: its addresses are no longer in use".into()),
        ),
        ("domain other.example", Reply::NotFound),
    ] {
        assert_eq!(lookups.reply(data.as_bytes()).await, reply, "{data}");
    }
    // Forwarding to that domain is a loop.
    source.put("carol@ubuntu.com", "carol@old.example");
    assert!(
        matches!(lookups.reply(b"reject carol@ubuntu.com").await, Reply::Ok(text) if text.starts_with("550 5.4.6"))
    );
}

#[tokio::test]
async fn domain_list_survives_outage() {
    let source = source_with_unlisted_domain();
    let lookups = lookups(source.clone(), millis(10, 10, 20));
    assert_eq!(lookups.reply(b"domain other.example").await, Reply::NotFound);
    source.fail(true);
    wait(100).await;
    // Foreign domains do not need the table; this one does.
    assert_eq!(lookups.reply(b"domain other.example").await, Reply::NotFound);
    assert!(matches!(lookups.reply(b"domain old.example").await, Reply::Temp(_)));
}

#[tokio::test]
async fn hanging_table_delays_no_foreign_domain() {
    let source = source_with_unlisted_domain();
    let lookups = lookups(source.clone(), millis(10, 10, 20));
    assert!(lookups.list_domains().await.is_ok());
    source.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    wait(100).await;
    let begin = Instant::now();
    assert_eq!(lookups.reply(b"alias bob@other.example").await, Reply::NotFound);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn missing_domain_list_defers_mail() {
    let source = source_with_unlisted_domain();
    source.fail(true);
    let lookups = lookups(source.clone(), CacheTtls::default());
    assert!(matches!(lookups.reply(b"domain old.example").await, Reply::Temp(_)));
}
