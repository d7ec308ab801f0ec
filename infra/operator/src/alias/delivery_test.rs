//! `membermail alias test`: sends a test mail and follows it until its last delivery.

mod canary;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use membermail_core::clock::Clock;
use membermail_core::email::EmailAddress;
use membermail_core::reserved::is_reserved;
use membermail_postfix::delivery::{Delivery, watch};
use membermail_postfix::mail_log::MailLog;
use membermail_postfix::smtp::{SmtpReply, TestMail};
use serde::Serialize;
use tokio::time::Instant;

use self::view::redact_addresses;
use crate::context::Context;
use crate::failure::Failure;
use crate::progress;

/// The address and the mail host.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The address
    address: String,
    /// The mail host
    #[arg(long, value_name = "NAME", env = "MEMBERMAIL_MAIL_HOST", default_value = "localhost")]
    mail_host: String,
    /// The SMTP port of the mail host
    #[arg(long, value_name = "PORT", env = "MEMBERMAIL_MAIL_PORT", default_value_t = 25)]
    mail_port: u16,
    /// The log of the mail host, or `-` for standard input, such as the output of `journalctl --follow`
    #[arg(long, value_name = "FILE", env = "MEMBERMAIL_MAIL_LOG", default_value = "/var/log/mail.log")]
    mail_log: PathBuf,
    /// The envelope sender, which receives bounces [default: the postmaster of the mail host]
    #[arg(long, value_name = "ADDRESS")]
    sender: Option<String>,
    /// Stop waiting after this time; a queued mail stays in the queue
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
    /// Count the outcome for the public status page
    #[arg(long)]
    canary: bool,
}

/// The result of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// Every destination accepted the mail.
    #[strum(to_string = "delivered")]
    Delivered,
    /// The mail host does not know the address.
    #[strum(to_string = "unknown address")]
    Unknown,
    /// The mail host rejected the mail.
    #[serde(rename = "refused")]
    #[strum(to_string = "rejected by the mail host")]
    Rejected,
    /// The mail host replied with a temporary failure (4xx).
    #[serde(rename = "later")]
    #[strum(to_string = "temporary failure of the mail host")]
    TemporaryFailure,
    /// A destination rejected the mail permanently.
    #[strum(to_string = "bounced by the destination")]
    Bounced,
    /// A destination is not reachable or deferred the mail, which Postfix retries.
    #[strum(to_string = "waiting for the destination")]
    Deferred,
    /// The log has no delivery attempt yet.
    #[strum(to_string = "no delivery attempt in the log yet")]
    Queued,
}

/// The kind of a destination, which is printed instead of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
enum DestinationKind {
    /// The owner of the address.
    #[strum(to_string = "the member's mailbox")]
    Member,
    /// An admin of the domain, for a reserved address.
    #[strum(to_string = "an admin of the domain")]
    Admin,
    /// The address was not rewritten.
    #[serde(rename = "as-it-was")]
    #[strum(to_string = "the same address, which this mail host does not treat as ours")]
    Unchanged,
}

/// A delivery attempt, without addresses.
#[derive(Debug, Serialize)]
struct Attempt {
    /// The number of the destination, from one.
    destination: usize,
    #[serde(rename = "to")]
    kind: DestinationKind,
    relay: String,
    status: String,
    code: String,
    reply: String,
    after_seconds: f64,
}

/// The report of the whole test.
#[derive(Debug, Serialize)]
struct Report {
    address: String,
    outcome: Outcome,
    /// The reply at RCPT, or the reply that rejected the mail.
    #[serde(rename = "door")]
    smtp_reply: String,
    queue_id: Option<String>,
    #[serde(rename = "tries")]
    attempts: Vec<Attempt>,
    seconds: f64,
}

/// The tested address, which can be a reserved one or have a tag.
struct TestedAddress {
    address: String,
    local: String,
}

pub(super) async fn run(context: &Context, options: Options) -> Result<(), Failure> {
    let tested = TestedAddress::parse(&options.address)?;
    if let Some(sender) = options.sender.as_deref() {
        EmailAddress::parse(sender).map_err(|why| Failure::Usage(format!("--sender {sender:?} is {why}")))?;
    }
    // Opened before the mail is sent, so that no line is missed.
    let mut log = match options.mail_log.to_str() {
        Some("-") => MailLog::stdin(),
        _ => MailLog::file(&options.mail_log).map_err(|cause| Failure::other(format_args!("{cause:#}")))?,
    };
    let started = context.operator.clock.now();
    let test = send_and_follow(context, &options, &tested, &mut log).await;
    if options.canary { canary::record(context, started, test).await } else { test }
}

