//! Export and erasure of a member's data on the deployed stack: nothing in the whole table leads to their mailboxes.

use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, bail, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use membermail_core::alias::{Reason, Status};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::email::EmailAddress;
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::Requested;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use serde_json::{Value, json};

use crate::command::{membermail, membermail_json};
use crate::{TEAM, as_kim, audit};

const NAME: &str = "op-erased";
const ADDRESS: &str = "op-erased@ubuntu.com";
const MAILBOXES: [&str; 2] = ["op-erased@mail.example", "op-erased-new@other.example"];

/// All items of the table as text, with the names of their attributes.
async fn scan(stack: &Stack) -> Result<Vec<(String, std::collections::HashMap<String, AttributeValue>)>> {
    let mut items = stack.dynamodb().await.scan().table_name(&stack.table).into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(item) = items.next().await {
        let item = item?;
        all.push((format!("{item:?}"), item));
    }
    Ok(all)
}

/// The secrets of a member's items: the key context and every sealed address.
async fn secrets(stack: &Stack, member: MemberId) -> Result<Vec<String>> {
    let partition = AttributeValue::S(format!("MEMBER#{member}"));
    let mut secrets = Vec::new();
    for (_, item) in scan(stack).await? {
        if item.get("pk") == Some(&partition) {
            let sealed = ["salt", "sign_in", "sealed"].iter().filter_map(|name| item.get(*name)?.as_s().ok());
            secrets.extend(sealed.cloned());
        }
    }
    Ok(secrets)
}

async fn ensure_absent(stack: &Stack, texts: &[String]) -> Result<()> {
    for (text, item) in scan(stack).await? {
        for forbidden in texts {
            ensure!(!text.contains(forbidden.as_str()), "{:?} has {forbidden}", item.get("pk"));
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn erasure_leaves_no_mailbox_in_table() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, NAME).await?;
    let member = stack.member_named(NAME).await?;
    let store = stack.store().await;
    let new = EmailAddress::parse(MAILBOXES[1])?;
    let cause = operator(SystemClock.now());
    let requested = store.add_destination(&stack.sealer().await?, &member, (&new, false), cause, &OsRandom).await?;
    let Requested::Sent { .. } = requested else { bail!("{requested:?}") };

    // A pause and an export by an operator are in the member's history.
    as_kim(&stack, &["member", "pause", NAME, ADDRESS, "--permanent"]).await?.succeeds()?;
    let paused = as_kim(&stack, &["member", "pause", NAME, "op-missing@ubuntu.com"]).await?;
    paused.exits_with(3)?;
    let shown = membermail_json(&stack, &["member", "destinations", NAME]).await?;
    ensure!(shown["destinations"].as_array().is_some_and(|all| all.len() == 2), "{shown}");
    ensure!(shown["destinations"][0]["used_by"] == json!([ADDRESS]), "{shown}");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("export.json");
    let output = file.to_str().context("the path is not UTF-8")?;
    as_kim(&stack, &["member", "export", NAME, "--output", output]).await?.succeeds()?;
    ensure!(file.metadata()?.permissions().mode() & 0o777 == 0o600, "the file is readable by others");
    as_kim(&stack, &["member", "export", NAME, "--output", output]).await?.exits_with(2)?;
    let export: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let exported = export["members"][0]["destinations"].as_array().context("no destinations")?;
    let exported: Vec<_> = exported.iter().filter_map(|one| one["address"].as_str()).collect();
    ensure!(exported == MAILBOXES, "{exported:?}");
    let id = member.id.to_string();
    let did: Vec<_> = audit(&stack, &["--member", &id]).await?.into_iter().map(|entry| entry["did"].clone()).collect();
    ensure!(did.contains(&json!("paused-permanently")) && did.contains(&json!("exported")), "{did:?}");

    let mut forbidden = secrets(&stack, member.id).await?;
    ensure!(forbidden.len() == 4, "the key context, the sign-in address and two destinations");
    for mailbox in MAILBOXES {
        forbidden.push(mailbox.to_owned());
        forbidden.push(STANDARD_NO_PAD.encode(mailbox));
    }
    let planned = as_kim(&stack, &["member", "erase", &id]).await?.succeeds()?;
    planned.contains_output("--yes")?;
    ensure!(secrets(&stack, member.id).await?.len() == 4, "a dry run erases nothing");
    let erased = membermail_json(&stack, &["member", "erase", &id, "--yes", "--as", "kim"]).await?;
    ensure!(erased["did"] == "erased" && erased["reserved"] == json!([ADDRESS]), "{erased}");
    stack.wait_for_alias(ADDRESS, Status::Retired, Reason::Erased).await?;
    ensure_absent(&stack, &forbidden).await?;
    membermail(&stack, &["member", "show", NAME]).await?.exits_with(3)?;
    let again = membermail_json(&stack, &["member", "erase", &id, "--yes", "--as", "kim"]).await?;
    ensure!(again["did"] == "was-erased", "{again}");

    // A member who signs in again is the same one, and gets the address back.
    stack.sign_in(NAME).await?;
    let back = stack.wait_for_alias(ADDRESS, Status::Active, Reason::Eligible).await?;
    ensure!(back.member == member.id, "{back:?}");
    forbidden.retain(|text| *text != MAILBOXES[0]);
    ensure_absent(&stack, &forbidden).await
}
