//! Sessions: replaced at each sign-in, bound to the browser, and ended by log-out, ban and expiry.

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_identity::session::{self, SessionId};
use membermail_store::Session;
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use membermail_tests::table::{operator, text};
use membermail_tests::wait::until;

const STRANGER: &str = "Sign in with Ubuntu One";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The hash that the table stores for a browser's session.
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
    ensure!(stranger == page.texts("header button").is_empty(), "page for an unknown visitor: {}", page.text);
    Ok(!stranger)
}

/// Moves a time of a session into the past.
async fn age(stack: &Stack, hash: &str, what: &str, to: AttributeValue) -> Result<()> {
    stack.set([text(format!("SESSION#{hash}")), text("-")], what, to).await
}

fn ago(time: SignedDuration) -> Timestamp {
    SystemClock.now() - time
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn session_cookie_is_restricted() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let callback = stack.start_sign_in(&mut browser, "pat74").await?;
    let answer = browser.get(callback).await?;
    let cookies: Vec<_> =
        answer.headers.get_all("set-cookie").iter().map(|value| value.to_str()).collect::<Result<_, _>>()?;
    let cookie = cookies.iter().find(|cookie| cookie.starts_with("session=")).context("no cookie")?;
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    // Plain HTTP on loopback has neither `Secure` nor `__Host-`; `places.rs` tests them with HTTPS.
    ensure!(attributes == ["HttpOnly", "Max-Age=604800", "Path=/", "SameSite=Lax"], "{cookie}");
    // The cookie of the sign-in stays for other tabs, and opens no session by itself.
    ensure!(cookies.len() == 1, "{cookies:?}");
    let mut tab = Browser::new()?;
    let secret = browser.cookie(&stack.public_url, "sign-in").context("no secret")?;
    tab.set_cookie(&stack.public_url, "sign-in", secret);
    ensure!(!is_signed_in(&stack, &tab).await?);

    // The table stores a hash of the id, never the id.
    let id = browser.cookie(&stack.public_url, "session").context("no session")?.to_owned();
    ensure!(id.len() >= 43, "an id that can be guessed: {} characters", id.len());
    ensure!(stored(&stack, &hash(&stack, &browser)?).await?.is_some());
    ensure!(stored(&stack, &id).await?.is_none());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn sign_in_replaces_the_session() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = stack.sign_in("pat75").await?;
    let before = browser.clone();
    let callback = stack.start_sign_in(&mut browser, "pat75").await?;
    browser.open(callback).await?;
    let old = hash(&stack, &before)?;
    let new = hash(&stack, &browser)?;
    ensure!(old != new, "the session stayed the same");
    ensure!(stored(&stack, &old).await?.is_none() && stored(&stack, &new).await?.is_some());
    ensure!(is_signed_in(&stack, &browser).await? && !is_signed_in(&stack, &before).await?);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn planted_session_id_is_ignored() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let planted = session::cookie(&SessionId::new(&OsRandom), false);
    let planted = planted.split(';').next().and_then(|pair| pair.split_once('=')).context("no cookie")?.1.to_owned();
    let mut victim = Browser::new()?;
    victim.set_cookie(&stack.public_url, "session", &planted);
    let attacker = victim.clone();
    let callback = stack.start_sign_in(&mut victim, "pat76").await?;
    victim.open(callback).await?;
    ensure!(victim.cookie(&stack.public_url, "session").is_some_and(|value| value != planted));
    ensure!(is_signed_in(&stack, &victim).await? && !is_signed_in(&stack, &attacker).await?);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn ban_ends_only_the_members_sessions() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let desk = stack.sign_in("pat77").await?;
    let phone = stack.sign_in("pat77").await?;
    let other = stack.sign_in("pat78").await?;
    ensure!(is_signed_in(&stack, &desk).await? && is_signed_in(&stack, &phone).await?);
    let store = stack.store().await;
    let member = stack.member_of(&desk).await?;
    let cause = operator(SystemClock.now());
    store.ban(member, cause, &OsRandom).await?;
    ensure!(!is_signed_in(&stack, &desk).await? && !is_signed_in(&stack, &phone).await?);
    ensure!(is_signed_in(&stack, &other).await?, "the session of another member ended too");
    // After the ban is lifted, the old sessions stay ended; the member signs in again.
    store.unban(member, cause, &OsRandom).await?;
    ensure!(!is_signed_in(&stack, &desk).await? && !is_signed_in(&stack, &phone).await?);
    let again = stack.sign_in("pat77").await?;
    ensure!(is_signed_in(&stack, &again).await?);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn session_expires_when_idle_or_old() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (what, to, good) in [
        ("last_seen", text(ago(session::IDLE - HOUR).to_string()), true),
        ("last_seen", text(ago(session::IDLE + HOUR).to_string()), false),
        ("created", text(ago(session::ABSOLUTE - HOUR).to_string()), true),
        ("created", text(ago(session::ABSOLUTE + HOUR).to_string()), false),
        ("expires", AttributeValue::N(ago(HOUR).as_second().to_string()), false),
    ] {
        let browser = stack.sign_in("pat79").await?;
        ensure!(is_signed_in(&stack, &browser).await?);
        age(&stack, &hash(&stack, &browser)?, what, to.clone()).await?;
        ensure!(is_signed_in(&stack, &browser).await? == good, "with {what} at {to:?}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn used_session_stays_valid() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = stack.sign_in("pat80").await?;
    let hash = hash(&stack, &browser)?;
    let before = ago(SignedDuration::from_hours(6));
    age(&stack, &hash, "last_seen", text(before.to_string())).await?;
    ensure!(is_signed_in(&stack, &browser).await?);
    let seen = stored(&stack, &hash).await?.context("no session")?.last_seen;
    ensure!(SystemClock.now().duration_since(seen) < HOUR, "last seen at {seen}");
    // But not every request is a write.
    let seen_again = until("a second look", 20, || async {
        ensure!(is_signed_in(&stack, &browser).await?);
        Ok(stored(&stack, &hash).await?.map(|session| session.last_seen))
    });
    ensure!(seen_again.await? == seen);
    Ok(())
}
