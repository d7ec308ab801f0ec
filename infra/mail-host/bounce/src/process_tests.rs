use std::sync::Mutex;

use async_trait::async_trait;
use membermail_core::clock::ManualClock;
use membermail_core::destination::DestinationId;
use membermail_core::member::MemberId;
use membermail_core::random::CountingRandom;
use membermail_runtime::queue::QueueError;

use super::*;
use crate::testing::{self, HOST, assert_no_secret};

const TOKEN: &str = "token@srs.membermail.test";
/// The ids of the alias' destinations.
const HOME: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const OFFICE: &str = "01BX5ZZKBKACTAV9WEVGEMMVRZ";

/// alias-map with the alias `alice@ubuntu.com`.
struct FakeMaps {
    owner: Result<Owner, MapsError>,
    destinations: Vec<(&'static str, DestinationId)>,
}

#[async_trait]
impl Maps for FakeMaps {
    async fn owner(&mut self, address: &Mailbox) -> Result<Owner, MapsError> {
        assert_eq!(address.expose(), TOKEN);
        std::mem::replace(&mut self.owner, Ok(Owner::Unknown))
    }

    async fn is_served(&mut self, domain: &DomainName) -> Result<bool, MapsError> {
        Ok(domain.as_str() == "ubuntu.com")
    }

