//! Support for the tests of notices: members written to the table, messages to `notify`, and the mails sent.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use membermail_core::admin::Permissions;
use membermail_core::alias::GrantRequest;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::eligibility::{Account, Observation, Outcome, Person};
use membermail_core::email::EmailAddress;
use membermail_core::member::{Fingerprint, Identity, ObservedName, PersonName, Subject};
use membermail_core::message::NotifyMessage;
use membermail_core::random::OsRandom;
use membermail_store::{
    FirstDestination, GrantOutcome, Member, NewSession, Record, Recorded, Sealer, SignIn, Store, StoreError,
};
use membermail_test_mail_host::mailbox::{Mailbox, ReceivedMail};
use membermail_tests::stack::Stack;
use membermail_tests::table::{self, operator};
use membermail_tests::wait::{TIMEOUT, until, until_true};
use ulid::Ulid;

/// Long enough for a duplicate mail to arrive.
pub(crate) const DUPLICATE_WAIT: Duration = Duration::from_secs(4);
/// The admin of all domains of the community.
pub(crate) const ADMIN: &str = "n-admin@mail.example";
pub(crate) const OPERATORS: &str = "operators@notices.example";

/// Members written straight to the table, so that only the test's messages send mail.
pub(crate) struct World {
    pub(crate) stack: Stack,
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(crate) mail: Mailbox,
}

impl World {
    pub(crate) async fn new() -> Result<Self> {
        let stack = Stack::of_this_run()?;
        Ok(Self { store: stack.store().await, sealer: stack.sealer().await?, mail: stack.mailbox(), stack })
    }

    /// A member who signed in and is eligible.
    pub(crate) async fn member(&self, name: &str, email: &str) -> Result<Member> {
        let subject = Subject::parse(&format!("https://login.notices.example/+id/{name}"))?;
        let identity = Identity { issuer: "https://login.notices.example/".into(), subject };
        let address = EmailAddress::parse(email)?;
        let now = SystemClock.now();
        let session = NewSession { hash: name, expires: now };
        let sign_in = SignIn {
            identity: &identity,
            address: &address,
            language: None,
            destination: FirstDestination::Confirmed,
            session,
        };
        let member = self.store.sign_in(&self.sealer, sign_in, now, &OsRandom).await?;
        let person = Person {
            name: PersonName::parse(name)?,
            fingerprint: Fingerprint(1),
            account: Account::Active,
            signed_code_of_conduct: true,
        };
        let observation = Observation { person, observed_at: now };
        let record = Record {
            member: &member,
            observation: Some(&observation),
            outcome: Some((&Outcome::NoTeam, now)),
            claims_name_from: None,
            now,
        };
        let recorded = self.store.record(record, &OsRandom).await?;
        ensure!(recorded == Recorded::Recorded, "{name}: {recorded:?}");
        self.store.member(member.id).await?.context("no member")
    }

