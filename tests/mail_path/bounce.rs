//! Bounces: whatever the destination does, a sender learns nothing but the fate of the address that they wrote to.

use std::fs;

use anyhow::{Context, Result, ensure};
use lettre::transport::smtp::commands::{Mail, Rcpt};
use lettre::transport::smtp::extension::RcptParameter;
use membermail_core::destination::DestinationId;
use membermail_postfix::config::QueueTimes;
use membermail_postfix::smtp::{SmtpReply, send};
use membermail_test_mail_host::mailbox::ReceivedMail;
use membermail_tests::mail::{MailHost, OPERATORS, SENDER, mail, tail};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use membermail_toolbox::workspace;
use serde_json::{Value, json};

use super::connect;
use super::destinations::add_destination;
use super::door::put_verified_domain;

/// What only the destination's server says.
const WORDS: &str = "SECRETWORDS";
/// The domain of the destinations.
const HOME: &str = "secret-home.example";

/// A host, and the queue to which it reports failures.
struct World {
    stack: Stack,
    host: MailHost,
    queue: String,
}

impl World {
    async fn start(name: &str, queue_times: Option<QueueTimes>) -> Result<Self> {
        let stack = Stack::of_this_run()?;
        // A queue of its own, from which no function receives.
        let created = stack.sqs().await.create_queue().queue_name(format!("failures-{name}")).send().await?;
        let queue = created.queue_url().context("no queue")?.to_owned();
        let host = MailHost::start_as(&stack, name, |options| {
            options.failure_queue = Some(queue.clone());
            options.queue_times = queue_times;
        })
        .await?;
        Ok(Self { stack, host, queue })
    }

    /// A member whose destination has no word of their address.
    async fn member(&self, name: &str) -> Result<Member> {
        let home = format!("hidden{}@{HOME}", name.trim_start_matches("pat"));
        self.stack.change_person(name, json!({ "email": home })).await?;
        self.stack.sign_in_at("ubuntu.com", name).await?;
        let address = format!("{name}@ubuntu.com");
        let alias = self.stack.alias(&address).await?.context("no alias")?;
        let destination = *alias.destinations.first().context("no destination")?;
        Ok(Member { address, home, destination })
    }

    /// Waits for a report to a sender, with nothing in it that the sender may not know.
    async fn report_to(&self, sender: &str, number: usize) -> Result<ReceivedMail> {
        let mails = self.host.rig.sink.mailbox.wait_for(sender, number, 40).await;
        let mut mails = mails.with_context(|| tail(&self.host.rig.log))?;
        self.check_outside()?;
        let report = mails.pop().context("no report")?;
        ensure!(report.sender.is_empty() && report.recipients == [sender], "{report:?}");
        ensure!(report.header("Auto-Submitted") == "auto-replied", "{report:?}");
        Ok(report)
    }

    /// Searches everything that left this host, other than to the destinations.
    fn check_outside(&self) -> Result<()> {
        for mail in self.host.rig.sink.mailbox.all()? {
            if mail.recipients.iter().any(|recipient| recipient.ends_with(HOME) || recipient == OPERATORS) {
                continue;
            }
            let text = String::from_utf8_lossy(&mail.raw).to_lowercase();
            let words = ["hidden8", "hidden9", "secret-home", "secretwords", "ops.example", "hidden1"];
            let found = words.iter().find(|word| text.contains(**word));
            ensure!(found.is_none(), "{found:?} is in {text}");
        }
        Ok(())
    }

    /// The next reported failure, without its time.
    async fn failure(&self) -> Result<Value> {
        let client = self.stack.sqs().await;
        let message = until("a reported failure", 20, || async {
            let received = client.receive_message().queue_url(&self.queue).wait_time_seconds(1).send().await?;
            Ok(received.messages.unwrap_or_default().into_iter().next())
        })
        .await?;
        let handle = message.receipt_handle().context("no handle")?;
        client.delete_message().queue_url(&self.queue).receipt_handle(handle).send().await?;
        ensure!(message.message_attributes().is_none_or(|attributes| attributes.is_empty()), "{message:?}");
        let mut failure: Value = serde_json::from_str(message.body().context("no body")?)?;
        let at = failure.as_object_mut().and_then(|fields| fields.remove("at")).context("no time")?;
        at.as_str().context("no time")?.parse::<jiff::Timestamp>()?;
        Ok(failure)
    }