async fn send_and_follow(
    context: &Context,
    options: &Options,
    tested: &TestedAddress,
    log: &mut MailLog,
) -> Result<(), Failure> {
    let start = Instant::now();
    let sender = options.sender.as_deref();
    let progress = progress::counter("delivery attempts");
    let print = |line: String| progress.suspend(|| context.output.step(&line));
    let token = context.operator.request_id();
    let mail = TestMail { sender, address: &tested.address, token, at: context.operator.clock.now() };
    let Options { mail_host, mail_port, .. } = options;
    let transaction = mail
        .send((mail_host.as_str(), *mail_port))
        .await
        .map_err(|cause| Failure::Other(format!("mail host {mail_host}:{mail_port}: {cause:#}")))?;
    let mut report = Report::new(tested, transaction.recipient_reply.unwrap_or_default());
    let result = match transaction.reply {
        SmtpReply::Queued(id) => {
            print(format!("accepted       {}", report.smtp_reply))?;
            print(format!("queued as      {id}"))?;
            report.queue_id = Some(id.clone());
            let mut destinations = BTreeMap::new();
            let mut printed = Ok(());
            let record = |delivery: Delivery| {
                let next = destinations.len() + 1;
                let number = *destinations.entry(delivery.recipient.clone()).or_insert(next);
                let attempt = Attempt::new(tested, &delivery, number, start.elapsed());
                progress.inc(1);
                if printed.is_ok() {
                    printed = print(attempt.to_string());
                }
                report.attempts.push(attempt);
            };
            let deadline = start + Duration::from_secs(options.timeout);
            let left_queue =
                watch(log, &id, deadline, record).await.map_err(|cause| Failure::other(format_args!("{cause:#}")))?;
            printed?;
            report.outcome = Outcome::of(&report.attempts, left_queue);
            report.check_delivered(options)
        }
        SmtpReply::Deferred(reply) => report.not_accepted(Outcome::TemporaryFailure, tested, &reply),
        SmtpReply::Rejected(_, reply) => {
            let outcome = if reply.contains(" 5.1.1 ") { Outcome::Unknown } else { Outcome::Rejected };
            report.not_accepted(outcome, tested, &reply)
        }
    };
    progress.finish_and_clear();
    report.seconds = seconds(start.elapsed());
    context.output.show(&report)?;
    result
}

impl TestedAddress {
    fn parse(text: &str) -> Result<Self, Failure> {
        let address = text.trim().to_ascii_lowercase();
        EmailAddress::parse(&address).map_err(|why| Failure::Usage(format!("{text:?} is {why}")))?;
        let local = address.rsplit_once('@').map(|(local, _)| local.to_owned());
        let local = local.ok_or_else(|| Failure::Usage(format!("{text:?} is not an address")))?;
        Ok(Self { address, local })
    }

    fn destination_kind(&self, delivery: &Delivery) -> DestinationKind {
        if delivery.recipient.eq_ignore_ascii_case(&self.address) {
            DestinationKind::Unchanged
        } else if is_reserved(&self.local) {
            DestinationKind::Admin
        } else {
            DestinationKind::Member
        }
    }
}

impl Outcome {
    /// The outcome by the last attempt of each destination.
    fn of(attempts: &[Attempt], left_queue: bool) -> Self {
        let last: BTreeMap<_, _> =
            attempts.iter().map(|attempt| (attempt.destination, attempt.status.as_str())).collect();
        if last.is_empty() {
            return Self::Queued;
        }
        if last.values().any(|status| matches!(*status, "bounced" | "expired")) {
            return Self::Bounced;
        }
        let all_sent = last.values().all(|status| *status == "sent");
        if all_sent && left_queue { Self::Delivered } else { Self::Deferred }
    }
}

impl Attempt {
    fn new(tested: &TestedAddress, delivery: &Delivery, destination: usize, after: Duration) -> Self {
        Self {
            destination,
            kind: tested.destination_kind(delivery),
            relay: redact_addresses(&delivery.relay, tested, &delivery.recipient),
            status: delivery.status.clone(),
            code: delivery.code.clone(),
            reply: redact_addresses(&delivery.response, tested, &delivery.recipient),
            after_seconds: seconds(after),
        }
    }
}

