//! The symptoms of the runbook: each is caused, diagnosed and resolved with the commands of the page.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::{AttributeValue, BillingMode, GlobalSecondaryIndex, KeyType, Projection, ProjectionType};
use membermail_core::alias::Status;
use membermail_core::member::MemberId;
use membermail_core::message::VerifyMember;
use membermail_tests::gateway::{Gateway, Mapping};
use membermail_tests::proxy::Line;
use membermail_tests::table::{key_attribute, key_element, text};
use membermail_tests::wait::{until, until_true};
use serde_json::json;

use super::runbook::Shell;
use super::world::{TIMEOUT, World, mail_settings, sign_in};

/// The teams of ubuntu.com and ubuntu.net.
const TEAM: &str = "ubuntumembers";
const OTHER_TEAM: &str = "ubuntu-smtp-test";

/// The mail secret names an unreachable relay. Notices are sent once it names the new one.
pub(crate) async fn mail_relay_is_unreachable(world: &World, shell: &mut Shell) -> Result<()> {
    world.resident("ubuntu.com", TEAM, "ops-mail").await?;
    ensure!(world.mail_server.mailbox.to("ops-mail@mail.example")?.is_empty(), "a notice was sent already");

    shell.run_block("mail-look").await?.contains_output("notify")?;
    shell.set("MAIL_SECRET", &world.mail_secret);
    shell.file("mail.json", &mail_settings(world.mail_server.port).to_string())?;
    shell.run_block("mail-settings").await?;
    shell.run_block("mail-back").await?;
    let mails = world.mail_server.mailbox.wait_for("ops-mail@mail.example", 1, TIMEOUT).await?;
    ensure!(mails.len() == 1 && mails[0].subject() == "ops-mail@ubuntu.com is yours", "{mails:?}");
    Ok(())
}

/// Launchpad does not respond. A sign-in waits, and a dead letter is handled after a redrive.
pub(crate) async fn launchpad_is_down(world: &World, shell: &mut Shell) -> Result<()> {
    world.stack.add_person(json!({ "name": "ops-waits", "teams": [TEAM] })).await?;
    world.launchpad.set(Line::Cut);
    shell.set("DOMAIN", "ubuntu.com");
    shell.set("NAME", "ops-mail");
    shell.set("LAUNCHPAD", world.launchpad.url.as_str());
    let failed = shell.try_block("launchpad-ask").await?;
    ensure!(failed.code != 0 && failed.err.contains("curl"), "{failed:?}");

    // A dead letter is created directly, because retries take hours.
    let mut site = world.sign_in("ops-waits").await?;
    let home = Mapping::Stage.url("/")?;
    until_true("a page that reports the outage", TIMEOUT, async || {
        let mut visitor = world.site().await?;
        visitor.cookies = site.cookies.clone();
        let page = visitor.get(&home).await?;
        Ok(page.text.contains("Launchpad is not answering"))
    })
    .await?;
    let dead = world.output("VerifyDeadLettersUrl").await?;
    let message = latest_sign_in_message(world, "ops-waits").await?;
    world.stack.send(&dead, &message).await?;
    let output = shell.run_block("launchpad-look").await?;
    output.contains_output("ops-mail@ubuntu.com")?;
    output.contains_output("verify")?;

    world.launchpad.set(Line::Whole);
    shell.run_block("launchpad-ask").await?;
    shell.run_block("launchpad-back").await?;
    world.address_is("ops-waits@ubuntu.com", Status::Active).await?;
    let page = site.get(&home).await?;
    ensure!(page.text.contains("ops-waits@ubuntu.com"), "{}", page.text);
    Ok(())
}

/// The message of the latest sign-in, as `sso` sends it.
async fn latest_sign_in_message(world: &World, name: &str) -> Result<VerifyMember> {
    let client = world.stack.dynamodb().await;
    let scan = client.scan().table_name(&world.stack.table).filter_expression("begins_with(pk, :kind)");
    let scan = scan.expression_attribute_values(":kind", text("IDENTITY#"));
    let items = scan.send().await?.items.unwrap_or_default();
    let owners = items.iter().filter_map(|item| item.get("owner")?.as_s().ok());
    // Member ids sort by time.
    let newest = owners.max().with_context(|| format!("{name} did not sign in"))?;
    let member = MemberId::parse(newest)?;
    let stored = world.stack.store().await.member(member).await?.context("no member")?;
    let requested_at = stored.check.requested_at;
    Ok(VerifyMember { member, identity: None, adds: None, requested_at, request_id: "given-up".to_owned() })
}

async fn all_are(world: &World, names: &[String], status: Status) -> Result<()> {
    for name in names {
        world.address_is(&format!("{name}@ubuntu.net"), status).await?;
    }
    Ok(())
}

