//! The way back: bounces, the null sender, and mail that would go round for ever.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_postfix::follow::{Said, Step, follow, send};
use membermail_postfix::inbox::LARGEST;
use membermail_tests::mail::{SENDER, mail, tail};
use membermail_tests::stack::Stack;

use crate::{host, member};

#[tokio::test]
async fn a_bounce_finds_its_way_back_and_a_forged_one_does_not() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "bounce", "").await?;
    member(&stack, "pat33").await?;
    let port = host.rig.smtp;
    let rewritten = host.deliver("pat33@ubuntu.com", "there").await?.sender;

    // The destination's server bounces later, to the sender that it was told.
    let said = send(port, None, None, &rewritten, &mail(&rewritten, "and back")).await?;
    ensure!(matches!(said, Said::Taken(_)), "{said:?}");
    let back = host.arrived("and back", 30).await?;
    ensure!(back.recipients == [SENDER] && back.sender.is_empty(), "{back:?}");

    let (local, domain) = rewritten.rsplit_once('@').context("no address")?;
    let parts: Vec<_> = local.splitn(3, '=').collect();
    for forged in [
        format!("{}=AAAA={}@{domain}", parts[0], parts[2]),
        format!("{}=victim@{domain}", local.rsplit_once('=').context("no user")?.0),
        format!("anybody@{domain}"),
    ] {
        let said = send(port, None, None, &forged, &mail(&forged, "forged")).await?;
        ensure!(matches!(&said, Said::Refused(Step::Recipient, text) if text.starts_with("550")), "{forged}: {said:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_the_destination_refuses_comes_back_to_the_sender() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "refused-there", "").await?;
    member(&stack, "pat34").await?;
    let mut large = mail("pat34@ubuntu.com", "too large for the destination");
    let line = [b"x".repeat(76), b"\r\n".to_vec()].concat();
    large.extend(line.repeat(LARGEST / line.len() + 100));
    let said = send(host.rig.smtp, None, Some(SENDER), "pat34@ubuntu.com", &large).await?;
    ensure!(matches!(said, Said::Taken(_)), "{said:?}");
    let bounce = host.arrived("Undelivered Mail Returned to Sender", 30).await?;
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
async fn the_null_sender_stays_what_it_is() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "null", "").await?;
    let destination = member(&stack, "pat35").await?;
    let said = send(host.rig.smtp, None, None, "pat35@ubuntu.com", &mail("pat35@ubuntu.com", "from nobody")).await?;
    ensure!(matches!(said, Said::Taken(_)), "{said:?}");
    let arrived = host.arrived("from nobody", 30).await?;
    ensure!(arrived.recipients == [destination] && arrived.sender.is_empty(), "{arrived:?}");
    Ok(())
}

/// The member's own server forwards everything back to the address that it came from.
#[tokio::test]
async fn a_mail_that_goes_round_comes_to_an_end() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "round", "").await?;
    member(&stack, "pat36").await?;
    let mut raw = mail("pat36@ubuntu.com", "round and round");
    let mut sender = SENDER.to_owned();
    for round in 1..=40 {
        let known = host.rig.inbox.all()?.len();
        let said = send(host.rig.smtp, None, Some(&sender), "pat36@ubuntu.com", &raw).await?;
        let id = match said {
            Said::Taken(id) => id,
            // The server that sent it round has it now, and knows the sender to tell: us, and so the first one.
            Said::Refused(Step::Message, words) if words.contains("too many hops") => {
                ensure!(round > 10, "an honest mail has some hops behind it too, and was stopped after {round}");
                ensure!(sender.ends_with("@srs.membermail.test"), "{sender}");
                return Ok(());
            }
            said => bail!("round {round}: {said:?}"),
        };
        follow(&host.rig.log, &id, Duration::from_secs(30)).await?;
        let all = host.rig.inbox.all()?;
        ensure!(all.len() == known + 1, "round {round} made {} mails of one", all.len() - known);
        let last = all.last().context("nothing arrived")?;
        (raw, sender) = (last.raw.clone(), last.sender.clone());
    }
    bail!("it still goes round: {}", tail(&host.rig.log))
}
