//! Mails to the operators: repeated errors are rate limited, and poison messages are reported.

use std::time::Duration;

use anyhow::{Result, ensure};
use aws_sdk_sqs::types::MessageAttributeValue;
use jiff::Timestamp;
use membermail_core::member::ulid;
use membermail_core::message::{Failure, NotifyMessage};
use membermail_core::random::OsRandom;
use membermail_store::Member;
use membermail_tests::wait::{TIMEOUT, until_true};
use serde_json::json;
use ulid::Ulid;

use super::world::World;

/// The report of a failed message of this run.
fn failure(run: Ulid, number: u32, member: &Member) -> NotifyMessage {
    NotifyMessage::Failed(Failure {
        id: format!("{run}-{number}"),
        member: Some(member.id),
        step: "verify-member".into(),
        error: "Launchpad gave no answer that can be used".into(),
        cause: format!("status 503 ({number})"),
        request_id: format!("request-{number}"),
    })
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn repeated_error_is_mailed_once() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-error", "n-error@mail.example").await?;
    let other = world.member("n-error2", "n-error2@mail.example").await?;
    let run = ulid(Timestamp::UNIX_EPOCH, &OsRandom);
    for number in [1, 2, 2, 3, 1] {
        world.send(&failure(run, number, &member)).await?;
    }
    world.send(&failure(run, 4, &other)).await?;
    let first = world.wait_for_operators("Launchpad name: n-error\n", 1).await?;
    world.wait_for_operators("Launchpad name: n-error2\n", 1).await?;
    let text = first[0].text();
    ensure!(first[0].subject() == "verify-member failed: Launchpad gave no answer that can be used");
    ensure!(text.contains("Step: verify-member") && text.contains("Request id: request-"), "{text}");
    ensure!(text.contains("Cause: status 503") && !text.contains("The same error occurred"), "{text}");
    // The interval is 30 seconds here; within it no second mail is sent.
    tokio::time::sleep(Duration::from_secs(20)).await;
    ensure!(world.operator_mails("Launchpad name: n-error\n")?.len() == 1);
    tokio::time::sleep(Duration::from_secs(12)).await;
    world.send(&failure(run, 5, &member)).await?;
    let mail = world.wait_for_operators("Launchpad name: n-error\n", 2).await?;
    ensure!(mail[1].text().contains("The same error occurred 2 more times"), "{}", mail[1].text());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn poison_message_is_reported() -> Result<()> {
    let world = World::new().await?;
    // The member does not exist, so no retry helps.
    let grant = json!({
        "kind": "grant", "member": "01KAV0C1B5WQ0GZ0YB5R9E8QJ1", "domain": "ubuntu.com",
        "known_as": { "name": "n-nobody", "fingerprint": 1, "observed_at": 1_795_000_000_000_000_i64 },
        "request_id": "request-of-unknown-member",
    });
    world.stack.send(&world.stack.write_queue_url, &grant).await?;
    let mails = world.wait_for_operators("request-of-unknown-member", 1).await?;
    ensure!(mails[0].subject() == "write-aliases failed: no such member", "{}", mails[0].subject());
    let sqs = world.stack.sqs().await;
    until_true("the message among the dead letters", TIMEOUT, async || {
        let dead = sqs.receive_message().queue_url(&world.stack.write_dead_letters_url).max_number_of_messages(10);
        let dead = dead.visibility_timeout(1).send().await?;
        Ok(dead.messages().iter().any(|one| one.body().is_some_and(|body| body.contains("request-of-unknown-member"))))
    })
    .await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn impossible_sync_is_reported() -> Result<()> {
    let world = World::new().await?;
    // A message for a domain that the community file no longer has. The request id in the attribute takes precedence over
    // the one in the body.
    let message = json!({ "domain": "n-gone.example", "request_id": "of-the-body" });
    let request_id =
        MessageAttributeValue::builder().data_type("String").string_value("sync-of-unknown-domain").build()?;
    let sqs = world.stack.sqs().await;
    let request = sqs.send_message().queue_url(&world.stack.sync_queue_url).message_body(message.to_string());
    request.message_attributes("request-id", request_id).send().await?;
    let mails = world.wait_for_operators("sync-of-unknown-domain", 1).await?;
    ensure!(
        mails[0].subject() == "sync-team failed: n-gone.example is not a domain of this community",
        "{}",
        mails[0].subject()
    );
    let text = mails[0].text();
    ensure!(text.contains("Step: sync-team") && !text.contains("of-the-body"), "{text}");
    Ok(())
}
