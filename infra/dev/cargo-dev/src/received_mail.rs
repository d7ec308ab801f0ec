//! After the end-to-end tests: checks that no mail that left a test mail host reveals where a member reads mail.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use membermail_test_mail_host::options::RETURN_PATH_DOMAIN;
use serde::Deserialize;

/// Domains of all destinations of the tests: of members, and of the operators. Senders are never there.
const DESTINATION_DOMAINS: [&str; 2] = ["mail.example", "ops.example"];

/// The envelope of a received mail.
#[derive(Deserialize)]
struct Envelope {
    sender: String,
    recipients: Vec<String>,
}

/// Checks all mail that the destinations and senders of each mail host in `hosts` received; returns its number. The error
/// names the file of a finding.
pub(crate) fn check(hosts: &Path) -> Result<usize> {
    let mut mails = 0;
    let mut findings = Vec::new();
    // The folder does not exist if no test started a mail host.
    for host in fs::read_dir(hosts).into_iter().flatten() {
        for file in fs::read_dir(host?.path().join("received/mail")).into_iter().flatten() {
            let file = file?.path();
            if file.extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            mails += 1;
            let envelope = fs::read(file.with_extension("json")).with_context(|| file.display().to_string())?;
            if let Some(finding) = find_destination(&serde_json::from_slice(&envelope)?, &fs::read(&file)?) {
                findings.push(format!("{}: {finding}", file.display()));
            }
        }
    }
    if !findings.is_empty() {
        let first = &findings[..findings.len().min(20)];
        bail!("{} mails reveal a destination:\n  {}", findings.len(), first.join("\n  "));
    }
    Ok(mails)
}

/// What a mail reveals. A mail to the outside must not contain the domain of any destination; a forwarded mail must not
/// contain its own destination, which a further forwarder could reveal. Our notices name their recipient.
fn find_destination(envelope: &Envelope, mail: &[u8]) -> Option<&'static str> {
    // A return path that begins with `n` is of a notice.
    let is_forwarded =
        envelope.sender.ends_with(&format!("@{RETURN_PATH_DOMAIN}")) && !envelope.sender.starts_with('n');
    let is_outside = |recipient: &&String| !DESTINATION_DOMAINS.iter().any(|domain| recipient.ends_with(domain));
    if envelope.recipients.iter().any(|recipient| is_outside(&recipient)) {
        return DESTINATION_DOMAINS.iter().any(|domain| contains(mail, domain)).then_some("sent to the outside");
    }
    let names_recipient = envelope.recipients.iter().any(|recipient| contains(mail, recipient));
    (is_forwarded && names_recipient).then_some("forwarded with its own destination")
}

fn contains(mail: &[u8], text: &str) -> bool {
    mail.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::report("", "sender@elsewhere.example", "Final-Recipient: rfc822; alice@ubuntu.com", false)]
    #[case::bounce("", "sender@elsewhere.example", "Final-Recipient: rfc822; Alice@Mail.Example", true)]
    #[case::remote_server("", "sender@elsewhere.example", "Remote-MTA: dns; mx.mail.example", true)]
    #[case::admin("", "sender@elsewhere.example", "<operators@ops.example> (expanded)", true)]
    #[case::forwarded("rx@back.membermail.test", "alice@mail.example", "To: <alice@ubuntu.com>", false)]
    #[case::delivered_to("rx@back.membermail.test", "alice@mail.example", "Delivered-To: alice@mail.example", true)]
    #[case::other_address("rx@back.membermail.test", "alice@mail.example", "From: bob@mail.example", false)]
    #[case::notice("noreply@ubuntu.com", "alice@mail.example", "To: alice@mail.example", false)]
    #[case::notice_with_return_path("n1@back.membermail.test", "alice@mail.example", "To: alice@mail.example", false)]
    fn revealed_destination_is_found(#[case] sender: &str, #[case] to: &str, #[case] mail: &str, #[case] found: bool) {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(check(folder.path()).unwrap(), 0);
        let received = folder.path().join("door/received/mail");
        fs::create_dir_all(&received).unwrap();
        let envelope = serde_json::json!({ "sender": sender, "recipients": [to], "login": null, "is_tls": false });
        fs::write(received.join("000001.json"), envelope.to_string()).unwrap();
        fs::write(received.join("000001.eml"), format!("{mail}\r\n\r\nA text.\r\n")).unwrap();
        match check(folder.path()) {
            Ok(mails) => assert!(!found && mails == 1, "not found"),
            Err(error) => assert!(found && error.to_string().contains("door/received/mail/000001.eml"), "{error}"),
        }
    }
}
