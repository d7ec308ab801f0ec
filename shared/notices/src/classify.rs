//! What a rejection by the relay is about: the mailbox, the message, or us. A rejection of us concerns all mail, so it must
//! never look like a dead mailbox of one member.
//!
//! Enhanced status codes decide where they are unambiguous. Otherwise the stage of the session does (RFC 5321, 4.2.5: a reply
//! is about the command that it answers), and last the well-known words of common servers. A server may quote the recipient
//! or another server in its reply, which a member can choose, so those parts are not considered.

use crate::SmtpReply;

/// The part of the SMTP session that was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Greeting, EHLO, STARTTLS or AUTH: the relay knows nothing but us.
    Session,
    /// MAIL FROM: the relay knows only our sender.
    Sender,
    /// RCPT TO. Servers often delay rejections of client and sender until here (Postfix: `smtpd_delay_reject`).
    Recipient,
    /// DATA and the message.
    Content,
}

/// What a reply means for the delivery of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplyClass {
    /// A temporary failure: retry.
    Transient,
    /// The relay rejects all of our mail, for example because the login is wrong: retry after an operator fixed it.
    NotAuthorized,
    /// The recipient's mailbox does not exist or accepts no mail.
    MailboxUnavailable,
    /// The server permanently rejects this message.
    Rejected,
}

/// Classifies a negative reply with its text, which is not kept.
pub(crate) fn classify(stage: Stage, reply: SmtpReply, text: &str, recipient: &str) -> ReplyClass {
    let words = own_words(text, recipient);
    if reply.code < 500 {
        // Postfix: `defer_unauth_destination` replies 454 4.7.1 until an operator permits us.
        let is_denied = stage == Stage::Recipient && contains_any(&words, &RELAYING);
        return if is_denied { ReplyClass::NotAuthorized } else { ReplyClass::Transient };
    }
    if matches!(stage, Stage::Session | Stage::Sender) || has_our_status(reply) {
        return ReplyClass::NotAuthorized;
    }
    let is_recipient = stage == Stage::Recipient;
    match reply.enhanced {
        // Addressing and mailbox status (RFC 3463, 3.2 and 3.3), except for the undefined 5.1.0 and a message that is too
        // long (5.2.3).
        Some((5, 1, 1..) | (5, 2, 0..=2)) => ReplyClass::MailboxUnavailable,
        _ if contains_any(&words, &RELAYING) || contains_any(&words, &US) => ReplyClass::NotAuthorized,
        Some((5, 1, 0)) => ReplyClass::MailboxUnavailable,
        Some((5, 7, 1)) if is_recipient && !words.contains("recipient address rejected") => ReplyClass::NotAuthorized,
        None if is_recipient && matches!(reply.code, 550 | 551 | 553) => ReplyClass::MailboxUnavailable,
        _ => ReplyClass::Rejected,
    }
}

/// Whether the status codes are about us in any text.
fn has_our_status(SmtpReply { code, enhanced }: SmtpReply) -> bool {
    // Authentication (RFC 4954, 6) and encryption (RFC 3207, 4).
    if matches!(code, 530 | 534 | 535 | 538) {
        return true;
    }
    match enhanced {
        // Gmail rejects attachments with 552 5.7.0.
        Some((5, 7, 0)) => code != 552,
        // Authentication and encryption (RFC 4954, RFC 5248), DKIM, SPF and DMARC of our domain (RFC 7372, RFC 7505).
        Some((5, 7, 3 | 8..=11 | 13 | 14 | 20..=27)) => true,
        // Microsoft 365: anonymous clients, send as another sender, relaying, and blocked senders, clients and tenants.
        Some((5, 7, 54 | 57 | 60 | 64 | 68 | 139 | 501..=503 | 511 | 606..=649 | 705 | 708 | 750) | (5, 2, 252)) => {
            true
        }
        // Our sender address (RFC 3463, 3.2), and the quota of our account at Gmail.
        Some((5, 1, 7 | 8) | (5, 4, 5)) => true,
        _ => false,
    }
}

/// Refusals to relay.
const RELAYING: [&str; 14] = [
    "relay access denied",    // Postfix, Microsoft 365
    "relay not permitted",    // Exim
    "not permitted to relay", // Exim (cPanel)
    "relaying denied",        // sendmail
    "relaying prohibited",    // Exim
    "relaying not allowed",   // hMailServer
    "relaying not permitted", // Exim
    "relaying is not",        // hMailServer, MDaemon
    "relay denied",           // Gmail
    "credentials for relay",  // Gmail
    "unable to relay",        // Exchange
    "not allowed to relay",   // Courier
    "do not relay",           // Lotus Domino
    "allowed rcpthosts",      // qmail
];

/// Rejections of our client, login or sender.
const US: [&str; 14] = [
    "sender address rejected",              // Postfix
    "sender verify failed",                 // Exim
    "client host rejected",                 // Postfix
    "client host [",                        // Postfix: blocked by a DNS list
    "helo command rejected",                // Postfix
    "authentication required",              // Exim, Gmail
    "authentication is required",           // Courier
    "smtp authentication",                  // Exim (cPanel)
    "not authenticated",                    // Exchange
    "email address is not verified",        // Amazon SES
    "not authorized to perform",            // Amazon SES: IAM
    "sending suspended",                    // Amazon SES
    "sending paused",                       // Amazon SES
    "does not have permissions to send as", // Exchange
];

fn contains_any(words: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| words.contains(phrase))
}

/// The relay's own words in lower case: without addresses, and without the reply of another server that it asked (Postfix:
/// address verification, Exim: callouts).
fn own_words(text: &str, recipient: &str) -> String {
    let mut text = text.to_lowercase();
    if !recipient.is_empty() {
        text = text.replace(&recipient.to_lowercase(), "");
    }
    let quoted = [" said: ", "response: ", "callout", "callback"].into_iter().filter_map(|mark| text.find(mark)).min();
    let own = text.get(..quoted.unwrap_or(text.len())).unwrap_or_default();
    let mut words = String::with_capacity(own.len());
    let mut is_address = false;
    for letter in own.chars() {
        match letter {
            '<' => is_address = true,
            '>' => is_address = false,
            _ if is_address => {}
            _ => words.push(letter),
        }
    }
    words
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
