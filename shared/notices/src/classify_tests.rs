//! Replies as the servers' source code and manuals have them.

use proptest::prelude::*;
use rstest::rstest;

use super::ReplyClass::{MailboxUnavailable, NotAuthorized, Rejected, Transient};
use super::Stage::{Content, Recipient, Sender, Session};
use super::*;

const RECIPIENT: &str = "alice@mail.example";

fn class(stage: Stage, code: u16, text: &str) -> ReplyClass {
    classify(stage, SmtpReply::new(code, text), text, RECIPIENT)
}

#[rstest]
// Postfix (smtpd(8), postconf(5)): rejections of client, HELO and sender come at RCPT TO by default.
#[case::postfix_relay(Recipient, 554, "5.7.1 <alice@mail.example>: Relay access denied", NotAuthorized)]
#[case::postfix_deferred_relay(Recipient, 454, "4.7.1 <alice@mail.example>: Relay access denied", NotAuthorized)]
#[case::postfix_client(
    Recipient,
    554,
    "5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied",
    NotAuthorized
)]
#[case::postfix_dnsbl(
    Recipient,
    554,
    "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
    NotAuthorized
)]
#[case::postfix_helo(
    Recipient,
    504,
    "5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
    NotAuthorized
)]
#[case::postfix_sender_domain(
    Recipient,
    550,
    "5.1.8 <noreply@notices.example>: Sender address rejected: Domain not found",
    NotAuthorized
)]
#[case::postfix_sender_unknown(
    Recipient,
    550,
    "5.1.0 <noreply@notices.example>: Sender address rejected: User unknown",
    NotAuthorized
)]
#[case::postfix_sender_login(
    Recipient,
    553,
    "5.7.1 <noreply@notices.example>: Sender address rejected: not owned by user notices",
    NotAuthorized
)]
#[case::postfix_login(Session, 535, "5.7.8 Error: authentication failed: authentication failure", NotAuthorized)]
#[case::postfix_tls(Sender, 530, "5.7.0 Must issue a STARTTLS command first", NotAuthorized)]
#[case::postfix_auth_off(Session, 503, "5.5.1 Error: authentication not enabled", NotAuthorized)]
#[case::postfix_no_user(
    Recipient,
    550,
    "5.1.1 <alice@mail.example>: Recipient address rejected: User unknown in local recipient table",
    MailboxUnavailable
)]
#[case::postfix_recipient_denied(
    Recipient,
    554,
    "5.7.1 <alice@mail.example>: Recipient address rejected: Access denied",
    Rejected
)]
#[case::postfix_quota(
    Recipient,
    552,
    "5.2.2 <alice@mail.example>: Recipient address rejected: Quota exceeded",
    MailboxUnavailable
)]
#[case::postfix_too_large(Content, 552, "5.3.4 Error: message file too big", Rejected)]
#[case::postfix_content(Content, 550, "5.7.1 Message content rejected", Rejected)]
// Exim (default configuration, and cPanel's).
#[case::exim_relay(Recipient, 550, "relay not permitted", NotAuthorized)]
#[case::exim_cpanel(
    Recipient,
    550,
    "(host) [192.0.2.1]:25 is not permitted to relay through this server without authentication.",
    NotAuthorized
)]
#[case::exim_authentication(Recipient, 550, "authentication required", NotAuthorized)]
#[case::exim_login(Session, 535, "Incorrect authentication data", NotAuthorized)]
#[case::exim_sender(Recipient, 550, "Sender verify failed", NotAuthorized)]
#[case::exim_no_user(Recipient, 550, "Unrouteable address", MailboxUnavailable)]
#[case::exim_content(Content, 550, "Administrative prohibition", Rejected)]
// Amazon SES ("Amazon SES SMTP response codes").
#[case::ses_unverified(
    Content,
    554,
    "Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1: noreply@notices.example",
    NotAuthorized
)]
#[case::ses_iam(
    Content,
    554,
    "Access denied: User `arn:aws:iam::123456789012:user/notices' is not authorized to perform `ses:SendRawEmail' on resource",
    NotAuthorized
)]
#[case::ses_suspended(Content, 554, "Message rejected: Sending suspended for this account.", NotAuthorized)]
#[case::ses_login(Session, 535, "Authentication Credentials Invalid", NotAuthorized)]
#[case::ses_no_login(Sender, 530, "Authentication required", NotAuthorized)]
#[case::ses_sender(Sender, 501, "Invalid MAIL FROM address provided", NotAuthorized)]
#[case::ses_rate(Content, 454, "Throttling failure: Maximum sending rate exceeded.", Transient)]
#[case::ses_too_large(Content, 552, "5.3.4 Message is too long.", Rejected)]
// Microsoft 365 and Exchange ("Email non-delivery reports in Exchange Online").
#[case::microsoft_relay(Recipient, 550, "5.7.64 TenantAttribution; Relay Access Denied", NotAuthorized)]
#[case::microsoft_anonymous(Sender, 530, "5.7.57 Client not authenticated to send mail.", NotAuthorized)]
#[case::microsoft_login(
    Session,
    535,
    "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
    NotAuthorized
)]
#[case::microsoft_send_as(
    Content,
    550,
    "5.7.60 SMTP; Client does not have permissions to send as this sender",
    NotAuthorized
)]
#[case::microsoft_send_as_denied(
    Content,
    554,
    "5.2.252 SendAsDenied; notices@notices.example not allowed to send as noreply@notices.example",
    NotAuthorized
)]
#[case::microsoft_banned(Recipient, 550, "5.7.606 Access denied, banned sending IP [192.0.2.1].", NotAuthorized)]
#[case::exchange_relay(Recipient, 550, "5.7.1 Unable to relay", NotAuthorized)]
#[case::microsoft_no_user(
    Recipient,
    550,
    "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient alice@mail.example not found by SMTP address lookup",
    MailboxUnavailable
)]
#[case::microsoft_full(Recipient, 552, "5.2.2 RESOLVER.QTA.RecipientQuota; mailbox full", MailboxUnavailable)]
// Gmail ("SMTP relay service error messages").
#[case::gmail_relay(
    Recipient,
    550,
    "5.7.1 Invalid credentials for relay [192.0.2.1]. The IP address you've registered doesn't match the domain",
    NotAuthorized
)]
#[case::gmail_relay_denied(Recipient, 550, "5.7.0 Mail relay denied [192.0.2.1].", NotAuthorized)]
#[case::gmail_no_login(Sender, 530, "5.5.1 Authentication Required.", NotAuthorized)]
#[case::gmail_login(Session, 535, "5.7.8 Username and Password not accepted.", NotAuthorized)]
#[case::gmail_app_password(Session, 534, "5.7.9 Application-specific password required.", NotAuthorized)]
#[case::gmail_unauthenticated(
    Content,
    550,
    "5.7.26 This mail is unauthenticated, which poses a security risk",
    NotAuthorized
)]
#[case::gmail_quota(Content, 550, "5.4.5 Daily SMTP relay sending limit exceeded for this user.", NotAuthorized)]
#[case::gmail_attachment(
    Content,
    552,
    "5.7.0 This message was blocked because its content presents a potential security issue.",
    Rejected
)]
#[case::gmail_spam(
    Content,
    550,
    "5.7.1 Our system has detected that this message is likely unsolicited mail.",
    Rejected
)]
#[case::gmail_no_user(
    Recipient,
    550,
    "5.1.1 The email account that you tried to reach does not exist.",
    MailboxUnavailable
)]
#[case::gmail_full(
    Recipient,
    552,
    "5.2.2 The email account that you tried to reach is over quota.",
    MailboxUnavailable
)]
// sendmail (cf/README).
#[case::sendmail_relay(
    Recipient,
    550,
    "5.7.1 <alice@mail.example>... Relaying denied. Proper authentication required.",
    NotAuthorized
)]
#[case::sendmail_plain_relay(Recipient, 551, "we do not relay", NotAuthorized)]
#[case::sendmail_sender_domain(
    Sender,
    553,
    "5.1.8 <noreply@notices.example>... Domain of sender address noreply@notices.example does not exist",
    NotAuthorized
)]
#[case::sendmail_login(Session, 535, "5.7.0 authentication failed", NotAuthorized)]
#[case::sendmail_no_user(Recipient, 550, "5.1.1 <alice@mail.example>... User unknown", MailboxUnavailable)]
// qmail, and others.
#[case::qmail_relay(Recipient, 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", NotAuthorized)]
#[case::greylisted(Recipient, 451, "Greylisted", Transient)]
#[case::overloaded(Session, 421, "4.3.2 try later", Transient)]
#[case::login_fails_for_now(Session, 454, "4.7.0 Temporary authentication failure", Transient)]
#[case::no_smtp(Session, 521, "host does not accept mail", NotAuthorized)]
#[case::user_without_status(Recipient, 550, "No such user alice@mail.example", MailboxUnavailable)]
#[case::content_without_status(Content, 550, "Message rejected as spam", Rejected)]
#[case::other_content(Content, 554, "5.6.0 what is this", Rejected)]
#[case::too_long_for_mailbox(Content, 552, "5.2.3 too long", Rejected)]
#[case::refused_after_data(Content, 550, "5.1.1 no such user", MailboxUnavailable)]
fn reply_of_server_is_classified(
    #[case] stage: Stage,
    #[case] code: u16,
    #[case] text: &str,
    #[case] expected: ReplyClass,
) {
    assert_eq!(class(stage, code, text), expected);
}

