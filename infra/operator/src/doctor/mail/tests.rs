//! All checks, against a scripted host with planted mistakes.

use std::fs;
use std::net::Ipv4Addr;

use membermail_core::random::OsRandom;

use super::fake_host::Script;
use super::queries::testing::Zone;
use super::report::Verdict;
use super::*;

const HOST: &str = "mx.forwards.example";
const RETURN_PATH: &str = "return.forwards.example";

fn zone() -> Zone {
    Zone::new(&[
        (HOST, "A 192.0.2.25"),
        (HOST, "TXT v=spf1 a -all"),
        ("192.0.2.25", "PTR mx.forwards.example"),
        (RETURN_PATH, "MX mx.forwards.example"),
        (RETURN_PATH, "TXT v=spf1 mx -all"),
        ("ubuntu.com", "MX mx.forwards.example"),
        ("ubuntu.com", "TXT v=spf1 mx ~all"),
        ("_dmarc.ubuntu.com", "TXT v=DMARC1; p=none"),
        ("2026._domainkey.ubuntu.com", "TXT k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
    ])
}

/// The findings on a host with these two ports.
async fn findings(smtp: Script, submission: Script, total: Duration) -> Vec<Finding> {
    let certificate = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, certificate.cert.pem()).unwrap();
    let host: DomainName = HOST.parse().unwrap();
    let examination = Examination {
        dns: zone(),
        trust: Trust::new(&host, Some(&ca)).unwrap(),
        random: &OsRandom,
        now: "2026-11-28T20:00:00Z".parse().unwrap(),
        step: Duration::from_secs(5),
        options: Options {
            host,
            address: Some(Ipv4Addr::LOCALHOST.into()),
            port: smtp.start(&certificate).await,
            submission_port: submission.start(&certificate).await,
            domains: vec!["ubuntu.com".parse().unwrap()],
            return_path_domain: Some(RETURN_PATH.parse().unwrap()),
            selector: Some("2026".to_owned()),
            ca: None,
            dns_servers: None,
        },
    };
    examination.run(total).await
}

/// The checks that did not pass.
fn reported(findings: &[Finding]) -> Vec<(Verdict, Check)> {
    let reported = findings.iter().filter(|finding| finding.verdict != Verdict::Pass);
    let mut reported: Vec<_> = reported.map(|finding| (finding.verdict, finding.check)).collect();
    reported.sort_by_key(|(_, check)| *check);
    reported.dedup();
    reported
}

#[tokio::test]
async fn right_host_passes_all_checks() {
    let findings = findings(Script::smtp(), Script::submission(), TOTAL).await;
    assert_eq!(reported(&findings), []);
    let mut checks: Vec<_> = findings.iter().map(|finding| finding.check).collect();
    checks.sort_unstable();
    checks.dedup();
    // All but `Time`.
    assert_eq!(checks.len(), 18, "{checks:?}");
}

#[rstest::rstest]
#[case::open_relay(Script { accepted: &["postmaster", "bob@"], ..Script::smtp() }, Check::OpenRelay)]
#[case::percent_relay(Script { accepted: &["postmaster", "bob%"], ..Script::smtp() }, Check::OpenRelay)]
#[case::source_route(Script { accepted: &["postmaster", "@"], ..Script::smtp() }, Check::OpenRelay)]
#[case::unknown_accepted(Script { accepted: &["postmaster", "doctor-"], ..Script::smtp() }, Check::UnknownAddress)]
#[case::no_postmaster(Script { accepted: &["postmaster@"], ..Script::smtp() }, Check::Postmaster)]
#[case::made_up_sender(Script { refused_senders: "@", ..Script::smtp() }, Check::ReturnPath)]
#[case::other_name(Script { name: "localhost", ..Script::smtp() }, Check::HostName)]
#[case::clear_auth(Script { clear: &["PIPELINING", "SIZE", "STARTTLS", "AUTH PLAIN"], ..Script::smtp() }, Check::Auth)]
#[case::vrfy(Script { clear: &["PIPELINING", "SIZE", "STARTTLS", "VRFY"], ..Script::smtp() }, Check::Extensions)]
#[case::dsn_after_tls(Script { encrypted: &["DSN"], ..Script::smtp() }, Check::Extensions)]
#[case::old_tls(Script { weak_tls: true, ..Script::smtp() }, Check::OldTls)]
#[tokio::test]
async fn mistake_on_smtp_port_fails(#[case] smtp: Script, #[case] check: Check) {
    let findings = findings(smtp, Script::submission(), TOTAL).await;
    assert!(reported(&findings).contains(&(Verdict::Fail, check)), "{findings:?}");
}

#[rstest::rstest]
#[case::clear_auth(Script { clear: &["PIPELINING", "SIZE", "STARTTLS", "AUTH PLAIN"], ..Script::submission() }, &[Check::Auth])]
#[case::no_password(Script { accepted: &["bob@"], ..Script::submission() }, &[Check::Auth])]
#[case::weak_tls(Script { weak_tls: true, ..Script::submission() }, &[Check::OldTls, Check::AnonymousCipher])]
#[case::no_starttls(Script { clear: &["PIPELINING", "SIZE"], ..Script::submission() }, &[Check::Starttls])]
#[tokio::test]
async fn mistake_on_submission_port_fails(#[case] submission: Script, #[case] checks: &[Check]) {
    let findings = findings(Script::smtp(), submission, TOTAL).await;
    let expected: Vec<_> = checks.iter().map(|check| (Verdict::Fail, *check)).collect();
    assert_eq!(reported(&findings), expected, "{findings:?}");
}

#[tokio::test]
async fn silent_host_ends_with_time() {
    let silent = Script { silent: true, ..Script::smtp() };
    let findings = findings(silent, Script::submission(), Duration::from_millis(300)).await;
    assert_eq!(reported(&findings), [(Verdict::Fail, Check::Time)]);
    assert!(findings.iter().any(|finding| finding.check == Check::Dkim), "{findings:?}");
}
