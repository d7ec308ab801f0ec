//! The maps over a fake of DynamoDB and Secrets Manager: the requests that they send, and their replies while a service
//! does not respond.

use std::sync::Arc;
use std::time::{Duration, Instant};

use membermail_alias_map::lookups::Lookups;
use membermail_alias_map::protocol::Reply;
use membermail_runtime::secret::REFRESH_INTERVAL;
use serde_json::json;

use crate::aws::{MEMBER, Shared, alias, bind, item, lookups, member, ok, text};

/// The maps over a table with an admin, a verified domain, and the aliases `alice0@` to `alice19@`.
async fn maps() -> (Arc<Lookups>, Shared) {
    let aws = Shared::default();
    member(&aws, MEMBER, "admin", "active");
    for number in 0..20 {
        let status = if number == 19 { "suspended" } else { "active" };
        alias(&aws, MEMBER, &format!("alice{number}@ubuntu.com"), status, "alice@mail.example");
    }
    bind(&aws, "ubuntu.com", MEMBER);
    item(&aws, "DOMAIN#ubuntu.com", "DOMAIN", json!({ "first_verified": text("2026-11-24T10:00:00Z") }));
    item(&aws, "DOMAIN#old.example", "DOMAIN", json!({ "first_verified": text("2026-11-24T10:00:00Z") }));
    item(&aws, "DOMAINS", "old.example", json!({ "domain": text("old.example") }));
    (lookups(&aws).await, aws)
}

/// Only the admins of a domain and the aliases of one of them are queried: the policy of the mail host allows no more.
#[tokio::test]
async fn reads_are_eventually_consistent() {
    let (lookups, aws) = maps().await;
    for (data, reply) in [
        ("domain ubuntu.com", ok("OK")),
        ("domain kubuntu.org", Reply::NotFound),
        ("domain old.example", ok("OK")),
        ("domain other.example", Reply::NotFound),
        ("alias alice0@ubuntu.com", ok("alice@mail.example")),
        ("alias zoe+tag@ubuntu.com", Reply::NotFound),
        ("alias postmaster@ubuntu.com", ok("admin@mail.example")),
        ("reject alice19@ubuntu.com", ok("550 5.2.1 This address is switched off")),
    ] {
        assert!(lookups.reply(data.as_bytes()).await == reply, "{data}");
    }
    let requests = &aws.lock().unwrap().requests;
    for (target, request) in requests {
        assert!(request["ConsistentRead"] != true, "{target} {request}");
        if target.ends_with(".BatchGetItem") {
            let keys = request["RequestItems"]["t"]["Keys"].as_array().unwrap();
            assert!(keys.iter().all(|key| key["pk"]["S"] == format!("MEMBER#{MEMBER}")), "{request}");
            continue;
        }
        let key = match target.as_str() {
            "DynamoDB_20120810.GetItem" => &request["Key"]["pk"]["S"],
            "DynamoDB_20120810.Query" if request["IndexName"] == "by-member" => continue,
            "DynamoDB_20120810.Query" => &request["ExpressionAttributeValues"][":pk"]["S"],
            _ => panic!("{target}"),
        };
        let key = key.as_str().unwrap();
        let lists = target.ends_with(".Query");
        assert!((key.starts_with("ADMINS#") || key == "DOMAINS") == lists, "{target} {key}");
        assert!(lists || key.starts_with("DOMAIN#") || key.starts_with("MEMBER#"), "{target} {key}");
    }
}

/// The sender is written before the reply, is sealed, and is read again by another host at once.
#[tokio::test]
async fn unusual_sender_is_stored_sealed() {
    let aws = Shared::default();
    let Reply::Ok(address) = lookups(&aws).await.reply(b"return-path \"john doe\"@lists.example").await else {
        panic!("no return path")
    };
    let (target, request) = aws.lock().unwrap().requests.last().cloned().unwrap();
    assert_eq!(target, "DynamoDB_20120810.PutItem");
    let token = address.split('@').next().unwrap();
    assert_eq!(request["Item"]["pk"]["S"], format!("RETURN#{token}"));
    // Midnight after the 14 days.
    assert_eq!(request["Item"]["expires"]["N"], "1797120000");
    assert!(!request.to_string().contains("john") && !request.to_string().contains("lists.example"), "{request}");

    let restored = lookups(&aws).await.reply(format!("return {address}").as_bytes()).await;
    assert!(restored == ok("\"john doe\"@lists.example"), "{}", restored.to_data());
    let (target, request) = aws.lock().unwrap().requests.last().cloned().unwrap();
    assert!(target.ends_with(".GetItem") && request["ConsistentRead"] == true, "{target} {request}");
}

