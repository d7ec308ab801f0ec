use super::*;

#[test]
fn different_parts_have_different_keys() {
    assert_ne!(nonce("a", "bc"), nonce("ab", "c"));
    assert_ne!(nonce("", "a"), nonce("a", ""));
    assert_eq!(state(&"long".repeat(1000)).pk.len(), "STATE#".len() + 64);
}

/// A new kind of item of a member fails here, until it is in [`MemberItem`]: then the compiler asks the export for it.
#[test]
fn kinds_of_member_items_are_complete() {
    let random = membermail_core::random::CountingRandom::default();
    let member = MemberId::new(Timestamp::UNIX_EPOCH, &random);
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let address = Address::try_from("alice@ubuntu.com".to_owned()).unwrap();
    let subject = membermail_core::member::Subject::parse("https://login.example.org/+id/alice").unwrap();
    let identity = Identity { issuer: "https://login.example.org/+openid".into(), subject };
    let known = [
        (profile(member), MemberItem::Profile),
        (refusal(member, &domain), MemberItem::Refusal),
        (destination(member, DestinationId::new(Timestamp::UNIX_EPOCH, &random)), MemberItem::Destination),
        (session_of(member, "hash"), MemberItem::Session),
        (history(member, Ulid::nil()), MemberItem::History),
        (undo(member, Ulid::nil()), MemberItem::Undo),
        (test_message(member, &address), MemberItem::TestMessage),
        (identity_of(member, &identity), MemberItem::Identity),
        (addresses(member, &domain), MemberItem::Addresses),
    ];
    for (key, kind) in &known {
        assert_eq!((&key.pk, MemberItem::of(&key.sk)), (&profile(member).pk, Some(*kind)));
    }
    assert!(MemberItem::iter().all(|kind| known.iter().any(|(_, listed)| *listed == kind)));
    let written = include_str!("keys.rs").matches(concat!("key(format!(\"MEMBER", "#{member}\")")).count();
    assert_eq!(written, known.len(), "a key of a member is missing in this test");
    assert_eq!(MemberItem::of("NEWS#1"), None);
}

#[test]
fn outbox_entries_use_all_shards() {
    let random = membermail_core::random::OsRandom;
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..1600 {
        let entry = membermail_core::member::ulid(Timestamp::UNIX_EPOCH, &random);
        *counts.entry(outbox(entry).pk).or_insert(0) += 1;
    }
    let expected: Vec<_> = (0..OUTBOX_SHARDS).map(outbox_shard).collect();
    assert_eq!(counts.keys().cloned().collect::<Vec<_>>(), expected);
    assert!(counts.values().all(|count| (20..400).contains(count)), "{counts:?}");
}

#[test]
fn months_are_in_utc() {
    assert_eq!(month("2026-11-30T23:59:59Z".parse().unwrap()), "2026-11");
    assert_eq!(month("2026-12-01T00:30:00+01:00".parse().unwrap()), "2026-11");
}
