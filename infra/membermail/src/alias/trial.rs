//! `membermail alias test`: a mail to an address, followed from the door to its last delivery.

mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use membermail_core::clock::Clock;
use membermail_core::email::EmailAddress;
use membermail_core::reserved::is_reserved;
use membermail_postfix::follow::{Delivery, Said, TestMail, watch};
use membermail_postfix::mail_log::MailLog;
use serde::Serialize;
use tokio::time::Instant;

use self::view::without_addresses;
use crate::Context;
use crate::failure::Failure;
use crate::progress;

/// What to test, and at which mail host.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The address
    address: String,
    /// The mail host
    #[arg(long, value_name = "NAME", env = "MEMBERMAIL_MAIL_HOST", default_value = "localhost")]
    mail_host: String,
    /// Where it takes mail
    #[arg(long, value_name = "PORT", env = "MEMBERMAIL_MAIL_PORT", default_value_t = 25)]
    mail_port: u16,
    /// Its log: a file, or - for what comes by standard input, as of `journalctl --follow`
    #[arg(long, value_name = "FILE", env = "MEMBERMAIL_MAIL_LOG", default_value = "/var/log/mail.log")]
    mail_log: PathBuf,
    /// Who the mail is from, and so who is told if it bounces; without it the postmaster of the mail host
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Give up waiting after so many seconds; a mail in the queue stays there
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    patience: u64,
}

/// What became of the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// Every destination has it.
    Delivered,
    /// The mail host knows no such address.
    Unknown,
    /// The mail host takes no mail for it.
    Refused,
    /// The mail host wants it again later: it cannot tell just now.
    Later,
    /// A destination refused it, and the sender is told.
    Bounced,
    /// A destination could not take it, and it is tried again.
    Deferred,
    /// Nothing was heard of it.
    Queued,
}

/// Whose mailbox a mail was sent on to; never which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// Of the member whose address it is.
    Member,
    /// Of an admin of the domain, whom reserved names lead to.
    Admin,
    /// It was not rewritten: this mail host does not know the address as ours.
    AsItWas,
}

/// One try of a delivery. No address is in it.
#[derive(Debug, Serialize)]
struct Try {
    /// Which of the destinations, counted from one.
    destination: usize,
    to: Kind,
    relay: String,
    status: String,
    code: String,
    reply: String,
    after_seconds: f64,
}

/// All that was seen.
#[derive(Debug, Serialize)]
struct Trial {
    address: String,
    outcome: Outcome,
    /// What the host said to the recipient, or why it took no mail.
    door: String,
    queue_id: Option<String>,
    tries: Vec<Try>,
    seconds: f64,
}

/// The address that is tested. Reserved ones can be tested too, and those with a tag.
struct Tested {
    address: String,
    local: String,
}

pub(super) async fn run(context: &Context, options: Options) -> Result<(), Failure> {
    let tested = Tested::parse(&options.address)?;
    let sender = options.sender.as_deref();
    if let Some(sender) = sender {
        EmailAddress::parse(sender).map_err(|why| Failure::Usage(format!("--sender {sender:?} is {why}")))?;
    }
    // From here on, so that nothing is missed and nothing of before is read.
    let mut log = match options.mail_log.to_str() {
        Some("-") => MailLog::stdin(),
        _ => MailLog::file(&options.mail_log).map_err(|cause| Failure::Other(format!("{cause:#}")))?,
    };
    let begin = Instant::now();
    let bar = progress::counting("tries to deliver");
    let say = |line: String| bar.suspend(|| context.output.step(&line));
    let token = context.operator.request_id();
    let mail = TestMail { sender, address: &tested.address, token, at: context.operator.clock.now() };
    let place = (options.mail_host.as_str(), options.mail_port);
    let offered = mail.offer(place).await.map_err(|cause| {
        Failure::Other(format!("the mail host {}:{}: {cause:#}", options.mail_host, options.mail_port))
    })?;
    let mut trial = Trial::new(&tested, offered.recipient.unwrap_or_default());
    let ended = match offered.said {
        Said::Taken(id) => {
            say(format!("taken at RCPT  {}", trial.door))?;
            say(format!("queued as      {id}"))?;
            trial.queue_id = Some(id.clone());
            let (mut destinations, mut said) = (BTreeMap::new(), Ok(()));
            let tell = |delivery: Delivery| {
                let next = destinations.len() + 1;
                let number = *destinations.entry(delivery.to.clone()).or_insert(next);
                let one = Try::new(&tested, &delivery, number, begin.elapsed());
                bar.inc(1);
                if said.is_ok() {
                    said = say(one.to_string());
                }
                trial.tries.push(one);
            };
            let deadline = begin + Duration::from_secs(options.patience);
            let left =
                watch(&mut log, &id, deadline, tell).await.map_err(|cause| Failure::Other(format!("{cause:#}")))?;
            said?;
            trial.outcome = Outcome::of(&trial.tries, left);
            trial.ended(&options)
        }
        Said::Later(reply) => trial.refused(Outcome::Later, &tested, &reply),
        Said::Refused(_, reply) => {
            let outcome = if reply.contains(" 5.1.1 ") { Outcome::Unknown } else { Outcome::Refused };
            trial.refused(outcome, &tested, &reply)
        }
    };
    bar.finish_and_clear();
    trial.seconds = seconds(begin.elapsed());
    context.output.show(&trial)?;
    ended
}

