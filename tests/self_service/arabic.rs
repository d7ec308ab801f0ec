//! A member who reads Arabic confirms a mailbox, tests the address, exports and erases everything, in Chromium without scripts.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use fantoccini::Locator;
use membermail_core::alias::{Reason, Status};
use membermail_core::language::Language;
use membermail_core::member::MemberId;
use membermail_tests::browser::Browser;
use membermail_tests::chromium::Settings;
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until_true};
use membermail_texts::{Texts, Translator};
use serde_json::{Value, json};

use super::screen::{Screen, plain};
use super::{TEAM, code_in, letter, wrong};

const NAME: &str = "ss-arabic";
const ADDRESS: &str = "ss-arabic@ubuntu.com";
const MAILBOXES: [&str; 2] = ["ss-arabic@mail.example", "ss-arabic-office@mail.example"];

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn member_erases_everything_in_arabic() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (texts, arabic) = (Texts::load()?, [Language::parse("ar")?]);
    let arabic = texts.translator(&arabic);
    stack.add_person(json!({ "name": NAME, "teams": [TEAM] })).await?;
    let screen = Screen::start(&stack, Settings { scripts: false }).await?;
    screen.sign_in("ar", NAME).await?;
    let waits = arabic.attribute("address-unconfirmed", "state", &[("address", ADDRESS.into())]);
    screen.shows(&waits, TIMEOUT).await?;
    // Chosen once more by the member, for the mails as well.
    screen.speak("ar").await?;
    ensure!(screen.language().await? == json!(["ar", "rtl"]), "{}", screen.language().await?);
    confirm_after_wrong_code(&stack, &screen, arabic).await?;
    add_mailbox(&stack, &screen, arabic).await?;
    test_address(&stack, &screen, arabic).await?;
    let member = export(&stack, &screen, arabic).await?;
    erase(&stack, &screen, arabic, member).await?;
    screen.chromium.close().await
}

async fn confirm_after_wrong_code(stack: &Stack, screen: &Screen, arabic: Translator<'_>) -> Result<()> {
    screen.request_code().await?;
    let mail = letter(stack, MAILBOXES[0], "/confirm?").await?;
    let subject = arabic.attribute("destination-code", "subject", &[("community", "Ubuntu".into())]);
    ensure!(plain(mail.subject()) == plain(&subject), "the mail is called {}", mail.subject());
    let code = code_in(&mail)?;
    screen.enter("input[id^='code-']", wrong(&code)).await?;
    screen.chromium.click(&arabic.text("code-button", &[])).await?;
    screen.shows(&arabic.attribute("code-wrong", "heading", &[]), 20).await?;
    screen.chromium.click(&arabic.text("go-to-addresses", &[])).await?;
    screen.enter("input[id^='code-']", &code).await?;
    screen.chromium.click(&arabic.text("code-button", &[])).await?;
    let args = [("address", ADDRESS.into()), ("destination", MAILBOXES[0].into())];
    screen.shows(&arabic.attribute("address-active", "state", &args), 20).await
}

/// Adds another mailbox, which all addresses are to forward to alone.
async fn add_mailbox(stack: &Stack, screen: &Screen, arabic: Translator<'_>) -> Result<()> {
    screen.unfold("add-mailbox").await?;
    screen.enter("#mailbox", MAILBOXES[1]).await?;
    screen.chromium.find("#add-mailbox input[name=replaces]").await?.click().await?;
    screen.chromium.click(&arabic.attribute("mailboxes", "send", &[])).await?;
    let code = code_in(&letter(stack, MAILBOXES[1], "/confirm?").await?)?;
    screen.enter("input[id^='code-']", &code).await?;
    screen.chromium.click(&arabic.text("code-button", &[])).await?;
    let args = [("address", ADDRESS.into()), ("destination", MAILBOXES[1].into())];
    screen.shows(&arabic.attribute("address-active", "state", &args), 20).await
}

async fn test_address(stack: &Stack, screen: &Screen, arabic: Translator<'_>) -> Result<()> {
    screen.manage(&arabic.text("test-button", &[])).await?;
    letter(stack, ADDRESS, ADDRESS).await?;
    let sent = arabic.around("test-sent", "moment", &[]).0;
    until_true("the report of the test message", TIMEOUT, async || {
        screen.home().await?;
        Ok(screen.chromium.page.source().await?.contains(sent.trim_end_matches('\u{2068}')))
    })
    .await?;
    screen.unfold("manage-1").await?;
    screen.shows(sent.trim_end_matches('\u{2068}'), 20).await
}