    async fn destination(
        &mut self,
        address: &Recipient,
        recipient: &Mailbox,
    ) -> Result<Option<DestinationId>, MapsError> {
        let is_known = address.expose() == "alice@ubuntu.com";
        let named = self.destinations.iter().find(|(known, _)| known.eq_ignore_ascii_case(recipient.expose()));
        Ok(named.filter(|_| is_known).map(|(_, destination)| *destination))
    }
}

struct FakeSubmission {
    result: Result<(), SubmissionError>,
    mails: Mutex<Vec<(String, String)>>,
}

#[async_trait]
impl Submission for FakeSubmission {
    async fn submit(&self, recipient: &Mailbox, mail: &[u8]) -> Result<(), SubmissionError> {
        let mail = String::from_utf8(mail.to_vec()).unwrap();
        self.mails.lock().unwrap().push((recipient.expose().to_owned(), mail));
        self.result
    }
}

#[derive(Default)]
struct FakeQueue(Mutex<Vec<String>>);

#[async_trait]
impl FailureQueue for FakeQueue {
    async fn send(&self, failure: &DeliveryFailure) -> Result<(), QueueError> {
        self.0.lock().unwrap().push(serde_json::to_string(failure).unwrap());
        Ok(())
    }
}

/// What came of a bounce.
struct Processed {
    outcome: Result<Outcome, Retry>,
    mails: Vec<(String, String)>,
    failures: Vec<String>,
}

struct World {
    owner: Result<Owner, MapsError>,
    destinations: Vec<(&'static str, DestinationId)>,
    submission: Result<(), SubmissionError>,
}

impl Default for World {
    fn default() -> Self {
        let owner = Ok(Owner::Sender(testing::sender()));
        let destinations = vec![
            ("office@other-home.example", destination(OFFICE)),
            ("Alice.home@hidden-home.example", destination(HOME)),
        ];
        Self { owner, destinations, submission: Ok(()) }
    }
}

impl World {
    fn process(self, octets: &[u8], origin: Origin) -> Processed {
        let mut maps = FakeMaps { owner: self.owner, destinations: self.destinations };
        let submission = FakeSubmission { result: self.submission, mails: Mutex::default() };
        let queue = FakeQueue::default();
        let edges = Edges {
            host: &HOST.parse().unwrap(),
            maps: &mut maps,
            submission: &submission,
            queue: Some(&queue),
            clock: &ManualClock::at("2026-11-28T22:11:22Z".parse().unwrap()),
            random: &CountingRandom::default(),
        };
        let recipient = Mailbox::parse(TOKEN).unwrap();
        let incoming = Incoming { origin, recipient: &recipient, octets };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(process(incoming, edges));
        Processed { outcome, mails: submission.mails.into_inner().unwrap(), failures: queue.0.into_inner().unwrap() }
    }
}

fn forwarded(destination: &str, reply: &str) -> String {
    format!(
        r#"{{"kind":"forwarded","address":"alice@ubuntu.com","destination":"{destination}","reply":"{reply}","at":"2026-11-28T22:11:22Z"}}"#
    )
}

fn destination(id: &str) -> DestinationId {
    DestinationId::parse(id).unwrap()
}

#[rstest::rstest]
#[case("local-rejected", Origin::Local, "Status: 5.1.1", Some("5.1.1"))]
#[case("local-expired", Origin::Local, "Status: 4.4.7", Some("4.4.7"))]
#[case("local-delayed", Origin::Local, "Action: delayed", Some("4.4.1"))]
#[case("postfix", Origin::Outside, "Status: 5.2.2", Some("5.2.2"))]
#[case("exim", Origin::Outside, "Status: 5.0.0", Some("5.0.0"))]
#[case("exim-old", Origin::Outside, "Status: 5.0.0", None)]
#[case("qmail", Origin::Outside, "Status: 5.0.0", None)]
#[case("exchange", Origin::Outside, "Status: 5.7.0", Some("5.7.509"))]
#[case("exchange-old", Origin::Outside, "Status: 5.0.0", None)]
#[case("delayed", Origin::Outside, "Action: delayed", None)]
fn sender_and_member_are_told(
    #[case] sample: &str,
    #[case] origin: Origin,
    #[case] status: &str,
    #[case] reply: Option<&str>,
) {
    let processed = World::default().process(&testing::sample(sample), origin);
    assert_eq!(processed.outcome, Ok(Outcome::Reported));
    let [(recipient, mail)] = &processed.mails[..] else { panic!("{:?}", processed.mails) };
    assert_eq!(recipient, "sender@elsewhere.example");
    assert!(mail.contains("Final-Recipient: rfc822; alice@ubuntu.com\r\n") && mail.contains(status), "{mail}");
    assert!(mail.contains("In-Reply-To: <lunch.1@mail.elsewhere.example>"), "{mail}");
    assert_no_secret(mail);
    assert_eq!(processed.failures, reply.map(|reply| forwarded(HOME, reply)).into_iter().collect::<Vec<_>>());
}

/// A report on this host's delivery to the destinations of one alias.
fn report_on(recipients: &[(&str, &str, &str)]) -> Vec<u8> {
    let sample = String::from_utf8(testing::sample("local-rejected")).unwrap();
    let begin = sample.find("Final-Recipient:").unwrap();
    let end = sample.find("\r\n--4ABCDE.1795903880/mail.membermail.test\r\nContent-Type: text/rfc822-headers").unwrap();
    let blocks = recipients.iter().map(|(recipient, action, status)| {
        format!(
            "Final-Recipient: rfc822; {recipient}\r\nOriginal-Recipient: rfc822;alice@ubuntu.com\r\nAction: {action}\r\nStatus: {status}\r\n"
        )
    });
    let blocks: Vec<_> = blocks.collect();
    [&sample[..begin], &blocks.join("\r\n"), &sample[end..]].concat().into_bytes()
}

#[rstest::rstest]
#[case::one_of_two(&[("Alice.home@hidden-home.example", "failed", "5.1.1")], &[(HOME, "5.1.1")], &["failed 5.1.1"])]
#[case::both(
    &[("alice.home@hidden-home.example", "failed", "5.1.1"), ("office@other-home.example", "failed", "5.2.2")],
    &[(HOME, "5.1.1"), (OFFICE, "5.2.2")],
    &["failed 5.1.1"]
)]
#[case::delay_beside_failure(
    &[("office@other-home.example", "delayed", "4.4.1"), ("alice.home@hidden-home.example", "failed", "5.2.2")],
    &[(OFFICE, "4.4.1"), (HOME, "5.2.2")],
    &["failed 5.2.2"]
)]
#[case::same_twice(
    &[("office@other-home.example", "failed", "5.1.1"), ("OFFICE@other-home.example", "failed", "5.1.1")],
    &[(OFFICE, "5.1.1")],
    &["failed 5.1.1"]
)]
#[case::unknown_beside_known(
    &[("removed@hidden-home.example", "failed", "5.1.1"), ("office@other-home.example", "failed", "5.2.1")],
    &[(OFFICE, "5.2.1")],
    &["failed 5.1.1"]
)]
fn each_failed_destination_is_reported(
    #[case] recipients: &[(&str, &str, &str)],
    #[case] failures: &[(&str, &str)],
    #[case] told: &[&str],
) {
    let processed = World::default().process(&report_on(recipients), Origin::Local);
    assert_eq!(processed.outcome, Ok(Outcome::Reported));
    let expected: Vec<_> = failures.iter().map(|(destination, reply)| forwarded(destination, reply)).collect();
    assert_eq!(processed.failures, expected);
    // The sender learns of the address that they wrote to, and not how many destinations it has.
    let [(_, mail)] = &processed.mails[..] else { panic!("{:?}", processed.mails) };
    let blocks: Vec<_> = mail.split("Final-Recipient: rfc822; alice@ubuntu.com\r\n").skip(1).collect();
    assert_eq!(blocks.len(), told.len(), "{mail}");
    for (block, told) in blocks.iter().zip(told) {
        let (action, status) = told.split_once(' ').unwrap();
        assert!(block.starts_with(&format!("Action: {action}\r\nStatus: {status}\r\n")), "{block}");
    }
    assert_no_secret(mail);
    assert!(!mail.contains("other-home"), "{mail}");
}

