//! What the operators are told: an error once an interval, and what nobody can handle.

use std::time::Duration;

use anyhow::{Result, ensure};
use aws_sdk_sqs::types::MessageAttributeValue;
use jiff::Timestamp;
use membermail_core::message::{Failure, ToNotify};
use membermail_core::random::OsRandom;
use membermail_store::Member;
use membermail_tests::wait::until;
use serde_json::json;
use ulid::Ulid;

use crate::world::{PATIENCE, World};

#[tokio::test]
async fn the_same_error_of_the_same_member_is_mailed_once_an_interval() -> Result<()> {
    let world = World::new().await?;
    let member = world.member("n-error", "n-error@mail.example").await?;
    let other = world.member("n-error2", "n-error2@mail.example").await?;
    let run = Unused::new();
    let report = async |id: &str, member: &Member| {
        world
            .send(&ToNotify::Failed(Failure {
                id: format!("{run}-{id}"),
                member: Some(member.id),
                step: "verify-member".into(),
                error: "Launchpad gave no answer that can be used".into(),
                cause: format!("status 503 ({id})"),
                request_id: format!("request-{id}"),
            }))
            .await
    };
    for id in ["1", "2", "2", "3", "1"] {
        report(id, &member).await?;
    }
    report("4", &other).await?;
    let first = world.wait_for_operators("Launchpad name: n-error\n", 1).await?;
    world.wait_for_operators("Launchpad name: n-error2\n", 1).await?;
    let text = first[0].text();
    ensure!(first[0].subject() == "verify-member gave up: Launchpad gave no answer that can be used");
    ensure!(text.contains("Step: verify-member") && text.contains("Request id: request-"), "{text}");
    ensure!(text.contains("Cause: status 503") && !text.contains("The same happened"), "{text}");
    // The interval is 30 seconds here, and no mail comes in it.
    tokio::time::sleep(Duration::from_secs(20)).await;
    ensure!(world.told_operators("Launchpad name: n-error\n")?.len() == 1);
    tokio::time::sleep(Duration::from_secs(12)).await;
    report("5", &member).await?;
    let mail = world.wait_for_operators("Launchpad name: n-error\n", 2).await?;
    ensure!(mail[1].text().contains("The same happened 2 more times"), "{}", mail[1].text());
    Ok(())
}

/// A word that no earlier run has used.
struct Unused(Ulid);

impl Unused {
    fn new() -> Self {
        Self(membermail_core::member::ulid(Timestamp::UNIX_EPOCH, &OsRandom))
    }
}

impl std::fmt::Display for Unused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[tokio::test]
async fn a_message_that_nobody_can_handle_reaches_the_operators_and_the_dead_letters() -> Result<()> {
    let world = World::new().await?;
    // Written for somebody whom the table does not have: no try helps.
    let wish = json!({
        "kind": "grant", "member": "01KAV0C1B5WQ0GZ0YB5R9E8QJ1", "domain": "ubuntu.com",
        "known_as": { "name": "n-nobody", "fingerprint": 1, "observed_at": 1_795_000_000_000_000_i64 },
        "request_id": "request-of-nobody",
    });
    let sqs = world.stack.sqs().await;
    sqs.send_message().queue_url(&world.stack.write_queue_url).message_body(wish.to_string()).send().await?;
    let told = world.wait_for_operators("request-of-nobody", 1).await?;
    ensure!(told[0].subject() == "write-aliases gave up: no such member", "{}", told[0].subject());
    until("the message among the dead letters", Duration::from_secs(PATIENCE), || async {
        let dead = sqs.receive_message().queue_url(&world.stack.write_dead_letters_url).max_number_of_messages(10);
        let dead = dead.visibility_timeout(1).send().await?;
        let found = dead.messages().iter().any(|one| one.body().is_some_and(|body| body.contains("request-of-nobody")));
        Ok(found.then_some(()))
    })
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_sync_that_nobody_can_do_reaches_the_operators() -> Result<()> {
    let world = World::new().await?;
    // Asked for by a message of a community's file that is gone. The request is that of its attribute, whatever the body
    // says.
    let message = json!({ "domain": "n-gone.example", "request_id": "of-the-body" });
    let request_id = MessageAttributeValue::builder().data_type("String").string_value("sync-of-nobody").build()?;
    let sqs = world.stack.sqs().await;
    let request = sqs.send_message().queue_url(&world.stack.sync_queue_url).message_body(message.to_string());
    request.message_attributes("request-id", request_id).send().await?;
    let told = world.wait_for_operators("sync-of-nobody", 1).await?;
    ensure!(
        told[0].subject() == "sync-team gave up: n-gone.example is not a domain of this community",
        "{}",
        told[0].subject()
    );
    let text = told[0].text();
    ensure!(text.contains("Step: sync-team") && !text.contains("of-the-body"), "{text}");
    Ok(())
}
