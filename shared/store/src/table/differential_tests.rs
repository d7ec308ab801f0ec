//! Runs random operations on the in-memory table and on DynamoDB, and compares the results.
//!
//! Needs a DynamoDB: without `MEMBERMAIL_STACK` it is skipped. Numbers are integers, and ordering comparisons have operands
//! of orderable types only: DynamoDB refuses other expressions.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Operation {
    Get(Key),
    BatchGet(Vec<Key>),
    Write(Write),
    Update(Key, Update, Option<Condition>),
    Transact(Vec<Write>),
    Query(Query),
    ByMember,
    Scan(Condition),
}

/// The comparable part of a result: items without the order of sets, and errors by kind.
#[derive(Debug, PartialEq)]
enum Outcome {
    Item(Option<Item>),
    Items(Vec<Item>),
    Written(bool),
    Updated(Updated),
    Transacted(Transacted),
    Error { is_retryable: bool },
}

fn key() -> impl Strategy<Value = Key> {
    (0..2, 0..3).prop_map(|(pk, sk)| Key { pk: format!("P{pk}"), sk: format!("S#{sk}") })
}

fn orderable() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![(-2..12_i64).prop_map(number), "[a-c]{1,2}".prop_map(text)]
}

fn value() -> impl Strategy<Value = AttributeValue> {
    prop_oneof![
        4 => orderable(),
        1 => any::<bool>().prop_map(AttributeValue::Bool),
        1 => prop::collection::btree_set("[a-c]", 1..3).prop_map(|set| AttributeValue::Ss(set.into_iter().collect())),
        2 => orderable().prop_map(|value| AttributeValue::M(Item::from([("x".to_owned(), value)]))),
        1 => prop::collection::vec(orderable(), 0..2).prop_map(AttributeValue::L),
    ]
}

fn any_path() -> impl Strategy<Value = condition::Path> {
    prop::sample::select(vec!["a", "b", "c", "a.x", "missing", "pk"]).prop_map(path)
}

fn comparison() -> impl Strategy<Value = Condition> {
    prop_oneof![
        any_path().prop_map(condition::Path::exists),
        any_path().prop_map(condition::Path::not_exists),
        (any_path(), value()).prop_map(|(path, value)| path.eq(value)),
        (any_path(), value()).prop_map(|(path, value)| path.ne(value)),
        (any_path(), orderable()).prop_map(|(path, value)| path.lt(value)),
        (any_path(), orderable()).prop_map(|(path, value)| path.le(value)),
        (any_path(), orderable()).prop_map(|(path, value)| path.gt(value)),
        (any_path(), prop::collection::vec(value(), 1..3)).prop_map(|(path, values)| path.is_in(values)),
        (any_path(), "[abP]{1,2}").prop_map(|(path, prefix)| path.begins_with(prefix)),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    comparison().prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| one.and(other)),
            (inner.clone(), inner).prop_map(|(one, other)| one.or(other)),
        ]
    })
}

/// Boxed: nested value trees do not fit on the stack of a test thread.
fn update() -> BoxedStrategy<Update> {
    let updates = NAMES.map(|name| attribute_update(name).boxed()).prop_map(|updates| {
        let mut all = Update::new();
        all.0.extend(updates.into_iter().flatten().flat_map(|update| update.0));
        // A transaction refuses an empty update.
        if all.0.is_empty() { all.remove("d") } else { all }
    });
    updates.boxed()
}

