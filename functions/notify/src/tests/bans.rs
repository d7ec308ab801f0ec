//! The mail about a banned member's addresses gives the reason that an admin wrote.

use membermail_core::audit::Comment;
use membermail_core::random::OsRandom;
use membermail_store::{FirstDestination, Linked, Member};

use super::mailbox::Mail;
use super::people::{ALICE, People};

impl People {
    /// Bans a member and returns the mail about the address.
    async fn ban(&self, member: &Member, reason: Option<&str>) -> Mail {
        let reason: Option<Comment> = reason.map(|text| text.parse().unwrap());
        let ban = self.store().ban_and_suspend(member, reason.as_ref(), self.cause(), &OsRandom).await.unwrap();
        let [(_, entry)] = ban.changed[..] else { panic!("{ban:?}") };
        self.notify(entry).await;
        let mut mails = self.mails_to(ALICE);
        assert_eq!(mails.len(), 1);
        mails.remove(0)
    }
}

#[tokio::test]
async fn mail_gives_reason_of_ban() {
    let people = People::new().await;
    let alice = people.alice().await;
    let mail = people.ban(&alice, Some("You sent advertisements.")).await;
    assert!(mail.text.contains("Reason: You sent advertisements."), "{}", mail.text);
}

#[tokio::test]
async fn mail_omits_missing_reason() {
    let people = People::new().await;
    let alice = people.alice().await;
    let mail = people.ban(&alice, None).await;
    assert!(mail.text.contains("has blocked your account") && !mail.text.contains("Reason:"), "{}", mail.text);
}

#[tokio::test]
async fn linked_member_gets_reason_too() {
    let people = People::new().await;
    let alice = people.alice().await;
    let survivor = people.sign_in("alex", "alex@mail.example", FirstDestination::Confirmed).await;
    let linked = people.store().link(&survivor, &alice, people.cause(), &OsRandom).await.unwrap();
    assert!(matches!(linked, Linked::Done(_)));
    let mail = people.ban(&people.reload(survivor.id).await, Some("spam")).await;
    assert!(mail.text.contains("Reason: spam"), "{}", mail.text);
}

#[tokio::test]
async fn late_mail_omits_lifted_reason() {
    let people = People::new().await;
    let alice = people.alice().await;
    let reason = "spam".parse().unwrap();
    let ban = people.store().ban_and_suspend(&alice, Some(&reason), people.cause(), &OsRandom).await.unwrap();
    people.advance(1);
    people.store().unban(alice.id, people.cause(), &OsRandom).await.unwrap();
    people.notify(ban.changed[0].1).await;
    assert!(people.mails_to(ALICE).iter().all(|mail| !mail.text.contains("spam")));
}