/// In every form of bounce, from every origin.
#[test]
fn no_report_contains_a_secret() {
    for sample in testing::SAMPLES {
        for origin in [Origin::Local, Origin::Outside] {
            // Postfix returns the header as the sender wrote it, which this sample does not.
            if (sample, origin) == ("planted", Origin::Local) {
                continue;
            }
            let octets = testing::sample(sample);
            for octets in [&octets[..], &octets[..octets.len() / 2], &octets[octets.len() / 3..]] {
                for (_, mail) in World::default().process(octets, origin).mails {
                    assert_no_secret(&mail);
                }
            }
        }
    }
}

#[rstest::rstest]
#[case("success", Ignored::Success)]
#[case("vacation", Ignored::AutoReply)]
#[case("read-receipt", Ignored::OtherReport)]
#[case("delay-warning", Ignored::Delay)]
fn other_mail_is_dropped(#[case] sample: &str, #[case] why: Ignored) {
    let processed = World::default().process(&testing::sample(sample), Origin::Outside);
    assert_eq!(processed.outcome, Ok(Outcome::Ignored(why)));
    assert!(processed.mails.is_empty() && processed.failures.is_empty());
}

#[rstest::rstest]
#[case::rejected(Some("5.1.1"), "local-rejected")]
#[case::unstructured(Some("5.0.0"), "qmail")]
#[case::only_delayed(None, "local-delayed")]
fn failed_notice_sends_no_mail(#[case] reply: Option<&str>, #[case] sample: &str) {
    let member = "01HZ0000000000000000000000";
    let owner = Ok(Owner::Notice(MemberId::parse(member).unwrap()));
    let processed = World { owner, ..World::default() }.process(&testing::sample(sample), Origin::Outside);
    assert_eq!((processed.outcome, processed.mails), (Ok(Outcome::NoticeFailed), Vec::new()));
    let failure = reply.map(|reply| {
        format!(r#"{{"kind":"notice","member":"{member}","reply":"{reply}","at":"2026-11-28T22:11:22Z"}}"#)
    });
    assert_eq!(processed.failures, failure.into_iter().collect::<Vec<_>>());
}

/// Anybody who gets mail from this host can send a bounce that names any alias.
#[rstest::rstest]
#[case::forged(Origin::Outside)]
#[case::changed_meanwhile(Origin::Local)]
fn other_destination_is_not_reported(#[case] origin: Origin) {
    let world = World { destinations: vec![("alice@elsewhere.example", destination(HOME))], ..World::default() };
    let processed = world.process(&testing::sample("postfix"), origin);
    assert_eq!((processed.outcome, processed.mails.len()), (Ok(Outcome::Reported), 1));
    assert!(processed.failures.is_empty(), "{:?}", processed.failures);
}

#[rstest::rstest]
#[case::unknown_address(Ok(Owner::Unknown), Ok(()), Ok(Outcome::UnknownReturnPath), 0)]
#[case::no_alias_map(Err(MapsError), Ok(()), Err(Retry::Maps(MapsError)), 0)]
#[case::busy(Ok(Owner::Sender(testing::sender())), Err(SubmissionError::Temporary), Err(Retry::Submission), 0)]
#[case::sender_is_gone(
    Ok(Owner::Sender(testing::sender())),
    Err(SubmissionError::Permanent),
    Ok(Outcome::SenderRejected),
    1
)]
fn failure_is_reported_only_once(
    #[case] owner: Result<Owner, MapsError>,
    #[case] submission: Result<(), SubmissionError>,
    #[case] expected: Result<Outcome, Retry>,
    #[case] failures: usize,
) {
    let world = World { owner, submission, ..World::default() };
    let processed = world.process(&testing::sample("local-rejected"), Origin::Local);
    assert_eq!((processed.outcome, processed.failures.len()), (expected, failures));
}

#[rstest::rstest]
#[case(Outcome::Reported, "report sent")]
#[case(Outcome::UnknownReturnPath, "no such return path")]
#[case(Outcome::Ignored(Ignored::AutoReply), "auto-reply")]
#[case(Outcome::Ignored(Ignored::OtherReport), "other-report")]
fn outcome_is_short(#[case] outcome: Outcome, #[case] text: &str) {
    assert_eq!(outcome.to_string(), text);
}
