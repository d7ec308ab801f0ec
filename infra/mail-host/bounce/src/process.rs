//! Processes one bounce: looks up whom it concerns, and sends what they may know.

use membermail_core::address::DomainName;
use membermail_core::clock::Clock;
use membermail_core::message::DeliveryFailure;
use membermail_core::random::{self, Random};
use membermail_core::status_code::StatusCode;

use crate::address::{Mailbox, Recipient};
use crate::bounce::{Action, Bounce, Ignored};
use crate::decision::{Claim, Origin, Quoted, Told, claims, merge};
use crate::failures::FailureQueue;
use crate::maps::{Maps, MapsError, Owner};
use crate::report::Report;
use crate::status::Status;
use crate::submission::{Submission, SubmissionError};

/// A mail to the return path.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// Where it was made.
    pub origin: Origin,
    /// Its envelope recipient.
    pub recipient: &'a Mailbox,
    /// The mail.
    pub octets: &'a [u8],
}

/// What surrounds the program.
pub struct Edges<'a> {
    /// The name of this host.
    pub host: &'a DomainName,
    /// alias-map.
    pub maps: &'a mut dyn Maps,
    /// Where reports are submitted.
    pub submission: &'a dyn Submission,
    /// Where failures are reported, if anywhere.
    pub queue: Option<&'a dyn FailureQueue>,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// The source of random bytes.
    pub random: &'a dyn Random,
}

/// What became of a bounce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
pub enum Outcome {
    /// The sender gets a report.
    #[strum(to_string = "report sent")]
    Reported,
    /// The sender's address does not accept mail.
    #[strum(to_string = "sender unreachable")]
    SenderRejected,
    /// A notice to a member failed; no mail is sent.
    #[strum(to_string = "notice failed")]
    NoticeFailed,
    /// The address is not, or no longer, of the return path.
    #[strum(to_string = "no such return path")]
    UnknownReturnPath,
    /// Nothing in it is for the sender.
    #[strum(to_string = "{0}")]
    Ignored(Ignored),
}

/// The bounce has to be processed again later; nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Retry {
    /// alias-map does not reply.
    #[error(transparent)]
    Maps(#[from] MapsError),
    /// Postfix does not accept the report now.
    #[error("report not accepted")]
    Submission,
}

/// Processes a bounce.
pub async fn process(incoming: Incoming<'_>, mut edges: Edges<'_>) -> Result<Outcome, Retry> {
    let owner = edges.maps.owner(incoming.recipient).await?;
    if owner == Owner::Unknown {
        return Ok(Outcome::UnknownReturnPath);
    }
    let bounce = Bounce::parse(incoming.octets, edges.host);
    let claims = match claims(&bounce, incoming.origin) {
        Ok(claims) => claims,
        Err(why) => return Ok(Outcome::Ignored(why)),
    };
    match owner {
        Owner::Unknown => Ok(Outcome::UnknownReturnPath),
        Owner::Notice(member) => {
            let failed = claims.iter().find(|claim| claim.action == Action::Failed).and_then(|claim| claim.reply);
            let reply = failed.and_then(status_code);
            let failure = reply.map(|reply| DeliveryFailure::notice(member, reply, edges.clock.now()));
            send_all(&edges, failure.as_slice()).await;
            Ok(Outcome::NoticeFailed)
        }
        Owner::Sender(sender) => {
            // All look-ups come first: after the submission, another attempt would send the report again.
            let failures = failures(&claims, &mut edges).await?;
            let told = told(&claims, &mut edges).await?;
            let quoted = Quoted::choose(&bounce, incoming.origin, &sender);
            let random = random::bytes(edges.random);
            let report = Report {
                host: edges.host,
                sender: &sender,
                told: &told,
                quoted: &quoted,
                at: edges.clock.now(),
                random,
            };
            let outcome = match edges.submission.submit(&sender, &report.to_mail()).await {
                Ok(()) => Outcome::Reported,
                Err(SubmissionError::Permanent) => Outcome::SenderRejected,
                Err(SubmissionError::Temporary) => return Err(Retry::Submission),
            };
            send_all(&edges, &failures).await;
            Ok(outcome)
        }
    }
}

/// What the sender is told: of each address, if it is at a domain of ours.
async fn told(claims: &[Claim], edges: &mut Edges<'_>) -> Result<Vec<Told>, MapsError> {
    let mut all = Vec::new();
    for claim in claims {
        let recipient = served(claim.told.as_ref(), edges).await?.cloned();
        all.push(Told { recipient, action: claim.action, status: claim.status });
    }
    Ok(merge(all))
}

async fn served<'a>(
    recipient: Option<&'a Recipient>,
    edges: &mut Edges<'_>,
) -> Result<Option<&'a Recipient>, MapsError> {
    let Some(recipient) = recipient else { return Ok(None) };
    Ok(edges.maps.is_served(recipient.domain()).await?.then_some(recipient))
}

/// The failures to report, one for each destination of an alias.
///
/// Each recipient of forwarded mail knows an address of the return path, and can send a bounce that names any alias. Only
/// the destination's server and the member know the destination, so a failure counts if it names a current one.
async fn failures(claims: &[Claim], edges: &mut Edges<'_>) -> Result<Vec<DeliveryFailure>, MapsError> {
    let mut failures = Vec::new();
    if edges.queue.is_none() {
        return Ok(failures);
    }
    let mut reported = Vec::new();
    for claim in claims {
        let (Some(recipient), Some(final_recipient), Some(reply)) =
            (&claim.failing, &claim.destination, claim.reply.and_then(status_code))
        else {
            continue;
        };
        let Some(alias) = recipient.alias() else { continue };
        let Some(destination) = edges.maps.destination(recipient, final_recipient).await? else { continue };
        if !reported.contains(&(alias.clone(), destination)) {
            reported.push((alias.clone(), destination));
            failures.push(DeliveryFailure::forwarded(alias, Some(destination), reply, edges.clock.now()));
        }
    }
    Ok(failures)
}

fn status_code(status: Status) -> Option<StatusCode> {
    StatusCode::parse(&status.to_string()).ok()
}

/// Sends failures. An error is only logged: the sender's report has been sent by now.
async fn send_all(edges: &Edges<'_>, failures: &[DeliveryFailure]) {
    let Some(queue) = edges.queue else { return };
    for failure in failures {
        if let Err(error) = queue.send(failure).await {
            tracing::error!(%error, "failed delivery not reported");
        }
    }
}

#[cfg(test)]
#[path = "process_tests.rs"]
mod tests;