/// Reads the data on the page, and downloads it in the same session.
async fn export(stack: &Stack, screen: &Screen, arabic: Translator<'_>) -> Result<MemberId> {
    screen.follow("export").await?;
    screen.shows(&arabic.attribute("export", "text", &[]), 20).await?;
    screen.shows(MAILBOXES[1], 20).await?;
    let mut browser = Browser::new()?;
    let cookie = screen.chromium.page.get_named_cookie("session").await?;
    browser.set_cookie(&stack.public_url, "session", cookie.value());
    let member = stack.member_of(&browser).await?;
    let url = stack.public_url.join("export")?;
    let csrf = browser.get(url.clone()).await?.attribute("main input[name=csrf]", "value").context("no form")?;
    let file = browser.post(url, &[("csrf", &csrf)]).await?;
    ensure!(file.header("content-disposition").is_some_and(|value| value.starts_with("attachment")), "no file");
    ensure!(file.header("cache-control") == Some("no-store"), "the file can be stored");
    let data: Value = serde_json::from_str(&file.text)?;
    let mailboxes = data["members"][0]["destinations"].as_array().context("no mailboxes")?;
    let mailboxes: Vec<_> = mailboxes.iter().filter_map(|mailbox| mailbox["address"].as_str()).collect();
    ensure!(mailboxes == MAILBOXES, "{mailboxes:?}");
    ensure!(file.text.contains(ADDRESS) && data["members"][0]["language"] == "ar", "{}", file.text);
    Ok(member)
}

async fn erase(stack: &Stack, screen: &Screen, arabic: Translator<'_>, member: MemberId) -> Result<()> {
    let mut forbidden = sealed(stack, member).await?;
    ensure!(forbidden.len() == 4, "not a key context, the sign-in address and two mailboxes, but {}", forbidden.len());
    forbidden.extend(MAILBOXES.iter().flat_map(|mailbox| disguises(mailbox)));
    let button = arabic.attribute("erase", "button", &[]);
    for (word, outcome) in [
        ("erase it", arabic.attribute("erase-not-confirmed", "heading", &[])),
        (&*arabic.attribute("erase", "word", &[]), arabic.attribute("erased", "heading", &[])),
    ] {
        ensure!(screen.chromium.page.get_named_cookie("session").await.is_ok(), "signed out before {word:?}");
        screen.home().await?;
        screen.follow("erase").await?;
        screen.enter("#word", word).await?;
        screen.chromium.click(&button).await?;
        screen.shows(&outcome, 20).await?;
    }
    screen.shows(&arabic.attribute("erased", "addresses", &[]), 20).await?;
    let reserved = screen.chromium.page.find_all(Locator::Css("main li")).await?;
    ensure!(reserved.len() == 1 && reserved[0].text().await? == ADDRESS, "another receipt");
    screen.home().await?;
    screen.chromium.find("main a[href$='/sign-in']").await?;
    ensure!(screen.chromium.page.get_named_cookie("session").await.is_err(), "the session is still there");

    stack.wait_for_alias(ADDRESS, Status::Retired, Reason::Erased).await?;
    for item in scan(stack).await? {
        let text = format!("{item:?}");
        for secret in &forbidden {
            ensure!(!text.contains(secret.as_str()), "{:?} has {secret}", item.get("pk"));
        }
    }
    Ok(())
}

async fn scan(stack: &Stack) -> Result<Vec<HashMap<String, AttributeValue>>> {
    let mut items = stack.dynamodb().await.scan().table_name(&stack.table).into_paginator().items().send();
    let mut all = Vec::new();
    while let Some(item) = items.next().await {
        all.push(item?);
    }
    Ok(all)
}

/// The key context and every sealed address of a member.
async fn sealed(stack: &Stack, member: MemberId) -> Result<Vec<String>> {
    let partition = AttributeValue::S(format!("MEMBER#{member}"));
    let own = scan(stack).await?.into_iter().filter(|item| item.get("pk") == Some(&partition));
    let values = own.flat_map(|item| ["salt", "sign_in", "sealed"].map(|name| item.get(name).cloned()));
    Ok(values.flatten().filter_map(|value| value.as_s().ok().cloned()).collect())
}

/// A text in clear and within Base64 of both alphabets, at each offset; without the digits that depend on its neighbours.
fn disguises(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    for offset in 0..3 {
        let padded = [&[0; 3][..offset], text.as_bytes()].concat();
        let (first, last) = ((offset * 8).div_ceil(6), padded.len() * 8 / 6);
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            all.push(engine.encode(&padded).chars().take(last).skip(first).collect());
        }
    }
    all
}
