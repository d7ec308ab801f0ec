//! Whoever runs the service sees how it is: one request id through all functions, metrics on their logs, and alarms and a
//! dashboard that look at these.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use jiff::SignedDuration;
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, ManualClock, SystemClock};
use membermail_core::member;
use membermail_core::message::SyncTeam;
use membermail_core::random::OsRandom;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_store::{Begun, Run, RunState};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use serde_json::{Value, json};
use start_sync::{Context, Event, handle};

/// Signs somebody in who is new, and waits for their address.
async fn newcomer(stack: &Stack, name: &str) -> Result<String> {
    stack.add(json!({ "name": name, "teams": ["ubuntumembers"] })).await?;
    let (browser, _) = stack.sign_in(name).await?;
    let address = format!("{name}@ubuntu.com");
    stack.page_with(&browser, &format!("{address} now forwards to"), 120).await?;
    Ok(address)
}

#[tokio::test]
async fn a_sign_in_is_followed_by_its_request_id_through_all_functions() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let address = newcomer(&stack, "observed-one").await?;
    let member = stack.owner_of(&address).await?;
    let says = |what: String| move |line: &Value| line["message"] == what.as_str();
    let signed_in = stack.logged("Sso", "the sign-in", says(format!("member {member} signed in"))).await?;
    let request_id = signed_in["span"]["request_id"].as_str().context("no request id")?.to_owned();
    ensure!(request_id.len() >= 32, "{request_id} is no id of Lambda's");
    for (function, what) in [
        ("VerifyMember", format!("member {member} checked")),
        ("WriteAliases", format!("address of member {member} created")),
        ("Notify", "a notice is sent".to_owned()),
    ] {
        let is_it =
            |line: &Value| line["message"] == what.as_str() && line["span"]["request_id"] == request_id.as_str();
        let line = stack.logged(function, &format!("{what:?} with request {request_id}"), is_it).await?;
        ensure!(line["span"]["message_id"].as_str().is_some_and(|id| !id.is_empty()), "{line}");
    }
    Ok(())
}

/// A queue that nobody else reads.
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
async fn every_message_carries_the_request_id_as_an_attribute() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (queue, url) = own_queue(&stack, "attributes").await?;
    let sync = |id: &str| -> Result<SyncTeam> {
        let (domain, request_id) = ("ubuntu.com".parse()?, id.to_owned());
        Ok(SyncTeam { domain, release: None, full: true, requested_at: None, request_id })
    };
    queue.send(&sync("one")?).await?;
    queue.send_later(&sync("later")?, 1).await?;
    queue.send_all(&(0..12).map(|number| sync(&format!("of-{number}"))).collect::<Result<Vec<_>>>()?).await?;
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
async fn a_sign_in_and_a_sync_leave_their_metrics_on_the_logs() -> Result<()> {
    let stack = Stack::of_this_run()?;
    newcomer(&stack, "observed-two").await?;
    stack.measured("Sso", &[("SignIns", json!(1.0)), ("Outcome", json!("signed-in"))]).await?;
    stack.measured("VerifyMember", &[("Verifications", json!(1.0)), ("Outcome", json!("eligible"))]).await?;
    let launchpad = stack.measured("VerifyMember", &[("LaunchpadErrors", json!(0.0))]).await?;
    ensure!(launchpad["LaunchpadLatency"].as_f64().is_some_and(|ms| ms > 0.0 && ms < 60_000.0), "{launchpad}");
    for (function, step) in [("VerifyMember", "verify-member"), ("WriteAliases", "write-aliases"), ("Notify", "notify")]
    {
        let members = [("Function", json!(step)), ("MessagesFailed", json!(0.0))];
        let handled = stack.measured(function, &members).await?;
        ensure!(handled["QueueAge"].as_f64().is_some_and(|age| (0.0..3600.0).contains(&age)), "{handled}");
    }
    let mail = stack.measured("Notify", &[("Mails", json!(1.0)), ("Outcome", json!("sent"))]).await?;
    let directive = &mail["_aws"]["CloudWatchMetrics"][0];
    ensure!(directive["Namespace"] == "Membermail" && directive["Dimensions"] == json!([[]]), "{mail}");
    ensure!(mail["MailsFailed"] == 0.0, "{mail}");

    stack.sync("ubuntu.net").await?;
    let sync = stack.measured("SyncTeam", &[("Domain", json!("ubuntu.net")), ("SyncsFinished", json!(1.0))]).await?;
    for name in ["PlanActive", "PlanGiven", "PlanTaken"] {
        ensure!(sync[name].is_number(), "no {name} in {sync}");
    }
    stack.measured("SyncTeam", &[("Function", json!("sync-team"))]).await?;
    // A metric by domain would cost with each domain.
    ensure!(sync["_aws"].is_null(), "{sync}");
    Ok(())
}

