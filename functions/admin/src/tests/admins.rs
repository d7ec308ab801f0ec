//! The admins of a domain: appointments, other permissions and removals.

use jiff::SignedDuration;
use membermail_core::admin::{Permission, Permissions};
use membermail_core::audit::{Actor, AdminChange, Change};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use rstest::rstest;

use super::{Browser, KUBUNTU, Page, UBUNTU, World, name};
use Permission::{Appoint, Ban, Decide, View};

const ADMINS: &str = "/admin/domains/ubuntu.com/admins";

fn set(permissions: &[Permission]) -> Permissions {
    permissions.iter().copied().collect()
}

impl World {
    async fn permissions_of(&self, member: MemberId) -> Option<Permissions> {
        let binding = self.store().admin_binding(&name(UBUNTU), member).await.unwrap();
        binding.map(|binding| binding.permissions)
    }

    async fn appoint(&self, admin: &Browser, address: &str, permissions: &[&str]) -> Page {
        let mut fields = vec![("address", address)];
        fields.extend(permissions.iter().map(|permission| ("permission", *permission)));
        admin.submit(self, ADMINS, &fields).await
    }

    async fn change(&self, admin: &Browser, member: MemberId, shown: &str, permissions: &[&str]) -> Page {
        let mut fields = vec![("shown", shown)];
        fields.extend(permissions.iter().map(|permission| ("permission", *permission)));
        admin.submit(self, &format!("{ADMINS}/{member}"), &fields).await
    }

    async fn remove(&self, admin: &Browser, member: MemberId, shown: &str) -> Page {
        admin.submit(self, &format!("{ADMINS}/{member}/remove"), &[("shown", shown)]).await
    }
}

#[tokio::test]
async fn admin_appoints_owner_of_address() {
    let world = World::new().await;
    let (amy, admin) = world.admin("amy", UBUNTU, &[Appoint, Ban]).await;
    let (bob, member) = world.resident("bob").await;
    world.advance(SignedDuration::from_secs(1));
    let page = world.appoint(&amy, " Bob@Ubuntu.com ", &["ban"]).await;
    assert_eq!(page.location(), ADMINS);
    assert_eq!(world.permissions_of(member.id).await, Some(set(&[View, Ban])));
    let history = world.store().history_of(member.id, 1).await.unwrap();
    assert_eq!((history[0].actor, history[0].by.clone()), (Actor::Admin, Some(admin.id.to_string())));
    let Change::Admin { did, permissions, .. } = &history[0].change else { panic!("{history:?}") };
    assert_eq!((*did, *permissions), (AdminChange::Added, Some(set(&[Ban]))));
    // Both see both, and only amy gets the forms.
    let [own, others] = [amy.get(&world, ADMINS).await, bob.get(&world, ADMINS).await];
    for page in [&own, &others] {
        assert!(page.text().contains("appointed by amy") && page.text().contains("appointed by the operators"));
        assert!(!page.text().contains("olivia"), "the operator is named");
    }
    assert!(own.text().contains("name=\"address\"") && !others.text().contains("<fieldset>"), "{}", others.text());
}

#[tokio::test]
async fn second_appointment_says_who_was_first() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Appoint]).await;
    let (eve, _) = world.admin("eve", UBUNTU, &[Appoint]).await;
    let (_, bob) = world.resident("bob").await;
    world.appoint(&amy, "bob@ubuntu.com", &[]).await;
    let page = world.appoint(&eve, "bob@ubuntu.com", &["appoint"]).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().contains("bob is an admin already") && page.text().contains("by amy"), "{}", page.text());
    assert_eq!(world.permissions_of(bob.id).await, Some(set(&[View])), "the second overwrote the first");
}

