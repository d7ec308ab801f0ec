//! Bounces, the null sender, and mail loops.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_postfix::delivery::wait_for_deliveries;
use membermail_postfix::smtp::{SmtpPhase, SmtpReply, send};
use membermail_test_mail_host::options::MAX_MAIL_BYTES;
use membermail_tests::mail::{SENDER, mail, tail};
use membermail_tests::stack::Stack;

use super::{host, host_with_member, member};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn late_bounce_reaches_the_sender() -> Result<()> {
    let host = host_with_member("bounce", "pat33").await?;
    let rewritten = host.deliver("pat33@ubuntu.com", "there").await?.sender;

    // The destination's server bounces later, to the envelope sender that it got.
    host.accept(None, &rewritten, &mail(&rewritten, "and back")).await?;
    let back = host.wait_for_mail("Undelivered Mail Returned to Sender", 30).await?;
    ensure!(back.recipients == [SENDER] && back.sender.is_empty(), "{back:?}");
    // Written anew, without the text of the other server.
    ensure!(!String::from_utf8_lossy(&back.raw).contains("A mail from elsewhere."), "{back:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn rejected_mail_bounces_to_the_sender() -> Result<()> {
    let host = host_with_member("refused-there", "pat34").await?;
    let mut large = mail("pat34@ubuntu.com", "too large for the destination");
    let line = [b"x".repeat(76), b"\r\n".to_vec()].concat();
    large.extend(line.repeat(MAX_MAIL_BYTES / line.len() + 100));
    host.accept(Some(SENDER), "pat34@ubuntu.com", &large).await?;
    let bounce = host.wait_for_mail("Undelivered Mail Returned to Sender", 30).await?;
    ensure!(
        bounce.recipients == [SENDER] && bounce.sender.is_empty(),
        "{:?} from {:?}",
        bounce.recipients,
        bounce.sender
    );
    ensure!(bounce.raw.len() < 20_000, "the bounce brings {} octets back", bounce.raw.len());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn null_sender_is_kept() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "null", "").await?;
    let destination = member(&stack, "pat35").await?;
    host.accept(None, "pat35@ubuntu.com", &mail("pat35@ubuntu.com", "null sender")).await?;
    let arrived = host.wait_for_mail("null sender", 30).await?;
    ensure!(arrived.recipients == [destination] && arrived.sender.is_empty(), "{arrived:?}");
    Ok(())
}

/// Rounds that are accepted of a mail that comes back.
const PASSAGES: usize = 3;

/// The mailboxes of two members forward to each other's address.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn loop_of_two_members_ends() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "round", "").await?;
    let addresses = ["pat36@ubuntu.com", "pat41@ubuntu.com"];
    let homes = [member(&stack, "pat36").await?, member(&stack, "pat41").await?];
    let mut raw = mail(addresses[0], "round and round");
    let mut sender = SENDER.to_owned();
    for round in 0..PASSAGES {
        let id = host.accept(Some(&sender), addresses[round % 2], &raw).await?;
        wait_for_deliveries(&host.rig.log, &id, Duration::from_secs(30)).await?;
        let all = host.rig.sink.mailbox.all()?;
        ensure!(all.len() == round + 1, "round {round} made {} mails of one", all.len() - round);
        let last = all.last().context("nothing arrived")?;
        ensure!(last.recipients == [homes[round % 2].as_str()], "{:?}", last.recipients);
        // The mailbox's server forwards it as it came, some with a field of its own.
        raw = [b"Delivered-To: somebody@mail.example\r\n", &*last.raw].concat();
        sender.clone_from(&last.sender);
    }
    let last = PASSAGES % 2;
    let said = send(host.rig.smtp, None, Some(&sender), addresses[last], &raw).await?;
    let is_refused =
        matches!(&said, SmtpReply::Rejected(SmtpPhase::Message, words) if words.starts_with("550 5.4.6 mail loop"));
    ensure!(is_refused, "{said:?}");

    // The server that could not pass it on tells its sender, which is a return path of ours.
    let bounce = bounce_of(&raw, &homes[1 - last], addresses[last]);
    host.accept(None, &sender, &bounce).await?;
    let report = host.wait_for_mail("Undelivered Mail Returned to Sender", 30).await?;
    ensure!(report.recipients == [SENDER] && report.sender.is_empty(), "{report:?}");
    let text = String::from_utf8_lossy(&report.raw);
    let block = format!("Final-Recipient: rfc822; {}\r\nAction: failed\r\nStatus: 5.4.6\r\n", addresses[0]);
    ensure!(text.contains(&block) && text.contains("forwarded in circles"), "no {block} in {text}");
    for secret in [addresses[1], &homes[0], &homes[1], "mail.example"] {
        ensure!(!text.contains(secret), "{secret} is in {text}");
    }
    host.wait_for_empty_queue(10).await?;
    ensure!(host.rig.sink.mailbox.count()? == PASSAGES + 1, "more than one mail a round");
    Ok(())
}

/// The bounce of a mailbox's server that could not forward a mail (RFC 3464).
fn bounce_of(raw: &[u8], mailbox: &str, forwarded_to: &str) -> Vec<u8> {
    let raw = String::from_utf8_lossy(raw);
    let header = raw.split("\r\n\r\n").next().unwrap_or_default();
    format!(
        "From: MAILER-DAEMON@mail.example\r\nSubject: failed\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.example\r\n\r\n\
         Final-Recipient: rfc822; {forwarded_to}\r\nOriginal-Recipient: rfc822;{mailbox}\r\nAction: failed\r\n\
         Status: 5.4.6\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{header}\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

/// The mailboxes' servers rename the field that counts.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn received_fields_end_other_loops() -> Result<()> {
    let host = host_with_member("round-stripped", "pat36").await?;
    let mut raw = mail("pat36@ubuntu.com", "round and round");
    for round in 1..=40 {
        let known = host.rig.sink.mailbox.count()?;
        let said = send(host.rig.smtp, None, Some(SENDER), "pat36@ubuntu.com", &raw).await?;
        let id = match said {
            SmtpReply::Queued(id) => id,
            SmtpReply::Rejected(SmtpPhase::Message, words) if words.contains("too many hops") => {
                ensure!(round > 10, "an honest mail has some hops behind it too, and was stopped after {round}");
                return Ok(());
            }
            said => bail!("round {round}: {said:?}"),
        };
        wait_for_deliveries(&host.rig.log, &id, Duration::from_secs(30)).await?;
        let all = host.rig.sink.mailbox.all()?;
        ensure!(all.len() == known + 1, "round {round} made {} mails of one", all.len() - known);
        let text = String::from_utf8(all.last().context("nothing arrived")?.raw.clone())?;
        raw = text.replace("Membermail-Passage: ", "X-Other: ").into_bytes();
    }
    bail!("it still goes round: {}", tail(&host.rig.log))
}

/// A sender who writes the field has only their own mail refused.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn forged_passage_counts() -> Result<()> {
    let host = host_with_member("forged-passage", "pat36").await?;
    for (value, is_accepted) in [("0", true), ("2", true), (" 3 ", false), ("4", true), ("3x", true), ("", true)] {
        let forged = [format!("membermail-passage:{value}\r\n").into_bytes(), mail("pat36@ubuntu.com", "forged")];
        let said = send(host.rig.smtp, None, Some(SENDER), "pat36@ubuntu.com", &forged.concat()).await?;
        ensure!(matches!(said, SmtpReply::Queued(_)) == is_accepted, "{value:?}: {said:?}");
    }
    Ok(())
}