#[tokio::test]
async fn outsider_with_admins_name_is_ignored() {
    const OUTSIDER: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";
    let aws = Shared::default();
    // The community file documents `ubuntu-admin`, who was renamed and never bound. Another person has the name now.
    member(&aws, OUTSIDER, "ubuntu-admin", "active");
    alias(&aws, OUTSIDER, "ubuntu-admin@ubuntu.com", "active", "outsider@mail.example");
    let maps = lookups(&aws).await;
    for key in ["postmaster", "abuse", "hostmaster", "devel-request"] {
        let reply = maps.reply(format!("alias {key}@ubuntu.com").as_bytes()).await;
        assert!(reply == ok("operators@ops.example"), "{key}: {}", reply.to_data());
    }
    // The binding is by member id, so that a rename does not matter.
    member(&aws, MEMBER, "renamed", "active");
    alias(&aws, MEMBER, "renamed@ubuntu.com", "active", "renamed@mail.example");
    bind(&aws, "ubuntu.com", MEMBER);
    assert!(lookups(&aws).await.reply(b"alias postmaster@ubuntu.com").await == ok("renamed@mail.example"));
}

#[rstest::rstest]
#[case::can_act("active", "active", "admin@mail.example")]
#[case::account_is_deactivated("deactivated", "active", "operators@ops.example")]
#[case::has_no_address("active", "suspended", "operators@ops.example")]
#[tokio::test]
async fn role_mail_goes_to_acting_admins(#[case] account: &str, #[case] status: &str, #[case] reader: &str) {
    let aws = Shared::default();
    member(&aws, MEMBER, "admin", account);
    alias(&aws, MEMBER, "anna@ubuntu.com", status, "admin@mail.example");
    bind(&aws, "ubuntu.com", MEMBER);
    assert!(lookups(&aws).await.reply(b"alias postmaster@ubuntu.com").await == ok(reader));
}

/// The community file no longer has the domain, and the aliases of its admins are in their grace period.
#[tokio::test]
async fn retiring_domain_keeps_its_admins() {
    let aws = Shared::default();
    member(&aws, MEMBER, "admin", "active");
    alias(&aws, MEMBER, "anna@old.example", "leaving", "admin@mail.example");
    let key = ("DOMAIN#old.example".to_owned(), "ALIAS#anna".to_owned());
    bind(&aws, "old.example", MEMBER);
    item(&aws, "DOMAINS", "old.example", json!({ "domain": text("old.example") }));
    assert!(lookups(&aws).await.reply(b"alias postmaster@old.example").await == ok("operators@ops.example"));
    aws.lock().unwrap().items.get_mut(&key).unwrap()["reason"] = text("domain-retired");
    assert!(lookups(&aws).await.reply(b"alias postmaster@old.example").await == ok("admin@mail.example"));
    assert!(lookups(&aws).await.reply(b"alias anna@old.example").await == ok("admin@mail.example"));
}

/// The cached keys are used, and at most one request waits for their refresh.
#[tokio::test]
async fn cached_keys_survive_secrets_manager_outage() {
    let (lookups, aws) = maps().await;
    assert!(lookups.reply(b"alias alice0@ubuntu.com").await == ok("alice@mail.example"));
    aws.lock().unwrap().secrets_manager_hangs = true;
    tokio::time::pause();
    tokio::time::advance(REFRESH_INTERVAL).await;
    tokio::time::resume();
    let mut all = tokio::task::JoinSet::new();
    for number in 1..10 {
        let lookups = Arc::clone(&lookups);
        all.spawn(async move {
            let begin = Instant::now();
            (lookups.reply(format!("alias alice{number}@ubuntu.com").as_bytes()).await, begin.elapsed())
        });
    }
    let mut slow = 0;
    for (reply, took) in all.join_all().await {
        assert!(reply == ok("alice@mail.example"), "{reply:?} after {took:?}");
        slow += usize::from(took > Duration::from_millis(500));
    }
    assert!(slow <= 1, "{slow} waited");
    for number in 10..19 {
        let begin = Instant::now();
        let key = format!("alias alice{number}@ubuntu.com");
        assert!(lookups.reply(key.as_bytes()).await == ok("alice@mail.example"));
        assert!(begin.elapsed() < Duration::from_millis(500), "{:?}", begin.elapsed());
    }
}
