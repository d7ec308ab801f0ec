//! What Postfix is told, with a table that answers, fails, hangs, and changes its mind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use membermail_alias_map::protocol::Reply;
use membermail_alias_map::settings::Patience;
use membermail_alias_map::source::Answer;
use membermail_core::alias::{Reason, Status};
use membermail_core::email::EmailAddress;

#[expect(dead_code, reason = "each test file takes its part")]
mod support;

use support::{Memory, lookups, settings};

const ALICE: &[u8] = b"alias alice@ubuntu.com";

fn millis(hits: u64, misses: u64, stale: u64) -> Patience {
    let [hits, misses, stale, table] = [hits, misses, stale, 300].map(Duration::from_millis);
    Patience { hits, misses, stale, table }
}

fn with_alice() -> Arc<Memory> {
    let memory = Memory::default();
    memory.put("alice@ubuntu.com", "alice@mail.example");
    memory.put("round@ubuntu.com", "round@kubuntu.org");
    memory.put_answer("gone@ubuntu.com", Answer::Refuses(Status::Suspended, Reason::NotInTeam));
    memory.put_answer("banned@ubuntu.com", Answer::Refuses(Status::Suspended, Reason::Banned));
    Arc::new(memory)
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
#[case::admins_are_not_refused("reject postmaster@ubuntu.com", "NOTFOUND ")]
#[case::not_refused("reject alice@ubuntu.com", "NOTFOUND ")]
#[case::parts_that_access_asks_for("reject ubuntu.com", "NOTFOUND ")]
#[case::suspended("alias gone@ubuntu.com", "NOTFOUND ")]
#[case::and_why(
    "reject gone@ubuntu.com",
    "OK 550 5.2.1 This address is switched off: its owner is no longer a member of the community"
)]
#[case::a_tag_is_refused_like_its_owner(
    "reject gone+x@ubuntu.com",
    "OK 550 5.2.1 This address is switched off: its owner is no longer a member of the community"
)]
#[case::banned("reject banned@ubuntu.com", "OK 550 5.2.1 This address is switched off")]
#[case::loop_is_not_found("alias round@ubuntu.com", "NOTFOUND ")]
#[case::and_refused(
    "reject round@ubuntu.com",
    "OK 550 5.4.6 This address forwards to itself: its owner must set another destination"
)]
#[case::ours("domain Ubuntu.com", "OK OK")]
#[case::not_verified("domain kubuntu.org", "NOTFOUND ")]
#[case::foreign("domain example.org", "NOTFOUND ")]
#[case::no_domain("domain ", "NOTFOUND ")]
#[case::other_map("passwd root", "PERM no such map")]
#[tokio::test]
async fn answers(#[case] data: &str, #[case] expected: &str) {
    let lookups = lookups(with_alice(), Patience::default());
    assert_eq!(lookups.reply(data.as_bytes()).await.to_data(), expected);
}

#[tokio::test]
async fn what_cannot_be_ours_costs_no_question() {
    let memory = with_alice();
    let lookups = lookups(memory.clone(), Patience::default());
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
    // Which domains there are, once for all of these.
    assert_eq!(memory.asked(), 1);
}

#[tokio::test]
async fn many_who_ask_the_same_at_once_are_one_question() {
    let memory = Arc::new(Memory { slow: Duration::from_millis(100), ..Memory::default() });
    memory.put("alice@ubuntu.com", "alice@mail.example");
    let lookups = Arc::new(lookups(memory.clone(), Patience::default()));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let lookups = Arc::clone(&lookups);
        all.spawn(async move { lookups.reply(ALICE).await });
    }
    while let Some(reply) = all.join_next().await {
        assert_eq!(reply.unwrap(), Reply::Ok("alice@mail.example".into()));
    }
    assert_eq!(memory.asked(), 1);
}

#[tokio::test]
async fn many_who_ask_the_same_of_a_table_that_hangs_all_hear_soon() {
    let memory = with_alice();
    memory.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    let lookups = Arc::new(lookups(memory.clone(), millis(50, 50, 1_000)));
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
    assert!(memory.asked() <= 4, "{} questions to a table that hangs", memory.asked());
}