/// What `start-sync` measures when it looks back at these domains.
async fn look_back(stack: &Stack, outbox: &Queue, domains: &[DomainName], now: jiff::Timestamp) -> Result<Value> {
    let (sink, lines) = mpsc::channel();
    let context = Context {
        domains: domains.to_vec(),
        store: stack.store().await,
        outbox: outbox.clone(),
        period: SignedDuration::from_hours(1),
        metrics: Metrics::to(ManualClock::at(now), move |line| drop(sink.send(line.to_owned()))),
        clock: Box::new(ManualClock::at(now)),
    };
    handle(&context, Event::default(), "looks-back").await.map_err(|cause| anyhow::anyhow!("{cause}"))?;
    let lines: Vec<_> = lines.try_iter().collect();
    ensure!(lines.len() == 1, "{lines:?}");
    Ok(serde_json::from_str::<Value>(&lines[0])?["DomainsWithoutSync"].clone())
}

#[tokio::test]
async fn a_domain_whose_syncs_do_not_end_is_counted_after_two_periods() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let store = stack.store().await;
    let (outbox, url) = own_queue(&stack, "overdue").await?;
    let begin = SystemClock.now();
    let word = member::ulid(begin, &OsRandom).to_string().to_lowercase();
    let good: DomainName = format!("good-{word}.example").parse()?;
    let bad: DomainName = format!("bad-{word}.example").parse()?;
    let domains = [good.clone(), bad.clone()];
    let hours = |hours: i64| begin.checked_add(SignedDuration::from_hours(hours));
    let run = async |domain: &DomainName, at: jiff::Timestamp, state: RunState| -> Result<()> {
        let until = at.checked_add(SignedDuration::from_mins(1))?;
        let Begun::Started(run) = store.begin_run(member::ulid(at, &OsRandom), domain, at, until, "a-test").await?
        else {
            anyhow::bail!("{domain} is busy")
        };
        store.finish_run(&Run { state, finished: Some(at), ..*run }, None).await?;
        Ok(())
    };
    // A community that was just made has nothing to answer for yet.
    ensure!(look_back(&stack, &outbox, &domains, begin).await? == json!(0.0));
    for hour in 0..4 {
        run(&good, hours(hour)?, RunState::Unchanged).await?;
        run(&bad, hours(hour)?, RunState::Failed).await?;
    }
    ensure!(look_back(&stack, &outbox, &domains, hours(2)?).await? == json!(0.0));
    ensure!(look_back(&stack, &outbox, &domains, hours(3)?).await? == json!(1.0));
    // Both, once the others do not end either; and none, once all do.
    ensure!(look_back(&stack, &outbox, &domains, hours(6)?).await? == json!(2.0));
    for domain in &domains {
        run(domain, hours(6)?, RunState::Held).await?;
    }
    ensure!(look_back(&stack, &outbox, &domains, hours(7)?).await? == json!(0.0));

    // It asked for the syncs once, with its own request: those messages still wait.
    let messages = received(&stack, &url, 2).await?;
    ensure!(messages.iter().all(|message| carried(message) == Some("looks-back")), "{messages:?}");
    let asked: Vec<SyncTeam> = messages
        .iter()
        .map(|message| Ok(serde_json::from_str(message.body.as_deref().context("no body")?)?))
        .collect::<Result<_>>()?;
    for domain in &domains {
        ensure!(asked.iter().filter(|sync| sync.domain == *domain && sync.release.is_none()).count() == 1, "{asked:?}");
    }
    stack.sqs().await.delete_queue().queue_url(url).send().await?;
    Ok(())
}

/// Invokes the deployed function; its answer, and whether it ended well.
fn start_sync(stack: &Stack, event: &Value) -> Result<(Value, bool)> {
    let answer = tempfile::NamedTempFile::new()?;
    let (payload, path) = (event.to_string(), answer.path().to_str().context("an odd path")?);
    let name = &stack.start_sync_function;
    let meta = stack.cli(&["lambda", "invoke", "--function-name", name, "--payload", &payload, path])?;
    Ok((serde_json::from_slice(&std::fs::read(path)?)?, meta["FunctionError"].is_null()))
}

#[tokio::test]
async fn whoever_invokes_start_sync_names_domains_of_the_community() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let runs = async || stack.store().await.runs(&"ubuntu.com".parse()?, 50).await.map_err(anyhow::Error::from);
    let before: BTreeSet<_> = runs().await?.into_iter().map(|run| run.id).collect();
    let (answer, ended_well) = start_sync(&stack, &json!({ "domains": ["ubuntu.com"] }))?;
    ensure!(ended_well, "{answer}");
    // Other stories ask for syncs of it by hand; what Lambda gives each invocation is no word of theirs.
    let is_lambdas = |id: &str| id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    until("the run that was asked for", Duration::from_secs(120), async || {
        let mut new = runs().await?.into_iter().filter(|run| !before.contains(&run.id));
        Ok(new.any(|run| is_lambdas(&run.request_id)).then_some(()))
    })
    .await?;
    let (answer, ended_well) = start_sync(&stack, &json!({ "domains": ["ubuntu.com", "example.org"] }))?;
    ensure!(!ended_well, "{answer}");
    ensure!(answer["errorMessage"] == "example.org is no domain of this community", "{answer}");
    Ok(())
}

