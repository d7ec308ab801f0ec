//! Each symptom of the runbook: brought about, looked at, and healed by what the page says.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use membermail_core::alias::Status;
use membermail_core::member::MemberId;
use membermail_core::message::VerifyMember;
use membermail_tests::gateway::{Mapping, location};
use membermail_tests::proxy::Line;
use membermail_tests::wait::until;
use serde_json::{Value, json};

use crate::runbook::Shell;
use crate::world::{PATIENCE, World, mail_settings, sign_in};

/// Whose participants have addresses at ubuntu.com, and those at ubuntu.net.
const TEAM: &str = "ubuntumembers";
const OTHER_TEAM: &str = "ubuntu-smtp-test";

/// The relay has moved: what is to be told waits, and is told once the secret names the new one.
pub(crate) async fn mails_do_not_go(world: &World, shell: &mut Shell) -> Result<()> {
    world.stack.add(json!({ "name": "ops-mail", "teams": [TEAM] })).await?;
    world.sign_in("ops-mail").await?;
    world.address_is("ops-mail@ubuntu.com", Status::Active).await?;
    ensure!(world.mail_server.mailbox.to("ops-mail@mail.example")?.is_empty(), "it was told by nobody");

    shell.types("mail-look").await?.says("notify")?;
    shell.set("MAIL_SECRET", &world.mail_secret);
    shell.file("mail.json", &mail_settings(world.mail_server.port).to_string())?;
    shell.types("mail-settings").await?;
    shell.types("mail-back").await?;
    let mails = world.mail_server.mailbox.wait_for("ops-mail@mail.example", 1, PATIENCE.as_secs()).await?;
    ensure!(mails.len() == 1 && mails[0].subject() == "ops-mail@ubuntu.com is yours", "{mails:?}");
    Ok(())
}

/// Launchpad does not answer: a sign-in waits, and one that was given up is done once it is sent back.
pub(crate) async fn launchpad_is_down(world: &World, shell: &mut Shell) -> Result<()> {
    world.stack.add(json!({ "name": "ops-waits", "teams": [TEAM] })).await?;
    world.launchpad.set(Line::Cut);
    shell.set("DOMAIN", "ubuntu.com");
    shell.set("NAME", "ops-mail");
    shell.set("LAUNCHPAD", world.launchpad.url.as_str());
    let silent = shell.attempts("launchpad-ask").await?;
    ensure!(!silent.is_done() && silent.err.contains("curl"), "{silent:?}");

    // Hours of tries in a moment: what is given up is a message among the dead letters.
    let mut site = world.sign_in("ops-waits").await?;
    let home = Mapping::Stage.url("/")?;
    until("the page that says so", PATIENCE, async || {
        let mut look = world.site().await?;
        look.cookies = site.cookies.clone();
        let page = look.get(&home).await?;
        Ok(page.text.contains("Launchpad is not answering").then_some(()))
    })
    .await?;
    let dead = world.output("VerifyDeadLettersUrl").await?;
    let message = given_up(world, "ops-waits").await?;
    world.stack.send(&dead, &message).await?;
    let look = shell.types("launchpad-look").await?;
    look.says("ops-mail@ubuntu.com")?;
    look.says("verify")?;

    world.launchpad.set(Line::Whole);
    shell.types("launchpad-ask").await?;
    shell.types("launchpad-back").await?;
    world.address_is("ops-waits@ubuntu.com", Status::Active).await?;
    let page = site.get(&home).await?;
    ensure!(page.text.contains("ops-waits@ubuntu.com"), "{}", page.text);
    Ok(())
}

/// The message of the latest sign-in, as `sso` sends it.
async fn given_up(world: &World, name: &str) -> Result<VerifyMember> {
    let client = world.stack.dynamodb().await;
    let scan = client.scan().table_name(&world.stack.table).filter_expression("begins_with(pk, :kind)");
    let scan = scan.expression_attribute_values(":kind", AttributeValue::S("IDENTITY#".to_owned()));
    let items = scan.send().await?.items.unwrap_or_default();
    let owners = items.iter().filter_map(|item| item.get("owner")?.as_s().ok());
    // Ids of members sort by time.
    let newest = owners.max().with_context(|| format!("{name} did not sign in"))?;
    let member = MemberId::parse(newest)?;
    let stored = world.stack.store().await.member(member).await?.context("no member")?;
    let requested_at = stored.check.requested_at;
    Ok(VerifyMember { member, identity: None, requested_at, request_id: "given-up".to_owned() })
}