impl Report {
    fn new(tested: &TestedAddress, smtp_reply: String) -> Self {
        Self {
            address: tested.address.clone(),
            outcome: Outcome::Queued,
            smtp_reply,
            queue_id: None,
            attempts: Vec::new(),
            seconds: 0.0,
        }
    }

    /// Records that the mail host did not accept the mail.
    fn not_accepted(&mut self, outcome: Outcome, tested: &TestedAddress, reply: &str) -> Result<(), Failure> {
        self.outcome = outcome;
        self.smtp_reply = redact_addresses(reply, tested, "");
        let Self { address, smtp_reply, .. } = self;
        Err(match outcome {
            Outcome::Unknown => Failure::NotFound(format!("address {address}; the mail host replied: {smtp_reply}")),
            Outcome::TemporaryFailure => Failure::Busy(format!(
                "the mail host cannot accept mail for {address} now: {smtp_reply}; try again later"
            )),
            _ => Failure::Other(format!("the mail host rejected mail for {address}: {smtp_reply}")),
        })
    }

    /// The exit code of a mail that was accepted.
    fn check_delivered(&self, options: &Options) -> Result<(), Failure> {
        let last_reply = self.attempts.last().map(|attempt| attempt.reply.as_str()).unwrap_or_default();
        let id = self.queue_id.as_deref().unwrap_or_default();
        let Options { timeout, mail_log, .. } = options;
        match self.outcome {
            Outcome::Delivered => Ok(()),
            Outcome::Deferred => {
                Err(Failure::Busy(format!("not delivered after {timeout} s; {id} stays in the queue: {last_reply}")))
            }
            Outcome::Bounced => Err(Failure::Other(format!("the destination rejected the mail: {last_reply}"))),
            _ => Err(Failure::Busy(format!(
                "{} has no entry about {id} after {timeout} s; check that --mail-log is the log of this mail host",
                mail_log.display()
            ))),
        }
    }
}

/// Rounded to hundredths.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100.0).round() / 100.0
}

#[cfg(test)]
fn test_attempt(destination: usize, status: &str) -> Attempt {
    Attempt {
        destination,
        kind: DestinationKind::Member,
        relay: "mx.b.example[192.0.2.1]:25".to_owned(),
        status: status.to_owned(),
        code: "2.0.0".to_owned(),
        reply: "250 OK".to_owned(),
        after_seconds: 0.31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(&[], true, Outcome::Queued)]
    #[case(&[(1, "sent")], true, Outcome::Delivered)]
    #[case::still_in_queue(&[(1, "sent")], false, Outcome::Deferred)]
    #[case::sent_at_last(&[(1, "deferred"), (1, "sent")], true, Outcome::Delivered)]
    #[case::one_of_two_deferred(&[(1, "sent"), (2, "deferred")], false, Outcome::Deferred)]
    #[case::one_of_two_bounced(&[(1, "sent"), (2, "bounced")], true, Outcome::Bounced)]
    #[case::expired(&[(1, "deferred"), (1, "expired")], true, Outcome::Bounced)]
    fn last_attempt_per_destination_counts(
        #[case] attempts: &[(usize, &str)],
        #[case] left_queue: bool,
        #[case] outcome: Outcome,
    ) {
        let attempts: Vec<_> =
            attempts.iter().map(|(destination, status)| test_attempt(*destination, status)).collect();
        assert_eq!(Outcome::of(&attempts, left_queue), outcome);
    }

    #[rstest::rstest]
    #[case("alice@ubuntu.com", "a@mail.example", DestinationKind::Member)]
    #[case("Postmaster@ubuntu.com", "admin@ops.example", DestinationKind::Admin)]
    #[case("alice@elsewhere.example", "alice@elsewhere.example", DestinationKind::Unchanged)]
    fn destination_is_reported_by_kind(#[case] tested: &str, #[case] to: &str, #[case] kind: DestinationKind) {
        let delivery = Delivery {
            recipient: to.to_owned(),
            original_recipient: None,
            relay: String::new(),
            code: String::new(),
            status: String::new(),
            response: String::new(),
        };
        assert_eq!(TestedAddress::parse(tested).unwrap().destination_kind(&delivery), kind);
    }

    #[test]
    fn invalid_address_is_usage_error() {
        assert_eq!(TestedAddress::parse("alice").err().map(|failure| failure.kind()), Some("usage"));
    }
}
