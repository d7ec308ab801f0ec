//! The copies of a domain's gate: a grant checks one copy, and all copies match the domain's item.

use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::community::Rules;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::Seen;
use membermail_core::random::OsRandom;
use membermail_store::{DomainCheck, GATE_COPIES, GrantOutcome, TeamProblem};

use crate::support::{Item, World, minutes, now, operator, text, ubuntu};

fn partition(domain: &DomainName, copy: u64) -> String {
    format!("DOMAIN#{domain}#GATE#{GATE_COPIES}#{copy}")
}

impl World {
    /// The items of a gate's copies; `None` for a missing item.
    async fn copies(&self, domain: &DomainName) -> Vec<Option<Item>> {
        let mut copies = Vec::new();
        for copy in 0..GATE_COPIES {
            copies.push(self.item(&partition(domain, copy), "GATE").await);
        }
        copies
    }

    /// The number of open copies.
    async fn open_copies(&self, domain: &DomainName) -> u64 {
        let copies = self.copies(domain).await;
        copies.iter().flatten().filter(|copy| copy.contains_key("is_open")).count() as u64
    }

    /// Asserts that all copies match the domain's item.
    async fn assert_gate_matches(&self, domain: &DomainName) {
        let stored = self.store.domain(domain).await.unwrap();
        let is_open = stored.verified.is_some() && stored.team_problem.is_none();
        let expected = if is_open { GATE_COPIES } else { 0 };
        assert_eq!(self.open_copies(domain).await, expected, "{stored:?}");
    }

    async fn remove_attributes(&self, domain: &DomainName, names: &[&str]) {
        let pk = format!("DOMAIN#{domain}");
        self.change_item(&pk, "DOMAIN", |item| item.retain(|name, _| !names.contains(&name.as_str()))).await;
    }

    /// Deletes all copies, as if their number had changed.
    async fn delete_gate(&self, domain: &DomainName) {
        self.remove_attributes(domain, &["gate"]).await;
        for copy in 0..GATE_COPIES {
            self.delete_item(&partition(domain, copy), "GATE").await;
        }
    }

    async fn check_record(&self, record: Seen, hours: i64) {
        let asked_at = minutes(hours * 60);
        let check = DomainCheck { record, mx: Mx::None, spf: Spf::Present, dmarc: Dmarc::None, asked_at };
        let grace = Rules::default().domain_grace();
        self.store.record_domain_check(&ubuntu(), &check, grace, operator(now()), &OsRandom).await.unwrap();
    }
}

#[tokio::test]
async fn grant_checks_gate_copy() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.delete_item("DOMAIN#ubuntu.com", "DOMAIN").await;
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Created { .. }));
}

#[tokio::test]
async fn copies_follow_each_change() {
    let world = World::new().await;
    let store = &world.store;
    let domain = ubuntu();
    assert_eq!(world.open_copies(&domain).await, GATE_COPIES);
    store.record_team(&domain, Some(TeamProblem::Missing), &OsRandom).await.unwrap();
    assert_eq!(world.open_copies(&domain).await, 0);
    store.record_team(&domain, Some(TeamProblem::Replaced), &OsRandom).await.unwrap();
    store.unverify_domain(&domain, operator(now()), &OsRandom).await.unwrap();
    store.record_team(&domain, None, &OsRandom).await.unwrap();
    assert_eq!(world.open_copies(&domain).await, 0, "the domain is not verified");
    world.check_record(Seen::Found, 1).await;
    assert_eq!(world.open_copies(&domain).await, GATE_COPIES);
    world.check_record(Seen::Missing, 2).await;
    world.check_record(Seen::Missing, 24 * 30).await;
    assert_eq!(world.open_copies(&domain).await, 0, "the grace period has ended");
    world.assert_gate_matches(&domain).await;
}

#[tokio::test]
async fn copies_match_after_concurrent_changes() {
    let world = World::new().await;
    let store = &world.store;
    let domain = ubuntu();
    for round in 0..6 {
        let problem = [None, Some(TeamProblem::Missing)][round % 2];
        // A change that loses too many races fails with a conflict and writes nothing.
        let _ = tokio::join!(
            store.record_team(&domain, problem, &OsRandom),
            store.unverify_domain(&domain, operator(now()), &OsRandom),
            store.verify_domain(&domain, operator(now()), &OsRandom),
            store.record_team(&domain, Some(TeamProblem::Replaced), &OsRandom),
        );
        world.assert_gate_matches(&domain).await;
    }
}

#[tokio::test]
async fn unchanged_check_writes_no_copy() {
    let world = World::new().await;
    let domain = ubuntu();
    world.check_record(Seen::Found, 1).await;
    world
        .change_item(&partition(&domain, 3), "GATE", |item| {
            item.remove("is_open");
            item.insert("mark".into(), text("x"));
        })
        .await;
    let before = world.copies(&domain).await;
    world.check_record(Seen::Found, 2).await;
    assert_eq!(world.copies(&domain).await, before);
}

#[tokio::test]
async fn missing_copies_are_repaired() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.delete_gate(&ubuntu()).await;
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Created { .. }));
    world.assert_gate_matches(&ubuntu()).await;
}

#[tokio::test]
async fn missing_copies_refuse_unavailable_team() {
    let world = World::new().await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.store.record_team(&ubuntu(), Some(TeamProblem::Missing), &OsRandom).await.unwrap();
    world.delete_gate(&ubuntu()).await;
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, GrantOutcome::Refused(Refusal::TeamUnavailable));
    world.assert_gate_matches(&ubuntu()).await;
}

#[tokio::test]
async fn stale_open_copies_close_at_check() {
    let world = World::new().await;
    // The domain's item was restored from a backup, its copies were not.
    world.remove_attributes(&ubuntu(), &["verified", "proof", "proof_version"]).await;
    assert_eq!(world.open_copies(&ubuntu()).await, GATE_COPIES);
    world.check_record(Seen::Missing, 1).await;
    assert_eq!(world.open_copies(&ubuntu()).await, 0);
}

#[tokio::test]
async fn members_are_spread_over_copies() {
    let world = World::new().await;
    let mut shards = std::collections::BTreeSet::new();
    for number in 0..40 {
        let member = world.member(&format!("m{number}"), "m@mail.example").await;
        let shard = member.id.shard(GATE_COPIES);
        assert!(shard < GATE_COPIES && shard == member.id.shard(GATE_COPIES));
        shards.insert(shard);
    }
    assert!(shards.len() > 8, "{shards:?}");
}
