//! Mail that forges one of our domains is refused, if the domain's DMARC policy asks for it (RFC 9989).

use anyhow::{Result, bail, ensure};
use lettre::address::Envelope;
use membermail_test_mail_host::keys::zone_line;
use membermail_test_mail_host::options::{SUBMISSION_CLIENT, SUBMISSION_SENDER};
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::mail::{MailHost, SENDER, mail};
use membermail_tests::signatures::Signer;
use membermail_tests::stack::Stack;

use super::signed::submit;
use super::{connect, member};

/// Policies of domains of the community, and their authorised servers. Subdomains have servers of their own.
const UBUNTU_COM: &str = "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\nlists TXT \"v=spf1 ip4:192.0.2.2 -all\"\n\
     lax TXT \"v=spf1 ip4:192.0.2.3 -all\"\n_dmarc.lax TXT \"v=DMARC1; p=none\"\n\
     _dmarc TXT \"v=DMARC1; p=reject; pct=0\"\n";
const KUBUNTU_ORG: &str = "@ TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=quarantine; sp=reject\"\n";
const LUBUNTU_ME: &str = "@ TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=none\"\n\
     _dmarc.several TXT \"v=DMARC1; p=reject\"\n_dmarc.several TXT \"v=DMARC1; p=none\"\n\
     _dmarc.addressed TXT \"v=DMARC1; rua=mailto:x@elsewhere.example\"\n";
const EDUBUNTU_ORG: &str = "@ TXT \"v=spf1 -all\"\n_dmarc TXT \"v=DMARC1; p=reject; t=y\"\n";
const UBUNTU_NET: &str = "@ TXT \"v=spf1 ip4:192.0.2.1 -all\"\nlists TXT \"v=spf1 ip4:192.0.2.2 -all\"\n\
     _dmarc TXT \"v=DMARC1; p=reject; sp=none; adkim=s; aspf=s\"\n";
const EXAMPLE: &str = "elsewhere TXT \"v=spf1 ip4:192.0.2.9 -all\"\n_dmarc.elsewhere TXT \"v=DMARC1; p=reject\"\n";

/// The server of the forger, which is authorised for its own domain.
const FORGER: &str = "192.0.2.9";

#[derive(Clone, Copy)]
struct Case {
    from: &'static str,
    sender: Option<&'static str>,
    client: &'static str,
    signed_by: Option<&'static str>,
    /// The domain in the refusal.
    refused: Option<&'static str>,
}

const fn forged(from: &'static str, refused: Option<&'static str>) -> Case {
    Case { from, sender: Some(SENDER), client: FORGER, signed_by: None, refused }
}

const fn sent_as(
    from: &'static str,
    sender: &'static str,
    client: &'static str,
    refused: Option<&'static str>,
) -> Case {
    Case { from, sender: Some(sender), client, signed_by: None, refused }
}

const fn signed(from: &'static str, domain: &'static str, refused: Option<&'static str>) -> Case {
    Case { from, sender: Some(SENDER), client: FORGER, signed_by: Some(domain), refused }
}

const UBUNTU: Option<&str> = Some("ubuntu.com");

const CASES: [Case; 40] = [
    // Policies.
    forged("<ceo@ubuntu.com>", UBUNTU),
    forged("<ceo@loco.ubuntu.com>", UBUNTU),
    forged("<ceo@a.b.c.d.e.f.g.h.i.j.ubuntu.com>", UBUNTU),
    forged("<ceo@lax.ubuntu.com>", None),
    forged("<ceo@kubuntu.org>", None),
    forged("<ceo@loco.kubuntu.org>", Some("kubuntu.org")),
    forged("<ceo@lubuntu.me>", None),
    forged("<ceo@several.lubuntu.me>", None),
    forged("<ceo@addressed.lubuntu.me>", None),
    forged("<ceo@edubuntu.org>", None),
    forged("<ceo@ubuntu.net>", Some("ubuntu.net")),
    forged("<ceo@loco.ubuntu.net>", None),
    // DNS gives no answer.
    forged("<ceo@ubuntustudio.com>", None),
    signed("<ceo@ubuntustudio.com>", "ubuntustudio.com", None),
    // Another domain, with the same policy.
    sent_as("<ceo@elsewhere.example>", "alice@lubuntu.me", "192.0.2.8", None),
    forged("<ceo@notubuntu.com>", None),
    // Authorised servers, by SPF.
    sent_as("<ceo@ubuntu.com>", "ceo@ubuntu.com", "192.0.2.1", None),
    sent_as("<ceo@ubuntu.com>", "ceo@ubuntu.com", FORGER, UBUNTU),
    sent_as("<ceo@ubuntu.com>", "bounces@lists.ubuntu.com", "192.0.2.2", None),
    sent_as("<ceo@lists.ubuntu.com>", "ceo@ubuntu.com", "192.0.2.1", None),
    sent_as("<ceo@ubuntu.net>", "ceo@ubuntu.net", "192.0.2.1", None),
    sent_as("<ceo@ubuntu.net>", "bounces@lists.ubuntu.net", "192.0.2.2", Some("ubuntu.net")),
    Case { from: "<ceo@ubuntu.com>", sender: None, client: FORGER, signed_by: None, refused: UBUNTU },
    // By DKIM.
    signed("<ceo@ubuntu.com>", "ubuntu.com", None),
    signed("<ceo@ubuntu.com>", "lists.ubuntu.com", None),
    signed("<ceo@ubuntu.com>", "elsewhere.example", UBUNTU),
    signed("<ceo@ubuntu.net>", "ubuntu.net", None),
    signed("<ceo@ubuntu.net>", "lists.ubuntu.net", Some("ubuntu.net")),
    // Several authors.
    forged("<sender@elsewhere.example>, <ceo@ubuntu.com>", UBUNTU),
    forged("<sender@elsewhere.example>\r\nFrom: <ceo@ubuntu.com>", UBUNTU),
    forged("<ceo@ubuntu.com>\r\nFrom: <sender@elsewhere.example>", UBUNTU),
    forged("<ceo@lubuntu.me>, <ceo@ubuntu.com>", UBUNTU),
    sent_as("<ceo@ubuntu.net>, <ceo@ubuntu.com>", "ceo@ubuntu.net", "192.0.2.1", UBUNTU),
    // Forms of an address.
    forged("Boss <CEO@UBUNTU.COM.>", UBUNTU),
    forged("ceo @ ubuntu.com (Boss)", UBUNTU),
    forged("Boss: ceo@ubuntu.com;", UBUNTU),
    forged("\"sender@elsewhere.example\" <ceo@ubuntu.com>", UBUNTU),
    forged("\"ceo@ubuntu.com\" <sender@elsewhere.example>", None),
    forged("ceo@ubuntu.com via List <sender@elsewhere.example>", None),
    forged("<ceo@..ubuntu.com>", UBUNTU),
];

