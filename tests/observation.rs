//! Observability: one request id through all functions, metrics in their logs, and the alarms and dashboard on top.

use std::collections::BTreeSet;
use std::sync::mpsc;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, ManualClock, SystemClock};
use membermail_core::member;
use membermail_core::message::SyncTeam;
use membermail_core::random::OsRandom;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_store::{Run, RunStart, RunState, Store};
use membermail_tests::stack::Stack;
use membermail_tests::syncs::full_sync;
use membermail_tests::wait::{TIMEOUT, until_true};
use serde_json::{Value, json};
use start_sync::{Context, Event, handle};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn request_id_follows_a_sign_in() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", "ubuntumembers", "observed-one").await?;
    let member = stack.owner_of("observed-one@ubuntu.com").await?;
    let message = format!("member {member} signed in");
    let signed_in = stack.wait_for_log("Sso", "the sign-in", |line| line["message"] == message.as_str()).await?;
    let request_id = signed_in["span"]["request_id"].as_str().context("no request id")?.to_owned();
    ensure!(request_id.len() >= 32, "{request_id} is no id of Lambda's");
    for (function, what) in [
        ("VerifyMember", format!("member {member} checked")),
        ("WriteAliases", format!("address of member {member} created")),
        ("Notify", "notice sent".to_owned()),
    ] {
        let line = stack
            .wait_for_log(function, &format!("{what:?} with request {request_id}"), |line| {
                line["message"] == what.as_str() && line["span"]["request_id"] == request_id.as_str()
            })
            .await?;
        ensure!(line["span"]["message_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
    }
    Ok(())
}

/// A queue of this test.
async fn own_queue(stack: &Stack, name: &str) -> Result<(Queue, String)> {
    let sqs = stack.sqs().await;
    let made = sqs.create_queue().queue_name(format!("observation-{name}-{}", std::process::id())).send().await?;
    let url = made.queue_url.context("no URL")?;
    Ok((Queue::new(sqs, &url), url))
}

async fn received(stack: &Stack, url: &str, count: usize) -> Result<Vec<Message>> {
    let mut all = Vec::new();
    while all.len() < count {
        let request = stack.sqs().await.receive_message().queue_url(url).max_number_of_messages(10);
        let messages = request.message_attribute_names("All").wait_time_seconds(5).send().await?.messages;
        let messages = messages.unwrap_or_default();
        ensure!(!messages.is_empty(), "only {} of {count} messages came", all.len());
        all.extend(messages);
    }
    Ok(all)
}

fn carried(message: &Message) -> Option<&str> {
    message.message_attributes.as_ref()?.get("request-id")?.string_value.as_deref()
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn messages_carry_the_request_id() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (queue, url) = own_queue(&stack, "attributes").await?;
    queue.send(&full_sync("ubuntu.com", "one")?).await?;
    queue.send_delayed(&full_sync("ubuntu.com", "later")?, 1).await?;
    let syncs = (0..12).map(|number| full_sync("ubuntu.com", &format!("of-{number}")));
    queue.send_all(&syncs.collect::<Result<Vec<_>>>()?).await?;
    let messages = received(&stack, &url, 14).await?;
    for message in &messages {
        let body: Value = serde_json::from_str(message.body.as_deref().context("no body")?)?;
        ensure!(carried(message) == body["request_id"].as_str() && carried(message).is_some(), "{message:?}");
    }
    ensure!(messages.iter().filter_map(carried).collect::<BTreeSet<_>>().len() == 14);
    stack.sqs().await.delete_queue().queue_url(url).send().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn sign_in_and_sync_emit_metrics() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", "ubuntumembers", "observed-two").await?;
    stack.wait_for_metrics("Sso", &[("SignIns", json!(1.0)), ("Outcome", json!("signed-in"))]).await?;
    stack.wait_for_metrics("VerifyMember", &[("Verifications", json!(1.0)), ("Outcome", json!("eligible"))]).await?;
    let launchpad = stack.wait_for_metrics("VerifyMember", &[("SourceErrors", json!(0.0))]).await?;
    ensure!(launchpad["SourceLatency"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 60_000.0), "{launchpad}");
    for (function, step) in [("VerifyMember", "verify-member"), ("WriteAliases", "write-aliases"), ("Notify", "notify")]
    {
        let members = [("Function", json!(step)), ("MessagesFailed", json!(0.0))];
        let handled = stack.wait_for_metrics(function, &members).await?;
        ensure!(handled["QueueAge"].as_f64().is_some_and(|age| (0.0..3600.0).contains(&age)), "{handled}");
    }
    let mail = stack.wait_for_metrics("Notify", &[("Mails", json!(1.0)), ("Outcome", json!("sent"))]).await?;
    let directive = &mail["_aws"]["CloudWatchMetrics"][0];
    ensure!(directive["Namespace"] == "membermail" && directive["Dimensions"] == json!([[]]), "{mail}");
    ensure!(mail["MailsFailed"] == 0.0, "{mail}");

    stack.sync("ubuntu.net").await?;
    let sync =
        stack.wait_for_metrics("SyncTeam", &[("Domain", json!("ubuntu.net")), ("SyncsFinished", json!(1.0))]).await?;
    for name in ["PlanActive", "PlanCreations", "PlanRemovals"] {
        ensure!(sync[name].is_number(), "no {name} in {sync}");
    }
    stack.wait_for_metrics("SyncTeam", &[("Function", json!("sync-team"))]).await?;
    // A metric by domain would cost with each domain.
    ensure!(sync["_aws"].is_null(), "{sync}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn received_message_is_like_an_event() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (queue, url) = own_queue(&stack, "received").await?;
    let name = url.rsplit('/').next().context("no name")?;
    let arn = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
    ensure!(queue.receive_from(&arn).await?.records.is_empty());
    queue.send(&full_sync("ubuntu.com", "the-request")?).await?;
    let records = queue.receive_from(&arn).await?.records;
    let [record] = &records[..] else { anyhow::bail!("{records:?}") };
    ensure!(record.event_source_arn.as_ref() == Some(&arn) && record.message_id.is_some(), "{record:?}");
    ensure!(record.attributes.get("ApproximateReceiveCount").is_some_and(|count| count == "1"), "{record:?}");
    ensure!(record.attributes.contains_key("SentTimestamp"), "{record:?}");
    let request_id = record.message_attributes.get("request-id").and_then(|value| value.string_value.as_deref());
    ensure!(request_id == Some("the-request"), "{record:?}");
    let _: SyncTeam = serde_json::from_str(record.body.as_deref().context("no body")?)?;
    queue.delete_from(&arn, &records).await?;
    let request = stack.sqs().await.get_queue_attributes().queue_url(&url);
    let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
    let attributes = request.attribute_names(hidden.clone()).send().await?.attributes.unwrap_or_default();
    ensure!(attributes.get(&hidden).is_some_and(|count| count == "0"), "{attributes:?}");
    stack.sqs().await.delete_queue().queue_url(url).send().await?;
    Ok(())
}

/// The metrics of `start-sync` on finished syncs of these domains.
async fn look_back(stack: &Stack, queue: &Queue, domains: &[DomainName], now: Timestamp) -> Result<Value> {
    let (sink, lines) = mpsc::channel();
    let context = Context {
        domains: domains.to_vec(),
        store: stack.store().await,
        sync_queue: queue.clone(),
        period: SignedDuration::from_hours(1),
        metrics: Metrics::to_sink("test", ManualClock::at(now), move |line| drop(sink.send(line.to_owned()))),
        clock: Box::new(ManualClock::at(now)),
    };
    handle(&context, Event::default(), "looks-back").await.map_err(|cause| anyhow::anyhow!("{cause}"))?;
    let lines: Vec<_> = lines.try_iter().collect();
    ensure!(lines.len() <= 1, "{lines:?}");
    let Some(line) = lines.first() else { return Ok(Value::Null) };
    Ok(serde_json::from_str::<Value>(line)?["DomainsWithoutSync"].clone())
}

/// Stores a run that began and ended at this time.
async fn record_run(store: &Store, domain: &DomainName, at: Timestamp, state: RunState) -> Result<()> {
    let until = at + SignedDuration::from_mins(1);
    let RunStart::Started(run) = store.begin_run(member::ulid(at, &OsRandom), domain, at, until, "a-test").await?
    else {
        anyhow::bail!("{domain} is busy")
    };
    store.finish_run(&Run { state, finished: Some(at), ..*run }, None).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unfinished_syncs_are_counted() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let store = stack.store().await;
    let (queue, url) = own_queue(&stack, "overdue").await?;
    let begin = SystemClock.now();
    let word = member::ulid(begin, &OsRandom).to_string().to_lowercase();
    let good: DomainName = format!("good-{word}.example").parse()?;
    let bad: DomainName = format!("bad-{word}.example").parse()?;
    let domains = [good.clone(), bad.clone()];
    let hour = SignedDuration::from_hours(1);
    // A new community has no missing syncs yet.
    ensure!(look_back(&stack, &queue, &domains, begin).await? == Value::Null);
    for hours in 0..4 {
        record_run(&store, &good, begin + hour * hours, RunState::Unchanged).await?;
        record_run(&store, &bad, begin + hour * hours, RunState::Failed).await?;
    }
    ensure!(look_back(&stack, &queue, &domains, begin + hour * 2).await? == Value::Null);
    ensure!(look_back(&stack, &queue, &domains, begin + hour * 3).await? == json!(1.0));
    // Both domains once neither has a finished sync; none once all have.
    ensure!(look_back(&stack, &queue, &domains, begin + hour * 6).await? == json!(2.0));
    for domain in &domains {
        record_run(&store, domain, begin + hour * 6, RunState::Held).await?;
    }
    ensure!(look_back(&stack, &queue, &domains, begin + hour * 7).await? == Value::Null);

    // It requested the syncs once; those messages are still in the queue.
    let messages = received(&stack, &url, 2).await?;
    ensure!(messages.iter().all(|message| carried(message) == Some("looks-back")), "{messages:?}");
    let syncs: Vec<SyncTeam> = messages
        .iter()
        .map(|message| Ok(serde_json::from_str(message.body.as_deref().context("no body")?)?))
        .collect::<Result<_>>()?;
    for domain in &domains {
        ensure!(syncs.iter().filter(|sync| sync.domain == *domain && sync.release.is_none()).count() == 1, "{syncs:?}");
    }
    stack.sqs().await.delete_queue().queue_url(url).send().await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn start_sync_refuses_foreign_domains() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let store = stack.store().await;
    let domain = "ubuntu.com".parse()?;
    let before: BTreeSet<_> = store.runs(&domain, 50).await?.into_iter().map(|run| run.id).collect();
    let (answer, ended_well) = stack.invoke(&stack.start_sync_function, &json!({ "domains": ["ubuntu.com"] }))?;
    ensure!(ended_well, "{answer}");
    // Other tests request syncs of it too; the request id is that of this invocation.
    until_true("the run that was requested", TIMEOUT, async || {
        let runs = store.runs(&domain, 50).await?;
        Ok(runs.iter().any(|run| !before.contains(&run.id) && is_id_of_lambda(&run.request_id)))
    })
    .await?;
    let (answer, ended_well) =
        stack.invoke(&stack.start_sync_function, &json!({ "domains": ["ubuntu.com", "example.org"] }))?;
    ensure!(!ended_well, "{answer}");
    ensure!(answer["errorMessage"] == "example.org is not a domain of this community", "{answer}");
    Ok(())
}

fn is_id_of_lambda(id: &str) -> bool {
    id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

const ALARMS: [&str; 20] = [
    "DeliveryFailureDeadLettersAlarm",
    "DeliveryFailureUnreadAlarm",
    "FunctionErrorAlarm",
    "GrantDeadLettersAlarm",
    "GrantUnreadAlarm",
    "MailFailingAlarm",
    "MailNotAuthorizedAlarm",
    "MessagesFailingAlarm",
    "NoFinishedSyncAlarm",
    "NoScheduledSyncAlarm",
    "NotifyDeadLettersAlarm",
    "NotifyUnreadAlarm",
    "SiteErrorAlarm",
    "SyncDeadLettersAlarm",
    "SyncUnreadAlarm",
    "ThrottlesAlarm",
    "VerifyDeadLettersAlarm",
    "VerifyUnreadAlarm",
    "WriteDeadLettersAlarm",
    "WriteUnreadAlarm",
];

/// The alarms of the stack by their logical ids.
fn alarms(stack: &Stack) -> Result<Vec<(&'static str, Value)>> {
    let resources = stack.cli(&["cloudformation", "list-stack-resources", "--stack-name", "membermail"])?;
    let resources = resources["StackResourceSummaries"].as_array().context("no resources")?;
    let all = stack.cli(&["cloudwatch", "describe-alarms", "--max-items", "100"])?;
    let all = all["MetricAlarms"].as_array().context("no alarms")?;
    let mut alarms = Vec::new();
    for id in ALARMS {
        let resource =
            resources.iter().find(|one| one["LogicalResourceId"] == id).with_context(|| format!("no {id}"))?;
        let alarm = all.iter().find(|alarm| alarm["AlarmName"] == resource["PhysicalResourceId"]);
        alarms.push((id, alarm.with_context(|| format!("no {id} in {all:#?}"))?.clone()));
    }
    Ok(alarms)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn alarms_notify_the_topic() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let queues = stack.sqs().await.list_queues().send().await?.queue_urls.unwrap_or_default().join(" ");
    for (id, alarm) in alarms(&stack)? {
        for actions in ["AlarmActions", "OKActions"] {
            ensure!(alarm[actions] == json!([stack.alarm_topic_arn]), "{id} goes to {}", alarm[actions]);
        }
        ensure!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.ends_with('.')), "{alarm}");
        if id.ends_with("DeadLettersAlarm") {
            let queue = alarm["Dimensions"][0]["Value"].as_str().context("no queue")?;
            let url = stack.physical_id(&id.replace("Alarm", ""))?;
            ensure!(url.ends_with(&format!("/{queue}")) && queues.contains(queue), "{id} looks at {queue}");
            ensure!(alarm["Threshold"] == 0.0 && alarm["Statistic"] == "Maximum", "{alarm}");
        }
        if id.ends_with("UnreadAlarm") {
            let queue = alarm["Dimensions"][0]["Value"].as_str().context("no queue")?;
            let url = stack.physical_id(&id.replace("UnreadAlarm", "Queue"))?;
            ensure!(url.ends_with(&format!("/{queue}")) && queues.contains(queue), "{id} looks at {queue}");
            ensure!(alarm["MetricName"] == "ApproximateAgeOfOldestMessage", "{alarm}");
            // An alarm that ends before the queue would lose a message.
            let threshold = alarm["Threshold"].as_f64().context("no threshold")?;
            ensure!((3_600.0..86_400.0).contains(&threshold) && alarm["Statistic"] == "Maximum", "{alarm}");
        }
        // Without data points of a metric, FILL has nothing to fill, so the alarm would be silent.
        ensure!(!alarm.to_string().contains("FILL("), "{alarm}");
        // AWS allows ten metrics and one result.
        let parts = alarm["Metrics"].as_array().cloned().unwrap_or_default();
        ensure!(parts.iter().filter(|part| part["MetricStat"].is_object()).count() <= 10, "{alarm}");
        let results = parts.iter().filter(|part| part["ReturnData"] != false).count();
        ensure!(parts.is_empty() || results == 1, "{id} has {results} results");
    }
    let alarm = |wanted| alarms(&stack)?.into_iter().find(|(id, _)| *id == wanted).context("none");
    let (_, throttles) = alarm("ThrottlesAlarm")?;
    // The quota is that of the account, and so is the metric without a dimension.
    ensure!(throttles["Namespace"] == "AWS/Lambda" && throttles["MetricName"] == "Throttles", "{throttles}");
    ensure!(throttles["Dimensions"].as_array().is_none_or(Vec::is_empty), "{throttles}");
    let (_, sync) = alarm("NoFinishedSyncAlarm")?;
    ensure!(sync["Namespace"] == "membermail", "the metrics of two stacks are mixed: {sync}");
    ensure!(sync["MetricName"] == "DomainsWithoutSync" && sync["Period"] == 3600, "{sync}");
    // Without an overdue domain there is no data.
    ensure!(sync["TreatMissingData"] == "notBreaching", "{sync}");
    let (_, schedule) = alarm("NoScheduledSyncAlarm")?;
    ensure!(schedule["Dimensions"][0]["Value"] == stack.start_sync_function.as_str(), "{schedule}");
    ensure!(schedule["ComparisonOperator"] == "LessThanThreshold" && schedule["Threshold"] == 1.0, "{schedule}");
    // The schedule is disabled here, so missing data must not alarm.
    ensure!(schedule["TreatMissingData"] == "notBreaching" && schedule["Period"] == 3600, "{schedule}");

    stack.cli(&["sns", "get-topic-attributes", "--topic-arn", &stack.alarm_topic_arn])?;
    let subscriptions = stack.cli(&["sns", "list-subscriptions-by-topic", "--topic-arn", &stack.alarm_topic_arn])?;
    ensure!(subscriptions["Subscriptions"] == json!([]), "{subscriptions}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn dashboard_shows_alarms_and_measures() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let answer = stack.cli(&["cloudwatch", "get-dashboard", "--dashboard-name", &stack.dashboard])?;
    let body = answer["DashboardBody"].as_str().context("no body")?;
    ensure!(!body.contains("${"), "a reference is left in {body}");
    let body: Value = serde_json::from_str(body)?;
    let widgets = body["widgets"].as_array().context("no widgets")?;
    let shown = widgets.iter().find(|widget| widget["type"] == "alarm").context("no alarms")?;
    let shown = shown["properties"]["alarms"].as_array().context("no list")?;
    let shown: BTreeSet<_> = shown.iter().filter_map(Value::as_str).collect();
    let arns = alarms(&stack)?;
    let arns: BTreeSet<_> = arns.iter().filter_map(|(_, alarm)| alarm["AlarmArn"].as_str()).collect();
    ensure!(shown == arns, "{shown:?} and {arns:?}");
    let text = body.to_string();
    for name in [
        "SignIns",
        "Verifications",
        "SourceLatency",
        "SourceErrors",
        "PlanActive",
        "PlanCreations",
        "PlanRemovals",
        "SyncsFinished",
        "DomainsWithoutSync",
        "QueueAge",
        "MessagesFailedAgain",
        "Mails",
        "MailsFailed",
        "MailsNotAuthorized",
    ] {
        ensure!(text.contains(name), "{name} is nowhere in {text}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn receive_limit_matches_the_queue() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (function, queue, variable) in [
        ("VerifyMember", "VerifyQueue", "VERIFY_QUEUE_TRIES"),
        ("WriteAliases", "WriteQueue", "WRITE_QUEUE_TRIES"),
        ("WriteAliases", "GrantQueue", "WRITE_QUEUE_TRIES"),
        ("WriteAliases", "DeliveryFailureQueue", "WRITE_QUEUE_TRIES"),
        ("SyncTeam", "SyncQueue", "SYNC_QUEUE_TRIES"),
    ] {
        let settings = stack.function_configuration(&stack.physical_id(function)?)?;
        let tries = settings["Environment"]["Variables"][variable].as_str().context("no tries")?.to_owned();
        let request = stack.sqs().await.get_queue_attributes().queue_url(stack.physical_id(queue)?);
        let policy = request.attribute_names(QueueAttributeName::RedrivePolicy).send().await?.attributes;
        let policy = policy.and_then(|mut all| all.remove(&QueueAttributeName::RedrivePolicy)).context("no redrive")?;
        let policy: Value = serde_json::from_str(&policy)?;
        // It may be a number or text.
        let shown = policy["maxReceiveCount"].to_string();
        ensure!(
            shown.trim_matches('"') == tries,
            "{queue} shows a message {shown} times, and {function} knows {tries}"
        );
    }
    Ok(())
}
