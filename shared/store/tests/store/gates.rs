//! The copies of a domain's gate: grants check one of them, and all of them say what the domain says.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::alias::Refusal;
use membermail_core::community::Rules;
use membermail_core::domain_mail::{Dmarc, Mx, Spf};
use membermail_core::domain_proof::Seen;
use membermail_core::random::OsRandom;
use membermail_store::{DomainCheck, GATE_COPIES, Grant, TeamProblem};

use crate::support::{World, community, now, operator};

fn ubuntu() -> DomainName {
    community()[0].clone()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

impl World {
    /// The copies of a gate as DynamoDB has them; none where there is no item.
    async fn copies(&self, domain: &DomainName) -> Vec<Option<HashMap<String, AttributeValue>>> {
        let mut copies = Vec::new();
        for copy in 0..GATE_COPIES {
            let request = self.client.get_item().table_name(&self.table).consistent_read(true);
            let request = request.key("pk", text(&format!("DOMAIN#{domain}#GATE#{GATE_COPIES}#{copy}")));
            copies.push(request.key("sk", text("GATE")).send().await.unwrap().item);
        }
        copies
    }

    /// How many copies of a gate are open.
    async fn open_copies(&self, domain: &DomainName) -> u64 {
        let copies = self.copies(domain).await;
        copies.iter().flatten().filter(|copy| copy.contains_key("is_open")).count() as u64
    }

    /// All copies say what the domain says.
    async fn gate_agrees(&self, domain: &DomainName) {
        let stored = self.store.domain(domain).await.unwrap();
        let gives = stored.verified.is_some() && stored.team_problem.is_none();
        let expected = if gives { GATE_COPIES } else { 0 };
        assert_eq!(self.open_copies(domain).await, expected, "{stored:?}");
    }

    async fn change_domain(&self, domain: &DomainName, expression: &str) {
        let update = self.client.update_item().table_name(&self.table).key("pk", text(&format!("DOMAIN#{domain}")));
        update.key("sk", text("DOMAIN")).update_expression(expression).send().await.unwrap();
    }

    /// The table as a release without gates left it.
    async fn forget_gate(&self, domain: &DomainName) {
        self.change_domain(domain, "REMOVE gate").await;
        for copy in 0..GATE_COPIES {
            let request = self.client.delete_item().table_name(&self.table);
            let request = request.key("pk", text(&format!("DOMAIN#{domain}#GATE#{GATE_COPIES}#{copy}")));
            request.key("sk", text("GATE")).send().await.unwrap();
        }
    }

    async fn checks_record(&self, record: Seen, hours: i64) {
        let asked_at = now() + SignedDuration::from_hours(hours);
        let (mx, spf, dmarc) = (Mx::None, Spf::Present, Dmarc::None);
        let check = DomainCheck { record, mx, spf, dmarc, asked_at };
        let grace = Rules::default().domain_grace();
        self.store.record_domain_check(&ubuntu(), &check, grace, "request-1", &OsRandom).await.unwrap();
    }
}

#[tokio::test]
async fn grant_checks_copy_not_domain_item() {
    let world = World::new("gate-copy").await;
    let alice = world.member("alice", "alice@mail.example").await;
    let delete = world.client.delete_item().table_name(&world.table).key("pk", text("DOMAIN#ubuntu.com"));
    delete.key("sk", text("DOMAIN")).send().await.unwrap();
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Created { .. }));
}