    /// Grants an address. Its outbox entry has this age, and no message was sent for it.
    pub(crate) async fn grant(&self, member: &Member, address: &str, age: SignedDuration) -> Result<Ulid> {
        let address = table::address(address)?;
        let now = SystemClock.now().checked_sub(age)?;
        let cause = Cause { actor: Actor::Member, by: None, request_id: "a-test", now };
        let known_as = member.observation.as_ref().map(Observation::name).context("not looked up")?;
        let known_as = ObservedName { observed_at: cause.now, ..known_as };
        let request =
            GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 10 };
        let community: Vec<_> = membermail_communities::community("ubuntu")?.domain_names().cloned().collect();
        match self.store.grant(member, request, &community, cause, &OsRandom).await? {
            GrantOutcome::Created { entry, .. } => Ok(entry),
            other => anyhow::bail!("{address}: {other:?}"),
        }
    }

    /// Deletes an alias: its owner is in no team, so that a sync of that domain would end it.
    pub(crate) async fn forget(&self, address: &str) -> Result<()> {
        let [pk, sk] = table::alias_keys(&table::address(address)?);
        let delete = self.stack.dynamodb().await.delete_item().table_name(&self.stack.table);
        delete.key("pk", pk).key("sk", sk).send().await?;
        Ok(())
    }

    pub(crate) async fn send(&self, message: &NotifyMessage) -> Result<()> {
        self.stack.send(&self.stack.notify_queue_url, message).await
    }

    /// Sends the message of an outbox entry.
    pub(crate) async fn enqueue(&self, entry: Ulid) -> Result<()> {
        self.send(&NotifyMessage::change(entry, "a-test")).await
    }

    /// Sends the message of an outbox entry, and waits until its notices are sent.
    pub(crate) async fn notify(&self, entry: Ulid) -> Result<()> {
        self.enqueue(entry).await?;
        self.wait_until_delivered(entry).await
    }

    pub(crate) async fn wait_until_delivered(&self, entry: Ulid) -> Result<()> {
        until_true("all notices to be sent", TIMEOUT, async || Ok(self.store.undelivered(entry).await?.is_none())).await
    }

    /// Waits for `count` mails, and then for a duplicate.
    pub(crate) async fn receives(&self, address: &str, count: usize) -> Result<Vec<ReceivedMail>> {
        self.mail.wait_for(address, count, TIMEOUT).await?;
        tokio::time::sleep(DUPLICATE_WAIT).await;
        let mail = self.mail.to(address)?;
        let subjects: Vec<_> = mail.iter().map(ReceivedMail::subject).collect();
        ensure!(mail.len() == count, "{subjects:?} came to {address}");
        Ok(mail)
    }

    /// Waits for the mail that an address is active, and then for a duplicate. A sync of the domain in another test may look up
    /// the owner of an old grant, who is in no team, and send a notice that the address is leaving.
    pub(crate) async fn receives_once(&self, destination: &str, alias: &str) -> Result<()> {
        let subject = format!("{alias} is yours");
        let count = || Ok(self.mail.to(destination)?.iter().filter(|mail| mail.subject() == subject).count());
        until_true(&format!("a mail {subject:?}"), TIMEOUT, async || count().map(|count| count >= 1)).await?;
        tokio::time::sleep(DUPLICATE_WAIT).await;
        ensure!(count()? == 1, "{} mails {subject:?}", count()?);
        Ok(())
    }

    /// Waits until mail to an address was refused `count` times.
    pub(crate) async fn wait_for_refusals(&self, address: &str, count: usize) -> Result<()> {
        until_true(&format!("{count} refusals of {address}"), TIMEOUT, async || Ok(self.mail.refused(address) >= count))
            .await
    }

    /// Binds the admin of every domain, with an active address where no test syncs; digests then go to them.
    pub(crate) async fn admin(&self) -> Result<()> {
        const ADDRESS: &str = "n-admin@ubuntustudio.com";
        // A look-up is stale if another test makes one at the same time.
        let admin = until("the admin", TIMEOUT, async || Ok(self.member("n-admin", ADMIN).await.ok())).await?;
        until("the admin's address", TIMEOUT, async || {
            if self.stack.alias(ADDRESS).await?.is_none() {
                // Another test may make it at the same time.
                self.grant(&admin, ADDRESS, fresh()).await.ok();
            }
            self.stack.alias(ADDRESS).await
        })
        .await?;
        let cause = operator(SystemClock.now());
        for domain in membermail_communities::community("ubuntu")?.domain_names() {
            match self.store.bind_admin(domain, admin.id, Permissions::all(), cause, &OsRandom).await {
                // Another test binds the same member.
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(cause) => return Err(cause.into()),
            }
        }
        Ok(())
    }

    /// Mails to the admin that contain this text.
    pub(crate) fn admin_mails(&self, text: &str) -> Result<Vec<ReceivedMail>> {
        Ok(self.mail.to(ADMIN)?.into_iter().filter(|mail| mail.text().contains(text)).collect())
    }

    pub(crate) async fn wait_for_admin(&self, text: &str) -> Result<Vec<ReceivedMail>> {
        until(&format!("a digest with {text}"), TIMEOUT, || async {
            Ok(Some(self.admin_mails(text)?).filter(|mail| !mail.is_empty()))
        })
        .await
    }

    /// Mails to the operators that contain this text.
    pub(crate) fn operator_mails(&self, text: &str) -> Result<Vec<ReceivedMail>> {
        Ok(self.mail.to(OPERATORS)?.into_iter().filter(|mail| mail.text().contains(text)).collect())
    }

    pub(crate) async fn wait_for_operators(&self, text: &str, count: usize) -> Result<Vec<ReceivedMail>> {
        until(&format!("{count} mails on {text}"), TIMEOUT, || async {
            Ok(Some(self.operator_mails(text)?).filter(|mail| mail.len() >= count))
        })
        .await
    }
}

pub(crate) fn old() -> SignedDuration {
    SignedDuration::from_mins(10)
}

pub(crate) fn fresh() -> SignedDuration {
    SignedDuration::ZERO
}