/// Sends a mail from an address; returns the refusal.
async fn send(host: &MailHost, case: Case, recipient: &str, mail: &[u8]) -> Result<Option<String>> {
    let mut connection = connect(host.rig.smtp, None).await?;
    connection.command(format!("XCLIENT ADDR={} NAME=[UNAVAILABLE]\r\n", case.client)).await?;
    connection.command("EHLO elsewhere.example\r\n").await?;
    let sender = case.sender.map(str::parse).transpose()?;
    let envelope = Envelope::new(sender, vec![recipient.parse()?])?;
    match connection.send(&envelope, mail).await {
        Ok(_) => Ok(None),
        Err(error) if error.is_permanent() => {
            let code = error.status().map(|code| code.to_string()).unwrap_or_default();
            let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            Ok(Some(format!("{code} {text}")))
        }
        Err(error) => bail!("{}: {error}", case.from),
    }
}

/// Zone lines with the key of these domains.
fn keys(signer: &Signer, domains: &[&str]) -> String {
    domains.iter().map(|domain| zone_line(domain, &signer.record)).collect()
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn forged_own_domain_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let signer = Signer::create()?;
    let ubuntu_com = format!("{UBUNTU_COM}{}", keys(&signer, &["ubuntu.com", "lists.ubuntu.com"]));
    let ubuntu_net = format!("{UBUNTU_NET}{}", keys(&signer, &["ubuntu.net", "lists.ubuntu.net"]));
    let example = format!("{EXAMPLE}{}", keys(&signer, &["elsewhere.example"]));
    let zones = [
        Zone::Good("com", ""),
        Zone::Good("org", ""),
        Zone::Good("me", ""),
        Zone::Good("net", ""),
        Zone::Good("example", &example),
        Zone::Good("ubuntu.com", &ubuntu_com),
        Zone::Good("kubuntu.org", KUBUNTU_ORG),
        Zone::Good("lubuntu.me", LUBUNTU_ME),
        Zone::Good("edubuntu.org", EDUBUNTU_ORG),
        Zone::Good("ubuntu.net", &ubuntu_net),
        Zone::Broken("ubuntustudio.com"),
    ];
    let dns = NameServer::start(&stack.knotd, &zones).await?;
    let host = MailHost::start_as(&stack, "dmarc", |options| {
        options.signing = true;
        options.xclient = true;
        options.resolver = Some(dns.address);
    })
    .await?;
    member(&stack, "pat36").await?;
    let to = "pat36@ubuntu.com";
    let mut wrong = Vec::new();
    let mut accepted = 0;
    for (number, case) in CASES.into_iter().enumerate() {
        let text = String::from_utf8(mail(to, &format!("author {number}")))?;
        let mut mail = text.replace(&format!("A Sender <{SENDER}>"), case.from).into_bytes();
        if let Some(domain) = case.signed_by {
            mail = signer.sign(domain, &mail)?;
        }
        let said = send(&host, case, to, &mail).await?;
        let expected = case.refused.map(|domain| format!("554 5.7.1 Email rejected per DMARC policy for {domain}"));
        accepted += usize::from(said.is_none());
        if said.as_deref().map(str::trim_end) != expected.as_deref() {
            wrong.push(format!("{} as {:?} by {:?}: {said:?}", case.from, case.sender, case.signed_by));
        }
    }
    ensure!(wrong.is_empty(), "{wrong:#?}");
    host.wait_for_empty_queue(20).await?;
    ensure!(host.rig.sink.mailbox.count()? == accepted, "{} of {accepted} arrived", host.rig.sink.mailbox.count()?);

    // No server of ours is authorised here for our own notices.
    let refused = submit(&host, Some(SUBMISSION_CLIENT), SUBMISSION_SENDER, "own notice").await?;
    ensure!(refused.is_none(), "{refused:?}");
    host.wait_for_mail("own notice", 30).await?;
    Ok(())
}