/// Once it is known that the table hangs, one question at a time finds out whether it still does.
#[tokio::test]
async fn a_table_that_hangs_slows_one_question_at_a_time() {
    let memory = with_alice();
    for number in 0..50 {
        memory.put(&format!("known{number}@ubuntu.com"), "known@mail.example");
    }
    let lookups = Arc::new(lookups(memory.clone(), millis(50, 50, 60_000)));
    for number in 0..50 {
        lookups.reply(format!("alias known{number}@ubuntu.com").as_bytes()).await;
    }
    memory.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    wait(100).await;
    for _ in 0..2 {
        assert_eq!(lookups.reply(b"alias known0@ubuntu.com").await, Reply::Ok("known@mail.example".into()));
    }
    // The rest is over.
    wait(1_100).await;
    let (asked, mut all) = (memory.asked(), tokio::task::JoinSet::new());
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
    assert!(slow.len() == 1 && memory.asked() == asked + 1, "{slow:?}, {} questions", memory.asked() - asked);
}

/// Of those who ask the same at once, the first one's wait is the wait of all.
#[tokio::test]
async fn whoever_waited_for_nothing_gets_what_is_known() {
    let memory = with_alice();
    let lookups = Arc::new(lookups(memory.clone(), millis(50, 50, 60_000)));
    lookups.reply(ALICE).await;
    memory.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    wait(100).await;
    let (begin, mut all) = (Instant::now(), tokio::task::JoinSet::new());
    for _ in 0..50 {
        let lookups = Arc::clone(&lookups);
        all.spawn(async move { lookups.reply(ALICE).await });
    }
    assert!(all.join_all().await.iter().all(|reply| *reply == Reply::Ok("alice@mail.example".into())));
    assert!(begin.elapsed() < Duration::from_millis(550), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn one_slow_answer_is_nobody_elses_trouble() {
    let memory = with_alice();
    let lookups = lookups(memory.clone(), Patience { table: Duration::from_millis(300), ..Patience::default() });
    memory.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(lookups.reply(ALICE).await, Reply::Temp(_)));
    memory.hangs.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::NotFound);
    assert_eq!(lookups.reply(ALICE).await, Reply::Ok("alice@mail.example".into()));
}

/// What is sealed waits; whom there is nothing of is refused as ever, and the table is not left alone for that.
#[tokio::test]
async fn a_secret_that_cannot_be_read_is_no_failure_of_the_table() {
    let memory = with_alice();
    let lookups = lookups(memory.clone(), Patience::default());
    memory.sealed.store(true, std::sync::atomic::Ordering::SeqCst);
    for number in 0..5 {
        assert!(matches!(lookups.reply(ALICE).await, Reply::Temp(_)));
        assert_eq!(lookups.reply(format!("alias bob{number}@ubuntu.com").as_bytes()).await, Reply::NotFound);
        assert!(matches!(lookups.reply(b"reject gone@ubuntu.com").await, Reply::Ok(_)));
    }
}

#[tokio::test]
async fn hits_and_misses_are_good_for_their_times() {
    let memory = with_alice();
    let lookups = lookups(memory.clone(), millis(600, 200, 60_000));
    for _ in 0..5 {
        lookups.reply(ALICE).await;
        lookups.reply(b"alias bob@ubuntu.com").await;
    }
    assert_eq!(memory.asked(), 2);
    memory.put("bob@ubuntu.com", "bob@mail.example");
    wait(300).await;
    lookups.reply(ALICE).await;
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::Ok("bob@mail.example".into()));
    assert_eq!(memory.asked(), 3);
    wait(400).await;
    lookups.reply(ALICE).await;
    assert_eq!(memory.asked(), 4);
}

#[tokio::test]
async fn while_the_table_is_out_of_reach_what_is_known_holds_and_nothing_is_denied() {
    let memory = with_alice();
    let lookups = lookups(memory.clone(), millis(50, 50, 1_500));
    lookups.reply(ALICE).await;
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::NotFound);
    assert!(matches!(lookups.reply(b"reject gone@ubuntu.com").await, Reply::Ok(_)));
    memory.fail(true);
    wait(100).await;
    assert_eq!(lookups.reply(ALICE).await, Reply::Ok("alice@mail.example".into()));
    assert!(matches!(lookups.reply(b"reject gone@ubuntu.com").await, Reply::Ok(_)));
    for data in
        [&b"alias bob@ubuntu.com"[..], b"alias carol@ubuntu.com", b"reject carol@ubuntu.com", b"domain ubuntu.com"]
    {
        assert!(matches!(lookups.reply(data).await, Reply::Temp(_)), "{}", String::from_utf8_lossy(data));
    }
    let asked = memory.asked();
    for _ in 0..20 {
        lookups.reply(b"alias carol@ubuntu.com").await;
    }
    assert_eq!(memory.asked(), asked, "a table that failed a moment ago is left alone");
    wait(1_600).await;
    assert!(matches!(lookups.reply(ALICE).await, Reply::Temp(_)), "known for longer than it may be");
    memory.fail(false);
    wait(1_100).await;
    assert_eq!(lookups.reply(ALICE).await, Reply::Ok("alice@mail.example".into()));
    assert_eq!(lookups.reply(b"alias bob@ubuntu.com").await, Reply::NotFound);
}