#[tokio::test]
async fn copies_follow_each_change() {
    let world = World::new("gate-changes").await;
    let (store, domain) = (&world.store, ubuntu());
    assert_eq!(world.open_copies(&domain).await, GATE_COPIES);
    store.record_team(&domain, Some(TeamProblem::Missing), &OsRandom).await.unwrap();
    assert_eq!(world.open_copies(&domain).await, 0);
    store.record_team(&domain, Some(TeamProblem::Replaced), &OsRandom).await.unwrap();
    store.unverify_domain(&domain, operator(now()), &OsRandom).await.unwrap();
    store.record_team(&domain, None, &OsRandom).await.unwrap();
    assert_eq!(world.open_copies(&domain).await, 0, "the domain is not verified");
    world.checks_record(Seen::Found, 1).await;
    assert_eq!(world.open_copies(&domain).await, GATE_COPIES);
    world.checks_record(Seen::Missing, 2).await;
    world.checks_record(Seen::Missing, 24 * 30).await;
    assert_eq!(world.open_copies(&domain).await, 0, "the grace period of the domain is over");
    world.gate_agrees(&domain).await;
}

#[tokio::test]
async fn copies_agree_after_concurrent_changes() {
    let world = World::new("gate-race").await;
    let (store, domain) = (&world.store, ubuntu());
    for round in 0..6 {
        let problem = [None, Some(TeamProblem::Missing)][round % 2];
        // A change that loses too many races is reported as a conflict and has written nothing.
        let _ = tokio::join!(
            store.record_team(&domain, problem, &OsRandom),
            store.unverify_domain(&domain, operator(now()), &OsRandom),
            store.verify_domain(&domain, operator(now()), &OsRandom),
            store.record_team(&domain, Some(TeamProblem::Replaced), &OsRandom),
        );
        world.gate_agrees(&domain).await;
    }
}

#[tokio::test]
async fn unchanged_look_writes_no_copy() {
    let world = World::new("gate-look").await;
    let domain = ubuntu();
    world.checks_record(Seen::Found, 1).await;
    let copy = format!("DOMAIN#{domain}#GATE#{GATE_COPIES}#3");
    let mark = world.client.update_item().table_name(&world.table).key("pk", text(&copy)).key("sk", text("GATE"));
    let mark =
        mark.update_expression("REMOVE is_open SET mark = :mark").expression_attribute_values(":mark", text("x"));
    mark.send().await.unwrap();
    let before = world.copies(&domain).await;
    world.checks_record(Seen::Found, 2).await;
    assert_eq!(world.copies(&domain).await, before);
}

#[tokio::test]
async fn table_without_copies_gives_addresses() {
    let world = World::new("gate-missing").await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.forget_gate(&ubuntu()).await;
    assert!(matches!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Created { .. }));
    world.gate_agrees(&ubuntu()).await;
}

#[tokio::test]
async fn table_without_copies_refuses_unavailable_team() {
    let world = World::new("gate-refuses").await;
    let alice = world.member("alice", "alice@mail.example").await;
    world.store.record_team(&ubuntu(), Some(TeamProblem::Missing), &OsRandom).await.unwrap();
    world.forget_gate(&ubuntu()).await;
    assert_eq!(world.grant(&alice, "alice@ubuntu.com").await, Grant::Refused(Refusal::TeamUnavailable));
    world.gate_agrees(&ubuntu()).await;
}

#[tokio::test]
async fn copies_left_open_close_at_check() {
    let world = World::new("gate-old-writer").await;
    // An earlier release takes the domain's verification back and knows no copies.
    world.change_domain(&ubuntu(), "REMOVE verified, proof, proof_version").await;
    assert_eq!(world.open_copies(&ubuntu()).await, GATE_COPIES);
    world.checks_record(Seen::Missing, 1).await;
    assert_eq!(world.open_copies(&ubuntu()).await, 0);
}

#[tokio::test]
async fn members_are_spread_over_copies() {
    let world = World::new("gate-spread").await;
    let mut shards = std::collections::BTreeSet::new();
    for number in 0..40 {
        let member = world.member(&format!("m{number}"), "m@mail.example").await;
        let shard = member.id.shard(GATE_COPIES);
        assert!(shard < GATE_COPIES && shard == member.id.shard(GATE_COPIES));
        shards.insert(shard);
    }
    assert!(shards.len() > 8, "{shards:?}");
}
