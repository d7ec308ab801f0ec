//! What arrives at the destination: the same octets, no forged results, and one copy.

use anyhow::{Context, Result, ensure};
use membermail_postfix::smtp::{SmtpPhase, SmtpReply, send};
use membermail_test_mail_host::options::HOSTNAME;
use membermail_tests::mail::{MailHost, SENDER, mail};
use membermail_tests::signatures::{Signer, Verifier};
use membermail_tests::stack::Stack;

use super::signed::send_from_elsewhere;
use super::{connect, host, host_with_member, member};

/// A mail that its author's server signs.
struct Signed {
    subject: &'static str,
    fields: fn() -> String,
    body: fn() -> Vec<u8>,
}

const SIGNED: [Signed; 4] = [
    Signed {
        subject: "long lines",
        fields: || format!("X-Long: {}\r\n", "h".repeat(1_200)),
        body: || [998, 999, 1_200, 50_000].map(|length| format!("{}\r\n", "b".repeat(length))).concat().into_bytes(),
    },
    Signed {
        subject: "any octets",
        fields: || "Content-Transfer-Encoding: 8bit\r\n".to_owned(),
        body: || (1..=255).filter(|octet| !b"\r\n\x0c".contains(octet)).collect(),
    },
    Signed { subject: "large header", fields: || large_field(59_999), body: Vec::new },
    Signed {
        subject: "blanks and dots",
        fields: || "X-Blanks:   a  \t b \r\n".to_owned(),
        body: || b"  a  b \t\r\n.\r\n..\r\n.a\r\n\r\n\r\n".to_vec(),
    },
];

/// A signing host, its member, the author's server, and a destination that knows the keys of both.
async fn signed_path(name: &str) -> Result<(MailHost, &'static str, Signer, Verifier)> {
    let stack = Stack::of_this_run()?;
    let host = MailHost::start_as(&stack, name, |options| {
        options.signing = true;
        options.xclient = true;
    })
    .await?;
    member(&stack, "pat28").await?;
    let signer = Signer::create()?;
    let records = [("elsewhere.example", signer.record.as_str()), ("ubuntu.com", host.rig.dns_record.as_str())];
    let folder = stack.mail.folder.join(format!("{name}-judge"));
    let verifier = Verifier::start(&folder, &stack.knotd, &records).await?;
    Ok((host, "pat28@ubuntu.com", signer, verifier))
}

