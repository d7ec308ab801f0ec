//! Who is told what by mail: once, in their language, whatever comes twice, is lost, or is refused for a while.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::Address;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::eligibility::Outcome;
use membermail_core::email::EmailAddress;
use membermail_core::language::Language;
use membermail_core::member::{ClaimedIdentifier, Identity, LaunchpadId, LaunchpadName};
use membermail_core::message::{Digest, Failure, Notify, ToNotify, Undeliverable};
use membermail_core::plan::Counts;
use membermail_core::random::OsRandom;
use membermail_store::{Asked, Grant, Member, Run, RunState, Sealer, Store};
use membermail_tests::mailbox::{Mail, Mailbox};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use serde_json::json;
use ulid::Ulid;

/// Long enough for functions to start on a busy machine, and for a few tries of a queue.
const PATIENCE: u64 = 120;
/// Long enough for a second mail to come, if there were one.
const A_WHILE: Duration = Duration::from_secs(4);
/// Answers for all domains of the community.
const ADMIN: &str = "ubuntu-admin@mail.example";
const OPERATORS: &str = "operators@notices.example";

/// Members made straight in the table, so that nothing tells of them but what the test sends.
struct World {
    stack: Stack,
    store: Store,
    sealer: Sealer,
    mail: Mailbox,
}

impl World {
    async fn new() -> Result<Self> {
        let stack = Stack::of_this_run()?;
        Ok(Self { store: stack.store().await, sealer: stack.sealer().await?, mail: stack.mailbox(), stack })
    }

    /// Somebody who signed in and is eligible.
    async fn member(&self, name: &str, email: &str) -> Result<Member> {
        let number: u64 = name.bytes().fold(7_000_000, |sum, byte| sum * 31 % 1_000_000_007 + u64::from(byte));
        let subject = ClaimedIdentifier::parse(&format!("https://login.notices.example/+id/{name}"))?;
        let identity = Identity { issuer: "https://login.notices.example/".into(), subject };
        let email = EmailAddress::parse(email)?;
        let now = SystemClock.now();
        let member = self.store.sign_in(&self.sealer, &identity, &email, now, &OsRandom).await?;
        let name = LaunchpadName::parse(name)?;
        let person = Some((LaunchpadId(number), &name));
        self.store.record_outcome(member.id, &Outcome::NoTeam, person, now).await?;
        self.store.member(member.id).await?.context("no member")
    }

    /// Gives them an address; its change lies in the outbox, as old as that, and no message was sent.
    async fn grant(&self, member: &Member, address: &str, age: SignedDuration) -> Result<Ulid> {
        let (address, now) = (Address::try_from(address.to_owned())?, SystemClock.now());
        let cause = Cause { actor: Actor::Member, by: None, request_id: "a-test", now: now.checked_sub(age)? };
        let asked = Asked { address: &address, eligible_at: now, renamed_from: None };
        let community = ["ubuntu.com".parse()?];
        match self.store.grant(&self.sealer, member, asked, &community, cause, &OsRandom).await? {
            Grant::Created { entry, .. } => Ok(entry),
            other => anyhow::bail!("{address}: {other:?}"),
        }
    }

    async fn send(&self, message: &ToNotify) -> Result<()> {
        let body = serde_json::to_string(message)?;
        let queue = &self.stack.notify_queue_url;
        self.stack.sqs().await.send_message().queue_url(queue).message_body(body).send().await?;
        Ok(())
    }

    async fn tell(&self, entry: Ulid) -> Result<()> {
        self.send(&ToNotify::Change(Notify { entry, request_id: "a-test".into() })).await
    }

