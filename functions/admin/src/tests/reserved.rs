//! Reserved names.

use jiff::SignedDuration;
use membermail_core::admin::Permission::{Decide, View};
use membermail_core::audit::{Actor, Change, NameChange};

use super::{KUBUNTU, UBUNTU, World, name};

const RESERVED: &str = "/admin/domains/ubuntu.com/reserved";
const RELEASE: &str = "/admin/domains/ubuntu.com/reserved/release";

#[tokio::test]
async fn name_is_reserved_and_released() {
    let world = World::new().await;
    let (amy, admin) = world.admin("amy", UBUNTU, &[Decide]).await;
    let (eve, _) = world.admin("eve", UBUNTU, &[Decide]).await;
    assert_eq!(amy.submit(&world, RESERVED, &[("name", " Council ")]).await.location(), RESERVED);
    let list = amy.get(&world, RESERVED).await;
    assert!(list.text().contains("Since 24 November 2026, by amy") && list.text().contains("postmaster"));
    let again = eve.submit(&world, RESERVED, &[("name", "council")]).await;
    assert!(again.status() == 200 && again.text().contains("council was reserved on"), "{}", again.text());
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(amy.submit(&world, RELEASE, &[("name", "council")]).await.location(), RESERVED);
    let again = eve.submit(&world, RELEASE, &[("name", "council")]).await;
    assert!(again.status() == 200 && again.text().contains("council is not reserved any more"), "{}", again.text());
    let log = world.store().audit(Some(&name(UBUNTU)), "2026-11").await.unwrap();
    let changes = log.iter().filter_map(|entry| match &entry.change {
        Change::Name { did, .. } => Some((*did, entry.actor, entry.by.clone())),
        _ => None,
    });
    let by_amy = |did| (did, Actor::Admin, Some(admin.id.to_string()));
    assert_eq!(changes.collect::<Vec<_>>(), [by_amy(NameChange::Reserved), by_amy(NameChange::Released)]);
}

#[tokio::test]
async fn only_local_parts_are_reserved() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Decide]).await;
    let huge = "a".repeat(65);
    for text in ["", "a b", "council+x", "council@ubuntu.com", "..", "<b>", "ä", huge.as_str()] {
        let page = amy.submit(&world, RESERVED, &[("name", text)]).await;
        assert_eq!(page.status(), 422, "{text}");
    }
    let page = amy.submit(&world, RESERVED, &[("name", "postmaster")]).await;
    assert!(page.status() == 200 && page.text().contains("reserved in every domain"), "{}", page.text());
    for fields in [&[][..], &[("name", "a"), ("name", "b")]] {
        assert_eq!(amy.submit(&world, RESERVED, fields).await.status(), 400);
        assert_eq!(amy.submit(&world, RELEASE, fields).await.status(), 400);
    }
    assert!(world.store().reserved_names(&name(UBUNTU)).await.unwrap().is_empty());
}

#[tokio::test]
async fn foreign_reservation_stays() {
    let world = World::new().await;
    let (kim, _) = world.admin("kim", KUBUNTU, &[Decide]).await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Decide]).await;
    kim.submit(&world, "/admin/domains/kubuntu.org/reserved", &[("name", "council")]).await.location();
    let page = amy.submit(&world, RELEASE, &[("name", "council")]).await;
    assert_eq!(page.status(), 200, "it looks like one that does not exist");
    assert_eq!(world.store().reserved_names(&name(KUBUNTU)).await.unwrap().len(), 1);
    assert!(!amy.get(&world, RESERVED).await.text().contains("by kim"));
}

#[tokio::test]
async fn viewer_gets_no_forms() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[View]).await;
    let page = amy.get(&world, RESERVED).await;
    assert!(page.status() == 200 && !page.text().contains("name=\"name\""), "{}", page.text());
}
