use super::*;

/// Alarms and dashboards are a fixed monthly cost.
#[test]
fn alarms_use_few_metrics() {
    let template = Template::read().unwrap();
    assert!((8..=21).contains(&template.alarm_metrics()), "{} metrics in alarms", template.alarm_metrics());
    assert_eq!((template.dashboards(), template.secrets()), (0, 2));
    assert_eq!(template.with("DashboardEnabled", "true").unwrap().dashboards(), 1);
}

#[test]
fn functions_are_read_with_triggers() {
    let template = Template::read().unwrap();
    assert_eq!(template.functions().unwrap().len(), 10);
    let sync = template.function("sync-team").unwrap();
    let source = EventSource { queue: "SyncQueue".to_owned(), batch_size: 1, max_concurrency: Some(2), enabled: true };
    assert_eq!((sync.memory, sync.queues), (128, vec![source]));
    let variables: BTreeMap<_, _> = sync.variables.into_iter().collect();
    assert_eq!(variables["SYNC_QUEUE_TRIES"], "16");
    assert_eq!(variables["SYNC_PACE_MILLISECONDS"], "1000");
    assert_eq!(variables["WRITE_QUEUE_URL"], "https://sqs.us-east-1.amazonaws.com/000000000000/WriteQueue");
    assert_eq!(template.function("start-sync").unwrap().scheduled, Some(730.0));
    assert_eq!(template.function("check-domains").unwrap().scheduled, Some(730.0));
    assert_eq!(template.function("check-status").unwrap().scheduled, Some(8_760.0));
    assert_eq!(template.function("sso").unwrap().memory, 256);
    assert_eq!(template.function("notify").unwrap().secrets, ["MASTER_SECRET_ARN", "MAIL_SECRET_ARN"]);
    assert_eq!(sync.secrets, [""; 0]);
}

#[test]
fn scheduled_messages_are_read() {
    let messages = Template::read().unwrap().scheduled_messages().unwrap();
    let expected = [("WriteQueue", r#"{"kind":"collect"}"#, 8_760.0), ("NotifyQueue", r#"{"kind":"sweep"}"#, 2_920.0)];
    assert_eq!(messages, expected.map(|(queue, body, times)| (queue.to_owned(), body.to_owned(), times)));
}

/// The benchmark of grants simulates both event sources.
#[test]
fn event_sources_have_their_limits() {
    let template = Template::read().unwrap();
    let enabled = |template: &Template| {
        let queues = template.function("write-aliases").unwrap().queues;
        queues.into_iter().filter(|source| source.enabled).map(|source| source.queue).collect::<Vec<_>>()
    };
    assert_eq!(enabled(&template), ["WriteQueue"]);
    let template = template.with("SmallQuota", "false").unwrap();
    assert_eq!(enabled(&template), ["WriteQueue", "GrantQueue", "DeliveryFailureQueue"]);
    let function = template.with("WriteConcurrency", "10").unwrap().function("write-aliases").unwrap();
    let [steps, grants, failures] = &function.queues[..] else { panic!("{:?}", function.queues) };
    assert_eq!((steps.queue.as_str(), grants.queue.as_str()), ("WriteQueue", "GrantQueue"));
    assert_eq!(failures.queue, "DeliveryFailureQueue");
    let variables: BTreeMap<_, _> = function.variables.iter().cloned().collect();
    let arn = "arn:aws:sqs:us-east-1:000000000000:DeliveryFailureQueue";
    assert_eq!(variables["DELIVERY_FAILURE_QUEUE_ARN"], arn);
    for EventSource { batch_size, max_concurrency, .. } in [steps, grants] {
        assert!((1..=10).contains(batch_size) && (2..=10).contains(&max_concurrency.unwrap()), "{function:?}");
    }
    assert_ne!(steps.max_concurrency, grants.max_concurrency);
}

/// A new account has 10 concurrent executions, of which two are for the site and the schedules.
#[test]
fn queues_take_eight_executions_by_default() {
    let sum = |template: &Template| {
        let queues = template.functions().unwrap().into_iter().flat_map(|function| function.queues);
        queues.filter(|source| source.enabled).map(|source| source.max_concurrency.unwrap()).sum::<u32>()
    };
    let mut template = Template::read().unwrap();
    assert_eq!(sum(&template), 8);
    for (name, value) in
        [("SmallQuota", "false"), ("VerifyConcurrency", "3"), ("WriteConcurrency", "10"), ("NotifyConcurrency", "4")]
    {
        template = template.with(name, value).unwrap();
    }
    assert_eq!(sum(&template), 24);
}