#[rstest]
#[case::unknown("carol@ubuntu.com")]
#[case::suspended("gone@ubuntu.com")]
#[case::other_community("bob@example.org")]
#[case::mailbox("bob@mail.example")]
#[case::name("bob")]
#[case::reserved("postmaster@ubuntu.com")]
#[case::tag("bob+x@ubuntu.com")]
#[case::huge(&"b".repeat(5_000))]
#[case::empty("")]
#[tokio::test]
async fn only_active_address_is_appointed(#[case] address: &str) {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Appoint]).await;
    world.resident("bob").await;
    let (_, gone) = world.resident("gone").await;
    let alias = "gone@ubuntu.com".to_owned().try_into().unwrap();
    world.store().delete_alias(&gone, &alias, world.cause(), &OsRandom).await.unwrap();
    let page = world.appoint(&amy, address, &[]).await;
    assert_eq!(page.status(), 422);
    assert!(page.text().contains("There is no such active address"), "{}", page.text());
    assert_eq!(world.store().admin_bindings(&name(UBUNTU)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn admin_gives_and_takes_own_permissions_only() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Appoint, Decide]).await;
    let (_, strong) = world.admin("strong", UBUNTU, &[Ban]).await;
    let (_, bob) = world.resident("bob").await;
    let cannot = async |page: Page| {
        assert_eq!(page.status(), 403);
        assert!(page.text().contains("You cannot give or take this permission"), "{}", page.text());
    };
    cannot(world.appoint(&amy, "bob@ubuntu.com", &["ban"]).await).await;
    assert_eq!(world.permissions_of(bob.id).await, None);
    cannot(world.change(&amy, strong.id, "view,ban", &["decide"]).await).await;
    cannot(world.remove(&amy, strong.id, "view,ban").await).await;
    assert_eq!(world.permissions_of(strong.id).await, Some(set(&[Ban])));
    let list = amy.get(&world, ADMINS).await;
    assert!(!list.text().contains(&format!("{}/remove", strong.id)), "{}", list.text());
}

#[tokio::test]
async fn unknown_permission_is_refused() {
    let world = World::new().await;
    let (amy, admin) = world.admin("amy", UBUNTU, &[Appoint]).await;
    world.resident("bob").await;
    for permission in ["root", "", "APPOINT", "view,appoint"] {
        assert_eq!(world.appoint(&amy, "bob@ubuntu.com", &[permission]).await.status(), 400, "{permission:?}");
        assert_eq!(world.change(&amy, admin.id, "view,appoint", &[permission]).await.status(), 400);
    }
}

#[tokio::test]
async fn last_appointer_stays() {
    let world = World::new().await;
    let (amy, admin) = world.admin("amy", UBUNTU, &[Appoint]).await;
    // Another who could appoint, but is banned, does not count.
    let (_, banned) = world.admin("banned", UBUNTU, &[Appoint]).await;
    world.store().ban(banned.id, world.cause(), &OsRandom).await.unwrap();
    for page in
        [world.remove(&amy, admin.id, "view,appoint").await, world.change(&amy, admin.id, "view,appoint", &[]).await]
    {
        assert_eq!(page.status(), 403);
        assert!(page.text().contains("You are the last who can appoint admins"), "{}", page.text());
    }
    assert_eq!(world.permissions_of(admin.id).await, Some(set(&[Appoint])));
    world.admin("eve", UBUNTU, &[Appoint]).await;
    assert_eq!(world.remove(&amy, admin.id, "view,appoint").await.location(), "/admin");
    assert_eq!(world.permissions_of(admin.id).await, None);
    assert_eq!(amy.get(&world, ADMINS).await.status(), 403);
}

#[rstest]
#[case::themselves(false, false)]
#[case::each_other(true, false)]
#[case::each_other_beside_a_third(true, true)]
#[tokio::test]
async fn two_admins_leave_an_appointer(#[case] each_other: bool, #[case] has_third: bool) {
    for _ in 0..10 {
        let world = World::new().await;
        if has_third {
            world.admin("cyd", UBUNTU, &[Appoint]).await;
        }
        let (amy, first) = world.admin("amy", UBUNTU, &[Appoint]).await;
        let (eve, second) = world.admin("eve", UBUNTU, &[Appoint]).await;
        let [of_amy, of_eve] = if each_other { [second.id, first.id] } else { [first.id, second.id] };
        let removals =
            tokio::join!(world.remove(&amy, of_amy, "view,appoint"), world.remove(&eve, of_eve, "view,appoint"));
        let removed = [removals.0.status(), removals.1.status()].into_iter().filter(|status| *status == 303).count();
        let left = [world.permissions_of(first.id).await, world.permissions_of(second.id).await];
        assert_eq!((removed, left.into_iter().flatten().count()), (1, 1));
    }
}

