use proptest::prelude::*;

use super::*;

/// Walks with the records of these names; the other names have none. Returns the queries and the result.
fn walk(domain: &str, zone: &[(&str, &str)]) -> (Vec<String>, Dmarc) {
    let domain = domain.parse().unwrap();
    let mut walk = DmarcWalk::new(&domain);
    let mut queries = Vec::new();
    while let Some(name) = walk.next_name() {
        queries.push(name.to_owned());
        let records: Vec<_> = zone.iter().filter(|(at, _)| *at == name).map(|(_, text)| (*text).to_owned()).collect();
        walk.answer(&if records.is_empty() { DnsAnswer::Missing } else { DnsAnswer::Records(records) });
    }
    (queries, walk.result())
}

/// The result for a domain that has these records itself.
fn own(texts: &[&str]) -> Dmarc {
    let zone: Vec<_> = texts.iter().map(|text| ("ubuntu.com", *text)).collect();
    walk("ubuntu.com", &zone).1
}

fn present(policy: DmarcPolicy, of: &str) -> Dmarc {
    Dmarc::Present { policy, of: of.to_owned() }
}

#[rstest::rstest]
#[case::none(&["v=DMARC1; p=none"], DmarcPolicy::None)]
#[case::reject(&["v=DMARC1;p=reject;rua=mailto:x@y.example"], DmarcPolicy::Reject)]
#[case::blanks(&["v = DMARC1 ; sp=none ; P = Quarantine ;"], DmarcPolicy::Quarantine)]
#[case::among_others(&["hello", "p=none; v=DMARC1", "v=DMARC1; p=none"], DmarcPolicy::None)]
#[case::part_of_mail(&["v=DMARC1; p=reject; pct=0"], DmarcPolicy::Reject)]
#[case::unknown_tags(&["v=DMARC1; x=y; p=reject; ri=never; hello"], DmarcPolicy::Reject)]
#[case::test_of_reject(&["v=DMARC1; p=reject; t=y"], DmarcPolicy::Quarantine)]
#[case::test_of_quarantine(&["v=DMARC1; p=quarantine; t=Y"], DmarcPolicy::None)]
#[case::test_of_none(&["v=DMARC1; p=none; t=y"], DmarcPolicy::None)]
#[case::no_test(&["v=DMARC1; p=reject; t=n"], DmarcPolicy::Reject)]
#[case::reports_only(&["v=DMARC1; rua=mailto:x@y.example"], DmarcPolicy::None)]
#[case::reports_and_odd_policy(&["v=DMARC1; p=maybe; rua=mailto:x@y.example"], DmarcPolicy::None)]
#[case::reports_and_odd_policy_of_subdomains(&["v=DMARC1; p=reject; sp=maybe; rua=mailto:x@y.example"], DmarcPolicy::None)]
#[case::reports_and_policy_of_subdomains(&["v=DMARC1; sp=reject; rua=x, mailto:x@y.example"], DmarcPolicy::None)]
#[case::public_suffix(&["v=DMARC1; p=reject; psd=y"], DmarcPolicy::Reject)]
fn dmarc_policy_is_parsed(#[case] texts: &[&str], #[case] policy: DmarcPolicy) {
    assert_eq!(own(texts), present(policy, "ubuntu.com"));
}

#[rstest::rstest]
#[case::absent(&["v=spf1 -all", "v=DMARC10; p=none", "v=dmarc1; p=none", ""], Dmarc::None)]
#[case::several(&["v=DMARC1; p=none", "v=DMARC1; p=reject"], Dmarc::Several { records: 2 })]
#[case::version_only(&["v=DMARC1"], Dmarc::Broken)]
#[case::invalid_reports(&["v=DMARC1; rua=x@y.example"], Dmarc::Broken)]
#[case::odd_policy(&["v=DMARC1; p=maybe"], Dmarc::Broken)]
#[case::odd_policy_of_subdomains(&["v=DMARC1; p=none; sp=maybe"], Dmarc::Broken)]
#[case::odd_policy_of_missing_subdomains(&["v=DMARC1; p=none; np=maybe"], Dmarc::Broken)]
#[case::of_subdomains_only(&["v=DMARC1; sp=none"], Dmarc::Broken)]
fn unusable_dmarc_record_has_no_policy(#[case] texts: &[&str], #[case] dmarc: Dmarc) {
    assert_eq!(own(texts), dmarc);
}

