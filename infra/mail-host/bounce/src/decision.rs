//! What a bounce means: what its sender is told, and what is reported about an alias.

use crate::address::{Mailbox, Recipient};
use crate::bounce::{Action, Bounce, Ignored, RecipientStatus};
use crate::returned::ReturnedHeader;
use crate::status::{Class, Status};

/// Where a bounce was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Origin {
    /// Postfix on this host: its fields are true.
    Local,
    /// Any other server that knows an address of the return path: every word can be false.
    Outside,
}

/// A failure or delay, before alias-map has confirmed its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The address that the sender wrote to, if the bounce tells.
    pub told: Option<Recipient>,
    /// The address whose destination failed.
    pub failing: Option<Recipient>,
    /// The destination that failed.
    pub destination: Option<Mailbox>,
    /// The outcome.
    pub action: Action,
    /// The status code for the sender: of RFC 3463 and no other.
    pub status: Status,
    /// The status code to report about the alias; `None` for what is not reported.
    pub reply: Option<Status>,
}

/// The claims of a bounce, or why it has none.
pub fn claims(bounce: &Bounce, origin: Origin) -> Result<Vec<Claim>, Ignored> {
    match bounce {
        Bounce::Ignored(why) => Err(*why),
        // Without a Final-Recipient nothing can be reported about an alias.
        Bounce::Unstructured(returned) => Ok(vec![Claim {
            told: returned.first_recipient().cloned(),
            failing: None,
            destination: None,
            action: Action::Failed,
            status: Status::UNKNOWN,
            reply: Some(Status::UNKNOWN),
        }]),
        Bounce::Report(recipients, returned) => {
            Ok(recipients.iter().map(|recipient| claim(recipient, returned, origin)).collect())
        }
    }
}

fn claim(recipient: &RecipientStatus, returned: &ReturnedHeader, origin: Origin) -> Claim {
    let RecipientStatus { action, status, final_recipient, original_recipient } = recipient;
    let is_expired = *action == Action::Failed && status.class == Class::Transient;
    // After a second passage, the original recipient is an address that the sender does not know.
    let told = match original_recipient {
        Some(_) if returned.came_back() => returned.first_recipient(),
        Some(original) => Some(original),
        None => returned.first_recipient(),
    };
    let reply = match (action, origin) {
        (Action::Failed, _) if is_expired => Some(Status::EXPIRED),
        (Action::Failed, _) => Some(*status),
        // After `delay_warning_time`. Other servers report a delay within hours.
        (Action::Delayed, Origin::Local) => Some(Status::DEFERRED),
        (Action::Delayed, Origin::Outside) => None,
    };
    let failing = original_recipient.as_ref().or(returned.latest_recipient());
    Claim {
        told: told.cloned(),
        failing: failing.cloned(),
        destination: final_recipient.clone(),
        action: *action,
        status: if is_expired { Status::EXPIRED } else { status.generic() },
        reply,
    }
}

/// What the sender is told about one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The address, if it is one of ours.
    pub recipient: Option<Recipient>,
    /// The outcome.
    pub action: Action,
    /// The status code.
    pub status: Status,
}

/// One entry per address: several admins can read the mail to one, and the sender is not told how many.
pub fn merge(all: impl IntoIterator<Item = Told>) -> Vec<Told> {
    let mut merged: Vec<Told> = Vec::new();
    for told in all {
        match merged.iter_mut().find(|one| one.recipient == told.recipient) {
            Some(one) if one.action < told.action => *one = told,
            Some(_) => {}
            None => merged.push(told),
        }
    }
    // "An address at this host" says nothing beside a name.
    if merged.iter().any(|told| told.recipient.is_some()) {
        merged.retain(|told| told.recipient.is_some());
    }
    merged
}

/// What a report quotes of the original mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quoted {
    /// Fields with their names.
    pub fields: Vec<(&'static str, String)>,
    /// The Message-ID without angle brackets.
    pub message_id: Option<String>,
}

impl Quoted {
    /// Chooses by facts that the sender knows. To drop what contains the destination would tell a sender who guesses it.
    pub fn choose(bounce: &Bounce, origin: Origin, sender: &Mailbox) -> Self {
        let (Bounce::Report(_, returned) | Bounce::Unstructured(returned)) = bounce else { return Self::default() };
        if origin == Origin::Local && !returned.came_back() {
            // As the sender wrote it.
            let message_id = returned.message_id().map(str::to_owned);
            return Self { fields: returned.fields().to_vec(), message_id };
        }
        // A destination adds a missing Message-ID with a name of its own.
        let is_senders = |id: &&str| id.rsplit_once('@').is_some_and(|(_, right)| is_within(right, &sender.domain()));
        let message_id = returned.message_id().filter(is_senders).map(str::to_owned);
        let fields = message_id.iter().map(|id| ("Message-ID", format!("<{id}>"))).collect();
        Self { fields, message_id }
    }
}

fn is_within(name: &str, domain: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
#[path = "decision_tests.rs"]
mod tests;
