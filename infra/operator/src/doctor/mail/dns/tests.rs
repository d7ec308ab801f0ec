use super::super::queries::testing::Zone;
use super::super::report::Verdict;
use super::*;

const HOST: &str = "mx.forwards.example";
const DOMAIN: &str = "ubuntu.com";
const ED25519: &str = "TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
const KEY_NAME: &str = "2026._domainkey.ubuntu.com";
const DMARC_NAME: &str = "_dmarc.ubuntu.com";

/// A zone with everything right, except that `name` has these records.
fn zone(name: &str, changed: &[&str]) -> Zone {
    let right = [
        (HOST, "A 192.0.2.25"),
        ("192.0.2.25", "PTR mx.forwards.example"),
        (DOMAIN, "MX mx.forwards.example"),
        (DOMAIN, "TXT v=spf1 mx ~all"),
        (KEY_NAME, ED25519),
        (DMARC_NAME, "TXT v=DMARC1; p=none"),
    ];
    let kept = right.into_iter().filter(|(owner, _)| *owner != name);
    let changed = changed.iter().map(|record| (name, *record));
    Zone::new(&kept.chain(changed).collect::<Vec<_>>())
}

async fn verdicts(zone: &Zone, role: Role) -> Vec<(Check, Verdict)> {
    let host = HOST.parse().unwrap();
    let addresses = ["192.0.2.25".parse().unwrap()];
    let findings = domain(zone, &DOMAIN.parse().unwrap(), role, &host, &addresses, Some("2026")).await;
    findings.into_iter().map(|finding| (finding.check, finding.verdict)).collect()
}

#[rstest::rstest]
#[case::served(Role::Served, &[Check::Mx, Check::Spf, Check::Dkim, Check::Dmarc])]
#[case::return_path(Role::ReturnPath, &[Check::Mx, Check::Spf])]
#[case::host(Role::Host, &[Check::Spf])]
#[tokio::test]
async fn right_records_pass(#[case] role: Role, #[case] checks: &[Check]) {
    let expected: Vec<_> = checks.iter().map(|check| (*check, Verdict::Pass)).collect();
    assert_eq!(verdicts(&zone("", &[]), role).await, expected);
}

#[rstest::rstest]
#[case::no_mx(DOMAIN, &["TXT v=spf1 ip4:192.0.2.25 -all"], Check::Mx, Verdict::Fail)]
#[case::other_mx(DOMAIN, &["MX mx.other.example", "TXT v=spf1 ip4:192.0.2.25 -all"], Check::Mx, Verdict::Fail)]
#[case::null_mx(DOMAIN, &["MX ", "TXT v=spf1 ip4:192.0.2.25 -all"], Check::Mx, Verdict::Fail)]
#[case::second_mx(DOMAIN, &["MX mx.forwards.example", "MX mx.other.example", "TXT v=spf1 mx -all"], Check::Mx, Verdict::Warning)]
#[case::no_spf(DOMAIN, &["MX mx.forwards.example"], Check::Spf, Verdict::Fail)]
#[case::spf_without_host(DOMAIN, &["MX mx.forwards.example", "TXT v=spf1 -all"], Check::Spf, Verdict::Fail)]
#[case::macros(DOMAIN, &["MX mx.forwards.example", "TXT v=spf1 exists:%{i}.x -all"], Check::Spf, Verdict::Warning)]
#[case::no_key(KEY_NAME, &[], Check::Dkim, Verdict::Fail)]
#[case::no_dmarc(DMARC_NAME, &[], Check::Dmarc, Verdict::Warning)]
#[case::two_dmarc(DMARC_NAME, &["TXT v=DMARC1; p=none", "TXT v=DMARC1; p=reject"], Check::Dmarc, Verdict::Fail)]
#[case::bad_dmarc(DMARC_NAME, &["TXT v=DMARC1; p=maybe"], Check::Dmarc, Verdict::Fail)]
#[case::no_dmarc_answer(DMARC_NAME, &["SERVFAIL"], Check::Dmarc, Verdict::Warning)]
#[case::no_key_answer(KEY_NAME, &["SERVFAIL"], Check::Dkim, Verdict::Warning)]
#[tokio::test]
async fn wrong_record_is_reported(
    #[case] name: &str,
    #[case] records: &[&str],
    #[case] check: Check,
    #[case] verdict: Verdict,
) {
    let found = verdicts(&zone(name, records), Role::Served).await;
    for one in found {
        assert_eq!(one, (one.0, if one.0 == check { verdict } else { Verdict::Pass }));
    }
}

#[rstest::rstest]
#[case::right("", &[], Verdict::Pass, 1)]
#[case::no_address(HOST, &[], Verdict::Fail, 0)]
#[case::no_answer(HOST, &["SERVFAIL"], Verdict::Warning, 0)]
#[case::no_reverse_record("192.0.2.25", &[], Verdict::Fail, 1)]
#[case::other_reverse_record("192.0.2.25", &["PTR host25.provider.example"], Verdict::Fail, 1)]
#[case::no_reverse_answer("192.0.2.25", &["SERVFAIL"], Verdict::Warning, 1)]
#[tokio::test]
async fn reverse_record_names_host(
    #[case] name: &str,
    #[case] records: &[&str],
    #[case] verdict: Verdict,
    #[case] count: usize,
) {
    let (addresses, findings) = host_addresses(&zone(name, records), &HOST.parse().unwrap()).await;
    assert_eq!(addresses.len(), count);
    assert_eq!(findings.iter().map(|finding| finding.verdict).collect::<Vec<_>>(), [verdict]);
}