const ALARMS: [&str; 10] = [
    "FunctionErrorAlarm",
    "GrantDeadLettersAlarm",
    "MailFailingAlarm",
    "MessagesFailingAlarm",
    "NoFinishedSyncAlarm",
    "NotifyDeadLettersAlarm",
    "SiteErrorAlarm",
    "SyncDeadLettersAlarm",
    "VerifyDeadLettersAlarm",
    "WriteDeadLettersAlarm",
];

/// The alarms of the stack by their logical ids.
fn alarms(stack: &Stack) -> Result<Vec<(&'static str, Value)>> {
    let resources = stack.cli(&["cloudformation", "list-stack-resources", "--stack-name", "membermail"])?;
    let resources = resources["StackResourceSummaries"].as_array().context("no resources")?;
    let all = stack.cli(&["cloudwatch", "describe-alarms", "--max-items", "100"])?;
    let all = all["MetricAlarms"].as_array().context("no alarms")?;
    let named = |id: &'static str| {
        let resource = resources.iter().find(|one| one["LogicalResourceId"] == id)?;
        all.iter().find(|alarm| alarm["AlarmName"] == resource["PhysicalResourceId"]).map(|alarm| (id, alarm.clone()))
    };
    ALARMS.iter().map(|id| named(id).with_context(|| format!("no {id} in {resources:#?}"))).collect()
}

#[tokio::test]
async fn the_alarms_are_there_and_go_to_the_topic() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let queues = stack.sqs().await.list_queues().send().await?.queue_urls.unwrap_or_default().join(" ");
    for (id, alarm) in alarms(&stack)? {
        for actions in ["AlarmActions", "OKActions"] {
            ensure!(alarm[actions] == json!([stack.alarm_topic_arn]), "{id} goes to {}", alarm[actions]);
        }
        ensure!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.ends_with('.')), "{alarm}");
        if id.ends_with("DeadLettersAlarm") {
            let queue = alarm["Dimensions"][0]["Value"].as_str().context("no queue")?;
            ensure!(queue.contains(&id.replace("Alarm", "")) && queues.contains(queue), "{id} looks at {queue}");
            ensure!(alarm["Threshold"] == 0.0 && alarm["Statistic"] == "Maximum", "{alarm}");
        }
        // AWS takes ten metrics and one result.
        let parts = alarm["Metrics"].as_array().cloned().unwrap_or_default();
        ensure!(parts.iter().filter(|part| part["MetricStat"].is_object()).count() <= 10, "{alarm}");
        let results = parts.iter().filter(|part| part["ReturnData"] != false).count();
        ensure!(parts.is_empty() || results == 1, "{id} has {results} results");
    }
    let (_, sync) = alarms(&stack)?.into_iter().find(|(id, _)| *id == "NoFinishedSyncAlarm").context("none")?;
    ensure!(sync["MetricName"] == "DomainsWithoutSync" && sync["Period"] == 3600, "{sync}");
    // Here nobody syncs by schedule, so that silence tells nothing.
    ensure!(sync["TreatMissingData"] == "notBreaching", "{sync}");

    stack.cli(&["sns", "get-topic-attributes", "--topic-arn", &stack.alarm_topic_arn])?;
    let subscriptions = stack.cli(&["sns", "list-subscriptions-by-topic", "--topic-arn", &stack.alarm_topic_arn])?;
    ensure!(subscriptions["Subscriptions"] == json!([]), "{subscriptions}");
    Ok(())
}

#[tokio::test]
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
        "LaunchpadLatency",
        "LaunchpadErrors",
        "PlanActive",
        "PlanGiven",
        "PlanTaken",
        "SyncsFinished",
        "DomainsWithoutSync",
        "QueueAge",
        "MessagesFailedAgain",
        "Mails",
        "MailsFailed",
    ] {
        ensure!(text.contains(name), "{name} is nowhere in {text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_function_knows_how_often_its_queue_shows_a_message() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (function, queue, variable) in [
        ("VerifyMember", "VerifyQueue", "VERIFY_QUEUE_TRIES"),
        ("WriteAliases", "WriteQueue", "WRITE_QUEUE_TRIES"),
        ("WriteAliases", "GrantQueue", "WRITE_QUEUE_TRIES"),
        ("SyncTeam", "SyncQueue", "SYNC_QUEUE_TRIES"),
    ] {
        let (name, url) = (stack.physical_id(function)?, stack.physical_id(queue)?);
        let settings = stack.cli(&["lambda", "get-function-configuration", "--function-name", &name])?;
        let tries = settings["Environment"]["Variables"][variable].as_str().context("no tries")?.to_owned();
        let asked = stack.sqs().await.get_queue_attributes().queue_url(url);
        let policy = asked.attribute_names(QueueAttributeName::RedrivePolicy).send().await?.attributes;
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
