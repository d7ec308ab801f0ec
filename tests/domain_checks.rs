//! Domain verification: a domain is verified by a DNS record, loses that only on an authoritative answer, and recovers.
//! Runs against Knot DNS on loopback, the table of the deployed stack, and the deployed function.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::ManualClock;
use membermail_core::community::{Domain, Rules};
use membermail_core::domain_mail::{Dmarc, DmarcPolicy, Mx, Spf};
use membermail_core::domain_proof::{DnsAnswer, DomainEvent, Proof, Seen, Token, Unanswered};
use membermail_core::random::OsRandom;
use membermail_domains::{Checker, DomainRecords, Outcome, check, fetch_records};
use membermail_tests::dns::{Fault, NameServer, Zone, faulty, resolver};
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use serde_json::{Value, json};

/// Long enough for a busy machine, short enough for a test.
const TIMEOUT: Duration = Duration::from_secs(6);

const TOKEN: &str = "00112233445566778899aabbccddeeff";

/// Names below `records.example`, each with another form of the record.
const RECORDS: &str = r#"
right      TXT "membermail-site-verification=00112233445566778899aabbccddeeff"
wrong      TXT "membermail-site-verification=ffeeddccbbaa99887766554433221100"
several    TXT "v=spf1 -all"
several    TXT "membermail-site-verification=ffeeddccbbaa99887766554433221100"
several    TXT "membermail-site-verification=00112233445566778899aabbccddeeff"
split      TXT "membermail-site-veri" "fication=" "" "00112233445566778899aabbccddeeff"
UPPER      TXT "MEMBERMAIL-SITE-VERIFICATION=00112233445566778899AABBCCDDEEFF"
quoted     TXT "\"membermail-site-verification=00112233445566778899aabbccddeeff\""
typographic TXT "\226\128\156membermail-site-verification=00112233445566778899aabbccddeeff\226\128\157"
others     TXT "google-site-verification=00112233445566778899aabbccddeeff"
address    A   192.0.2.1
alias      CNAME further
further    CNAME right
nowhere    CNAME nobody
circle     CNAME round
round      CNAME circle
"#;

#[rstest::rstest]
#[case::right("right.records.example", Seen::Found)]
#[case::wrong("wrong.records.example", Seen::OtherToken)]
#[case::several("several.records.example", Seen::Found)]
#[case::split_strings("split.records.example", Seen::Found)]
#[case::upper_case("upper.records.example", Seen::Found)]
#[case::quotes("quoted.records.example", Seen::Found)]
#[case::typographic_quotes("typographic.records.example", Seen::Found)]
#[case::other_records("others.records.example", Seen::Missing)]
#[case::no_such_records("address.records.example", Seen::Missing)]
#[case::no_such_name("nobody.records.example", Seen::Missing)]
#[case::cname("alias.records.example", Seen::Found)]
#[case::cname_to_nowhere("nowhere.records.example", Seen::Missing)]
#[case::cnames_in_a_circle("circle.records.example", Seen::Missing)]
#[case::servfail("www.broken.example", Seen::Unanswered(Unanswered::ServerFailure))]
#[case::refused("elsewhere.example", Seen::Unanswered(Unanswered::Refused))]
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn proof_record_is_read_from_dns(#[case] name: &str, #[case] seen: Seen) -> Result<()> {
    let zones = [Zone::Good("records.example", RECORDS), Zone::Broken("broken.example")];
    let server = NameServer::start(&Stack::of_this_run()?.knotd, &zones).await?;
    let resolver = resolver(server.address, TIMEOUT)?;
    let record = fetch_records(&resolver, &name.parse()?, &TOKEN.parse()?).await.record;
    ensure!(record == seen, "{name}: {record:?}");
    Ok(())
}

/// A UDP answer has at most 512 octets without EDNS and about 1,200 with ours; this one has more than 12,000.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn long_answer_falls_back_to_tcp() -> Result<()> {
    let records: String = (0..40).map(|number| format!("@ TXT \"{number:0>255}\" \"{number:0>45}\"\n")).collect();
    let zone = Zone::Good("long.example", &records);
    let server = NameServer::start(&Stack::of_this_run()?.knotd, &[zone]).await?;
    let DnsAnswer::Records(texts) = resolver(server.address, TIMEOUT)?.txt("long.example").await else {
        bail!("no records")
    };
    ensure!(texts.len() == 40, "{} records", texts.len());
    // The strings of a record are joined with nothing between.
    ensure!(texts.iter().all(|text| text.len() == 300 && text.bytes().all(|byte| byte.is_ascii_digit())));
    Ok(())
}

