//! ARC seals: each is valid for dkimpy and for rspamd, or there is none. Chains of other servers stay valid.

use anyhow::{Result, ensure};
use membermail_test_mail_host::keys::zone_line;
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::mail::{MailHost, mail};
use membermail_tests::signatures::{Signer, Verifier};
use membermail_tests::stack::Stack;

use super::member;
use super::signed::send_from_elsewhere;

/// The domains of other servers.
const DOMAINS: [&str; 3] = ["one.example", "two.example", "three.example"];

/// A change of a mail before it is sent.
type Change = fn(String) -> String;

/// A mail that other servers seal, changed before that and afterwards.
struct Case {
    subject: &'static str,
    sets: usize,
    /// Whether the chain is still valid after the changes.
    is_valid: bool,
    before: Change,
    after: Change,
    is_sealed: bool,
}

fn keep(mail: String) -> String {
    mail
}

const CASES: [Case; 16] = [
    Case { subject: "no set", sets: 0, is_valid: false, before: keep, after: keep, is_sealed: true },
    Case { subject: "one set", sets: 1, is_valid: true, before: keep, after: keep, is_sealed: true },
    Case { subject: "two sets", sets: 2, is_valid: true, before: keep, after: keep, is_sealed: false },
    Case { subject: "three sets", sets: 3, is_valid: true, before: keep, after: keep, is_sealed: false },
    Case {
        subject: "a broken set",
        sets: 1,
        is_valid: false,
        before: keep,
        after: |mail| mail + "more\r\n",
        is_sealed: false,
    },
    Case {
        subject: "two results in a set",
        sets: 1,
        is_valid: false,
        before: keep,
        after: |mail| format!("ARC-Authentication-Results: i=1; mx.one.example; spf=pass\r\n{mail}"),
        is_sealed: false,
    },
    Case {
        subject: "a set without a seal",
        sets: 1,
        is_valid: false,
        before: keep,
        after: |mail| mail.replace("ARC-Seal:", "X-ARC-Seal:"),
        is_sealed: false,
    },
    Case {
        subject: "two From fields",
        sets: 0,
        is_valid: false,
        before: |mail| repeat(&mail, "From"),
        after: keep,
        is_sealed: false,
    },
    Case {
        subject: "two To fields",
        sets: 0,
        is_valid: false,
        before: |mail| repeat(&mail, "To"),
        after: keep,
        is_sealed: false,
    },
    Case {
        subject: "two Date fields",
        sets: 0,
        is_valid: false,
        before: |mail| repeat(&mail, "Date"),
        after: keep,
        is_sealed: false,
    },
    Case {
        subject: "two ids",
        sets: 0,
        is_valid: false,
        before: |mail| repeat(&mail, "Message-ID"),
        after: keep,
        is_sealed: false,
    },
    Case {
        subject: "no From",
        sets: 0,
        is_valid: false,
        before: |mail| mail.replace("From:", "X-From:"),
        after: keep,
        is_sealed: false,
    },
    Case {
        subject: "a form feed",
        sets: 0,
        is_valid: false,
        before: |mail| mail + "page\x0c\r\n",
        after: keep,
        is_sealed: false,
    },
    Case {
        subject: "two authors",
        sets: 0,
        is_valid: false,
        before: |mail| mail.replace("From: ", "From: <a@one.example>, "),
        after: keep,
        is_sealed: true,
    },
    Case {
        subject: "a list's fields",
        sets: 1,
        is_valid: true,
        before: |mail| {
            format!("List-Id: <a.example>\r\nList-Id: <b.example>\r\nResent-From: <a@one.example>\r\n{mail}")
        },
        after: keep,
        is_sealed: true,
    },
    Case {
        subject: "a folded field",
        sets: 0,
        is_valid: false,
        before: |mail| format!("Cc: <a@one.example>,\r\n\t<b@one.example>\r\n{mail}"),
        after: keep,
        is_sealed: true,
    },
];

/// Puts a second field of this name, with another value, in front.
fn repeat(mail: &str, field: &str) -> String {
    format!("{field}: <a@one.example>\r\n{mail}")
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn seal_is_valid_or_absent() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let signer = Signer::create()?;
    let lines = DOMAINS.map(|domain| zone_line(domain, &signer.record)).concat();
    let dns = NameServer::start(&stack.knotd, &[Zone::Good("example", &lines)]).await?;
    let host = MailHost::start_as(&stack, "arc", |options| {
        options.signing = true;
        options.xclient = true;
        options.resolver = Some(dns.address);
    })
    .await?;
    member(&stack, "pat33").await?;
    let mut records: Vec<_> = DOMAINS.map(|domain| (domain, signer.record.as_str())).to_vec();
    records.push(("ubuntu.com", &host.rig.dns_record));
    let verifier = Verifier::start(&stack.mail.folder.join("arc-judge"), &stack.knotd, &records).await?;
    for Case { subject, sets, is_valid, before, after, is_sealed } in CASES {
        let text = before(String::from_utf8(mail("pat33@ubuntu.com", subject))?);
        let chain = signer.seal(&DOMAINS[..sets], text.as_bytes())?;
        let sent = after(String::from_utf8(chain)?);
        let verdict = verifier.verify(sent.as_bytes()).await?;
        ensure!(
            is_valid == (sets > 0 && verdict.is_sealed_by(DOMAINS[sets - 1], sets)),
            "{subject} as sent: {verdict:?}"
        );
        let said = send_from_elsewhere(&host, "pat33@ubuntu.com", sent.as_bytes()).await?;
        ensure!(said.starts_with("250 "), "{subject}: {said}");
        let arrived = host.wait_for_mail(subject, 30).await?;
        let raw = String::from_utf8_lossy(&arrived.raw);
        ensure!(raw.trim_end().ends_with(sent.trim_end()), "{subject} was changed: {raw}");
        let verdict = verifier.verify(&arrived.raw).await?;
        if is_sealed {
            ensure!(verdict.is_sealed_by("ubuntu.com", sets + 1), "{subject}: {verdict:?}: {raw}");
        } else {
            ensure!(!raw.contains("d=ubuntu.com"), "{subject} was sealed: {verdict:?}: {raw}");
            // What others sealed is as valid as before.
            ensure!(!is_valid || verdict.is_sealed_by(DOMAINS[sets - 1], sets), "{subject}: {verdict:?}: {raw}");
        }
    }
    Ok(())
}