/// Requests a run, which is held, and shows it.
async fn run_is_held(shell: &mut Shell) -> Result<()> {
    let run = shell.run("membermail sync run \"$DOMAIN\" --wait --json").await?.exits_with(4)?.json()?;
    shell.set("RUN", run["runs"][0]["id"].as_str().context("no run")?);
    let output = shell.run_block("held-look").await?;
    output.contains_output("held")?;
    output.contains_output("leaving")
}

/// Most members leave a team: once the run is released, and once it is rejected.
pub(crate) async fn plan_is_held(world: &World, shell: &mut Shell) -> Result<()> {
    let names: Vec<_> = (1..=7).map(|number| format!("ops-held-{number}")).collect();
    for name in &names {
        world.resident("ubuntu.net", OTHER_TEAM, name).await?;
    }
    shell.set("DOMAIN", "ubuntu.net");
    for name in &names {
        world.stack.change_person(name, json!({ "leave": [OTHER_TEAM] })).await?;
    }
    run_is_held(shell).await?;
    shell.run_block("held-release").await?;
    all_are(world, &names, Status::Leaving).await?;

    for name in &names {
        world.stack.change_person(name, json!({ "join": [OTHER_TEAM] })).await?;
    }
    shell.run("membermail sync run \"$DOMAIN\" --wait").await?.exits_with(0)?;
    all_are(world, &names, Status::Active).await?;
    for name in &names[1..] {
        world.stack.change_person(name, json!({ "leave": [OTHER_TEAM] })).await?;
    }
    run_is_held(shell).await?;
    for name in &names[1..] {
        world.stack.change_person(name, json!({ "join": [OTHER_TEAM] })).await?;
    }
    shell.run_block("held-reject").await?;
    all_are(world, &names, Status::Active).await
}

/// One dead letter is redriven, and an invalid one is purged.
pub(crate) async fn dead_letters_remain(world: &World, shell: &mut Shell) -> Result<()> {
    let client = world.stack.sqs().await;
    let dead = &world.stack.write_dead_letters_url;
    let alias = world.stack.existing_alias("ops-mail@ubuntu.com").await?;
    let grant = json!({
        "kind": "grant", "member": alias.member, "known_as": alias.known_as, "domain": "kubuntu.org",
        "request_id": "a-dead-letter",
    });
    let sent = client.send_message().queue_url(dead).message_body(grant.to_string()).send().await?;
    let good = sent.message_id.context("no id")?;
    client.send_message().queue_url(dead).message_body("an invalid message").send().await?;
    let output = shell.run_block("dead-look").await?;
    for text in [good.as_str(), "a-dead-letter", "an invalid message"] {
        output.contains_output(text)?;
    }
    shell.set("MESSAGE", good);
    shell.run_block("dead-back").await?;
    world.address_is("ops-mail@kubuntu.org", Status::Active).await?;
    shell.run_block("dead-purge").await?;
    until_true("an empty queue", TIMEOUT, async || {
        let list = shell.json("membermail queue show write").await?;
        Ok(list["messages"].as_array().is_some_and(Vec::is_empty))
    })
    .await
}

async fn shows_destination(site: &mut Gateway) -> Result<()> {
    let page = site.get(&Mapping::Stage.url("/")?).await?;
    ensure!(page.text.contains("ops-mail@mail.example"), "{}: {}", page.status, page.text);
    Ok(())
}