    async fn until_told(&self, entry: Ulid) -> Result<()> {
        until("everybody to be told", Duration::from_secs(PATIENCE), || async move {
            Ok(self.store.untold(entry).await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits for so many, and a while longer for one too many.
    async fn exactly(&self, address: &str, count: usize) -> Result<Vec<Mail>> {
        self.mail.wait_for(address, count, PATIENCE).await?;
        tokio::time::sleep(A_WHILE).await;
        let mail = self.mail.to(address)?;
        ensure!(mail.len() == count, "{} came to {address}", mail.len());
        Ok(mail)
    }

    /// The admin of every domain has signed in: from now on digests come to them.
    async fn admin(&self) -> Result<()> {
        self.member("ubuntu-admin", ADMIN).await.map(drop)
    }

    /// What the admin was told in which this stands.
    fn told_admin(&self, text: &str) -> Result<Vec<Mail>> {
        Ok(self.mail.to(ADMIN)?.into_iter().filter(|mail| mail.text().contains(text)).collect())
    }

    async fn wait_for_admin(&self, text: &str) -> Result<Vec<Mail>> {
        until(&format!("a digest with {text}"), Duration::from_secs(PATIENCE), || async move {
            Ok(Some(self.told_admin(text)?).filter(|mail| !mail.is_empty()))
        })
        .await
    }

    /// What the operators were told in which this stands.
    fn told_operators(&self, text: &str) -> Result<Vec<Mail>> {
        Ok(self.mail.to(OPERATORS)?.into_iter().filter(|mail| mail.text().contains(text)).collect())
    }

    async fn wait_for_operators(&self, text: &str, count: usize) -> Result<Vec<Mail>> {
        until(&format!("{count} mails on {text}"), Duration::from_secs(PATIENCE), || async move {
            Ok(Some(self.told_operators(text)?).filter(|mail| mail.len() >= count))
        })
        .await
    }
}

fn old() -> SignedDuration {
    SignedDuration::from_mins(10)
}

fn fresh() -> SignedDuration {
    SignedDuration::ZERO
}

#[tokio::test]
async fn a_member_who_signs_in_is_told_of_the_address_in_their_language() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let stack = &world.stack;
    stack.change("member1506", json!({ "language": "ar" })).await?;
    for name in ["member1503", "member1506"] {
        let (browser, _) = stack.sign_in(name).await?;
        stack.page_with(&browser, &format!("{name}@ubuntu.com now forwards to"), PATIENCE).await?;
    }
    let mailbox = stack.mailbox();
    let mail = mailbox.wait_for("member1503@mail.example", 1, PATIENCE).await?;
    ensure!(mail[0].subject() == "member1503@ubuntu.com is yours", "{}", mail[0].subject());
    ensure!(mail[0].text().contains("Hello member1503"), "{}", mail[0].text());
    ensure!(mail[0].html().contains(r#"<html lang="en" dir="ltr">"#));
    ensure!(mail[0].header("Auto-Submitted") == "auto-generated");
    ensure!(mail[0].header("List-Id") == "Ubuntu mail <members-notices.notices.example>");
    ensure!(mail[0].header("Reply-To").contains("help@notices.example"));
    ensure!(!mail[0].header("Date").is_empty() && mail[0].message_id().ends_with(".member@notices.example"));

    let arabic = mailbox.wait_for("member1506@mail.example", 1, PATIENCE).await?;
    ensure!(arabic[0].subject().contains("أصبح العنوان"), "{}", arabic[0].subject());
    ensure!(arabic[0].html().contains(r#"<html lang="ar" dir="rtl">"#));
    ensure!(arabic[0].text().contains("مرحبًا") && arabic[0].text().contains("member1506@ubuntu.com"));

    // Who signs in again learns nothing new.
    stack.sign_in("member1503").await?;
    tokio::time::sleep(A_WHILE).await;
    ensure!(mailbox.to("member1503@mail.example")?.len() == 1);
    // The admins of the domain hear of it too.
    for name in ["member1503", "member1506"] {
        world.wait_for_admin(&format!("{name}@ubuntu.com: new")).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_same_message_twice_and_two_at_once_reach_people_once() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-twice", "n-twice@mail.example").await?;
    let entry = world.grant(&member, "n-twice@ubuntu.com", fresh()).await?;
    // Two at once, and more than one batch holds, so that several functions are at it at the same time.
    let sends: Vec<_> = (0..12).map(|_| world.tell(entry)).collect();
    for sent in sends {
        sent.await?;
    }
    world.until_told(entry).await?;
    world.tell(entry).await?;
    world.exactly("n-twice@mail.example", 1).await?;
    // Even where the outbox still has it: as after a crash between the mail and the note of it.
    ensure!(world.store.untold(entry).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_crash_between_change_and_message_loses_nothing() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-crash", "n-crash@mail.example").await?;
    let lost = world.grant(&member, "n-crash@ubuntu.com", old()).await?;
    let young = world.member("n-young", "n-young@mail.example").await?;
    let sent = world.grant(&young, "n-young@ubuntu.com", fresh()).await?;
    world.send(&ToNotify::Sweep).await?;
    world.until_told(lost).await?;
    world.exactly("n-crash@mail.example", 1).await?;
    // What is young has its message on the way, and here it has none.
    ensure!(world.store.untold(sent).await?.is_some() && world.mail.to("n-young@mail.example")?.is_empty());
    world.tell(sent).await?;
    world.until_told(sent).await?;
    // A second sweep finds nothing.
    world.send(&ToNotify::Sweep).await?;
    world.exactly("n-crash@mail.example", 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_server_that_refuses_for_a_while_delays_the_mail() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-later", "n-later@mail.example").await?;
    let refusal = world.mail.refuse("n-later@mail.example", "451 4.3.0 <n-later@mail.example> greylisted")?;
    let entry = world.grant(&member, "n-later@ubuntu.com", old()).await?;
    world.tell(entry).await?;
    until("a second try", Duration::from_secs(PATIENCE), || async {
        Ok((world.mail.refused("n-later@mail.example") >= 2).then_some(()))
    })
    .await?;
    ensure!(world.store.untold(entry).await?.is_some(), "told, though nothing went");
    // The queue is at it, so a sweep keeps away.
    ensure!(world.store.untold_before(SystemClock.now(), 1000).await?.iter().all(|other| other.id != entry));
    drop(refusal);
    world.until_told(entry).await?;
    world.exactly("n-later@mail.example", 1).await?;
    ensure!(world.told_operators("Launchpad name: n-later")?.is_empty(), "a delay is no error");
    Ok(())
}

#[tokio::test]
async fn a_server_that_does_not_answer_delays_mail_and_never_aliases() -> Result<()> {
    let world = World::new().await?;
    let refusal = world.mail.refuse("member1509@mail.example", "slow")?;
    let (browser, _) = world.stack.sign_in("member1509").await?;
    world.stack.page_with(&browser, "member1509@ubuntu.com now forwards to", PATIENCE).await?;
    until("the server to be asked", Duration::from_secs(PATIENCE), || async {
        Ok((world.mail.refused("member1509@mail.example") >= 1).then_some(()))
    })
    .await?;
    drop(refusal);
    world.exactly("member1509@mail.example", 1).await?;
    Ok(())
}

#[tokio::test]
async fn a_mailbox_that_is_none_is_told_to_the_operators_and_not_tried_again() -> Result<()> {
    let world = World::new().await?;
    let _refusal = world.mail.refuse("n-gone@mail.example", "550 5.1.1 <n-gone@mail.example>: no such user")?;
    let member = world.member("n-gone", "n-gone@mail.example").await?;
    let entry = world.grant(&member, "n-gone@ubuntu.com", fresh()).await?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    world.tell(entry).await?;
    let told = world.wait_for_operators("Launchpad name: n-gone", 1).await?;
    ensure!(told[0].subject() == "A notice was refused: 550 5.1.1", "{}", told[0].subject());
    // Neither what the server said nor the address of the member goes on from here.
    ensure!(!told[0].text().contains("mail.example") && told[0].text().contains("Request id: a-test"));
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.mail.refused("n-gone@mail.example") == 1, "tried again");
    ensure!(world.told_operators("Launchpad name: n-gone")?.len() == 1);
    Ok(())
}

#[tokio::test]
async fn a_destination_that_fails_is_told_where_the_member_signs_in() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-moved", "n-moved-old@mail.example").await?;
    let entry = world.grant(&member, "n-moved@ubuntu.com", fresh()).await?;
    // The provider knows another address since; the alias forwards to where it did.
    let member = world.member("n-moved", "n-moved-new@mail.example").await?;
    world.store.keep_language(&member, &Language::parse("ar")?).await?;
    let _refusal = world.mail.refuse("n-moved-old@mail.example", "552 5.2.2 over quota")?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    let mail = world.exactly("n-moved-new@mail.example", 2).await?;
    ensure!(mail[0].subject().contains("لا يصلك") && mail[0].text().contains("552 5.2.2"), "{}", mail[0].subject());
    ensure!(mail[1].subject().contains("أصبح العنوان"), "{}", mail[1].subject());

    // Whoever handles bounces says it in one message; once a day is enough.
    let bounced = Undeliverable {
        address: Address::try_from("n-moved@ubuntu.com".to_owned())?,
        reply: "550 5.1.1".into(),
        request_id: "a-test".into(),
    };
    world.send(&ToNotify::Undeliverable(bounced)).await?;
    world.wait_for_operators("Launchpad name: n-moved", 2).await?;
    world.exactly("n-moved-new@mail.example", 2).await?;
    Ok(())
}

#[tokio::test]
async fn a_sync_of_five_hundred_is_one_mail_to_the_admins() -> Result<()> {
    const CHANGES: usize = 500;
    let world = World::new().await?;
    world.admin().await?;
    let domain = "edubuntu.org".parse()?;
    let now = SystemClock.now();
    let address = |number| Address::try_from(format!("n-crowd{number:03}@edubuntu.org"));
    let member = world.member("n-crowd", "n-crowd@mail.example").await?;
    // The changes as one run leaves them; the message that sends them comes when all are there, as it does after the
    // seconds that it is delayed by.
    world.store.digest_due(&domain, now.checked_add(SignedDuration::from_mins(10))?).await?;
    for number in 0..CHANGES - 1 {
        let change = membermail_core::audit::Change::Alias {
            member: member.id,
            address: address(number)?,
            before: None,
            after: membermail_core::alias::Status::Active,
            reason: membermail_core::alias::Reason::Eligible,
            until: None,
            renamed_from: None,
        };
        let cause = Cause { actor: Actor::Sync, by: Some("a-run"), request_id: "a-test", now };
        world.store.gather(&domain, &membermail_core::audit::Entry::new(change, cause, &OsRandom)).await?;
    }
    let entry = world.grant(&member, &address(CHANGES - 1)?.to_string(), fresh()).await?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    // A message each would have come, had they come apart.
    let digest = || Digest { domain: domain.clone(), request_id: "a-test".into() };
    for _ in 0..12 {
        world.send(&ToNotify::Digest(digest())).await?;
    }
    let told = world.wait_for_admin("n-crowd000@edubuntu.org: new").await?;
    ensure!(told[0].subject() == "500 changes at edubuntu.org", "{}", told[0].subject());
    ensure!(told[0].text().contains("New: 500") && told[0].text().contains("And 400 more"), "{}", told[0].text());
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.told_admin("n-crowd")?.len() == 1);
    ensure!(!world.store.has_news(&domain).await?);
    Ok(())
}

#[tokio::test]
async fn an_admin_who_signed_in_is_told_and_a_digest_waits_for_a_full_server() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let refusal = world.mail.refuse(ADMIN, "452 4.3.1 no room")?;
    let member = world.member("n-news", "n-news@mail.example").await?;
    let entry = world.grant(&member, "n-news@lubuntu.me", fresh()).await?;
    world.tell(entry).await?;
    // The member hears of it all the same, and the change is done with.
    world.until_told(entry).await?;
    world.exactly("n-news@mail.example", 1).await?;
    until("the server to be asked", Duration::from_secs(PATIENCE), || async {
        Ok((world.mail.refused(ADMIN) >= 1).then_some(()))
    })
    .await?;
    // What changes while the digest waits is not in it, and not forgotten.
    let entry = world.grant(&member, "n-later-news@lubuntu.me", fresh()).await?;
    world.tell(entry).await?;
    world.until_told(entry).await?;
    drop(refusal);
    world.wait_for_admin("n-news@lubuntu.me: new").await?;
    tokio::time::sleep(A_WHILE).await;
    let mail = world.told_admin("n-news@lubuntu.me")?;
    ensure!(mail.len() == 1, "{} came", mail.len());
    world.wait_for_admin("n-later-news@lubuntu.me: new").await?;
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.told_admin("n-later-news@lubuntu.me")?.len() == 1);
    ensure!(mail[0].header("List-Id") == "Ubuntu mail <admins-notices.notices.example>");
    Ok(())
}

#[tokio::test]
async fn a_held_sync_is_told_with_its_counts_and_the_commands() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let now = SystemClock.now();
    let id = membermail_core::member::ulid(now, &OsRandom);
    let run = Run {
        id,
        domain: "ubuntustudio.com".parse()?,
        state: RunState::Held,
        started: now,
        finished: Some(now),
        counts: Some(Counts { active: 40, taken: 12, leave: 12, ..Counts::default() }),
        digest: None,
        decided_by: None,
        failure: None,
        request_id: "a-test".into(),
    };
    let cause = Cause { actor: Actor::Sync, by: None, request_id: "a-test", now };
    let entry = world.store.finish_run(&run, Some((cause, &OsRandom))).await?.context("no entry")?;
    for _ in 0..3 {
        world.tell(entry).await?;
    }
    let told = world.wait_for_admin(&id.to_string()).await?;
    ensure!(told[0].subject() == "A sync of ubuntustudio.com waits for you", "{}", told[0].subject());
    let text = told[0].text();
    ensure!(text.contains("take 12 of 40 active addresses") && text.contains("To end after a grace: 12"), "{text}");
    ensure!(text.contains(&format!("membermail sync release {id}")), "{text}");
    world.until_told(entry).await?;
    tokio::time::sleep(A_WHILE).await;
    ensure!(world.told_admin(&id.to_string())?.len() == 1);
    Ok(())
}

#[tokio::test]
async fn what_becomes_of_a_domains_proof_is_told_to_its_admins() -> Result<()> {
    let world = World::new().await?;
    world.admin().await?;
    let domain = "ubuntustudio.com".parse()?;
    let cause = Cause { actor: Actor::Operator, by: Some("a test"), request_id: "a-test", now: SystemClock.now() };
    let before = world.store.untold_before(Timestamp::MAX, 10_000).await?;
    world.store.unverify_domain(&domain, cause, &OsRandom).await?;
    world.store.verify_domain(&domain, cause, &OsRandom).await?;
    let untold = world.store.untold_before(Timestamp::MAX, 10_000).await?;
    let new = untold.iter().filter(|entry| entry.domain() == Some(&domain) && !before.contains(entry));
    for entry in new {
        world.tell(entry.id).await?;
        world.until_told(entry.id).await?;
    }
    for text in ["took back that ubuntustudio.com counts", "membermail domain show ubuntustudio.com"] {
        world.wait_for_admin(text).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_same_error_of_the_same_member_is_mailed_once_an_interval() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-error", "n-error@mail.example").await?;
    let other = world.member("n-error2", "n-error2@mail.example").await?;
    let run = Unused::new();
    let report = async |id: &str, member: &Member| {
        world
            .send(&ToNotify::Failed(Failure {
                id: format!("{run}-{id}"),
                member: Some(member.id),
                step: "verify-member".into(),
                error: "Launchpad gave no answer that can be used".into(),
                cause: format!("status 503 ({id})"),
                request_id: format!("request-{id}"),
            }))
            .await
    };
    for id in ["1", "2", "2", "3", "1"] {
        report(id, &member).await?;
    }
    report("4", &other).await?;
    let first = world.wait_for_operators("Launchpad name: n-error\n", 1).await?;
    world.wait_for_operators("Launchpad name: n-error2\n", 1).await?;
    let text = first[0].text();
    ensure!(first[0].subject() == "verify-member gave up: Launchpad gave no answer that can be used");
    ensure!(text.contains("Step: verify-member") && text.contains("Request id: request-"), "{text}");
    ensure!(text.contains("Cause: status 503") && !text.contains("The same happened"), "{text}");
    // The interval is 30 seconds here, and no mail comes in it.
    tokio::time::sleep(Duration::from_secs(20)).await;
    ensure!(world.told_operators("Launchpad name: n-error\n")?.len() == 1);
    tokio::time::sleep(Duration::from_secs(12)).await;
    report("5", &member).await?;
    let mail = world.wait_for_operators("Launchpad name: n-error\n", 2).await?;
    ensure!(mail[1].text().contains("The same happened 2 more times"), "{}", mail[1].text());
    Ok(())
}

/// A word that no earlier run has used.
struct Unused(Ulid);

impl Unused {
    fn new() -> Self {
        Self(membermail_core::member::ulid(Timestamp::UNIX_EPOCH, &OsRandom))
    }
}

impl std::fmt::Display for Unused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[tokio::test]
async fn a_message_that_nobody_can_handle_reaches_the_operators_and_the_dead_letters() -> Result<()> {
    let world = World::new().await?;
    // Written for somebody whom the table does not have: no try helps.
    let wish = json!({
        "kind": "grant", "member": "01KAV0C1B5WQ0GZ0YB5R9E8QJ1", "name": "n-nobody", "domain": "ubuntu.com",
        "eligible_at": "2026-11-24T10:00:00Z", "request_id": "request-of-nobody",
    });
    let sqs = world.stack.sqs().await;
    sqs.send_message().queue_url(&world.stack.write_queue_url).message_body(wish.to_string()).send().await?;
    let told = world.wait_for_operators("request-of-nobody", 1).await?;
    ensure!(told[0].subject() == "write-aliases gave up: no such member", "{}", told[0].subject());
    until("the message among the dead letters", Duration::from_secs(PATIENCE), || async {
        let dead = sqs.receive_message().queue_url(&world.stack.write_dead_letters_url).max_number_of_messages(10);
        let dead = dead.visibility_timeout(1).send().await?;
        let found = dead.messages().iter().any(|one| one.body().is_some_and(|body| body.contains("request-of-nobody")));
        Ok(found.then_some(()))
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn no_log_of_the_notices_holds_an_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (browser, _) = stack.sign_in("member1512").await?;
    stack.page_with(&browser, "member1512@ubuntu.com now forwards to", PATIENCE).await?;
    stack.mailbox().wait_for("member1512@mail.example", 1, PATIENCE).await?;
    let mut looked = 0;
    for file in std::fs::read_dir(&stack.logs)? {
        let file = file?;
        if file.file_name().to_string_lossy().contains("Notify") {
            let text = std::fs::read_to_string(file.path())?;
            looked += text.lines().count();
            for address in ["@mail.example", "@ubuntu.com", "@notices.example", "@lubuntu.me"] {
                let line = text.lines().find(|line| line.contains(address));
                ensure!(line.is_none(), "{address} in {line:?}");
            }
        }
    }
    ensure!(looked > 0, "no log of notify in {}", stack.logs.display());
    Ok(())
}