    async fn ensure_no_failure(&self) -> Result<()> {
        let received = self.stack.sqs().await.receive_message().queue_url(&self.queue).send().await?;
        ensure!(received.messages().is_empty(), "{:?}", received.messages());
        Ok(())
    }
}

struct Member {
    address: String,
    home: String,
    destination: DestinationId,
}

fn forwarded(member: &Member, reply: &str) -> Value {
    let Member { address, destination, .. } = member;
    json!({ "kind": "forwarded", "address": address, "destination": destination, "reply": reply })
}

/// The delivery status of a report, with one block per address.
fn status(blocks: &[(&str, &str, &str)]) -> String {
    let blocks = blocks.iter().map(|(address, action, status)| {
        format!("\r\nFinal-Recipient: rfc822; {address}\r\nAction: {action}\r\nStatus: {status}\r\n")
    });
    format!("Reporting-MTA: dns; mail.membermail.test\r\n{}\r\n--", blocks.collect::<String>())
}

fn ensure_status(report: &ReceivedMail, blocks: &[(&str, &str, &str)]) -> Result<()> {
    let text = String::from_utf8_lossy(&report.raw);
    ensure!(text.contains(&status(blocks)), "{text}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn refusal_names_only_the_address() -> Result<()> {
    let world = World::start("bounce-refused", None).await?;
    for (name, is_after_data, reply, told, reported) in [
        ("pat81", false, "550 5.1.1", "5.1.1", "5.1.1"),
        ("pat82", false, "554", "5.0.0", "5.0.0"),
        ("pat83", true, "554 5.7.1", "5.7.1", "5.7.1"),
        ("pat84", true, "550 5.7.509", "5.7.0", "5.7.509"),
    ] {
        let member = world.member(name).await?;
        let reply = format!("{reply} <{}>: {WORDS}", member.home);
        let mailbox = &world.host.rig.sink.mailbox;
        let _refusal = match is_after_data {
            true => mailbox.refuse_after_data(&member.home, &reply)?,
            false => mailbox.refuse(&member.home, &reply)?,
        };
        let sender = format!("to-{name}@elsewhere.example");
        let tagged = format!("{name}+tag@ubuntu.com");
        world.host.accept(Some(&sender), &tagged, &mail(&tagged, name)).await?;
        let report = world.report_to(&sender, 1).await?;
        ensure_status(&report, &[(&tagged, "failed", told)])?;
        ensure!(report.header("In-Reply-To") == format!("<{name}@elsewhere.example>"), "{report:?}");
        let text = String::from_utf8_lossy(&report.raw);
        for field in [format!("\r\nSubject: {name}\r\n"), format!("\r\nTo: <{tagged}>\r\n")] {
            ensure!(text.contains(&field), "no {field} in {text}");
        }
        ensure!(world.failure().await? == forwarded(&member, reported), "{name}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn delay_is_told_before_failure() -> Result<()> {
    let times = QueueTimes { delay_warning: "4s".to_owned(), lifetime: "12s".to_owned() };
    let world = World::start("bounce-expired", Some(times)).await?;
    let member = world.member("pat85").await?;
    let _refusal = world.host.rig.sink.mailbox.refuse(&member.home, &format!("451 4.3.0 {} {WORDS}", member.home))?;
    world.host.accept(Some(SENDER), &member.address, &mail(&member.address, "expired")).await?;
    let report = world.report_to(SENDER, 1).await?;
    ensure!(report.subject() == "Delayed Mail (still being retried)", "{report:?}");
    ensure_status(&report, &[(&member.address, "delayed", "4.3.0")])?;
    ensure!(world.failure().await? == forwarded(&member, "4.4.1"), "of the delay");
    let report = world.report_to(SENDER, 2).await?;
    ensure!(report.subject() == "Undelivered Mail Returned to Sender", "{report:?}");
    ensure_status(&report, &[(&member.address, "failed", "4.4.7")])?;
    ensure!(world.failure().await? == forwarded(&member, "4.4.7"), "of the end");
    Ok(())
}

/// The operators stand for the admins of a domain that has none.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn role_address_hides_its_admins() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let table = stack.create_empty_table("mail-bounce-roles").await?;
    put_verified_domain(&stack, &table, "kubuntu.org").await?;
    let host = MailHost::start_as(&stack, "bounce-role", |options| options.table = table).await?;
    let world = World { stack, host, queue: String::new() };
    let _refusal = world.host.rig.sink.mailbox.refuse(OPERATORS, &format!("550 5.2.2 {OPERATORS} {WORDS}"))?;
    world.host.accept(Some(SENDER), "postmaster@kubuntu.org", &mail("postmaster@kubuntu.org", "role")).await?;
    let report = world.report_to(SENDER, 1).await?;
    ensure_status(&report, &[("postmaster@kubuntu.org", "failed", "5.2.2")])
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn two_recipients_get_one_report() -> Result<()> {
    let world = World::start("bounce-two", None).await?;
    let members = [world.member("pat86").await?, world.member("pat87").await?];
    let mailbox = &world.host.rig.sink.mailbox;
    let _first = mailbox.refuse(&members[0].home, &format!("550 5.1.1 {WORDS}"))?;
    let _second = mailbox.refuse(&members[1].home, &format!("550 5.2.2 {WORDS}"))?;
    let mut connection = connect(world.host.rig.smtp, None).await?;
    connection.command(Mail::new(Some(SENDER.parse()?), Vec::new())).await?;
    for member in &members {
        connection.command(Rcpt::new(member.address.parse()?, Vec::new())).await?;
    }
    connection.command(lettre::transport::smtp::commands::Data).await?;
    connection.message(&mail(&members[0].address, "two")).await?;
    let report = world.report_to(SENDER, 1).await?;
    let text = String::from_utf8_lossy(&report.raw);
    for (member, code) in members.iter().zip(["5.1.1", "5.2.2"]) {
        let block = format!("Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: {code}\r\n", member.address);
        ensure!(text.contains(&block), "no {block} in {text}");
    }
    let mut failures = [world.failure().await?, world.failure().await?].map(|failure| failure["address"].to_string());
    failures.sort();
    ensure!(failures == ["\"pat86@ubuntu.com\"", "\"pat87@ubuntu.com\""], "{failures:?}");
    Ok(())
}

/// The sender is told of the address, and the member of the destination.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn one_of_two_destinations_fails() -> Result<()> {
    let world = World::start("bounce-one-of-two", None).await?;
    let member = world.member("pat91").await?;
    let other = format!("hidden91.office@{HOME}");
    let office = add_destination(&world.stack, &member.address, &other).await?;
    let mailbox = &world.host.rig.sink.mailbox;
    let _refusal = mailbox.refuse(&other, &format!("550 5.2.2 <{other}>: {WORDS}"))?;
    let tagged = member.address.replace('@', "+tag@");
    world.host.accept(Some(SENDER), &tagged, &mail(&tagged, "one of two")).await?;
    mailbox.wait_for(&member.home, 1, 30).await?;
    let report = world.report_to(SENDER, 1).await?;
    ensure_status(&report, &[(&tagged, "failed", "5.2.2")])?;
    ensure!(world.failure().await? == forwarded(&Member { destination: office, ..member }, "5.2.2"));
    world.host.wait_for_empty_queue(30).await?;
    world.ensure_no_failure().await
}

/// A report of success would name the destination.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn report_of_success_is_not_offered() -> Result<()> {
    let world = World::start("bounce-success", None).await?;
    let member = world.member("pat88").await?;
    let mut connection = connect(world.host.rig.smtp, None).await?;
    connection.command(Mail::new(Some(SENDER.parse()?), Vec::new())).await?;
    let success = RcptParameter::Other { keyword: "NOTIFY".to_owned(), value: Some("SUCCESS".to_owned()) };
    let said = connection.command(Rcpt::new(member.address.parse()?, vec![success])).await;
    let error = said.err().context("NOTIFY was accepted")?;
    ensure!(error.is_permanent(), "{error}");
    Ok(())
}

/// What a destination sends back after it has accepted a mail, in the forms of several servers.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn later_bounce_is_replaced() -> Result<()> {
    let world = World::start("bounce-later", None).await?;
    let member = world.member("pat89").await?;
    let samples = workspace().join("infra/mail-host/bounce/samples");
    for (sample, told, reported) in [
        ("vacation", None, None),
        ("read-receipt", None, None),
        ("success", None, None),
        ("postfix", Some((&*member.address, "failed", "5.2.2")), Some("5.2.2")),
        ("exim", Some((&*member.address, "failed", "5.0.0")), Some("5.0.0")),
        ("exim-old", Some((&*member.address, "failed", "5.0.0")), None),
        ("qmail", Some((&*member.address, "failed", "5.0.0")), None),
        ("exchange", Some((&*member.address, "failed", "5.7.0")), Some("5.7.509")),
        ("exchange-old", Some((&*member.address, "failed", "5.0.0")), None),
        ("delayed", Some((&*member.address, "delayed", "4.2.2")), None),
        ("planted", Some(("unknown@mail.membermail.test", "failed", "5.1.1")), None),
    ] {
        let sender = format!("{sample}@elsewhere.example");
        world.host.accept(Some(&sender), &member.address, &mail(&member.address, sample)).await?;
        let token = world.host.wait_for_mail(sample, 30).await?.sender;
        let text = fs::read_to_string(samples.join(format!("{sample}.eml")))?.replace('\n', "\r\n");
        let bounce = text.replace("alice@ubuntu.com", &member.address);
        let bounce =
            bounce.replace("alice.home@hidden-home.example", &member.home).replace("hidden-home.example", HOME);
        ensure!(bounce.contains(&member.home) && bounce.contains(WORDS), "{bounce}");
        world.host.accept(None, &token, bounce.as_bytes()).await?;
        match told {
            Some(block) => {
                let report = world.report_to(&sender, 1).await.with_context(|| sample.to_owned())?;
                ensure_status(&report, &[block])?;
            }
            None => {
                world.host.wait_for_empty_queue(30).await?;
                ensure!(world.host.rig.sink.mailbox.to(&sender)?.is_empty(), "{sample} was passed on");
            }
        }
        if let Some(reply) = reported {
            ensure!(world.failure().await? == forwarded(&member, reply), "{sample}");
        }
    }
    world.ensure_no_failure().await
}

/// Anybody who gets mail from this host knows a return path, and can send a bounce about any address.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn forged_bounce_marks_no_address() -> Result<()> {
    let world = World::start("bounce-forged", None).await?;
    let member = world.member("pat90").await?;
    let token = world.host.deliver(&member.address, "forged bounce").await?.sender;
    let sample = fs::read_to_string(workspace().join("infra/mail-host/bounce/samples/postfix.eml"))?;
    let bounce = sample.replace('\n', "\r\n").replace("alice@ubuntu.com", &member.address);
    world.host.accept(None, &token, bounce.as_bytes()).await?;
    world.report_to(SENDER, 1).await?;
    world.host.wait_for_empty_queue(30).await?;
    world.ensure_no_failure().await?;
    // A bounce comes from the null sender only.
    let said = send(world.host.rig.smtp, None, Some(SENDER), &token, bounce.as_bytes()).await?;
    ensure!(matches!(&said, SmtpReply::Rejected(_, text) if text.starts_with("550")), "{said:?}");
    Ok(())
}
