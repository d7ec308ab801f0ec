//! Sessions from their first cookie to their last: new at each sign-in, the browser's own, and over when they must be.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_identity::session::{self, SessionId};
use membermail_store::Session;
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::until;

const STRANGER: &str = "Sign in with Ubuntu One";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The session of a browser, by what the table knows it.
fn hash(stack: &Stack, browser: &Browser) -> Result<String> {
    let value = browser.cookie(&stack.public_url, "session").context("no session")?;
    Ok(SessionId::parse(value).context("no id of a session")?.hash().as_str().to_owned())
}

async fn stored(stack: &Stack, hash: &str) -> Result<Option<Session>> {
    Ok(stack.store().await.session(hash, SystemClock.now()).await?)
}

async fn is_signed_in(stack: &Stack, browser: &Browser) -> Result<bool> {
    let page = browser.clone().get(stack.public_url.clone()).await?;
    ensure!(page.status == 200, "{}: {}", page.status, page.text);
    let stranger = page.texts("main").concat().contains(STRANGER);
    ensure!(stranger == page.texts("header button").is_empty(), "a page for nobody: {}", page.text);
    Ok(!stranger)
}

/// Puts a time of a session elsewhere, as if so long had passed since.
async fn age(stack: &Stack, hash: &str, what: &str, to: AttributeValue) -> Result<()> {
    let update = stack.dynamodb().await.update_item().table_name(&stack.table);
    let update =
        update.key("pk", AttributeValue::S(format!("SESSION#{hash}"))).key("sk", AttributeValue::S("-".into()));
    let update = update.update_expression("SET #what = :to").condition_expression("attribute_exists(pk)");
    update.expression_attribute_names("#what", what).expression_attribute_values(":to", to).send().await?;
    Ok(())
}

fn ago(time: SignedDuration) -> Timestamp {
    SystemClock.now() - time
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_of_other_sites() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let callback = stack.chosen(&mut browser, "pat74").await?;
    let answer = browser.get(callback).await?;
    let cookies: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str()).collect::<Result<_, _>>()?;
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("session=")).context("no cookie")?;
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    // By plain HTTP, on one's own machine, there is neither `Secure` nor `__Host-`; `places.rs` has them by HTTPS.
    ensure!(attributes == ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax"], "{cookie}");
    // The secret of the sign-in stays, for another tab, and opens nothing by itself.
    ensure!(cookies.len() == 1, "{cookies:?}");
    let mut tab = Browser::new()?;
    let secret = browser.cookie(&stack.public_url, "sign-in").context("no secret")?;
    tab.set_cookie(&stack.public_url, "sign-in", secret);
    ensure!(!is_signed_in(&stack, &tab).await?);

    // The table has a hash of the id, and the id nowhere.
    let id = browser.cookie(&stack.public_url, "session").context("no session")?.to_owned();
    ensure!(id.len() >= 43, "an id that can be guessed: {} characters", id.len());
    ensure!(stored(&stack, &hash(&stack, &browser)?).await?.is_some());
    ensure!(stored(&stack, &id).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn each_sign_in_makes_a_new_session_and_ends_the_one_before() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (mut browser, _) = stack.sign_in("pat75").await?;
    let before = browser.clone();
    let callback = stack.chosen(&mut browser, "pat75").await?;
    browser.open(callback).await?;
    let (old, new) = (hash(&stack, &before)?, hash(&stack, &browser)?);
    ensure!(old != new, "the session stayed the same");
    ensure!(stored(&stack, &old).await?.is_none() && stored(&stack, &new).await?.is_some());
    ensure!(is_signed_in(&stack, &browser).await? && !is_signed_in(&stack, &before).await?);
    Ok(())
}

#[tokio::test]
async fn an_id_that_somebody_planted_opens_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let planted = session::cookie(&SessionId::new(&OsRandom), false);
    let planted = planted.split(';').next().and_then(|pair| pair.split_once('=')).context("no cookie")?.1.to_owned();
    let mut victim = Browser::new()?;
    victim.set_cookie(&stack.public_url, "session", &planted);
    let attacker = victim.clone();
    let callback = stack.chosen(&mut victim, "pat76").await?;
    victim.open(callback).await?;
    ensure!(victim.cookie(&stack.public_url, "session").is_some_and(|value| value != planted));
    ensure!(is_signed_in(&stack, &victim).await? && !is_signed_in(&stack, &attacker).await?);
    Ok(())
}

#[tokio::test]
async fn a_ban_ends_the_sessions_of_all_browsers_and_of_nobody_else() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (desk, _) = stack.sign_in("pat77").await?;
    let (phone, _) = stack.sign_in("pat77").await?;
    let (other, _) = stack.sign_in("pat78").await?;
    ensure!(is_signed_in(&stack, &desk).await? && is_signed_in(&stack, &phone).await?);
    let store = stack.store().await;
    let member = stack.member_of(&desk).await?;
    let cause = operator(SystemClock.now());
    store.ban(member, cause, &OsRandom).await?;
    ensure!(!is_signed_in(&stack, &desk).await? && !is_signed_in(&stack, &phone).await?);
    ensure!(is_signed_in(&stack, &other).await?, "somebody else's session ended too");
    // Who is welcome again signs in again: what the ban ended stays ended.
    store.unban(member, cause, &OsRandom).await?;
    ensure!(!is_signed_in(&stack, &desk).await? && !is_signed_in(&stack, &phone).await?);
    let (again, _) = stack.sign_in("pat77").await?;
    ensure!(is_signed_in(&stack, &again).await?);
    Ok(())
}

#[tokio::test]
async fn a_session_ends_when_it_is_unused_and_when_it_is_old() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let text = |time: Timestamp| AttributeValue::S(time.to_string());
    let second = |time: Timestamp| AttributeValue::N(time.as_second().to_string());
    for (what, to, good) in [
        ("last_seen", text(ago(session::IDLE - HOUR)), true),
        ("last_seen", text(ago(session::IDLE + HOUR)), false),
        ("created", text(ago(session::ABSOLUTE - HOUR)), true),
        ("created", text(ago(session::ABSOLUTE + HOUR)), false),
        ("expires", second(ago(HOUR)), false),
    ] {
        let (browser, _) = stack.sign_in("pat79").await?;
        ensure!(is_signed_in(&stack, &browser).await?);
        age(&stack, &hash(&stack, &browser)?, what, to.clone()).await?;
        ensure!(is_signed_in(&stack, &browser).await? == good, "with {what} at {to:?}");
    }
    Ok(())
}

#[tokio::test]
async fn using_a_session_keeps_it() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (browser, _) = stack.sign_in("pat80").await?;
    let hash = hash(&stack, &browser)?;
    let before = ago(SignedDuration::from_hours(6));
    age(&stack, &hash, "last_seen", AttributeValue::S(before.to_string())).await?;
    ensure!(is_signed_in(&stack, &browser).await?);
    let seen = stored(&stack, &hash).await?.context("no session")?.last_seen;
    ensure!(SystemClock.now().duration_since(seen) < HOUR, "last seen at {seen}");
    // But not every look is a write.
    let seen_again = until("a second look", Duration::from_secs(20), || async {
        ensure!(is_signed_in(&stack, &browser).await?);
        Ok(stored(&stack, &hash).await?.map(|session| session.last_seen))
    });
    ensure!(seen_again.await? == seen);
    Ok(())
}