/// A key rotation interrupts no session, no sign-in in progress, and no function.
pub(crate) async fn master_secret_is_rotated(world: &World, shell: &mut Shell) -> Result<()> {
    // Processes with the old secret, and a sign-in in progress.
    let mut member = world.sign_in("ops-mail").await?;
    shows_destination(&mut member).await?;
    let mut in_progress = world.site().await?;
    let away = in_progress.get(&Mapping::Stage.url("/sign-in")?).await?.location()?;
    let callback = world.stack.choose(&away, "ops-waits").await?;
    let old = world.stack.sealer().await?;

    shell.run_block("master-look").await?.contains_output("current")?;
    let rotated = shell.json("membermail secret rotate").await?;
    ensure!(rotated["sealed_by_current"] == 0 && rotated["sealed_by_previous"].as_u64() >= Some(10), "{rotated}");
    // New processes have only the new secret. Old ones receive data that only the new secret opens.
    let mut fresh = world.site().await?;
    fresh.cookies = member.cookies.clone();
    shows_destination(&mut fresh).await?;
    let mut landing = world.site().await?;
    landing.cookies = in_progress.cookies.clone();
    let landed = landing.get(&callback).await?;
    ensure!(landed.status == 303, "the sign-in in progress: {} {}", landed.status, landed.text);
    world.resident("ubuntu.com", TEAM, "ops-between").await?;
    world.mail_server.mailbox.wait_for("ops-between@mail.example", 1, TIMEOUT).await?;

    // Only two secrets are kept, so that the previous one must be unused before the next rotation.
    shell.run("membermail secret rotate").await?.exits_with(4)?;
    shell.run("membermail secret retire").await?.exits_with(4)?;
    let resealed = shell.json("membermail secret reseal").await?;
    ensure!(resealed["resealed"].as_u64() >= Some(10), "{resealed}");
    let seen = shell.json("membermail secret show").await?;
    ensure!(seen["sealed_by_previous"] == 0 && seen["sealed_by_neither"] == json!([]), "{seen}");
    // A process with the old secret fetches the new one when it is needed.
    shows_destination(&mut member).await?;
    shows_destination(&mut fresh).await?;
    let owner = world.stack.owner_of("ops-mail@ubuntu.com").await?;
    let stored = world.stack.store().await.member(owner).await?.context("no member")?;
    ensure!(stored.sign_in_address(&old).is_err(), "the old secret still opens it");

    // Functions can use the old secret for five minutes, and the commands refuse to delete it until then.
    shell.run("membermail secret rotate").await?.exits_with(5)?;
    shell.try_block("master-retire").await?.exits_with(5)?;
    let retired = shell.json("membermail secret retire --at-once").await?;
    ensure!(retired["previous_since"].is_null() && retired["sealed_by_current"].as_u64() >= Some(10), "{retired}");
    shell.run("membermail secret retire").await?.exits_with(3)?;
    // The same again, with the commands of the page.
    shell.run_block("master-rotate").await?.contains_output("resealed")?;
    // Processes limit how often they fetch newer keys, so that a second rotation is noticed a little later.
    tokio::time::sleep(Duration::from_secs(6)).await;
    shows_destination(&mut member).await?;
    shows_destination(&mut fresh).await
}

/// A domain is retired, and the retirement is cancelled during the grace period.
pub(crate) async fn domain_is_retired(world: &World, shell: &mut Shell) -> Result<()> {
    let address = "ops-held-1@ubuntu.net";
    shell.set("DOMAIN", "ubuntu.net");
    shell.run_block("retire-look").await?.contains_output("to leave")?;
    world.address_is(address, Status::Active).await?;
    shell.run_block("retire-do").await?.contains_output("forwarding ends")?;
    world.address_is(address, Status::Leaving).await?;
    // A sign-in does not restore the address.
    world.sign_in("ops-held-1").await?;
    shell.run("membermail sync run \"$DOMAIN\" --wait").await?.exits_with(0)?;
    world.address_is(address, Status::Leaving).await?;
    shell.run_block("retire-cancel").await?.contains_output("cancelled")?;
    world.address_is(address, Status::Active).await
}