/// Almost a whole team is gone: once that is true, and once it is a mistake.
pub(crate) async fn a_plan_is_held(world: &World, shell: &mut Shell) -> Result<()> {
    let names: Vec<_> = (1..=7).map(|number| format!("ops-held-{number}")).collect();
    for name in &names {
        world.stack.add(json!({ "name": name, "teams": [OTHER_TEAM] })).await?;
        world.sign_in(name).await?;
    }
    let address = |name: &str| format!("{name}@ubuntu.net");
    let all_are = async |status: Status| -> Result<()> {
        for name in &names {
            world.address_is(&address(name), status).await?;
        }
        Ok(())
    };
    all_are(Status::Active).await?;
    shell.set("DOMAIN", "ubuntu.net");
    let held = async |shell: &mut Shell| -> Result<()> {
        let run = shell.run("membermail sync run \"$DOMAIN\" --wait --json").await?.ended_with(4)?;
        let run: Value = serde_json::from_str(&run.out)?;
        shell.set("RUN", run["runs"][0]["id"].as_str().context("no run")?);
        let look = shell.types("held-look").await?;
        look.says("held")?;
        look.says("leaving")
    };
    for name in &names {
        world.stack.change(name, json!({ "leave": [OTHER_TEAM] })).await?;
    }
    held(shell).await?;
    shell.types("held-release").await?;
    all_are(Status::Leaving).await?;

    for name in &names {
        world.stack.change(name, json!({ "join": [OTHER_TEAM] })).await?;
    }
    shell.run("membermail sync run \"$DOMAIN\" --wait").await?.ended_with(0)?;
    all_are(Status::Active).await?;
    for name in &names[1..] {
        world.stack.change(name, json!({ "leave": [OTHER_TEAM] })).await?;
    }
    held(shell).await?;
    for name in &names[1..] {
        world.stack.change(name, json!({ "join": [OTHER_TEAM] })).await?;
    }
    shell.types("held-reject").await?;
    all_are(Status::Active).await
}