/// Sends each mail, and expects it to arrive as it was signed.
async fn expect_unchanged(name: &str, change: impl FnOnce(&MailHost) -> Result<()>) -> Result<()> {
    let (host, to, signer, verifier) = signed_path(name).await?;
    change(&host)?;
    for Signed { subject, fields, body } in SIGNED {
        let mut text = fields().into_bytes();
        text.extend(mail(to, subject));
        text.extend(body());
        let signed = signer.sign("elsewhere.example", &text)?;
        let said = send_from_elsewhere(&host, to, &signed).await?;
        ensure!(said.starts_with("250 "), "{subject}: {said}");
        let arrived = host.wait_for_mail(subject, 30).await?;
        // The client adds an empty line.
        ensure!(
            arrived.raw.trim_ascii_end().ends_with(signed.trim_ascii_end()),
            "{subject} was changed: {}",
            arrived.raw.escape_ascii()
        );
        let verdict = verifier.verify(&arrived.raw).await?;
        ensure!(verdict.is_signed_by("elsewhere.example"), "{subject}: {verdict:?}");
        ensure!(verdict.is_sealed_by("ubuntu.com", 1), "our seal of {subject}: {verdict:?}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn signed_mail_keeps_its_signature() -> Result<()> {
    expect_unchanged("signed-mail", |_| Ok(())).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn mail_is_unchanged_without_8bitmime() -> Result<()> {
    expect_unchanged("without-8bitmime", |host| {
        Ok(std::fs::write(host.rig.sink.mailbox.folder().join("without-8bitmime"), "")?)
    })
    .await
}

/// A signature over NUL is lost, and our seal holds.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn seal_is_valid_without_nul() -> Result<()> {
    let (host, to, signer, verifier) = signed_path("sealed-nul").await?;
    let signed = signer.sign("elsewhere.example", &[&mail(to, "NUL"), b"a\0b\r\n".as_slice()].concat())?;
    send_from_elsewhere(&host, to, &signed).await?;
    let arrived = host.wait_for_mail("NUL", 30).await?;
    let verdict = verifier.verify(&arrived.raw).await?;
    ensure!(!verdict.is_signed_by("elsewhere.example") && verdict.is_sealed_by("ubuntu.com", 1), "{verdict:?}");
    Ok(())
}

/// A server that drops NUL would see the end of the mail in the second line, and commands after it.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn nul_octets_are_removed() -> Result<()> {
    let host = host_with_member("nul", "pat29").await?;
    let mut raw = mail("pat29@ubuntu.com", "without NUL");
    raw.extend(b"before\r\n\0.\r\nMAIL FROM:<x@example.org>\r\n\0\0.\0\r\nbe\0tween\r\n.\0\r\nafter\r\n");
    host.accept(Some(SENDER), "pat29@ubuntu.com", &raw).await?;
    let arrived = host.wait_for_mail("without NUL", 30).await?;
    let end = b"before\r\n.\r\nMAIL FROM:<x@example.org>\r\n.\r\nbetween\r\n.\r\nafter";
    ensure!(arrived.raw.trim_ascii_end().ends_with(end) && !arrived.raw.contains(&0), "{}", arrived.raw.escape_ascii());
    Ok(())
}

/// A folded header field of this many octets, where a line break counts as one.
fn large_field(octets: usize) -> String {
    let name = "X-Large:";
    let rest = octets - name.len();
    let line = format!("\r\n {}", "x".repeat(98));
    format!("{name}{}{}\r\n", line.repeat(rest / 100), "x".repeat(rest % 100))
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn large_header_field_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    member(&stack, "pat30").await?;
    let to = "pat30@ubuntu.com";
    for signing in [true, false] {
        let host = MailHost::start_as(&stack, "large-header", |options| options.signing = signing).await?;
        let plain = String::from_utf8(mail(to, "large header"))?;
        let (header, body) = plain.split_once("\r\n\r\n").context("no body")?;
        let header = header.replace("text/plain; charset=utf-8", "multipart/mixed; boundary=\"b\"");
        let large = large_field(99_860);
        for refused in [
            format!("{large}{plain}"),
            format!("{}{plain}", large_field(60_000)),
            format!("X-Large: {}\r\n{plain}", "x".repeat(99_860)),
            format!("{header}\r\n\r\n--b\r\n{large}\r\n{body}\r\n--b--\r\n"),
            format!("{header}\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{large}\r\n{body}\r\n--b--\r\n"),
        ] {
            let said = send(host.rig.smtp, None, Some(SENDER), to, refused.as_bytes()).await?;
            let is_refused = matches!(&said, SmtpReply::Rejected(SmtpPhase::Message, text) if text.starts_with("550") && text.contains("5.3.4"));
            ensure!(is_refused, "signing {signing}: {said:?}");
        }
        let whole = format!("{}{plain}", large_field(59_999));
        host.accept(Some(SENDER), to, whole.as_bytes()).await?;
        let arrived = host.wait_for_mail("large header", 30).await?;
        ensure!(
            arrived.raw.trim_ascii_end().ends_with(whole.trim_end().as_bytes()),
            "signing {signing}: {} octets arrived",
            arrived.raw.len()
        );
        ensure!(host.rig.sink.mailbox.count()? == 1, "a refused mail arrived");
    }
    Ok(())
}

/// RFC 8601, 5: our own name in a stranger's header field would pass off their results as ours.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn forged_authentication_results_are_removed() -> Result<()> {
    let host = host_with_member("forged-results", "pat31").await?;
    let upper = HOSTNAME.to_ascii_uppercase();
    let escaped = HOSTNAME.replacen('a', "\\a", 1);
    let forged = [
        format!("Authentication-Results: {HOSTNAME}; dmarc=pass"),
        format!("Authentication-Results:{HOSTNAME} 1; dmarc=pass"),
        format!("AUTHENTICATION-RESULTS: {upper}; dmarc=pass"),
        format!("Authentication-Results:\r\n\t{HOSTNAME};\r\n dmarc=pass"),
        format!("Authentication-Results : {HOSTNAME}; dmarc=pass"),
        format!("Authentication-Results: (a; (nested) comment)(\\)) {HOSTNAME} (b); dmarc=pass"),
        format!("Authentication-Results: (folded\r\n comment)\r\n {HOSTNAME}; dmarc=pass"),
        format!("Authentication-Results: \"{HOSTNAME}\"; dmarc=pass"),
        format!("Authentication-Results: \"{escaped}\"; dmarc=pass"),
        format!("Authentication-Results: {HOSTNAME}.; dmarc=pass"),
        format!("Authentication-Results:\0 ma\0{}; dmarc=pass", HOSTNAME.replacen("ma", "", 1)),
    ];
    let others = [
        format!("Authentication-Results: mx.example.org; spf=pass smtp.helo={HOSTNAME}; dmarc=pass"),
        format!("Authentication-Results: mx.example.org; spf=pass (by {HOSTNAME}) smtp.helo={HOSTNAME}; dmarc=pass"),
        format!("Authentication-Results: {HOSTNAME}.example.org; dmarc=pass"),
        format!("Authentication-Results: x{HOSTNAME}; dmarc=pass"),
        format!("Authentication-Results: {}; dmarc=pass", HOSTNAME.replace('.', "x")),
        format!("X-Authentication-Results: {HOSTNAME}; dmarc=pass"),
    ];
    let fields = forged.iter().map(|field| format!("{field} smtp.from=forged\r\n"));
    let fields: String = fields.chain(others.iter().map(|field| format!("{field}\r\n"))).collect();
    // An attached mail is content, which its author may have signed.
    let attached =
        format!("Authentication-Results: {HOSTNAME}; dmarc=pass\r\nSubject: inside\r\n\r\nA mail in a mail.\r\n");
    let text = String::from_utf8(mail("pat31@ubuntu.com", "forged results"))?;
    let text =
        text.replace("text/plain; charset=utf-8", "message/rfc822").replace("A mail from elsewhere.\r\n", &attached);
    host.accept(Some(SENDER), "pat31@ubuntu.com", format!("{fields}{text}").as_bytes()).await?;
    let arrived = host.wait_for_mail("forged results", 30).await?;
    let raw = String::from_utf8_lossy(&arrived.raw);
    ensure!(!raw.contains("smtp.from=forged"), "{raw}");
    for kept in others.iter().map(String::as_str).chain([attached.as_str()]) {
        ensure!(raw.contains(kept), "{kept:?} is missing: {raw}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn two_aliases_get_one_copy() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "one-copy", "misses = \"0s\"").await?;
    let browser = stack.sign_in_until("alice", "alice@ubuntu.com now forwards to alice@mail.example").await?;
    stack.page_with(&browser, "alice@kubuntu.org now forwards to alice@mail.example").await?;
    let aliases = ["alice@ubuntu.com", "alice@kubuntu.org"];

    let mut connection = connect(host.rig.smtp, None).await?;
    connection.command(format!("MAIL FROM:<{SENDER}>\r\n")).await?;
    for alias in aliases {
        connection.command(format!("RCPT TO:<{alias}>\r\n")).await?;
    }
    connection.command("DATA\r\n").await?;
    connection.message(&mail(aliases[0], "one copy")).await?;
    let arrived = host.wait_for_mail("one copy", 30).await?;
    host.wait_for_empty_queue(10).await?;
    ensure!(arrived.recipients == ["alice@mail.example"], "{:?}", arrived.recipients);
    ensure!(host.rig.sink.mailbox.count()? == 1, "it arrived {} times", host.rig.sink.mailbox.count()?);
    // docs/operations.md restores lost addresses from these log entries.
    let log = std::fs::read_to_string(&host.rig.log)?;
    ensure!(log.contains("orig_to=<alice@ubuntu.com>"), "{log}");
    Ok(())
}