#[tokio::test]
async fn second_change_says_it_is_done() {
    let world = World::new().await;
    let all: Vec<_> = set(&[Decide, Ban, Appoint]).iter().collect();
    let (amy, _) = world.admin("amy", UBUNTU, &all).await;
    let (eve, _) = world.admin("eve", UBUNTU, &all).await;
    let (_, bob) = world.admin("bob", UBUNTU, &[Decide]).await;
    world.advance(SignedDuration::from_secs(1));
    assert_eq!(world.change(&amy, bob.id, "view,decide", &["ban"]).await.location(), ADMINS);
    // Eve still sees what bob could do before.
    let other = world.change(&eve, bob.id, "view,decide", &["appoint"]).await;
    assert!(other.status() == 200 && other.text().contains("changed meanwhile"), "{}", other.text());
    assert!(other.text().contains("by amy"), "{}", other.text());
    let same = world.change(&eve, bob.id, "view,decide", &["ban"]).await;
    assert!(same.status() == 200 && same.text().contains("already has these permissions"), "{}", same.text());
    assert_eq!(world.permissions_of(bob.id).await, Some(set(&[Ban])));
    assert_eq!(world.remove(&amy, bob.id, "view,ban").await.location(), ADMINS);
    for page in [world.remove(&eve, bob.id, "view,ban").await, world.change(&eve, bob.id, "view,ban", &[]).await] {
        assert_eq!(page.status(), 200);
        assert!(page.text().contains("bob is not an admin of this domain any more"), "{}", page.text());
    }
}

#[tokio::test]
async fn foreign_missing_and_malformed_admins_look_alike() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Appoint]).await;
    let (_, foreign) = world.admin("kim", KUBUNTU, &[Appoint]).await;
    let (_, resident) = world.resident("bob").await;
    let missing = "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
    for id in [foreign.id.to_string(), resident.id.to_string(), missing] {
        for action in ["", "/remove"] {
            let path = format!("{ADMINS}/{id}{action}");
            assert_eq!(amy.submit(&world, &path, &[("shown", "view,appoint")]).await.status(), 404, "{path}");
        }
    }
    let huge = "0".repeat(4_000);
    for id in ["..", "%2e%2e", "a%2Fb", "01ARZ3NDEKTSV4RRFFQ69G5FA", "-", huge.as_str()] {
        let path = format!("{ADMINS}/{id}/remove");
        assert_eq!(amy.submit(&world, &path, &[("shown", "view")]).await.status(), 404, "{path}");
    }
    let binding = world.store().admin_binding(&name(KUBUNTU), foreign.id).await.unwrap();
    assert!(binding.is_some(), "an admin of another domain was removed");
}

#[tokio::test]
async fn linked_admin_is_not_bound_twice() {
    let world = World::new().await;
    let (amy, admin) = world.admin("amy", UBUNTU, &[Appoint]).await;
    let page = world.appoint(&amy, "amy@ubuntu.com", &["appoint"]).await;
    assert!(page.status() == 200 && page.text().contains("amy is an admin already"), "{}", page.text());
    assert_eq!(world.permissions_of(admin.id).await, Some(set(&[Appoint])));
}

#[tokio::test]
async fn list_says_why_admin_cannot_act() {
    let world = World::new().await;
    let (amy, _) = world.admin("amy", UBUNTU, &[Appoint]).await;
    let (_, banned) = world.admin("banned", UBUNTU, &[View]).await;
    world.store().ban(banned.id, world.cause(), &OsRandom).await.unwrap();
    let page = amy.get(&world, ADMINS).await;
    assert!(page.text().contains("Cannot act at present: The member is banned."), "{}", page.text());
    assert!(page.text().contains("amy</bdi> (you)"), "{}", page.text());
}