/// Members choose their addresses and mail servers, so neither must make their mailbox look like a failure of the relay.
#[rstest]
#[case::quoted_local_part(
    550,
    r#"No such user "relay access denied"@mail.example"#,
    r#""Relay Access Denied"@mail.example"#
)]
#[case::in_brackets(550, "<relay not permitted@mail.example>: no such user", "other@mail.example")]
#[case::postfix_verification(
    550,
    "5.1.1 <a@mail.example>: Recipient address rejected: undeliverable address: host mx.mail.example said: 554 5.7.1 Relay access denied",
    "a@mail.example"
)]
#[case::exim_callout(550, "Callout verification failed: 550 relay not permitted", "a@mail.example")]
#[case::exim_response(
    550,
    "Called: 192.0.2.1 Sent: RCPT TO:<a@mail.example> Response: 550 relay not permitted",
    "a@mail.example"
)]
fn quoted_text_is_ignored(#[case] code: u16, #[case] text: &str, #[case] recipient: &str) {
    let class = classify(Recipient, SmtpReply::new(code, text), text, recipient);
    assert_eq!(class, MailboxUnavailable);
}

#[test]
fn verification_in_progress_is_transient() {
    let text =
        "4.1.1 <a@mail.example>: Recipient address rejected: unverified address: host mx said: 550 Relay access denied";
    assert_eq!(class(Recipient, 450, text), Transient);
}

proptest! {
    #[test]
    fn early_rejection_is_about_us(code in 500_u16..600, text in ".{0,80}") {
        prop_assert_eq!(class(Session, code, &text), NotAuthorized);
        prop_assert_eq!(class(Sender, code, &text), NotAuthorized);
    }

    #[test]
    fn mailbox_status_is_never_about_us(detail in 0_u16..=2, text in ".{0,80}") {
        prop_assert_eq!(class(Recipient, 550, &format!("5.2.{detail} {text}")), MailboxUnavailable);
        prop_assert_eq!(class(Recipient, 550, &format!("5.1.1 {text}")), MailboxUnavailable);
    }
}
