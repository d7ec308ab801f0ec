//! Members hear when they become an admin, get other permissions, or are no admin any more.

use membermail_core::admin::{Permission, Permissions};
use membermail_core::audit::Change;
use membermail_core::random::OsRandom;
use membermail_store::{FirstDestination, Linked, Member};
use ulid::Ulid;

use super::people::{ALICE, People, domain};

impl People {
    async fn appoint(&self, member: &Member, permissions: &[Permission]) -> Ulid {
        let permissions = permissions.iter().copied().collect();
        assert!(
            self.store()
                .bind_admin(&domain(), member.id, permissions, self.cause(), &OsRandom)
                .await
                .unwrap()
                .is_some()
        );
        self.last_role(member).await
    }

    async fn dismiss(&self, member: &Member) -> Ulid {
        self.advance(1);
        assert!(
            self.store().unbind_admin(&domain(), member.id, None, self.cause(), &OsRandom).await.unwrap().is_some()
        );
        self.last_role(member).await
    }

    /// The entry of the latest change of a member's role.
    async fn last_role(&self, member: &Member) -> Ulid {
        let history = self.store().history_of(member.id, 10).await.unwrap();
        history.into_iter().find(|entry| matches!(entry.change, Change::Admin { .. })).unwrap().id
    }

    /// The subjects and texts of the mails about a role.
    fn role_mails(&self, address: &str) -> Vec<String> {
        let mails = self.mails_to(address).into_iter();
        let mails = mails.map(|mail| format!("{} {}", mail.subject, mail.text.replace('\n', " ")));
        mails.filter(|text| text.contains("admin")).collect()
    }
}

#[tokio::test]
async fn new_admin_gets_link_to_console() {
    let people = People::new().await;
    let alice = people.alice().await;
    let entry = people.appoint(&alice, &[Permission::Ban]).await;
    people.notify(entry).await;
    // Delivered twice.
    people.notify(entry).await;
    let mails = people.role_mails(ALICE);
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    for text in ["You are an admin of ubuntu.com now", "/admin/domains/ubuntu.com", "ban members", "see the pages"] {
        assert!(mail.contains(text), "{text}: {mail}");
    }
    assert!(!mail.contains("appoint and remove admins"), "{mail}");
}

#[tokio::test]
async fn changed_and_removed_admin_hears() {
    let people = People::new().await;
    let alice = people.alice().await;
    people.notify(people.appoint(&alice, &[Permission::View]).await).await;
    people.advance(1);
    let permissions = [[Permission::View].into_iter().collect(), Permissions::all()];
    let domain = domain();
    let changed = people.store().change_permissions(&domain, alice.id, permissions, None, people.cause(), &OsRandom);
    assert!(changed.await.unwrap().is_some());
    people.notify(people.last_role(&alice).await).await;
    people.notify(people.dismiss(&alice).await).await;
    let mails = people.role_mails(ALICE);
    let [_, changed, removed] = &mails[..] else { panic!("{mails:?}") };
    assert!(changed.contains("appoint and remove admins"), "{changed}");
    assert!(removed.contains("no longer an admin") && !removed.contains("/admin/domains"), "{removed}");
}

#[tokio::test]
async fn superseded_role_sends_no_mail() {
    let people = People::new().await;
    let alice = people.alice().await;
    let appointed = people.appoint(&alice, &[Permission::View]).await;
    let removed = people.dismiss(&alice).await;
    people.notify(appointed).await;
    assert_eq!(people.role_mails(ALICE), Vec::<String>::new());
    people.advance(1);
    let again = people.appoint(&alice, &[Permission::View]).await;
    people.notify(removed).await;
    assert_eq!(people.role_mails(ALICE), Vec::<String>::new());
    people.notify(again).await;
    assert_eq!(people.role_mails(ALICE).len(), 1);
}

#[tokio::test]
async fn linked_admin_hears_at_survivor() {
    let people = People::new().await;
    let alice = people.alice().await;
    let appointed = people.appoint(&alice, &[Permission::View]).await;
    let survivor = people.sign_in("alex", "alex@mail.example", FirstDestination::Confirmed).await;
    let linked = people.store().link(&survivor, &alice, people.cause(), &OsRandom).await.unwrap();
    assert!(matches!(linked, Linked::Done(_)));
    people.notify(appointed).await;
    assert_eq!((people.role_mails("alex@mail.example").len(), people.role_mails(ALICE).len()), (1, 0));
}