/// The table is damaged and replaced by a restored one.
pub(crate) async fn table_is_restored(world: &World, shell: &mut Shell) -> Result<()> {
    let client = world.stack.dynamodb().await;
    let damaged = &world.stack.table;
    let good = items(&client, damaged).await?;
    let address = "ops-held-1@ubuntu.net";
    // Granted after the restore point: the restored table does not have this address.
    let late = "ops-late@ubuntu.com";
    world.resident("ubuntu.com", TEAM, "ops-late").await?;
    let owner = world.stack.owner_of(late).await?;
    for item in good.iter().filter(|item| item["pk"] == text("DOMAIN#ubuntu.net")) {
        let delete = client.delete_item().table_name(damaged);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await?;
    }
    ensure!(world.stack.alias(address).await?.is_none(), "the table is not damaged");

    let new = format!("{}-restored", world.name);
    shell.set("NEW", &new);
    shell.set("ADDRESS", address);
    shell.set("DOMAIN", "ubuntu.net");
    shell.set("OLD", damaged);
    // The import is refused while a sync or a sign-in could grant addresses.
    shell.run("membermail restore import --table \"$NEW\" --from-table \"$OLD\" --yes").await?.exits_with(4)?;
    shell.run_block("restore-stop").await?;
    let restore = shell.block_text("restore-table")?;
    ensure!(restore.starts_with("aws dynamodb restore-table-to-point-in-time --source-table-name "), "{restore}");
    copy_into(&client, &new, good).await?;
    shell.run_block("restore-settings").await?;
    shell.run_block("restore-look").await?.contains_output(address)?;
    shell.run_block("restore-import").await?.contains_output("with their owner")?;
    shell.set("MAIL_LOG", "mail.log");
    let line = "postfix/smtp[1]: A1: to=<lost@mail.example>, orig_to=<ops-lost@ubuntu.com>, relay=r, status=sent";
    shell.file("mail.log", &format!("Nov 24 10:00:00 mail {line}\n"))?;
    shell.run_block("restore-list").await?.contains_output("1 address (membermail restore assign")?;
    let waiting = table_name_is_wrong(world, shell, &new).await?;
    shell.run_block("restore-use").await?;
    ensure!(world.output("TableName").await? == new, "the stack still has the old table");
    // CloudFormation retains the damaged table by this policy, which the emulator does not support.
    let template = include_str!("../../template.yaml");
    ensure!(
        template.contains("    Condition: MakesTable\n    DeletionPolicy: RetainExceptOnCreate\n"),
        "the table is not retained"
    );

    // The functions can access the restored table.
    let restored = membermail_tests::stack::Stack { table: new, ..world.stack.clone() };
    ensure!(restored.alias(address).await?.is_some_and(|stored| stored.alias.status == Status::Active));
    ensure!(restored.owner_of(late).await? == owner, "{late} has another owner");
    ensure!(restored.alias(&waiting).await?.is_none(), "the queues are not paused");
    shell.run_block("restore-resume").await?;
    until(&waiting, TIMEOUT, async || restored.alias(&waiting).await).await?;
    // An address that was imported from the log needs an assignment by an operator.
    let lost = "ops-lost@ubuntu.com";
    world.stack.add_person(json!({ "name": "ops-lost", "teams": [TEAM] })).await?;
    let _session = sign_in(&restored, "ops-lost").await?;
    until_true("a refusal", TIMEOUT, async || {
        Ok(shell.run("membermail member show ops-lost").await?.out.contains("another member"))
    })
    .await?;
    shell.run(&format!("membermail restore assign {lost} ops-lost --yes")).await?.exits_with(0)?;
    let _session = sign_in(&restored, "ops-lost").await?;
    until("an assigned address", TIMEOUT, async || {
        Ok(restored.alias(lost).await?.filter(|stored| stored.alias.status == Status::Active))
    })
    .await?;
    world.stack.add_person(json!({ "name": "ops-after", "teams": [TEAM] })).await?;
    sign_in(&restored, "ops-after").await?;
    until("an address in the restored table", TIMEOUT, async || restored.alias("ops-after@ubuntu.com").await)
        .await
        .map(drop)
}

/// An operator mistypes the table's name and resumes in the same update: the calls fail like denied ones, and the messages
/// are kept. Returns the address that a waiting message grants.
async fn table_name_is_wrong(world: &World, shell: &mut Shell, right: &str) -> Result<String> {
    let resident = world.stack.existing_alias("ops-mail@ubuntu.com").await?;
    shell.run(&format!("parameters TableName={right}-typo QueuesEnabled=true")).await?.exits_with(0)?;
    let request_id = "while-calls-are-denied";
    let grant = json!({
        "kind": "grant", "member": resident.member, "known_as": resident.known_as, "domain": "lubuntu.me",
        "request_id": request_id,
    });
    let message = world.stack.sqs().await.send_message().queue_url(&world.stack.write_queue_url);
    message.message_body(grant.to_string()).send().await?;
    until_true("three attempts", TIMEOUT, async || {
        let lines = world.stack.log_of_stack(&world.name, "WriteAliases")?;
        let attempts = lines.iter().filter(|line| {
            line["message"] == "message failed" && line["retryable"] == true && line.to_string().contains(request_id)
        });
        Ok(attempts.count() >= 3)
    })
    .await?;
    shell.run_block("denied-stop").await?;
    Ok("ops-mail@lubuntu.me".to_owned())
}

type Item = HashMap<String, AttributeValue>;

async fn items(client: &aws_sdk_dynamodb::Client, table: &str) -> Result<Vec<Item>> {
    let scan = client.scan().table_name(table).consistent_read(true);
    Ok(scan.into_paginator().items().send().try_collect().await?)
}

/// Creates a table like a restore does: same keys, index and items, but no settings.
async fn copy_into(client: &aws_sdk_dynamodb::Client, name: &str, items: Vec<Item>) -> Result<()> {
    let mut create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for name in ["pk", "sk", "member", "address"] {
        create = create.attribute_definitions(key_attribute(name)?);
    }
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-member")
        .key_schema(key_element("member", KeyType::Hash)?)
        .key_schema(key_element("address", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build());
    let create = create.key_schema(key_element("pk", KeyType::Hash)?).key_schema(key_element("sk", KeyType::Range)?);
    create.global_secondary_indexes(index.build()?).send().await?;
    for item in items {
        client.put_item().table_name(name).set_item(Some(item)).send().await?;
    }
    Ok(())
}
