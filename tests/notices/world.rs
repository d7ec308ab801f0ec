//! What every story of a notice needs: members straight in the table, messages to `notify`, and who was told what.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use membermail_core::address::Address;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::eligibility::{Account, Observation, Outcome, Person};
use membermail_core::email::EmailAddress;
use membermail_core::member::{ClaimedIdentifier, Fingerprint, Identity, LaunchpadName, ObservedName};
use membermail_core::message::{Notify, ToNotify};
use membermail_core::random::OsRandom;
use membermail_store::{Asked, Grant, Member, NewSession, Record, Recorded, Sealer, SignIn, Store, StoreError};
use membermail_tests::mailbox::{Mail, Mailbox};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use ulid::Ulid;

/// Long enough for functions to start on a busy machine, and for a few tries of a queue.
pub(crate) const PATIENCE: u64 = 120;
/// Long enough for a second mail to come, if there were one.
pub(crate) const A_WHILE: Duration = Duration::from_secs(4);
/// Answers for all domains of the community.
pub(crate) const ADMIN: &str = "n-admin@mail.example";
pub(crate) const OPERATORS: &str = "operators@notices.example";

/// Members made straight in the table, so that nothing tells of them but what the test sends.
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
        let subject = ClaimedIdentifier::parse(&format!("https://login.notices.example/+id/{name}"))?;
        let identity = Identity { issuer: "https://login.notices.example/".into(), subject };
        let (address, now) = (EmailAddress::parse(email)?, SystemClock.now());
        let session = NewSession { hash: name, expires: now };
        let sign_in = SignIn { identity: &identity, address: &address, language: None, session };
        let member = self.store.sign_in(&self.sealer, sign_in, now, &OsRandom).await?;
        let person = Person {
            name: LaunchpadName::parse(name)?,
            fingerprint: Fingerprint(1),
            account: Account::Active,
            signed_code_of_conduct: true,
        };
        let observation = Observation { person, observed_at: now };
        let record = Record {
            member: &member,
            observation: Some(&observation),
            outcome: Some((&Outcome::NoTeam, now)),
            takes_name_from: None,
            now,
        };
        let recorded = self.store.record(record, &OsRandom).await?;
        ensure!(recorded == Recorded::Recorded, "{name}: {recorded:?}");
        self.store.member(member.id).await?.context("no member")
    }

    /// Gives them an address; its change lies in the outbox, as old as that, and no message was sent.
    pub(crate) async fn grant(&self, member: &Member, address: &str, age: SignedDuration) -> Result<Ulid> {
        let (address, now) = (Address::try_from(address.to_owned())?, SystemClock.now());
        let cause = Cause { actor: Actor::Member, by: None, request_id: "a-test", now: now.checked_sub(age)? };
        let known_as = member.observation.as_ref().map(Observation::name).context("not looked up")?;
        let known_as = ObservedName { observed_at: cause.now, ..known_as };
        let asked = Asked { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 10 };
        let community: Vec<_> = membermail_communities::community("ubuntu")?.domain_names().cloned().collect();
        match self.store.grant(&self.sealer, member, asked, &community, cause, &OsRandom).await? {
            Grant::Created { entry, .. } => Ok(entry),
            other => anyhow::bail!("{address}: {other:?}"),
        }
    }

    /// Changes the language of a member.
    pub(crate) async fn speaks(&self, member: &Member, language: &str) -> Result<()> {
        let text = |value: String| AttributeValue::S(value);
        let update = self.stack.dynamodb().await.update_item().table_name(&self.stack.table);
        let update = update.key("pk", text(format!("MEMBER#{}", member.id))).key("sk", text("PROFILE".to_owned()));
        let update =
            update.update_expression("SET #language = :language").expression_attribute_names("#language", "language");
        update.expression_attribute_values(":language", text(language.to_owned())).send().await?;
        Ok(())
    }

    /// Takes an alias out of the table: its owner is in no team, and a sync of that domain would have to end it.
    pub(crate) async fn forget(&self, address: &str) -> Result<()> {
        let address = Address::try_from(address.to_owned())?;
        let text = |value: String| AttributeValue::S(value);
        let delete = self.stack.dynamodb().await.delete_item().table_name(&self.stack.table);
        let delete = delete.key("pk", text(format!("DOMAIN#{}", address.domain)));
        delete.key("sk", text(format!("ALIAS#{}", address.local_part))).send().await?;
        Ok(())
    }

    pub(crate) async fn send(&self, message: &ToNotify) -> Result<()> {
        let body = serde_json::to_string(message)?;
        let queue = &self.stack.notify_queue_url;
        self.stack.sqs().await.send_message().queue_url(queue).message_body(body).send().await?;
        Ok(())
    }

    pub(crate) async fn tell(&self, entry: Ulid) -> Result<()> {
        self.send(&ToNotify::Change(Notify { entry, request_id: "a-test".into() })).await
    }

    pub(crate) async fn until_told(&self, entry: Ulid) -> Result<()> {
        until("everybody to be told", Duration::from_secs(PATIENCE), || async move {
            Ok(self.store.undelivered(entry).await?.is_none().then_some(()))
        })
        .await
    }

    /// Waits for so many, and a while longer for one too many.
    pub(crate) async fn exactly(&self, address: &str, count: usize) -> Result<Vec<Mail>> {
        self.mail.wait_for(address, count, PATIENCE).await?;
        tokio::time::sleep(A_WHILE).await;
        let mail = self.mail.to(address)?;
        ensure!(mail.len() == count, "{} came to {address}", mail.len());
        Ok(mail)
    }

    /// Binds the admin of every domain, who has an active address where no test syncs: from now on digests go to them.
    pub(crate) async fn admin(&self) -> Result<()> {
        const ADDRESS: &str = "n-admin@ubuntustudio.com";
        let (admin, address) = (self.member("n-admin", ADMIN).await?, Address::try_from(ADDRESS.to_owned())?);
        until("the admin's address", Duration::from_secs(PATIENCE), || async {
            if self.store.alias(&address).await?.is_none() {
                // Another test may make it at the same time.
                self.grant(&admin, ADDRESS, fresh()).await.ok();
            }
            Ok(self.store.alias(&address).await?.map(drop))
        })
        .await?;
        let now = SystemClock.now();
        let cause = Cause { actor: Actor::Operator, by: Some("a-test"), request_id: "a-test", now };
        for domain in membermail_communities::community("ubuntu")?.domain_names() {
            match self.store.bind_admin(domain, admin.id, cause, &OsRandom).await {
                // Another test binds the same member.
                Ok(_) | Err(StoreError::Conflict) => {}
                Err(cause) => return Err(cause.into()),
            }
        }
        Ok(())
    }

    /// What the admin was told in which this stands.
    pub(crate) fn told_admin(&self, text: &str) -> Result<Vec<Mail>> {
        Ok(self.mail.to(ADMIN)?.into_iter().filter(|mail| mail.text().contains(text)).collect())
    }

    pub(crate) async fn wait_for_admin(&self, text: &str) -> Result<Vec<Mail>> {
        until(&format!("a digest with {text}"), Duration::from_secs(PATIENCE), || async move {
            Ok(Some(self.told_admin(text)?).filter(|mail| !mail.is_empty()))
        })
        .await
    }

    /// What the operators were told in which this stands.
    pub(crate) fn told_operators(&self, text: &str) -> Result<Vec<Mail>> {
        Ok(self.mail.to(OPERATORS)?.into_iter().filter(|mail| mail.text().contains(text)).collect())
    }

    pub(crate) async fn wait_for_operators(&self, text: &str, count: usize) -> Result<Vec<Mail>> {
        until(&format!("{count} mails on {text}"), Duration::from_secs(PATIENCE), || async move {
            Ok(Some(self.told_operators(text)?).filter(|mail| mail.len() >= count))
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