#[tokio::test]
async fn other_settings_hold_at_once() {
    let memory = with_alice();
    let lookups = lookups(memory.clone(), millis(60_000, 60_000, 60_000));
    lookups.reply(ALICE).await;
    lookups.reply(ALICE).await;
    assert_eq!(memory.asked(), 1);
    let mut settings = settings(millis(0, 0, 0));
    settings.takes_tags = vec!["mail.example".parse().unwrap()];
    settings.operators = EmailAddress::parse("others@ops.example").unwrap();
    lookups.reload(&settings);
    assert_eq!(lookups.reply(b"alias alice+x@ubuntu.com").await, Reply::Ok("alice+x@mail.example".into()));
    assert_eq!(lookups.reply(b"alias abuse@kubuntu.org").await, Reply::Ok("others@ops.example".into()));
    assert_eq!(memory.asked(), 3);
}

/// More keys than fit: the cache stays within its bound.
#[tokio::test]
async fn the_cache_is_bounded() {
    let memory = Arc::new(Memory::default());
    let mut settings = settings(Patience::default());
    settings.cache_megabytes = 1;
    let lookups =
        membermail_alias_map::lookups::Lookups::new(memory.clone(), vec!["ubuntu.com".parse().unwrap()], &settings);
    for number in 0..20_000 {
        lookups.reply(format!("alias somebody{number}@ubuntu.com").as_bytes()).await;
    }
    let (entries, octets) = lookups.cache_size().await;
    assert!(octets <= 1024 * 1024 && entries > 500, "{entries} entries of {octets} octets");
}

/// A domain that is in the table and not in the community file.
fn with_unlisted() -> Arc<Memory> {
    let memory = with_alice();
    memory.list("old.example");
    memory.put("bob@old.example", "bob@mail.example");
    memory.put_answer("gone@old.example", Answer::Refuses(Status::Suspended, Reason::DomainRetired));
    memory
}

#[tokio::test]
async fn unlisted_domain_is_answered_as_before() {
    let memory = with_unlisted();
    let lookups = lookups(memory.clone(), Patience::default());
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
    // What forwards there would come back.
    memory.put("carol@ubuntu.com", "carol@old.example");
    assert!(
        matches!(lookups.reply(b"reject carol@ubuntu.com").await, Reply::Ok(text) if text.starts_with("550 5.4.6"))
    );
}

#[tokio::test]
async fn old_list_of_domains_outlasts_an_outage() {
    let memory = with_unlisted();
    let lookups = lookups(memory.clone(), millis(10, 10, 20));
    assert_eq!(lookups.reply(b"domain other.example").await, Reply::NotFound);
    memory.fail(true);
    wait(100).await;
    // Mail to other domains does not wait for the table; mail to this one does.
    assert_eq!(lookups.reply(b"domain other.example").await, Reply::NotFound);
    assert!(matches!(lookups.reply(b"domain old.example").await, Reply::Temp(_)));
}

#[tokio::test]
async fn silent_table_delays_no_other_domain() {
    let memory = with_unlisted();
    let lookups = lookups(memory.clone(), millis(10, 10, 20));
    assert!(lookups.list_domains().await.is_ok());
    memory.hangs.store(true, std::sync::atomic::Ordering::SeqCst);
    wait(100).await;
    let begin = Instant::now();
    assert_eq!(lookups.reply(b"alias bob@other.example").await, Reply::NotFound);
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn unknown_list_of_domains_lets_mail_wait() {
    let memory = with_unlisted();
    memory.fail(true);
    let lookups = lookups(memory.clone(), Patience::default());
    assert!(matches!(lookups.reply(b"domain old.example").await, Reply::Temp(_)));
}