#[rstest::rstest]
#[case::as_the_domain_itself("v=DMARC1; p=reject", DmarcPolicy::Reject)]
#[case::looser("v=DMARC1; p=reject; sp=none", DmarcPolicy::None)]
#[case::stricter("v=DMARC1; p=none; SP=Quarantine", DmarcPolicy::Quarantine)]
#[case::in_test("v=DMARC1; p=none; sp=reject; t=y", DmarcPolicy::Quarantine)]
#[case::of_missing_subdomains("v=DMARC1; p=none; np=reject", DmarcPolicy::None)]
fn subdomain_inherits_dmarc_policy(#[case] record: &str, #[case] policy: DmarcPolicy) {
    let zone = [("ubuntu.com", record)];
    assert_eq!(walk("loco.ubuntu.com", &zone).1, present(policy, "ubuntu.com"));
}

#[rstest::rstest]
#[case::short("ubuntu.com", &["ubuntu.com", "com"])]
#[case::seven_labels("a.b.c.d.e.f.g", &["a.b.c.d.e.f.g", "b.c.d.e.f.g", "c.d.e.f.g", "d.e.f.g", "e.f.g", "f.g", "g"])]
#[case::eight_labels(
    "a.b.c.d.e.f.g.h",
    &["a.b.c.d.e.f.g.h", "b.c.d.e.f.g.h", "c.d.e.f.g.h", "d.e.f.g.h", "e.f.g.h", "f.g.h", "g.h", "h"]
)]
// The example of RFC 9989, 4.10.
#[case::many_labels(
    "a.b.c.d.e.f.g.h.i.j.mail.example.com",
    &["a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com", "h.i.j.mail.example.com",
        "i.j.mail.example.com", "j.mail.example.com", "mail.example.com", "example.com", "com"]
)]
fn walk_has_at_most_eight_queries(#[case] domain: &str, #[case] queries: &[&str]) {
    assert_eq!(walk(domain, &[]), (queries.iter().map(|&name| name.to_owned()).collect(), Dmarc::None));
}

const REJECT: &str = "v=DMARC1; p=reject";
const QUARANTINE: &str = "v=DMARC1; p=quarantine";

#[rstest::rstest]
#[case::own(&[("a.mail.example.com", QUARANTINE), ("example.com", REJECT)], present(DmarcPolicy::Quarantine, "a.mail.example.com"))]
#[case::shortest(&[("mail.example.com", QUARANTINE), ("example.com", REJECT)], present(DmarcPolicy::Reject, "example.com"))]
#[case::own_boundary(
    &[("mail.example.com", "v=DMARC1; p=quarantine; psd=n"), ("example.com", REJECT)],
    present(DmarcPolicy::Quarantine, "mail.example.com")
)]
#[case::public_suffix_alone(&[("com", "v=DMARC1; p=reject; sp=quarantine; psd=y")], present(DmarcPolicy::Quarantine, "com"))]
#[case::below_public_suffix(
    &[("mail.example.com", QUARANTINE), ("example.com", REJECT), ("com", "v=DMARC1; p=none; psd=y")],
    present(DmarcPolicy::Reject, "example.com")
)]
#[case::between(
    &[("mail.example.com", QUARANTINE), ("com", "v=DMARC1; p=reject; psd=y")],
    present(DmarcPolicy::Reject, "com")
)]
#[case::several_of_a_parent(
    &[("mail.example.com", REJECT), ("mail.example.com", QUARANTINE), ("example.com", QUARANTINE)],
    present(DmarcPolicy::Quarantine, "example.com")
)]
#[case::broken_parent(&[("example.com", "v=DMARC1; p=maybe")], Dmarc::Broken)]
fn walk_finds_the_organizational_domain(#[case] zone: &[(&str, &str)], #[case] dmarc: Dmarc) {
    assert_eq!(walk("a.mail.example.com", zone).1, dmarc);
}

#[test]
fn unanswered_query_ends_the_walk() {
    let domain = "loco.ubuntu.com".parse().unwrap();
    let mut walk = DmarcWalk::new(&domain);
    walk.answer(&DnsAnswer::Missing);
    assert_eq!(walk.next_name(), Some("ubuntu.com"));
    walk.answer(&DnsAnswer::Unanswered(Unanswered::TimedOut));
    assert_eq!((walk.next_name(), walk.result()), (None, Dmarc::Unanswered { why: Unanswered::TimedOut }));
}

proptest! {
    #[test]
    fn any_record_is_evaluated(texts in prop::collection::vec("(v=DMARC1;)?[ -~é;=:]{0,40}", 0..4)) {
        let zone: Vec<_> = texts.iter().map(|text| ("ubuntu.com", text.as_str())).collect();
        own(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        walk("loco.ubuntu.com", &zone);
    }
}
