//! A member who reads English does everything on the page in Chromium, with scripts, on a narrow screen.

use anyhow::{Result, ensure};
use fantoccini::Locator;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_store::Switched;
use membermail_tests::chromium::Settings;
use membermail_tests::stack::Stack;
use membermail_tests::table::{address, operator};
use membermail_tests::wait::{TIMEOUT, until_true};
use serde_json::json;

use super::screen::Screen;
use super::{TEAM, Visitor, code_in, letter, link_in};

const NAME: &str = "ss-english";
const ADDRESS: &str = "ss-english@ubuntu.com";
const HOME: &str = "ss-english@mail.example";
const OFFICE: &str = "ss-english-office@mail.example";

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn member_manages_everything_in_english() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add_person(json!({ "name": NAME, "teams": [TEAM] })).await?;
    let screen = Screen::start(&stack, Settings { scripts: true }).await?;
    screen.sign_in("en", NAME).await?;
    confirm_first_mailbox(&stack, &screen).await?;
    add_second_mailbox(&stack, &screen).await?;
    switch_address(&screen).await?;
    end_other_session(&stack, &screen).await?;
    choose_language(&screen).await?;
    read_history_and_data(&stack, &screen).await?;
    screen.chromium.check_no_errors().await?;
    screen.chromium.close().await
}

async fn confirm_first_mailbox(stack: &Stack, screen: &Screen) -> Result<()> {
    screen.shows(&format!("{ADDRESS} waits until you confirm a mailbox"), TIMEOUT).await?;
    screen.inspect("unconfirmed").await?;
    screen.request_code().await?;
    screen.shows("Waits for your code until", 20).await?;
    screen.inspect("code-requested").await?;
    let code = code_in(&letter(stack, HOME, "/confirm?").await?)?;
    // As somebody types who reads it from another screen.
    screen.enter("input[id^='code-']", &code.to_lowercase().replace('-', " ")).await?;
    screen.chromium.click("Confirm this mailbox").await?;
    screen.shows(&format!("{ADDRESS} now forwards to {HOME}"), 20).await
}

async fn add_second_mailbox(stack: &Stack, screen: &Screen) -> Result<()> {
    screen.unfold("add-mailbox").await?;
    screen.enter("#mailbox", OFFICE).await?;
    screen.chromium.click("Send me a code").await?;
    screen.shows("Waits for your code until", 20).await?;
    let link = link_in(stack, &letter(stack, OFFICE, "/confirm?").await?, "confirm")?;
    letter(stack, HOME, "Nothing has changed yet").await?;

    screen.chromium.open(&link).await?;
    screen.shows(&format!("Press the button, and your addresses can forward to {OFFICE}."), 20).await?;
    screen.inspect("confirm").await?;
    // Opening the page has confirmed nothing.
    screen.home().await?;
    screen.shows("Waits for your code until", 20).await?;
    screen.chromium.open(&link).await?;
    screen.chromium.click("Confirm this mailbox").await?;
    screen.shows("Your mailboxes", 20).await?;
    letter(stack, HOME, "/undo?change=").await?;
    // The back button shows a link that was used.
    screen.chromium.open(&link).await?;
    screen.shows("This mailbox is confirmed", 20).await?;

    screen.home().await?;
    screen.unfold("manage-1").await?;
    screen.chromium.find("#manage-1 input[name=destination]:not([checked])").await?.click().await?;
    screen.chromium.click("Save").await?;
    screen.shows(&format!("{ADDRESS} now forwards to {HOME}, {OFFICE}"), 20).await?;
    screen.inspect("two-mailboxes").await
}

async fn switch_address(screen: &Screen) -> Result<()> {
    screen.manage("Pause: senders try again for some days").await?;
    screen.shows(&format!("You paused {ADDRESS}"), 20).await?;
    screen.shows("Senders are asked to try again later", 20).await?;
    screen.manage("Resume").await?;
    screen.shows(&format!("{ADDRESS} now forwards to"), 20).await?;
    screen.manage("Pause: senders get an error at once").await?;
    screen.shows("Senders get an error message at once", 20).await?;
    screen.inspect("paused").await?;
    screen.manage("Resume").await?;
    screen.shows(&format!("{ADDRESS} now forwards to"), 20).await?;
    screen.manage("Delete this address").await?;
    screen.shows("You deleted this address", 20).await?;
    screen.inspect("deleted").await?;
    screen.manage("Restore this address").await?;
    // Once Launchpad says that the member is still in the team.
    screen.shows(&format!("{ADDRESS} now forwards to {HOME}, {OFFICE}"), TIMEOUT).await
}

async fn end_other_session(stack: &Stack, screen: &Screen) -> Result<()> {
    let other = Visitor::sign_in(stack, NAME).await?;
    screen.follow("sessions").await?;
    screen.shows("This browser", 20).await?;
    screen.inspect("sessions").await?;
    let cards = Locator::Css("main li.card");
    ensure!(screen.chromium.page.find_all(cards).await?.len() == 2, "not two sessions");
    let button = "//main//li[not(.//*[normalize-space()='This browser'])]//button";
    screen.chromium.page.find(Locator::XPath(button)).await?.click().await?;
    until_true("one session", 20, async || Ok(screen.chromium.page.find_all(cards).await?.len() == 1)).await?;
    ensure!(!other.is_signed_in().await?, "the other browser is still signed in");
    screen.home().await?;
    screen.shows(ADDRESS, 20).await
}

async fn choose_language(screen: &Screen) -> Result<()> {
    screen.speak("ar").await?;
    ensure!(screen.language().await? == json!(["ar", "rtl"]), "{}", screen.language().await?);
    screen.inspect("arabic").await?;
    screen.speak("en").await?;
    ensure!(screen.language().await? == json!(["en", "ltr"]), "{}", screen.language().await?);
    Ok(())
}

async fn read_history_and_data(stack: &Stack, screen: &Screen) -> Result<()> {
    let store = stack.store().await;
    let member = stack.member_named(NAME).await?;
    for is_permanent in [Some(true), None] {
        let cause = operator(SystemClock.now());
        let switched = store.pause_alias(&member, &address(ADDRESS)?, is_permanent, cause, &OsRandom).await?;
        ensure!(matches!(switched, Switched::Done { .. }), "{switched:?}");
    }
    screen.follow("history").await?;
    let history = screen.chromium.find("main").await?.text().await?;
    for happened in [
        format!("You got {ADDRESS}."),
        format!("A code was sent to {HOME}."),
        format!("Confirmed: {HOME}."),
        format!("A code was sent to {OFFICE}."),
        format!("Confirmed: {OFFICE}."),
        format!("{ADDRESS} forwards to other mailboxes."),
        format!("{ADDRESS} was paused: senders try again later."),
        format!("{ADDRESS} was paused: senders get an error."),
        format!("{ADDRESS} was resumed."),
        format!("{ADDRESS} was deleted."),
        format!("{ADDRESS} was restored and waits for a check."),
        format!("{ADDRESS} works again."),
        "An operator".to_owned(),
    ] {
        ensure!(history.contains(&happened), "{happened:?} is not in {history}");
    }
    ensure!(!history.contains("olivia"), "the name of an operator is shown: {history}");
    screen.inspect("history").await?;
    screen.home().await?;
    screen.follow("export").await?;
    let data = screen.chromium.find("main").await?.text().await?;
    for known in [ADDRESS, HOME, OFFICE] {
        ensure!(data.contains(known), "{known} is not in {data}");
    }
    screen.inspect("export").await?;
    screen.home().await?;
    screen.follow("erase").await?;
    screen.inspect("erase").await
}
