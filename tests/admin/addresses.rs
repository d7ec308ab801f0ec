//! The first page of 100,000 addresses, in the DynamoDB of the stack.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use futures_util::future::try_join_all;
use membermail_core::alias::Status;
use membermail_store::{ADDRESSES_PER_PAGE, AddressSearch, Store};
use serde_json::{Value, json};

use crate::support::{dynamodb, ubuntu};

const ADDRESSES: usize = 100_000;
/// Writers that fill the table at the same time.
const WRITERS: usize = 8;
/// The time of a page, of which the table has almost all: the rest of the function renders 50 rows.
const LIMIT: Duration = Duration::from_millis(300);

fn local_part(number: usize) -> String {
    format!("member{number:06}")
}

/// Every thousandth address is suspended.
fn alias(number: usize) -> Value {
    let local_part = local_part(number);
    let (status, reason) = if number % 1000 == 999 { ("suspended", "not-in-team") } else { ("active", "eligible") };
    json!({
        "pk": "DOMAIN#ubuntu.com",
        "sk": format!("ALIAS#{local_part}"),
        "address": format!("{local_part}@ubuntu.com"),
        "member": ulid::Ulid::from_parts(1, number as u128).to_string(),
        "name": local_part,
        "fingerprint": number,
        "observed_at": 1_795_514_400_000_000_u64,
        "status": status,
        "reason": reason,
        "since": "2026-11-24T10:00:00Z",
        "version": 1,
        "destinations": [ulid::Ulid::from_parts(2, number as u128).to_string()],
    })
}

async fn fill(client: &Client, table: &str) {
    let all: Vec<_> = (0..ADDRESSES).map(alias).collect();
    let parts = all.chunks(ADDRESSES / WRITERS);
    try_join_all(parts.map(|part| Store::put_raw_items(client, table, part))).await.unwrap();
}

#[tokio::test]
async fn first_page_of_100_000_is_fast() {
    let Some(client) = dynamodb().await else {
        eprintln!("skipped: this test needs DynamoDB, set MEMBERMAIL_STACK");
        return;
    };
    let table = format!("store-addresses-{}", std::process::id());
    let store = Store::create(client.clone(), &table).await.unwrap();
    fill(&client, &table).await;
    let after = |number: usize| local_part(number).parse().ok();
    let any = AddressSearch::default();
    let searches = [
        ("all", any.clone(), ADDRESSES_PER_PAGE),
        ("prefix", AddressSearch { prefix: "member0999".parse().unwrap(), ..any.clone() }, ADDRESSES_PER_PAGE),
        ("one", AddressSearch { prefix: local_part(77_777).parse().unwrap(), ..any.clone() }, 1),
        ("last page", AddressSearch { after: after(ADDRESSES - 2), ..any.clone() }, 1),
        ("suspended", AddressSearch { status: Some(Status::Suspended), ..any.clone() }, 3),
        ("suspended, later", AddressSearch { status: Some(Status::Suspended), after: after(50_000), ..any }, 3),
    ];
    for (name, search, found) in searches {
        let mut best = Duration::MAX;
        // Other tests use the machine too, which can only make a page slower.
        for _ in 0..5 {
            let started = Instant::now();
            let page = store.search_addresses(&ubuntu(), &search).await.unwrap();
            best = best.min(started.elapsed());
            assert_eq!(page.found.len(), found, "{name}");
        }
        eprintln!("{name}: {} ms", best.as_millis());
        assert!(best < LIMIT, "{name}: {best:?}");
    }
    client.delete_table().table_name(&table).send().await.unwrap();
}
