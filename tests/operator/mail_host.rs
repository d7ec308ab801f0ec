//! `membermail doctor mail`, against a real Postfix and a real DNS server.

use std::fs;

use anyhow::{Context, Result, ensure};
use membermail_communities::community;
use membermail_test_mail_host::options::{HOSTNAME, RETURN_PATH_DOMAIN, SELECTOR};
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::mail::MailHost;
use membermail_tests::stack::Stack;
use serde_json::Value;

use crate::command::membermail;

/// The host's address in DNS. The resolver answers queries for the names of loopback addresses itself.
const ADDRESS: &str = "192.0.2.25";

/// A configuration with a mistake for each check of the dialogue.
const MISTAKES: [&str; 12] = [
    "smtpd_banner = other.example ESMTP",
    "disable_vrfy_command = no",
    "smtpd_sasl_auth_enable = yes",
    "smtpd_tls_auth_only = no",
    "smtpd_tls_protocols = >=TLSv1",
    "smtpd_tls_mandatory_protocols = >=TLSv1",
    "smtpd_tls_mandatory_ciphers = medium",
    "smtpd_tls_mandatory_exclude_ciphers =",
    "mynetworks = 127.0.0.0/8",
    "smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination",
    "smtpd_recipient_restrictions = permit",
    "smtpd_reject_unlisted_recipient = no",
];

/// Runs the command with these records of each domain and returns its exit code and findings.
async fn examine(host: &MailHost, knotd: &Stack, records: &str, ca: Option<&str>) -> Result<(i32, Vec<Value>)> {
    let ubuntu = community("ubuntu")?;
    let ours = format!(
        "{HOSTNAME}. A {ADDRESS}\n{HOSTNAME}. TXT \"v=spf1 a -all\"\n\
         {RETURN_PATH_DOMAIN}. MX 10 {HOSTNAME}.\n{RETURN_PATH_DOMAIN}. TXT \"v=spf1 mx -all\"\n"
    );
    let reverse = format!("25 PTR {HOSTNAME}.");
    let mut zones = vec![Zone::Good("membermail.test", &ours), Zone::Good("2.0.192.in-addr.arpa", &reverse)];
    zones.extend(ubuntu.domain_names().map(|domain| Zone::Good(domain.as_str(), records)));
    let server = NameServer::start(&knotd.knotd, &zones).await?;
    let dns = server.address.to_string();
    let port = host.rig.smtp.to_string();
    let submission = host.rig.submission.to_string();
    let mut arguments = vec!["doctor", "mail", "--json", "--host", HOSTNAME, "--address", "127.0.0.1"];
    arguments.extend(["--port", &port, "--submission-port", &submission, "--dns-servers", &dns]);
    arguments.extend(["--return-path-domain", RETURN_PATH_DOMAIN, "--selector", SELECTOR]);
    arguments.extend(ca.map(|file| ["--ca", file]).into_iter().flatten());
    let output = membermail(knotd, &arguments).await?;
    let report = output.json()?;
    Ok((output.code, report["findings"].as_array().context("no findings")?.clone()))
}

/// The checks with this verdict, each once.
fn checks<'a>(findings: &'a [Value], verdict: &str) -> Vec<&'a str> {
    let found = findings.iter().filter(|finding| finding["verdict"] == verdict);
    let mut checks: Vec<_> = found.filter_map(|finding| finding["check"].as_str()).collect();
    checks.sort_unstable();
    checks.dedup();
    checks
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn right_mail_host_passes_all_checks() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = MailHost::start_as(&stack, "op-doctor", |_| {}).await?;
    let folder = tempfile::tempdir()?;
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, &host.rig.certificate)?;
    // A string of a TXT record has at most 255 octets.
    let (start, end) = host.rig.dns_record.split_at(200);
    let records = format!(
        "@ MX 10 {HOSTNAME}.\n@ TXT \"v=spf1 mx ~all\"\n_dmarc TXT \"v=DMARC1; p=none\"\n\
         {SELECTOR}._domainkey TXT \"{start}\" \"{end}\"\n"
    );
    let (code, findings) = examine(&host, &stack, &records, ca.to_str()).await?;
    ensure!(code == 0, "exit code {code}: {findings:#?}");
    ensure!(["warning", "fail"].iter().all(|verdict| checks(&findings, verdict).is_empty()), "{findings:#?}");
    ensure!(checks(&findings, "pass").len() == 18, "{findings:#?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn planted_mistakes_fail_each_check() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = MailHost::start_as(&stack, "op-doctor-wrong", |options| options.main_cf = &MISTAKES).await?;
    let records = "@ MX 10 mx.other.example.\n@ TXT \"v=spf1 -all\"\n";
    let (code, findings) = examine(&host, &stack, records, None).await?;
    ensure!(code == 1, "exit code {code}");
    let expected = [
        "anonymous-cipher",
        "auth",
        "certificate",
        "dkim",
        "extensions",
        "host-name",
        "mx",
        "old-tls",
        "open-relay",
        "return-path",
        "spf",
        "unknown-address",
    ];
    let failed = checks(&findings, "fail");
    ensure!(failed == expected, "{failed:?}: {findings:#?}");
    ensure!(checks(&findings, "warning") == ["dmarc"], "{findings:#?}");
    // Both old versions, on both ports.
    let old = findings.iter().filter(|finding| finding["check"] == "old-tls" && finding["verdict"] == "fail");
    ensure!(old.count() == 4, "{findings:#?}");
    Ok(())
}