impl Tested {
    fn parse(text: &str) -> Result<Self, Failure> {
        let address = text.trim().to_ascii_lowercase();
        let usage = |why: &dyn std::fmt::Display| Failure::Usage(format!("{text:?} is {why}"));
        EmailAddress::parse(&address).map_err(|why| usage(&why))?;
        let local = address.rsplit_once('@').map(|(local, _)| local.to_owned());
        let local = local.ok_or_else(|| usage(&"no address"))?;
        Ok(Self { address, local })
    }

    fn kind(&self, delivery: &Delivery) -> Kind {
        if delivery.to.eq_ignore_ascii_case(&self.address) {
            Kind::AsItWas
        } else if is_reserved(&self.local) {
            Kind::Admin
        } else {
            Kind::Member
        }
    }
}

impl Outcome {
    /// By the last try of each destination.
    fn of(tries: &[Try], left: bool) -> Self {
        let last: BTreeMap<_, _> = tries.iter().map(|one| (one.destination, one.status.as_str())).collect();
        if last.is_empty() {
            return Self::Queued;
        }
        if last.values().any(|status| matches!(*status, "bounced" | "expired")) {
            return Self::Bounced;
        }
        let sent = last.values().all(|status| *status == "sent");
        if sent && left { Self::Delivered } else { Self::Deferred }
    }
}

impl Try {
    fn new(tested: &Tested, delivery: &Delivery, destination: usize, after: Duration) -> Self {
        Self {
            destination,
            to: tested.kind(delivery),
            relay: without_addresses(&delivery.relay, tested, &delivery.to),
            status: delivery.status.clone(),
            code: delivery.code.clone(),
            reply: without_addresses(&delivery.because, tested, &delivery.to),
            after_seconds: seconds(after),
        }
    }
}

impl Trial {
    fn new(tested: &Tested, door: String) -> Self {
        let (address, outcome) = (tested.address.clone(), Outcome::Queued);
        Self { address, outcome, door, queue_id: None, tries: Vec::new(), seconds: 0.0 }
    }

    /// The host did not take it; its own words say why.
    fn refused(&mut self, outcome: Outcome, tested: &Tested, reply: &str) -> Result<(), Failure> {
        self.outcome = outcome;
        self.door = without_addresses(reply, tested, "");
        let Self { address, door, .. } = self;
        Err(match outcome {
            Outcome::Unknown => Failure::NotFound(format!("address {address}: the mail host says {door}")),
            Outcome::Later => Failure::Busy(format!("the mail host takes no mail for {address} now: {door}")),
            _ => Failure::Other(format!("the mail host refuses mail for {address}: {door}")),
        })
    }

    /// What a script is to know of a mail that was taken.
    fn ended(&self, options: &Options) -> Result<(), Failure> {
        let last = self.tries.last().map(|one| one.reply.as_str()).unwrap_or_default();
        let id = self.queue_id.as_deref().unwrap_or_default();
        let Options { patience, mail_log, .. } = options;
        match self.outcome {
            Outcome::Delivered => Ok(()),
            Outcome::Deferred => {
                Err(Failure::Busy(format!("not delivered after {patience} s, and {id} stays in the queue: {last}")))
            }
            Outcome::Bounced => Err(Failure::Other(format!("the destination refused it: {last}"))),
            _ => Err(Failure::Busy(format!(
                "{} says nothing of {id} after {patience} s: is it the log of this mail host?",
                mail_log.display()
            ))),
        }
    }
}

/// To the hundredth.
fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(destination: usize, status: &str) -> Try {
        let (to, word) = (Kind::Member, String::new());
        let (relay, code, reply) = (word.clone(), word.clone(), word);
        Try { destination, to, relay, status: status.to_owned(), code, reply, after_seconds: 0.0 }
    }

    #[rstest::rstest]
    #[case(&[], true, Outcome::Queued)]
    #[case(&[(1, "sent")], true, Outcome::Delivered)]
    #[case::not_out_of_the_queue(&[(1, "sent")], false, Outcome::Deferred)]
    #[case::in_the_end(&[(1, "deferred"), (1, "sent")], true, Outcome::Delivered)]
    #[case::one_of_two(&[(1, "sent"), (2, "deferred")], false, Outcome::Deferred)]
    #[case::one_of_two_for_good(&[(1, "sent"), (2, "bounced")], true, Outcome::Bounced)]
    #[case::too_long(&[(1, "deferred"), (1, "expired")], true, Outcome::Bounced)]
    fn the_last_try_of_each_destination_counts(
        #[case] tries: &[(usize, &str)],
        #[case] left: bool,
        #[case] outcome: Outcome,
    ) {
        let tries: Vec<_> = tries.iter().map(|(destination, status)| tried(*destination, status)).collect();
        assert_eq!(Outcome::of(&tries, left), outcome);
    }

    #[rstest::rstest]
    #[case("alice@ubuntu.com", "a@mail.example", Kind::Member)]
    #[case("Postmaster@ubuntu.com", "admin@ops.example", Kind::Admin)]
    #[case("alice@elsewhere.example", "alice@elsewhere.example", Kind::AsItWas)]
    fn a_destination_is_told_by_its_kind(#[case] tested: &str, #[case] to: &str, #[case] kind: Kind) {
        let (sent_to, word) = (None, String::new());
        let (relay, code, status, because) = (word.clone(), word.clone(), word.clone(), word);
        let delivery = Delivery { to: to.to_owned(), sent_to, relay, code, status, because };
        assert_eq!(Tested::parse(tested).unwrap().kind(&delivery), kind);
    }

    #[test]
    fn what_is_no_address_cannot_be_tested() {
        assert_eq!(Tested::parse("alice").err().map(|failure| failure.kind()), Some("usage"));
    }
}
