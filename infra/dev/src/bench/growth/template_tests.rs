use super::*;

fn template() -> Template {
    Template::parse(include_str!("../../../../../template.yaml")).unwrap()
}

/// What CloudWatch costs while nothing happens, in dollars a month.
#[test]
fn alarms_cost_little() {
    let template = template();
    assert!((8..=15).contains(&template.alarm_metrics()), "{} metrics in alarms", template.alarm_metrics());
    assert_eq!((template.dashboards(), template.secrets()), (0, 2));
    assert_eq!(template.with("DashboardEnabled", "true").unwrap().dashboards(), 1);
}

#[test]
fn functions_are_read_with_what_starts_them() {
    let functions = template().functions().unwrap();
    assert_eq!(functions.len(), 8);
    let named = |name: &str| functions.iter().find(|one| one.name == name).unwrap();
    let sync = named("sync-team");
    assert_eq!((sync.memory, sync.queues.as_slice()), (128, &[("SyncQueue".to_owned(), Some(2))][..]));
    let variable = |name: &str| sync.variables.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str());
    assert_eq!(variable("SYNC_QUEUE_TRIES"), Some("6"));
    assert_eq!(variable("SYNC_PACE_MILLISECONDS"), Some("1000"));
    assert_eq!(variable("WRITE_QUEUE_URL"), Some("https://sqs.us-east-1.amazonaws.com/000000000000/WriteQueue"));
    assert_eq!(named("start-sync").scheduled, Some(730.0));
    assert_eq!(named("check-domains").scheduled, Some(730.0));
    assert_eq!(named("sso").memory, 256);
    assert_eq!(named("notify").secrets, ["MASTER_SECRET_ARN", "MAIL_SECRET_ARN"]);
    assert_eq!(sync.secrets, [""; 0]);
}

#[test]
fn scheduled_messages_are_read() {
    let messages = template().scheduled_messages().unwrap();
    assert_eq!(messages, [("NotifyQueue".to_owned(), r#"{"kind":"sweep"}"#.to_owned(), 2_920.0)]);
}
