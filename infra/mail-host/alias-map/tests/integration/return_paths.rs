//! The maps of return-path addresses.

use std::sync::Arc;

use jiff::SignedDuration;
use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::protocol::Reply;
use membermail_alias_map::settings::CacheTtls;
use membermail_core::clock::Clock;
use membermail_core::master::MasterKeys;
use membermail_core::member::MemberId;
use membermail_return_path::ReturnPath;

use crate::support::{FakeSource, SECRET, clock, lookups, settings};

const MEMBER: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

async fn reply(lookups: &Lookups, map: &str, key: &str) -> String {
    lookups.reply(format!("{map} {key}").as_bytes()).await.to_data()
}

/// The return-path address of this sender.
async fn rewritten(lookups: &Lookups, sender: &str) -> String {
    let reply = reply(lookups, "return-path", sender).await;
    let address = reply.strip_prefix("OK ").unwrap_or_default();
    assert!(address.contains('@'), "{reply}");
    address.to_owned()
}

#[rstest::rstest]
#[case::plain("Ann.Lee@lists.example", 0)]
#[case::ses("0102018f0c8e3a4b-5c6d7e8f-1234-5678-9abc-def012345678-000000@eu-west-1.amazonses.com", 1)]
#[case::quoted("\"john doe\"@lists.example", 1)]
#[case::dot_at_end("\"dot.\"@lists.example", 1)]
#[case::address_literal("user@[192.0.2.1]", 1)]
#[case::percent("100%off@lists.example", 1)]
#[tokio::test]
async fn sender_returns(#[case] sender: &str, #[case] writes: usize) {
    let source = Arc::new(FakeSource::default());
    let lookups = lookups(source.clone(), CacheTtls::default());
    let address = rewritten(&lookups, sender).await;
    assert!(address.ends_with("@back.forwards.example") && address.len() <= 64 + 22, "{address}");
    for _ in 0..3 {
        assert_eq!(rewritten(&lookups, sender).await, address);
    }
    assert_eq!(source.queries(), writes, "writes");
    for key in [address.clone(), address.to_ascii_uppercase()] {
        assert_eq!(reply(&lookups, "return", &key).await, format!("OK {sender}"));
        assert_eq!(reply(&lookups, "sender", &key).await, "NOTFOUND ");
        assert_eq!(reply(&lookups, "reject", &key).await, "OK bounces_only");
        assert_eq!(reply(&lookups, "alias", &key).await, "NOTFOUND ");
        // A destination that forwards keeps it, and Postfix asks for its own result.
        assert_eq!(reply(&lookups, "return-path", &key).await, "NOTFOUND ");
    }
}

const FORGED: &str = "OK 550 5.7.1 This return path is not valid, or no longer";

#[rstest::rstest]
#[case::made_up("anybody@back.forwards.example", "NOTFOUND ", FORGED)]
#[case::upper_case("ANYBODY@BACK.FORWARDS.EXAMPLE", "NOTFOUND ", FORGED)]
#[case::made_up_token("rgiaaaaaaaaaa=lists.example=ann@back.forwards.example", "NOTFOUND ", FORGED)]
#[case::made_up_srs("SRS0=AAAA=BB=lists.example=ann@back.forwards.example", "NOTFOUND ", FORGED)]
#[case::quoted("\"a b\"@back.forwards.example", "NOTFOUND ", FORGED)]
#[case::role("postmaster@back.forwards.example", "NOTFOUND ", FORGED)]
#[case::no_local_part("@back.forwards.example", "NOTFOUND ", FORGED)]
#[case::null_sender("", "NOTFOUND ", "NOTFOUND ")]
#[case::null_sender_of_access("<>", "NOTFOUND ", "NOTFOUND ")]
#[case::domain("back.forwards.example", "NOTFOUND ", "NOTFOUND ")]
#[case::foreign("ann@lists.example", "NOTFOUND ", "NOTFOUND ")]
#[case::foreign_below("ann@x.back.forwards.example", "NOTFOUND ", "NOTFOUND ")]
#[case::angle_bracket("\"a>b\"@lists.example", "NOTFOUND ", "OK 553 5.1.7 Bounces could not be sent to this address")]
#[case::not_ascii("j\u{f6}rg@lists.example", "NOTFOUND ", "OK 553 5.1.7 Bounces could not be sent to this address")]
#[tokio::test]
async fn key_without_token(#[case] key: &str, #[case] recipient: &str, #[case] sender: &str) {
    let lookups = lookups(Arc::default(), CacheTtls::default());
    assert_eq!(reply(&lookups, "return", key).await, recipient);
    assert_eq!(reply(&lookups, "sender", key).await, sender);
}

