//! Dead letters: found, read without being taken, and sent back.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

use crate::command::membermail;
use crate::until_said;

/// The messages of a dead-letter queue, as `queue show` prints them.
async fn letters(stack: &Stack, queue: &str) -> Result<Vec<Value>> {
    let shown = membermail(stack, &["queue", "show", queue, "--json"]).await?.done()?.json()?;
    Ok(shown["messages"].as_array().context("no messages")?.clone())
}

fn with_body<'a>(letters: &'a [Value], body: &str) -> Option<&'a Value> {
    letters.iter().find(|letter| letter["body"] == body)
}

#[tokio::test]
async fn a_poison_message_ends_among_the_dead_and_can_be_read_there() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let list = membermail(&stack, &["queue", "list", "--json"]).await?.done()?.json()?;
    let names: BTreeSet<_> =
        list["queues"].as_array().context("no list")?.iter().filter_map(|one| one["name"].as_str()).collect();
    ensure!(["grant", "notify", "sync", "verify", "write"].iter().all(|name| names.contains(name)), "{names:?}");

    let poison = format!("poison of an operator's story, {}", std::process::id());
    let request = stack.sqs().await.send_message().queue_url(&stack.write_queue_url).message_body(&poison);
    let id = request.send().await?.message_id.context("no id")?;
    let shown = until_said(&stack, &["queue", "show", "write", "--json"], |shown| {
        shown["messages"].as_array().is_some_and(|letters| with_body(letters, &poison).is_some())
    })
    .await?;
    let letter = with_body(shown["messages"].as_array().context("no messages")?, &poison).context("gone")?;
    ensure!(letter["id"] == id.as_str() && letter["receives"].as_u64() >= Some(12), "{letter}");
    ensure!(with_body(&letters(&stack, "write").await?, &poison).is_some(), "showing it took it away");
    let listed = membermail(&stack, &["queue", "list"]).await?.done()?;
    ensure!(listed.out.lines().any(|line| line.starts_with("write ")), "{}", listed.out);

    // Sent back it is tried again, and as it is still poison it ends here once more.
    let back = membermail(&stack, &["queue", "redrive", "write", "--message", &id, "--json"]).await?.done()?.json()?;
    ensure!(back["moved"] == 1, "{back}");
    membermail(&stack, &["queue", "redrive", "write", "--message", &id]).await?.ended_with(3)?;
    until_said(&stack, &["queue", "show", "write", "--json"], |shown| {
        shown["messages"].as_array().is_some_and(|letters| with_body(letters, &poison).is_some())
    })
    .await?;
    Ok(())
}

/// A queue with one for its dead letters, that nobody else reads.
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

/// All messages of a queue, with the attribute that each has.
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
async fn all_come_back_as_they_were_whichever_way_they_go() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let client = stack.sqs().await;
    let (source, dead) = pair(&client, "ways").await?;
    let mut sent = BTreeSet::new();
    for number in 0..25 {
        let (body, id) = (format!("body {number}"), format!("request-{number}"));
        let value = MessageAttributeValue::builder().data_type("String").string_value(&id).build()?;
        let request =
            client.send_message().queue_url(&dead).message_body(&body).message_attributes("request-id", value);
        request.send().await?;
        sent.insert((body, id));
    }
    ensure!(letters(&stack, &dead).await?.len() == 25);
    let shown = membermail(&stack, &["queue", "show", &dead]).await?.done()?;
    ensure!(shown.out.contains("request-id  request-24"), "{}", shown.out);
    let few = membermail(&stack, &["queue", "show", &dead, "--most", "7", "--json"]).await?.done()?.json()?;
    ensure!(few["messages"].as_array().is_some_and(|few| few.len() == 7), "{few}");

    let redrive = async |options: &[&str]| -> Result<Value> {
        membermail(&stack, &[&["queue", "redrive", &dead, "--json"], options].concat()).await?.done()?.json()
    };
    let one_by_one = redrive(&["--most", "12", "--per-second", "500"]).await?;
    ensure!(one_by_one["moved"] == 12 && one_by_one["way"] == "one-by-one", "{one_by_one}");
    let rest = redrive(&[]).await?;
    ensure!(rest["moved"] == 13, "{rest}");
    ensure!(redrive(&["--one-by-one"]).await?["moved"] == 0);
    let back = drain(&client, &source).await?;
    ensure!(back.len() == 25, "{} of 25 are back", back.len());
    ensure!(back.into_iter().collect::<BTreeSet<_>>() == sent);
    for url in [source, dead] {
        client.delete_queue().queue_url(url).send().await?;
    }
    Ok(())
}