/// One message whose cause is gone is done after all; one that nobody can read is thrown away.
pub(crate) async fn dead_letters(world: &World, shell: &mut Shell) -> Result<()> {
    let (client, dead) = (world.stack.sqs().await, &world.stack.write_dead_letters_url);
    let alias = world.stack.alias("ops-mail@ubuntu.com").await?.context("no alias")?.alias;
    let grant = json!({
        "kind": "grant", "member": alias.member, "known_as": alias.known_as, "domain": "kubuntu.org",
        "request_id": "a-dead-letter",
    });
    let send = async |body: &str| -> Result<String> {
        let sent = client.send_message().queue_url(dead).message_body(body).send().await?;
        sent.message_id.context("no id")
    };
    let good = send(&grant.to_string()).await?;
    send("what nobody can read").await?;
    let look = shell.types("dead-look").await?;
    for what in [good.as_str(), "a-dead-letter", "what nobody can read"] {
        look.says(what)?;
    }
    shell.set("MESSAGE", good);
    shell.types("dead-back").await?;
    world.address_is("ops-mail@kubuntu.org", Status::Active).await?;
    shell.types("dead-purge").await?;
    until("an empty queue", PATIENCE, async || {
        let list: Value = serde_json::from_str(&shell.run("membermail queue show write --json").await?.out)?;
        Ok(list["messages"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })
    .await
}

/// Nobody notices that the master secret is another: not who is signed in, not who is signing in, not the functions.
pub(crate) async fn the_master_secret_is_changed(world: &World, shell: &mut Shell) -> Result<()> {
    let home = Mapping::Stage.url("/")?;
    // Processes that have the old secret, and a sign-in that is under way.
    let mut member = world.sign_in("ops-mail").await?;
    let shows = async |site: &mut membermail_tests::gateway::Gateway| -> Result<()> {
        let page = site.get(&home).await?;
        ensure!(page.text.contains("ops-mail@mail.example"), "{}: {}", page.status, page.text);
        Ok(())
    };
    shows(&mut member).await?;
    let mut under_way = world.site().await?;
    let away = location(&under_way.get(&Mapping::Stage.url("/sign-in")?).await?)?;
    let callback = world.stack.choose(&away, "ops-waits").await?;
    let old = world.stack.sealer().await?;

    shell.types("master-look").await?.says("current")?;
    let rotated = shell.run("membermail secret rotate --json").await?.ended_with(0)?;
    let rotated: Value = serde_json::from_str(&rotated.out)?;
    ensure!(rotated["sealed_by_current"] == 0 && rotated["sealed_by_previous"].as_u64() >= Some(10), "{rotated}");
    // A process that begins now has the new one only, and one that ran before is sent what only the new one opens.
    let mut fresh = world.site().await?;
    fresh.cookies = member.cookies.clone();
    shows(&mut fresh).await?;
    let mut landing = world.site().await?;
    landing.cookies = under_way.cookies.clone();
    let landed = landing.get(&callback).await?;
    ensure!(landed.status == 303, "the sign-in under way: {} {}", landed.status, landed.text);
    world.stack.add(json!({ "name": "ops-between", "teams": [TEAM] })).await?;
    world.sign_in("ops-between").await?;
    world.address_is("ops-between@ubuntu.com", Status::Active).await?;
    world.mail_server.mailbox.wait_for("ops-between@mail.example", 1, PATIENCE.as_secs()).await?;

    // Of three secrets only two are kept: not before all is sealed by the one that is.
    shell.run("membermail secret rotate").await?.ended_with(4)?;
    shell.run("membermail secret retire").await?.ended_with(4)?;
    let resealed = shell.run("membermail secret reseal --json").await?.ended_with(0)?;
    let resealed: Value = serde_json::from_str(&resealed.out)?;
    ensure!(resealed["resealed"].as_u64() >= Some(10), "{resealed}");
    let seen: Value = serde_json::from_str(&shell.run("membermail secret show --json").await?.out)?;
    ensure!(seen["sealed_by_previous"] == 0 && seen["sealed_by_neither"] == json!([]), "{seen}");
    // Who ran all along has the old secret, and is shown what it does not open.
    shows(&mut member).await?;
    shows(&mut fresh).await?;
    let owner = world.stack.owner_of("ops-mail@ubuntu.com").await?;
    let stored = world.stack.store().await.member(owner).await?.context("no member")?;
    ensure!(stored.sign_in_address(&old).is_err(), "the old secret opens it still");

    // Functions may seal by the old one for five minutes, and the commands that would lose that say so.
    shell.run("membermail secret rotate").await?.ended_with(5)?;
    shell.attempts("master-retire").await?.ended_with(5)?;
    let retired = shell.run("membermail secret retire --at-once --json").await?.ended_with(0)?;
    let retired: Value = serde_json::from_str(&retired.out)?;
    ensure!(retired["previous_since"].is_null() && retired["sealed_by_current"].as_u64() >= Some(10), "{retired}");
    shell.run("membermail secret retire").await?.ended_with(3)?;
    // And again from the beginning, by the page.
    shell.types("master-rotate").await?.says("resealed")?;
    // Of two changes within seconds, the second is seen a little later: nobody asks for newer keys more often than that.
    tokio::time::sleep(Duration::from_secs(6)).await;
    shows(&mut member).await?;
    shows(&mut fresh).await
}

/// A domain is given up, and its addresses go through the grace period; then that is taken back.
pub(crate) async fn a_domain_is_retired(world: &World, shell: &mut Shell) -> Result<()> {
    let address = "ops-held-1@ubuntu.net";
    shell.set("DOMAIN", "ubuntu.net");
    shell.types("retire-look").await?.says("to leave")?;
    world.address_is(address, Status::Active).await?;
    shell.types("retire-do").await?.says("forwarding ends")?;
    world.address_is(address, Status::Leaving).await?;
    // No sign-in brings it back.
    world.sign_in("ops-held-1").await?;
    shell.run("membermail sync run \"$DOMAIN\" --wait").await?.ended_with(0)?;
    world.address_is(address, Status::Leaving).await?;
    shell.types("retire-cancel").await?.says("cancelled")?;
    world.address_is(address, Status::Active).await
}

/// The table is damaged: one of before that takes its place, with all that the stack has around it.
pub(crate) async fn the_table_is_restored(world: &World, shell: &mut Shell) -> Result<()> {
    let (client, damaged) = (world.stack.dynamodb().await, &world.stack.table);
    let good = items(&client, damaged).await?;
    let address = "ops-held-1@ubuntu.net";
    // After the restore point: an address that the restored table knows nothing of.
    let late = "ops-late@ubuntu.com";
    world.stack.add(json!({ "name": "ops-late", "teams": [TEAM] })).await?;
    world.sign_in("ops-late").await?;
    world.address_is(late, Status::Active).await?;
    let owner = world.stack.owner_of(late).await?;
    for item in good.iter().filter(|item| item["pk"] == AttributeValue::S("DOMAIN#ubuntu.net".to_owned())) {
        let delete = client.delete_item().table_name(damaged);
        delete.key("pk", item["pk"].clone()).key("sk", item["sk"].clone()).send().await?;
    }
    ensure!(world.stack.alias(address).await?.is_none(), "the damage was not done");

    let new = format!("{}-restored", world.name);
    shell.set("NEW", &new);
    shell.set("ADDRESS", address);
    shell.set("DOMAIN", "ubuntu.net");
    shell.set("OLD", damaged);
    // Not while a sync or a sign-in could grant something.
    shell.run("membermail restore import --table \"$NEW\" --from-table \"$OLD\" --yes").await?.ended_with(4)?;
    shell.types("restore-stop").await?;
    let restore = shell.reads("restore-table")?;
    ensure!(restore.starts_with("aws dynamodb restore-table-to-point-in-time --source-table-name "), "{restore}");
    copy_into(&client, &new, good).await?;
    shell.types("restore-settings").await?;
    shell.types("restore-look").await?.says(address)?;
    shell.types("restore-import").await?.says("with their owner")?;
    shell.set("MAIL_LOG", "mail.log");
    let line = "postfix/smtp[1]: A1: to=<lost@mail.example>, orig_to=<ops-lost@ubuntu.com>, relay=r, status=sent";
    shell.file("mail.log", &format!("Nov 24 10:00:00 mail {line}\n"))?;
    shell.types("restore-list").await?.says("1 addresses (membermail restore assign")?;
    shell.types("restore-use").await?;
    ensure!(world.output("TableName").await? == new, "the stack has the old table still");
    // CloudFormation keeps the damaged one by this word; the emulator does not know it, and deletes the table.
    let template = include_str!("../../template.yaml");
    ensure!(
        template.contains("    Condition: MakesTable\n    DeletionPolicy: RetainExceptOnCreate\n"),
        "it is not kept"
    );

    // The functions work on it, with rights of their own.
    let restored = membermail_tests::stack::Stack { table: new, ..world.stack.clone() };
    ensure!(restored.alias(address).await?.is_some_and(|stored| stored.alias.status == Status::Active));
    ensure!(restored.owner_of(late).await? == owner, "{late} has another owner");
    // The owner of an address that is only listed gets it by an operator's word, and no sooner.
    let lost = "ops-lost@ubuntu.com";
    world.stack.add(json!({ "name": "ops-lost", "teams": [TEAM] })).await?;
    let _session = sign_in(&restored, "ops-lost").await?;
    until("a refusal", PATIENCE, async || {
        let said = shell.run("membermail member show ops-lost").await?;
        Ok(said.out.contains("another member").then_some(()))
    })
    .await?;
    shell.run(&format!("membermail restore assign {lost} ops-lost --yes")).await?.ended_with(0)?;
    let _session = sign_in(&restored, "ops-lost").await?;
    until("an assigned address", PATIENCE, async || {
        Ok(restored.alias(lost).await?.filter(|stored| stored.alias.status == Status::Active).map(drop))
    })
    .await?;
    world.stack.add(json!({ "name": "ops-after", "teams": [TEAM] })).await?;
    sign_in(&restored, "ops-after").await?;
    until("an address in the restored table", PATIENCE, async || {
        Ok(restored.alias("ops-after@ubuntu.com").await?.map(drop))
    })
    .await
}

type Item = HashMap<String, AttributeValue>;

async fn items(client: &aws_sdk_dynamodb::Client, table: &str) -> Result<Vec<Item>> {
    let mut pages = client.scan().table_name(table).consistent_read(true).into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(item) = pages.next().await {
        all.push(item?);
    }
    Ok(all)
}

/// What a restore makes: a table of the same keys and index, with the items and no settings.
async fn copy_into(client: &aws_sdk_dynamodb::Client, name: &str, items: Vec<Item>) -> Result<()> {
    let key = |name: &str, kind: KeyType| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let mut create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for name in ["pk", "sk", "member", "address"] {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S);
        create = create.attribute_definitions(attribute.build()?);
    }
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-member")
        .key_schema(key("member", KeyType::Hash)?)
        .key_schema(key("address", KeyType::Range)?)
        .projection(Projection::builder().projection_type(ProjectionType::All).build());
    let create = create.key_schema(key("pk", KeyType::Hash)?).key_schema(key("sk", KeyType::Range)?);
    create.global_secondary_indexes(index.build()?).send().await?;
    for item in items {
        client.put_item().table_name(name).set_item(Some(item)).send().await?;
    }
    Ok(())
}
