use membermail_core::alias::{Alias, Reason};
use membermail_core::member::{Fingerprint, MemberId, ObservedName};
use membermail_core::random::CountingRandom;

use super::*;
use crate::aliases::{Delivery, put_alias};

const UBUNTU: &str = "ubuntu.com";

/// A table with these active addresses at ubuntu.com, and one more at kubuntu.org.
async fn store(names: impl IntoIterator<Item = String>) -> Store {
    let store = Store::in_memory();
    for name in names {
        put(&store, &format!("{name}@{UBUNTU}"), Status::Active).await;
    }
    put(&store, "alice@kubuntu.org", Status::Active).await;
    store
}

async fn put(store: &Store, address: &str, status: Status) {
    let now = jiff::Timestamp::UNIX_EPOCH;
    let alias = Alias {
        address: address.to_owned().try_into().unwrap(),
        member: MemberId::new(now, &CountingRandom::default()),
        known_as: ObservedName { name: "alice".parse().unwrap(), fingerprint: Fingerprint(7), observed_at: now },
        status,
        reason: Reason::Eligible,
        since: now,
        until: None,
        version: 1,
        erase_pending: false,
    };
    assert!(store.write(put_alias(&alias, Delivery::default()).unwrap()).await.unwrap());
}

fn numbered(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("member{number:05}"))
}

async fn page(store: &Store, search: &AddressSearch) -> (Vec<String>, Option<LocalPart>) {
    let page = store.search_addresses(&UBUNTU.parse().unwrap(), search).await.unwrap();
    (page.found.into_iter().map(|stored| stored.alias.address.to_string()).collect(), page.next)
}

fn search(prefix: &str, status: Option<Status>) -> AddressSearch {
    AddressSearch { prefix: prefix.parse().unwrap(), status, after: None }
}

/// All pages of a search.
async fn pages(store: &Store, mut search: AddressSearch) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    loop {
        let (found, next) = page(store, &search).await;
        all.push(found);
        if next.is_none() {
            return all;
        }
        search.after = next;
    }
}

#[tokio::test]
async fn pages_cover_the_domain_once() {
    let store = store(numbered(2 * PAGE + 1)).await;
    let pages = pages(&store, search("", None)).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [PAGE, PAGE, 1]);
    let expected = numbered(2 * PAGE + 1).map(|name| format!("{name}@{UBUNTU}"));
    assert_eq!(pages.concat(), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn full_last_page_has_no_next() {
    let store = store(numbered(PAGE)).await;
    assert_eq!(page(&store, &search("", None)).await.1, None);
}

#[tokio::test]
async fn prefix_selects_addresses() {
    let store = store(["al", "alice", "bob", "malice"].map(str::to_owned)).await;
    assert_eq!(
        page(&store, &search("al", None)).await,
        (vec!["al@ubuntu.com".into(), "alice@ubuntu.com".into()], None)
    );
    assert_eq!(page(&store, &search("x", None)).await, (vec![], None));
}

#[tokio::test]
async fn cursor_need_not_exist() {
    let store = store(["alice", "bob"].map(str::to_owned)).await;
    let after = |local_part: &str| AddressSearch { after: local_part.parse().ok(), ..AddressSearch::default() };
    assert_eq!(page(&store, &after("alicf")).await.0, ["bob@ubuntu.com"]);
    assert_eq!(page(&store, &after("zoe")).await.0, [""; 0]);
    // A cursor of another prefix begins at the first page.
    let foreign = AddressSearch { prefix: "al".parse().unwrap(), ..after("bob") };
    assert_eq!(page(&store, &foreign).await.0, ["alice@ubuntu.com"]);
}

#[tokio::test]
async fn status_is_found_among_others() {
    let store = store(numbered(2 * STRIDE)).await;
    put(&store, "a@ubuntu.com", Status::Suspended).await;
    put(&store, "z@ubuntu.com", Status::Suspended).await;
    let (found, next) = page(&store, &search("", Some(Status::Suspended))).await;
    assert_eq!((found, next), (vec!["a@ubuntu.com".into(), "z@ubuntu.com".into()], None));
}

#[tokio::test]
async fn page_reads_limited_number() {
    let store = store(numbered(READ_AT_MOST)).await;
    put(&store, "z@ubuntu.com", Status::Suspended).await;
    let pages = pages(&store, search("", Some(Status::Suspended))).await;
    assert_eq!(pages, [vec![], vec!["z@ubuntu.com".to_owned()]]);
}