#[rstest::rstest]
#[case::null_sender("")]
#[case::quoted_null_sender("\"\"")]
#[case::domain_of_canonical("@lists.example")]
#[case::no_domain("postmaster")]
#[tokio::test]
async fn part_of_sender_is_not_rewritten(#[case] key: &str) {
    let lookups = lookups(Arc::default(), CacheTtls::default());
    assert_eq!(reply(&lookups, "return-path", key).await, "NOTFOUND ");
}

#[tokio::test]
async fn token_of_other_domain_is_forged() {
    let source = Arc::new(FakeSource::default());
    let community = vec!["ubuntu.com".parse().unwrap()];
    let mut settings = settings(CacheTtls::default());
    settings.return_path_domain = "back.elsewhere.example".parse().unwrap();
    let elsewhere = Lookups::new(source.clone(), community, &settings, clock());
    let address = rewritten(&elsewhere, "ann@lists.example").await;
    let moved = address.replace("elsewhere", "forwards");
    let here = lookups(source, CacheTtls::default());
    assert_eq!(reply(&here, "return", &moved).await, "NOTFOUND ");
    assert_eq!(reply(&here, "sender", &moved).await, FORGED);
    // In a domain of the community it is an unknown address.
    let moved = address.replace("back.elsewhere.example", "ubuntu.com");
    assert_eq!(reply(&here, "return", &moved).await, "NOTFOUND ");
}

#[tokio::test]
async fn token_expires() {
    let source = Arc::new(FakeSource::default());
    let clock = clock();
    let community = vec!["ubuntu.com".parse().unwrap()];
    let lookups = Lookups::new(source, community, &settings(CacheTtls::default()), clock.clone());
    let addresses = [rewritten(&lookups, "ann@lists.example").await, rewritten(&lookups, "a..b@lists.example").await];
    for (days, returned, sender) in [(14, "OK ", "NOTFOUND "), (1, "NOTFOUND ", FORGED)] {
        clock.advance(SignedDuration::from_hours(24 * days));
        for address in &addresses {
            assert!(reply(&lookups, "return", address).await.starts_with(returned));
            assert_eq!(reply(&lookups, "sender", address).await, sender);
        }
    }
}

#[tokio::test]
async fn notice_returns_member() {
    let lookups = lookups(Arc::default(), CacheTtls::default());
    let keys = MasterKeys::new(SECRET.as_bytes().to_vec().into(), None);
    let return_path = ReturnPath::new(&keys, "back.forwards.example".parse().unwrap());
    let address = return_path.for_notice(MemberId::parse(MEMBER).unwrap(), clock().now());
    assert_eq!(reply(&lookups, "return", address.expose()).await, format!("OK notice={MEMBER}"));
}

#[tokio::test]
async fn token_survives_key_rotation() {
    let source = Arc::new(FakeSource::default());
    let before = lookups(source.clone(), CacheTtls::default());
    let addresses = [rewritten(&before, "ann@lists.example").await, rewritten(&before, "a..b@lists.example").await];
    *source.secret.lock().unwrap() = Some("the new master secret, which is as long");
    let after = lookups(source, CacheTtls::default());
    for address in addresses {
        assert!(reply(&after, "return", &address).await.starts_with("OK "));
        assert_ne!(rewritten(&after, "ann@lists.example").await, address);
    }
}

/// The mail is deferred, so that no mail leaves whose bounces would be lost. A plain sender needs no table.
#[tokio::test]
async fn unusual_sender_waits_for_table() {
    let source = Arc::new(FakeSource::default());
    let lookups = lookups(source.clone(), CacheTtls::default());
    let known = rewritten(&lookups, "known.@lists.example").await;
    source.fail(true);
    assert!(matches!(lookups.reply(b"return-path dot.@lists.example").await, Reply::Temp(_)));
    assert!(matches!(lookups.reply(b"return-path ann@lists.example").await, Reply::Ok(_)));
    assert_eq!(rewritten(&lookups, "known.@lists.example").await, known);
    assert!(matches!(lookups.reply(format!("return {known}").as_bytes()).await, Reply::Temp(_)));
    assert_eq!(reply(&lookups, "sender", &known).await, "NOTFOUND ");
}

#[tokio::test]
async fn missing_secret_defers_mail() {
    let source = Arc::new(FakeSource::default());
    source.sealed.store(true, std::sync::atomic::Ordering::SeqCst);
    let lookups = lookups(source, CacheTtls::default());
    for (data, is_deferred) in [
        ("return-path ann@lists.example", true),
        ("return anybody@back.forwards.example", true),
        ("sender anybody@back.forwards.example", true),
        ("sender ann@lists.example", false),
        ("return ann@lists.example", false),
        ("alias postmaster@back.forwards.example", false),
    ] {
        assert_eq!(matches!(lookups.reply(data.as_bytes()).await, Reply::Temp(_)), is_deferred, "{data}");
    }
}
