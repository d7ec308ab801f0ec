use super::*;

#[rstest::rstest]
#[case::operator(r#"{"domain":"ubuntu.com","request_id":"r-1"}"#, None)]
#[case::schedule(
    r#"{"domain":"ubuntu.com","requested_at":"2026-11-24T10:00:00Z","request_id":"r-1"}"#,
    Some("2026-11-24T10:00:00Z")
)]
fn sync_message_keeps_its_wire_form(#[case] text: &str, #[case] requested_at: Option<&str>) {
    let requested_at = requested_at.map(|at| at.parse().unwrap());
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let message = SyncTeam { requested_at, ..SyncTeam::of(&domain, "r-1") };
    assert_eq!(serde_json::from_str::<SyncTeam>(text).unwrap(), message);
    assert_eq!(serde_json::to_string(&message).unwrap(), text);
}

#[rstest::rstest]
// The schedule in template.yaml sends this text.
#[case::sweep(r#"{"kind":"sweep"}"#, NotifyMessage::Sweep)]
#[case::change(
    r#"{"kind":"change","entry":"00000000000000000000000000","request_id":"r-1"}"#,
    NotifyMessage::change(Ulid::nil(), "r-1")
)]
#[case::digest(
    r#"{"kind":"digest","domain":"ubuntu.com","request_id":"r-1"}"#,
    NotifyMessage::Digest(Digest { domain: "ubuntu.com".parse().unwrap(), request_id: "r-1".into() })
)]
#[case::undeliverable(
    r#"{"kind":"undeliverable","address":"alice@ubuntu.com","reply":"5.1.1","request_id":"r-1"}"#,
    NotifyMessage::Undeliverable(undeliverable(None))
)]
#[case::undeliverable_to_destination(
    r#"{"kind":"undeliverable","address":"alice@ubuntu.com","destination":"01ARZ3NDEKTSV4RRFFQ69G5FAV","reply":"5.1.1","request_id":"r-1"}"#,
    NotifyMessage::Undeliverable(undeliverable(DestinationId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV")))
)]
#[case::test_message(
    r#"{"kind":"test","member":"01ARZ3NDEKTSV4RRFFQ69G5FAV","address":"alice@ubuntu.com","id":"00000000000000000000000000","request_id":"r-1"}"#,
    NotifyMessage::Test(TestRequest {
        member: MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(),
        address: alice(),
        id: Ulid::nil(),
        request_id: "r-1".into(),
    })
)]
fn notify_message_keeps_its_wire_form(#[case] text: &str, #[case] message: NotifyMessage) {
    assert_eq!(serde_json::from_str::<NotifyMessage>(text).unwrap(), message);
    assert_eq!(serde_json::to_string(&message).unwrap(), text);
}

#[rstest::rstest]
#[case::forwarded(
    r#"{"kind":"forwarded","address":"alice@ubuntu.com","reply":"5.1.1","at":"2026-11-24T10:00:00Z"}"#,
    forwarded(None)
)]
#[case::forwarded_to_destination(
    r#"{"kind":"forwarded","address":"alice@ubuntu.com","destination":"01ARZ3NDEKTSV4RRFFQ69G5FAV","reply":"5.1.1","at":"2026-11-24T10:00:00Z"}"#,
    forwarded(DestinationId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV"))
)]
#[case::notice(
    r#"{"kind":"notice","member":"01ARZ3NDEKTSV4RRFFQ69G5FAV","reply":"550","at":"2026-11-24T10:00:00Z"}"#,
    DeliveryFailure::notice(MemberId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap(), "550".parse().unwrap(), failed_at())
)]
fn delivery_failure_keeps_its_wire_form(#[case] text: &str, #[case] message: DeliveryFailure) {
    assert_eq!(serde_json::from_str::<DeliveryFailure>(text).unwrap(), message);
    assert_eq!(serde_json::to_string(&message).unwrap(), text);
    // A message on the wrong queue is not read as another one.
    serde_json::from_str::<WriteAliases>(text).unwrap_err();
}

fn forwarded(destination: Option<DestinationId>) -> DeliveryFailure {
    let address = Address::try_from("alice@ubuntu.com".to_owned()).unwrap();
    DeliveryFailure::forwarded(address, destination, "5.1.1".parse().unwrap(), failed_at())
}

fn alice() -> Address {
    Address::try_from("alice@ubuntu.com".to_owned()).unwrap()
}

fn undeliverable(destination: Option<DestinationId>) -> Undeliverable {
    Undeliverable { address: alice(), destination, reply: "5.1.1".into(), request_id: "r-1".into() }
}

fn failed_at() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

#[rstest::rstest]
#[case::schedule(r#"{"domain":"ubuntu.com","request_id":"r-1"}"#, false)]
#[case::operator(r#"{"domain":"ubuntu.com","full":true,"request_id":"r-1"}"#, true)]
fn full_sync_keeps_its_wire_form(#[case] text: &str, #[case] full: bool) {
    let domain: DomainName = "ubuntu.com".parse().unwrap();
    let message = SyncTeam { full, ..SyncTeam::of(&domain, "r-1") };
    assert_eq!(serde_json::from_str::<SyncTeam>(text).unwrap(), message);
    assert_eq!(serde_json::to_string(&message).unwrap(), text);
}

#[test]
fn dry_run_message_keeps_its_wire_form() {
    let domain = "ubuntu.com".parse().unwrap();
    let text = r#"{"domain":"ubuntu.com","dry_run":"00000000000000000000000000","requested_at":"2026-11-24T10:00:00Z","request_id":"r-1"}"#;
    let message = SyncTeam::dry_run_of(&domain, Ulid::nil(), failed_at(), "r-1");
    assert_eq!(serde_json::from_str::<SyncTeam>(text).unwrap(), message);
    assert_eq!(serde_json::to_string(&message).unwrap(), text);
}