fn attribute_update(name: &'static str) -> impl Strategy<Value = Option<Update>> {
    prop_oneof![
        3 => Just(None),
        3 => value().prop_map(move |value| Some(Update::new().set(name, value))),
        1 => value().prop_map(move |value| Some(Update::new().set_if_not_exists(name, value))),
        1 => Just(Some(Update::new().increment(name))),
        2 => Just(Some(Update::new().count(name))),
        1 => "[a-c]".prop_map(move |word| Some(Update::new().insert(name, word))),
        1 => Just(Some(Update::new().remove(name))),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let attributes = prop::collection::hash_map(prop::sample::select(NAMES.map(str::to_owned).to_vec()), value(), 0..3);
    (attributes, prop::option::of("[xy]@d")).prop_map(|(mut item, address)| {
        if let Some(address) = address {
            item.insert("member".to_owned(), text("M"));
            item.insert("address".to_owned(), text(address));
        }
        item
    })
}

fn write() -> impl Strategy<Value = Write> {
    let slot = prop::sample::select(vec![Slot::Other, Slot::Alias, Slot::Profile]);
    let bare = (key(), item(), update(), 0..4).prop_map(|(key, mut item, update, kind)| match kind {
        0 => {
            item.extend(key.to_item());
            Write::put_raw(item).unwrap()
        }
        1 | 2 => Write::update(&key, update),
        _ => Write::delete(&key),
    });
    (bare, slot, prop::option::of(condition())).prop_map(|(write, slot, condition)| match condition {
        Some(condition) => write.slot(slot).when(condition),
        None => write.slot(slot),
    })
}

fn query() -> impl Strategy<Value = Query> {
    (0..2, 0..4, any::<bool>(), prop::option::of(condition_without_keys()), prop::option::of(1..3)).prop_map(
        |(pk, range, is_descending, filter, limit)| {
            let mut query = Query::partition(format!("P{pk}"), Consistency::Strong);
            query = match range {
                0 => query,
                1 => query.begins_with("S#"),
                2 => query.before("S#2"),
                _ => query.between("S#1", "S#2"),
            };
            if is_descending {
                query = query.descending();
            }
            if let Some(filter) = filter {
                query = query.filter(filter);
            }
            match limit {
                Some(limit) => query.limit(limit),
                None => query,
            }
        },
    )
}

/// DynamoDB refuses a filter on the keys of a query.
fn condition_without_keys() -> impl Strategy<Value = Condition> {
    let filter_path = prop::sample::select(vec!["a", "b.x", "missing"]).prop_map(path);
    (filter_path, orderable(), 0..3).prop_map(|(path, value, kind)| match kind {
        0 => path.exists(),
        1 => path.ne(value),
        _ => path.le(value),
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        1 => key().prop_map(Operation::Get),
        1 => prop::collection::vec(key(), 1..3).prop_map(|keys| Operation::BatchGet(distinct(keys, Key::clone))),
        6 => write().prop_map(Operation::Write),
        3 => (key(), update(), prop::option::of(condition())).prop_map(|(key, update, c)| Operation::Update(key, update, c)),
        4 => prop::collection::vec(write(), 1..4).prop_map(|writes| Operation::Transact(distinct(writes, |write| write.key.clone()))),
        3 => query().prop_map(Operation::Query),
        1 => Just(Operation::ByMember),
        1 => condition().prop_map(Operation::Scan),
    ]
}

/// DynamoDB refuses two operations on one item, and some emulators do not.
fn distinct<T>(all: Vec<T>, key: impl Fn(&T) -> Key) -> Vec<T> {
    let mut seen = HashSet::new();
    all.into_iter().filter(|item| seen.insert(key(item))).collect()
}

async fn run(store: &Store, operation: Operation) -> Outcome {
    let outcome = match operation {
        Operation::Get(key) => {
            store.get_raw(&key, Consistency::Strong).await.map(|item| Outcome::Item(item.map(sorted)))
        }
        Operation::BatchGet(keys) => {
            store.backend.batch_get(&keys).await.map(|items| Outcome::Items(all_sorted(items)))
        }
        Operation::Write(write) => store.write(write).await.map(Outcome::Written),
        Operation::Update(key, update, condition) => {
            store.update_and_load(&key, update, condition).await.map(|updated| {
                Outcome::Updated(match updated {
                    Updated::Done(item) => Updated::Done(sorted(item)),
                    Updated::ConditionFailed(item) => Updated::ConditionFailed(item.map(sorted)),
                })
            })
        }
        Operation::Transact(writes) => store.commit(writes).await.map(Outcome::Transacted),
        Operation::Query(query) => pages(store, &query).await,
        Operation::ByMember => pages(store, &Query::by_member("M")).await.map(with_sorted_ties),
        Operation::Scan(filter) => scan(store, filter).await,
    };
    outcome.unwrap_or_else(|error| Outcome::Error { is_retryable: error.is_retryable() })
}

/// All pages of a query. A page that reaches the limit has a cursor in DynamoDB even where no item is left; in some
/// emulators it has none.
async fn pages(store: &Store, query: &Query) -> Result<Outcome, StoreError> {
    let mut items = Vec::new();
    let mut next = None;
    loop {
        let page = store.query_page(query, next).await?;
        items.extend(page.items.into_iter().map(sorted));
        next = page.next;
        if next.is_none() {
            return Ok(Outcome::Items(items));
        }
    }
}

/// The index is ordered by address. Items with the same address come in any order, since index keys are not unique.
fn with_sorted_ties(outcome: Outcome) -> Outcome {
    let Outcome::Items(items) = outcome else { return outcome };
    let addresses: Vec<_> = items.iter().map(|item| item["address"].as_s().unwrap().clone()).collect();
    assert!(addresses.is_sorted(), "{addresses:?}");
    let mut items = all_sorted(items);
    items.sort_by_key(|item| item["address"].as_s().unwrap().clone());
    Outcome::Items(items)
}

/// All segments, page by page: their order and their pages differ between tables.
async fn scan(store: &Store, filter: Condition) -> Result<Outcome, StoreError> {
    let mut items = Vec::new();
    for segment in 0..2 {
        let scan = Scan { segment, total_segments: 2, limit: 2, filter: filter.clone() };
        let mut next = None;
        loop {
            let page = store.scan_page(&scan, next).await?;
            items.extend(page.items);
            match page.next {
                Some(cursor) => next = Some(Cursor::after(&cursor.key()?)),
                None => break,
            }
        }
    }
    Ok(Outcome::Items(all_sorted(items)))
}

fn all_sorted(items: Vec<Item>) -> Vec<Item> {
    let mut items: Vec<_> = items.into_iter().map(sorted).collect();
    items.sort_by_key(|item| Key::of_item(item).map(|key| (key.pk, key.sk)).unwrap());
    items
}

fn sorted(mut item: Item) -> Item {
    for value in item.values_mut() {
        if let AttributeValue::Ss(set) = value {
            set.sort();
        }
    }
    item
}

async fn compare(client: Client, name: &str, operations: Vec<Operation>) -> Result<(), TestCaseError> {
    let dynamodb = Store::create(client.clone(), name).await.unwrap();
    let memory = Store::in_memory();
    for operation in operations {
        let real = run(&dynamodb, operation.clone()).await;
        prop_assert_eq!(run(&memory, operation.clone()).await, real, "{:?}", operation);
    }
    let everything = item_exists();
    let left = scan(&dynamodb, everything.clone()).await.unwrap();
    prop_assert_eq!(scan(&memory, everything).await.unwrap(), left);
    client.delete_table().table_name(name).send().await.unwrap();
    Ok(())
}

#[test]
fn memory_behaves_like_dynamodb() {
    let Ok(stack) = std::env::var("MEMBERMAIL_STACK") else {
        eprintln!("skipped: the differential test needs DynamoDB, set MEMBERMAIL_STACK");
        return;
    };
    let stack: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(stack).unwrap()).unwrap();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(stack["dynamodb_url"].as_str().unwrap())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
        .build();
    let client = Client::from_conf(config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let count = AtomicU32::new(0);
    let cases = Config { cases: 100, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    TestRunner::new(cases)
        .run(&prop::collection::vec(operation(), 1..25), |operations| {
            let name = format!("differential-{}-{}", std::process::id(), count.fetch_add(1, Ordering::Relaxed));
            runtime.block_on(compare(client.clone(), &name, operations))
        })
        .unwrap();
}
