//! The audit log of a domain.

use jiff::SignedDuration;
use membermail_core::admin::Permission;
use membermail_core::audit::Entry;
use membermail_core::random::OsRandom;

use super::{Browser, KUBUNTU, UBUNTU, World, name};

const AUDIT: &str = "/admin/domains/ubuntu.com/audit";

/// A world whose admin has seen these many changes of their domain, one a minute, besides those of setting up.
async fn world(changes: usize) -> (World, Browser) {
    let world = World::new().await;
    let (browser, _) = world.admin("amy", UBUNTU, &[Permission::View]).await;
    for number in 0..changes {
        world.advance(SignedDuration::from_mins(1));
        for domain in [UBUNTU, KUBUNTU] {
            match number % 2 {
                0 => world.store().unverify_domain(&name(domain), world.cause(), &OsRandom).await.unwrap(),
                _ => world.store().verify_domain(&name(domain), world.cause(), &OsRandom).await.unwrap(),
            }
        }
    }
    (world, browser)
}

/// The query of the link to older entries.
fn older(page: &str) -> Option<String> {
    let links = page
        .split("href=\"")
        .filter_map(|part| part.split('"').next()?.strip_prefix("/admin/domains/ubuntu.com/audit?"));
    let query = links.into_iter().find(|query| query.contains("before="))?;
    Some(query.replace("&#38;", "&").replace("&amp;", "&"))
}

#[tokio::test]
async fn log_is_read_page_by_page() {
    let (world, browser) = world(120).await;
    let mut path = AUDIT.to_owned();
    let mut pages = Vec::new();
    loop {
        let page = browser.get(&world, &path).await;
        assert_eq!(page.status(), 200, "{}", page.text());
        pages.push(page.text().matches("<li class=\"card\">").count());
        match older(page.text()) {
            Some(query) => path = format!("{AUDIT}?{query}"),
            None => break,
        }
    }
    // 120 changes, the first verification, an address, an admin.
    assert_eq!(pages, [50, 50, 23]);
}

#[tokio::test]
async fn filters_choose_entries() {
    let (world, browser) = world(2).await;
    for (query, count) in [
        ("", 5),
        ("kind=domain", 3),
        ("kind=alias", 1),
        ("kind=admin&actor=operator", 1),
        ("actor=member", 0),
        ("address=amy", 1),
        ("address=%20AMY%20", 1),
        ("address=amy&kind=domain", 0),
        ("from=2026-11-24&to=2026-11-24", 5),
        ("to=2026-11-23", 0),
        ("from=2026-11-25", 0),
        ("from=0001-01-01&to=9999-12-31", 5),
        ("from=9999-12-31", 0),
    ] {
        let page = browser.get(&world, &format!("{AUDIT}?{query}")).await;
        assert_eq!(page.status(), 200, "{query}: {}", page.text());
        assert_eq!(page.text().matches("<li class=\"card\">").count(), count, "{query}");
        let export = browser.get(&world, &format!("{AUDIT}/export?{query}")).await;
        assert_eq!((export.status(), export.text().lines().count()), (200, count), "{query}");
    }
}

#[tokio::test]
async fn malformed_parameters_are_refused() {
    let (world, browser) = world(1).await;
    for query in [
        "kind=member",
        "actor=nobody",
        "from=yesterday",
        "to=2026-13-01",
        "before=x",
        "before=../..",
        "before=%00",
        "before=ZZZZZZZZZZZZZZZZZZZZZZZZZZZ",
    ] {
        let page = browser.get(&world, &format!("{AUDIT}?{query}")).await;
        assert_eq!(page.status(), 400, "{query}: {}", page.text());
    }
    let foreign = browser.get(&world, &format!("{AUDIT}?address=%3Cscript%3E&from=&to=")).await;
    assert!(foreign.status() == 200 && !foreign.text().contains("<script>"), "{}", foreign.text());
}

#[tokio::test]
async fn export_has_own_domain_only() {
    let (world, browser) = world(3).await;
    let page = browser.get(&world, &format!("{AUDIT}/export")).await;
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"audit.jsonl\"");
    assert_eq!(page.header("cache-control"), "no-store");
    let entries: Vec<Entry> = page.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(entries.iter().all(|entry| entry.domain() == Some(&name(UBUNTU))), "{entries:?}");
    assert!(entries.is_sorted_by(|one, next| one.at >= next.at) && entries.len() == 6, "{entries:?}");
}
