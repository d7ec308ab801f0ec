//! Dead-letter queues: list, show and redrive.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until};
use serde_json::{Value, json};

use crate::command::{membermail, membermail_json};

/// The messages of a dead-letter queue, as `queue show` prints them.
async fn letters(stack: &Stack, queue: &str) -> Result<Vec<Value>> {
    let shown = membermail_json(stack, &["queue", "show", queue]).await?;
    Ok(shown["messages"].as_array().context("no messages")?.clone())
}

pub(crate) async fn letter_with_body(stack: &Stack, queue: &str, body: &str) -> Result<Option<Value>> {
    Ok(letters(stack, queue).await?.into_iter().find(|letter| letter["body"] == body))
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn poison_message_becomes_dead_letter() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let list = membermail_json(&stack, &["queue", "list"]).await?;
    let names: BTreeSet<_> =
        list["queues"].as_array().context("no list")?.iter().filter_map(|one| one["name"].as_str()).collect();
    ensure!(
        ["delivery-failure", "grant", "notify", "sync", "verify", "write"].iter().all(|name| names.contains(name)),
        "{names:?}"
    );

    let poison = format!("poison message of a test, {}", std::process::id());
    let request = stack.sqs().await.send_message().queue_url(&stack.write_queue_url).message_body(&poison);
    let id = request.send().await?.message_id.context("no id")?;
    let letter = until("the dead letter", TIMEOUT, async || letter_with_body(&stack, "write", &poison).await).await?;
    ensure!(letter["id"] == id.as_str() && letter["receives"].as_u64() >= Some(12), "{letter}");
    ensure!(letter_with_body(&stack, "write", &poison).await?.is_some(), "`queue show` removed the message");
    let listed = membermail(&stack, &["queue", "list"]).await?.succeeds()?;
    ensure!(listed.out.lines().any(|line| line.starts_with("write ")), "{}", listed.out);

    // A redrive retries the message, which fails again.
    let back = membermail_json(&stack, &["queue", "redrive", "write", "--message", &id]).await?;
    ensure!(back["moved"] == 1, "{back}");
    membermail(&stack, &["queue", "redrive", "write", "--message", &id]).await?.exits_with(3)?;
    until("the dead letter", TIMEOUT, async || letter_with_body(&stack, "write", &poison).await).await.map(drop)
}

/// Creates a queue with a dead-letter queue, without consumers.
async fn pair(client: &Client, name: &str) -> Result<(String, String)> {
    let name = format!("operator-{name}-{}", std::process::id());
    let dead = client.create_queue().queue_name(format!("{name}-dead")).send().await?.queue_url.context("no URL")?;
    let arn =
        client.get_queue_attributes().queue_url(&dead).attribute_names(QueueAttributeName::QueueArn).send().await?;
    let arn = arn.attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn)).context("no ARN")?;
    let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 3 }).to_string();
    let source = client.create_queue().queue_name(name).attributes(QueueAttributeName::RedrivePolicy, policy);
    Ok((source.send().await?.queue_url.context("no URL")?, dead))
}

/// Receives and deletes all messages of a queue. Returns body and request id.
async fn drain(client: &Client, url: &str) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    loop {
        let request = client.receive_message().queue_url(url).max_number_of_messages(10).wait_time_seconds(1);
        let messages = request.message_attribute_names("All").send().await?.messages.unwrap_or_default();
        if messages.is_empty() {
            return Ok(all);
        }
        for message in messages {
            let attribute = message.message_attributes.as_ref().and_then(|all| all.get("request-id"));
            let value = attribute.and_then(|value| value.string_value.clone()).unwrap_or_default();
            all.push((message.body.unwrap_or_default(), value));
            let receipt = message.receipt_handle.unwrap_or_default();
            client.delete_message().queue_url(url).receipt_handle(receipt).send().await?;
        }
    }
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn redrive_preserves_messages() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let client = stack.sqs().await;
    let (source, dead) = pair(&client, "ways").await?;
    let mut sent = BTreeSet::new();
    for number in 0..25 {
        let body = format!("body {number}");
        let id = format!("request-{number}");
        let value = MessageAttributeValue::builder().data_type("String").string_value(&id).build()?;
        let request =
            client.send_message().queue_url(&dead).message_body(&body).message_attributes("request-id", value);
        request.send().await?;
        sent.insert((body, id));
    }
    ensure!(letters(&stack, &dead).await?.len() == 25);
    let shown = membermail(&stack, &["queue", "show", &dead]).await?.succeeds()?;
    ensure!(shown.out.contains("request-id  request-24"), "{}", shown.out);
    let few = membermail_json(&stack, &["queue", "show", &dead, "--limit", "7"]).await?;
    ensure!(few["messages"].as_array().is_some_and(|few| few.len() == 7), "{few}");

    let limit = ["queue", "redrive", &dead, "--limit", "12", "--per-second", "500"];
    let one_by_one = membermail_json(&stack, &limit).await?;
    ensure!(one_by_one["moved"] == 12 && one_by_one["way"] == "one-by-one", "{one_by_one}");
    let rest = membermail_json(&stack, &["queue", "redrive", &dead]).await?;
    ensure!(rest["moved"] == 13, "{rest}");
    let none = membermail_json(&stack, &["queue", "redrive", &dead, "--one-by-one"]).await?;
    ensure!(none["moved"] == 0, "{none}");
    let back = drain(&client, &source).await?;
    ensure!(back.len() == 25, "{} of 25 were moved", back.len());
    ensure!(back.into_iter().collect::<BTreeSet<_>>() == sent);
    for url in [source, dead] {
        client.delete_queue().queue_url(url).send().await?;
    }
    Ok(())
}