#[rstest::rstest]
#[case::silent(Fault::Silent, Unanswered::TimedOut)]
#[case::truncated_without_tcp(Fault::Truncated, Unanswered::Unusable)]
#[case::garbage(Fault::Garbage, Unanswered::TimedOut)]
#[case::referral(Fault::Referral, Unanswered::Unusable)]
#[tokio::test]
async fn broken_name_server_counts_as_unanswered(#[case] fault: Fault, #[case] why: Unanswered) -> Result<()> {
    let timeout = Duration::from_secs(2);
    let resolver = resolver(faulty(fault).await?, timeout)?;
    let start = Instant::now();
    let DomainRecords { record, mx, spf, dmarc } =
        fetch_records(&resolver, &"ubuntu.com".parse()?, &TOKEN.parse()?).await;
    let took = start.elapsed();
    ensure!(record == Seen::Unanswered(why), "{record:?}");
    ensure!((mx, spf, dmarc) == (Mx::Unanswered { why }, Spf::Unanswered { why }, Dmarc::Unanswered { why }));
    ensure!(took < timeout + Duration::from_secs(1), "it took {took:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn mail_records_are_read_from_dns() -> Result<()> {
    let good = "@ MX 10 mx1\n@ MX 20 mx2\n@ TXT \"v=spf1 mx\" \" -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"";
    let odd = "@ MX 0 .\n@ TXT \"v=spf1 -all\"\n@ TXT \"v=spf1 mx -all\"\n\
               _dmarc TXT \"v=DMARC1; p=none\"\n_dmarc TXT \"v=DMARC1; p=reject\"";
    let zones = [
        Zone::Good("good.example", good),
        Zone::Good("odd.example", odd),
        Zone::Good("plain.example", ""),
        // The walk for a DMARC record ends at the top-level domain.
        Zone::Good("example", "_dmarc.bank TXT \"v=DMARC1; p=quarantine; psd=y\""),
        Zone::Broken("broken.example"),
    ];
    let server = NameServer::start(&Stack::of_this_run()?.knotd, &zones).await?;
    let resolver = resolver(server.address, TIMEOUT)?;
    let token = TOKEN.parse()?;
    let why = Unanswered::ServerFailure;
    let reject = Dmarc::Present { policy: DmarcPolicy::Reject, of: "good.example".to_owned() };
    let quarantine = Dmarc::Present { policy: DmarcPolicy::Quarantine, of: "bank.example".to_owned() };
    for (domain, mx, spf, dmarc) in [
        ("good.example", Mx::Present { servers: 2 }, Spf::Present, reject.clone()),
        ("loco.good.example", Mx::None, Spf::None, reject),
        ("odd.example", Mx::Null, Spf::Several { records: 2 }, Dmarc::Several { records: 2 }),
        ("plain.example", Mx::None, Spf::None, Dmarc::None),
        ("giant.bank.example", Mx::None, Spf::None, quarantine),
        ("broken.example", Mx::Unanswered { why }, Spf::Unanswered { why }, Dmarc::Unanswered { why }),
    ] {
        let seen = fetch_records(&resolver, &domain.parse()?, &token).await;
        ensure!((&seen.mx, &seen.spf, &seen.dmarc) == (&mx, &spf, &dmarc), "{domain}: {seen:?}");
    }
    Ok(())
}

/// A domain of one test, in the table of the stack.
struct TestDomain {
    stack: Stack,
    domain: Domain,
}

impl TestDomain {
    fn of(domain: &str) -> Result<Self> {
        let domain = Domain {
            domain: domain.parse()?,
            team: "team".parse()?,
            admins: vec!["admin".parse()?],
            team_created: None,
            group_id: None,
            admin_identities: Vec::new(),
        };
        Ok(Self { stack: Stack::of_this_run()?, domain })
    }

    async fn token(&self) -> Result<Token> {
        Ok(self.stack.store().await.ensure_domain_token(&self.domain.domain, &OsRandom).await?)
    }

    /// A name server that serves this record for the domain.
    async fn server(&self, record: &str) -> Result<NameServer> {
        let lines = format!("@ TXT \"{record}\"");
        NameServer::start(&self.stack.knotd, &[Zone::Good(self.domain.domain.as_str(), &lines)]).await
    }

    async fn checker(&self, server: SocketAddr, now: Timestamp) -> Result<Checker> {
        Ok(Checker {
            resolver: resolver(server, TIMEOUT)?,
            store: self.stack.store().await,
            clock: Box::new(ManualClock::at(now)),
            random: Box::new(OsRandom),
            grace: grace(),
        })
    }

    async fn check(&self, server: SocketAddr, now: Timestamp) -> Result<Outcome> {
        let report = check(&self.checker(server, now).await?, [&self.domain], "a-test").await;
        Ok(report.domains.into_iter().next().context("an empty report")?.outcome)
    }

    /// Runs a check; returns the event for the admins and whether the domain then gives addresses.
    async fn after(&self, server: SocketAddr, now: Timestamp) -> Result<(Option<DomainEvent>, bool)> {
        let outcome = self.check(server, now).await?;
        let Outcome::Checked { event, .. } = outcome else { bail!("{outcome:?}") };
        Ok((event, self.stack.store().await.domain_verified(&self.domain.domain).await?))
    }
}

fn grace() -> SignedDuration {
    Rules::default().domain_grace()
}

fn day(day: i64) -> Result<Timestamp> {
    let start: Timestamp = "2026-11-01T10:00:00Z".parse()?;
    Ok(start + SignedDuration::from_hours(24 * day))
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn domain_is_verified_lapses_and_recovers() -> Result<()> {
    let fixture = TestDomain::of("story.example")?;
    let right_server = fixture.server(&fixture.token().await?.record()).await?;
    let right = right_server.address;
    let gone_server = fixture.server("v=spf1 -all").await?;
    let gone = gone_server.address;
    let broken_server = NameServer::start(&fixture.stack.knotd, &[Zone::Broken("story.example")]).await?;
    let broken = broken_server.address;
    let silent = faulty(Fault::Silent).await?;
    let until = day(20)? + grace();
    for (server, on, event, verified) in [
        (broken, 0, None, false),
        (gone, 1, None, false),
        (right, 2, Some(DomainEvent::Verified), true),
        (right, 3, None, true),
        // However long DNS is unreachable, the domain stays verified and no grace period starts.
        (broken, 4, None, true),
        (silent, 12, None, true),
        (broken, 19, None, true),
        (gone, 20, Some(DomainEvent::RecordGone { until }), true),
        (gone, 26, None, true),
        (silent, 28, None, true),
        (gone, 29, Some(DomainEvent::Lapsed), false),
        (gone, 30, None, false),
        (broken, 31, None, false),
        (right, 32, Some(DomainEvent::Restored), true),
        (gone, 33, Some(DomainEvent::RecordGone { until: day(33)? + grace() }), true),
        (right, 34, Some(DomainEvent::Restored), true),
    ] {
        let after = fixture.after(server, day(on)?).await?;
        ensure!(after == (event, verified), "on day {on}: {after:?}");
    }
    let stored = fixture.stack.store().await.domain(&fixture.domain.domain).await?;
    ensure!(stored.token == Some(fixture.token().await?), "the token has changed");
    let seen = stored.record_seen().context("no look in the table")?;
    ensure!((seen.seen, seen.checked_at) == (Seen::Found, day(34)?), "{seen:?}");
    let spf = stored.spf.context("no SPF in the table")?;
    ensure!((&spf.state, spf.checked_at) == (&Spf::None, day(34)?), "{spf:?}");

    // While DNS is unreachable, the last observation of its mail records and its time are kept.
    ensure!(fixture.after(silent, day(35)?).await? == (None, true));
    let stored = fixture.stack.store().await.domain(&fixture.domain.domain).await?;
    let spf = stored.spf.context("no SPF in the table")?;
    ensure!((&spf.state, spf.checked_at) == (&Spf::None, day(34)?), "{spf:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn operator_override_holds_until_removed() -> Result<()> {
    let fixture = TestDomain::of("operator.example")?;
    let store = fixture.stack.store().await;
    let domain = &fixture.domain.domain;
    let right = fixture.server(&fixture.token().await?.record()).await?;
    let gone = fixture.server("nothing").await?;
    store.verify_domain(domain, operator(day(0)?), &OsRandom).await?;
    for on in [1, 100] {
        ensure!(fixture.after(gone.address, day(on)?).await? == (None, true));
    }
    let stored = store.domain(domain).await?;
    ensure!(stored.proof() == Proof::Operator { since: day(0)? }, "{stored:?}");
    store.unverify_domain(domain, operator(day(0)?), &OsRandom).await?;
    ensure!(fixture.after(gone.address, day(101)?).await? == (None, false));
    ensure!(fixture.after(right.address, day(102)?).await? == (Some(DomainEvent::Verified), true));
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn concurrent_checks_report_an_event_once() -> Result<()> {
    let fixture = TestDomain::of("together.example")?;
    let server = fixture.server(&fixture.token().await?.record()).await?;
    let checks = (0..4).map(|hour| {
        let fixture = &fixture;
        let server = server.address;
        async move { fixture.check(server, day(1)? + SignedDuration::from_hours(hour)).await }
    });
    let mut events = 0;
    for outcome in futures_util::future::try_join_all(checks).await? {
        match outcome {
            Outcome::Checked { event: Some(DomainEvent::Verified), .. } => events += 1,
            Outcome::Checked { event: None, .. } | Outcome::Superseded => {}
            other => bail!("{other:?}"),
        }
    }
    ensure!(events == 1, "{events} events");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn domain_without_admin_is_refused() -> Result<()> {
    let mut fixture = TestDomain::of("orphan.example")?;
    fixture.domain.admins.clear();
    let server = fixture.server("nothing").await?;
    let outcome = fixture.check(server.address, day(1)?).await?;
    ensure!(outcome == Outcome::NoAdmin, "{outcome:?}");
    let stored = fixture.stack.store().await.domain(&fixture.domain.domain).await?;
    ensure!(stored == membermail_store::StoredDomain::default(), "{stored:?}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn deployed_function_uses_configured_name_servers() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let store = stack.store().await;
    let ours: DomainName = "edubuntu.org".parse()?;
    let record = store.ensure_domain_token(&ours, &OsRandom).await?.record();
    let lines = format!("@ TXT \"{record}\"\n@ MX 10 mx.edubuntu.org.");
    let server = NameServer::start(&stack.knotd, &[Zone::Good(ours.as_str(), &lines)]).await?;

    let name = stack.check_domains_function.as_str();
    let settings = stack.function_configuration(name)?;
    let mut environment = settings["Environment"].clone();
    environment["Variables"]["DNS_SERVERS"] = server.address.to_string().into();
    let environment = environment.to_string();
    let change = ["lambda", "update-function-configuration", "--function-name", name, "--environment", &environment];
    stack.cli(&change)?;
    stack.cli(&["lambda", "wait", "function-updated-v2", "--function-name", name])?;

    store.unverify_domain(&ours, operator(day(0)?), &OsRandom).await?;
    let (report, ended_well) = stack.invoke(name, &json!({ "domain": ours }))?;
    ensure!(ended_well, "{report}");
    let one = &report["domains"][0];
    ensure!(one["event"]["event"] == "verified" && one["proof"]["state"] == "verified", "{report}");
    ensure!(one["mx"] == json!({ "state": "present", "servers": 1 }), "{report}");
    ensure!(store.domain_verified(&ours).await?);

    // As the schedule does: all domains of the community. DNS refuses the others, which keep their operator override.
    let (report, ended_well) =
        stack.invoke(name, &json!({ "source": "aws.events", "detail-type": "Scheduled Event" }))?;
    let looked_at: Vec<_> = report["domains"].as_array().into_iter().flatten().map(|one| &one["domain"]).collect();
    let ubuntu = membermail_communities::community("ubuntu")?;
    ensure!(ended_well && looked_at == ubuntu.domain_names().map(|name| name.as_str()).collect::<Vec<_>>(), "{report}");
    let ubuntu = &report["domains"][0];
    ensure!(
        ubuntu["proof"]["state"] == "operator" && ubuntu["record"] == json!({ "unanswered": "refused" }),
        "{report}"
    );

    // And the schedule itself, which is enabled except on a developer's machine.
    let arn = settings["FunctionArn"].as_str().context("no ARN")?;
    let rules = stack.cli(&["events", "list-rule-names-by-target", "--target-arn", arn])?;
    let rule = rules["RuleNames"][0].as_str().context("no schedule")?;
    let rule = stack.cli(&["events", "describe-rule", "--name", rule])?;
    ensure!(rule["ScheduleExpression"] == "rate(1 hour)" && rule["State"] == "DISABLED", "{rule}");

    let (answer, ended_well) = stack.invoke(name, &json!({ "domain": "example.org" }))?;
    ensure!(!ended_well && answer.to_string().contains("not a domain of this community"), "{answer}");

    let log = std::fs::read_to_string(stack.logs.join(format!("{name}.log")))?;
    let line = log.lines().find(|line| line.contains("domain edubuntu.org checked")).context("no line in the log")?;
    let line: Value = serde_json::from_str(line)?;
    ensure!(line["span"]["request_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
    ensure!(log.contains("admins of edubuntu.org will be notified"));
    store.verify_domain(&ours, operator(day(0)?), &OsRandom).await?;
    Ok(())
}
