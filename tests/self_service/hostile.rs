//! Members who try the mailboxes, addresses and sessions of others, and mailboxes that are none. A thief of a session, whose
//! change the owner of the old mailbox reverts.

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_tests::browser::{Browser, parameter};
use membermail_tests::stack::Stack;
use ulid::Ulid;

use super::{Visitor, code_in, letter, link_in, wrong};

/// Everything about a member that a form can change, as text.
async fn everything(victim: &Visitor, address: &str) -> Result<String> {
    let store = victim.stack.store().await;
    let member = store.member(victim.member).await?.context("no member")?;
    let destinations = store.destinations_of(victim.member).await?;
    let destinations: Vec<_> = destinations.into_iter().map(|stored| stored.destination).collect();
    let alias = victim.stack.alias(address).await?.context("no address")?;
    let sessions = store.sessions_of(&member, SystemClock.now()).await?;
    let sessions: Vec<_> = sessions.into_iter().map(|listed| listed.hash).collect();
    let test = store.test_message(victim.member, &alias.alias.address).await?;
    let alias = (alias.alias.status, alias.alias.reason, alias.destinations, alias.paused);
    let history = store.history_of(victim.member, 100).await?.len();
    Ok(format!("{destinations:#?} {alias:#?} {sessions:#?} {test:#?} {history}"))
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn foreign_ids_change_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (victim, address) = (Visitor::resident(&stack, "ss-victim").await?, "ss-victim@ubuntu.com");
    let thief = Visitor::resident(&stack, "ss-thief").await?;
    let (pending, mail) = victim.request_code("ss-victim-office@mail.example", "none").await?;
    let code = code_in(&mail)?;
    let store = stack.store().await;
    let member = store.member(victim.member).await?.context("no member")?;
    let session = store.sessions_of(&member, SystemClock.now()).await?.pop().context("no session")?.hash;
    let alias = stack.alias(address).await?.context("no address")?;
    let usable = alias.destinations.first().context("no mailbox")?.to_string();
    let version = alias.alias.version.to_string();
    let own = stack.existing_alias("ss-thief@ubuntu.com").await?.version.to_string();
    let test = Ulid::from_parts(1, 3).to_string();
    let before = everything(&victim, address).await?;

    let missing = "is not on your list";
    for (path, fields, status, words) in [
        ("destinations/resend", vec![("id", pending.as_str())], 404, missing),
        ("destinations/remove", vec![("id", &pending)], 404, missing),
        ("destinations/remove", vec![("id", &usable)], 404, missing),
        ("confirm", vec![("destination", &pending), ("code", &code)], 404, missing),
        (
            "addresses/destinations",
            vec![("address", address), ("version", &version), ("destination", &usable)],
            404,
            missing,
        ),
        (
            "addresses/destinations",
            vec![("address", "ss-thief@ubuntu.com"), ("version", &own), ("destination", &usable)],
            422,
            "at most five mailboxes that you confirmed",
        ),
        ("addresses/pause", vec![("address", address), ("mode", "permanent")], 404, missing),
        ("addresses/delete", vec![("address", address)], 404, missing),
        ("addresses/restore", vec![("address", address)], 404, missing),
        ("addresses/test", vec![("address", address), ("id", &test)], 404, missing),
    ] {
        thief.is_refused(path, &fields, status, words).await?;
    }
    // As for a session that has ended.
    thief.changes("sessions/end", &[("session", &session)]).await?;
    // The thief has a token of their own, but not that of the victim's session.
    let forged = Visitor { csrf: thief.csrf.clone(), ..victim.clone() };
    forged.is_refused("addresses/delete", &[("address", address)], 403, "not from this site").await?;
    ensure!(everything(&victim, address).await? == before, "{}", everything(&victim, address).await?);
    ensure!(victim.is_signed_in().await?, "the session ended");
    // All of these were valid, had the member sent them.
    victim.changes("confirm", &[("destination", &pending), ("code", &code)]).await?;
    victim.changes("addresses/pause", &[("address", address), ("mode", "permanent")]).await?;
    ensure!(victim.mailbox(&pending).await?.0 && everything(&victim, address).await? != before, "nothing changed");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn old_mailbox_reverts_theft() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let (owner, address) = (Visitor::resident(&stack, "ss-robbed").await?, "ss-robbed@ubuntu.com");
    let [before] = stack.alias(address).await?.context("no address")?.destinations[..] else {
        anyhow::bail!("not one mailbox")
    };
    let thief = Visitor::sign_in(&stack, "ss-robbed").await?;
    let (taken, mail) = thief.request_code("ss-robber@mail.example", "all").await?;
    thief.changes("confirm", &[("destination", &taken), ("code", &code_in(&mail)?)]).await?;
    let goes_to = stack.alias(address).await?.context("no address")?.destinations;
    ensure!(goes_to.iter().map(ToString::to_string).eq([taken.clone()]), "{goes_to:?}");

    // The owner of the old mailbox needs no session.
    let mail = letter(&stack, "ss-robbed@mail.example", "another mailbox was confirmed").await?;
    let link = link_in(&stack, &mail, "undo")?;
    let mut browser = Browser::new()?;
    let page = browser.get(link.clone()).await?;
    ensure!(page.status == 200 && page.heading() == "This was not you?", "{}: {}", page.status, page.heading());
    ensure!(!page.text.contains('@'), "the page names an address: {}", page.text);
    let change = parameter(&link, "change").context("no change")?;
    let (undo, code) = (stack.public_url.join("undo")?, code_in(&mail)?);
    for (typed, status, heading) in [
        (wrong(&code), 422, "That code is not right"),
        (&*code, 200, "The change is reverted"),
        // A second click.
        (&*code, 200, "The change is reverted"),
    ] {
        let page = browser.post(undo.clone(), &[("change", &change), ("code", typed)]).await?;
        ensure!(page.status == status && page.heading() == heading, "{}: {}", page.status, page.heading());
    }
    ensure!(stack.alias(address).await?.context("no address")?.destinations == [before], "not put back");
    ensure!(!owner.is_signed_in().await? && !thief.is_signed_in().await?, "a session is still open");
    ensure!(!owner.mailbox(&taken).await?.0, "the mailbox of the thief is still in use");
    let page = stack.page_with(&Visitor::sign_in(&stack, "ss-robbed").await?.browser, "now forwards to").await?;
    let text = page.texts("main").concat();
    ensure!(text.contains("ss-robbed@mail.example") && !text.contains("ss-robber@"), "{text}");
    letter(&stack, "ss-robbed@mail.example", "a change of your mailboxes was reverted").await.map(drop)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn unsuitable_mailbox_gets_no_mail() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let member = Visitor::resident(&stack, "ss-typist").await?;
    let before = everything(&member, "ss-typist@ubuntu.com").await?;
    let mails = stack.mailbox();
    for (typed, why) in [
        ("ss-typed@mail.example\r\nBcc: ss-bcc@mail.example", "not every mail server accepts"),
        ("ss-typed@mail.example\nSubject: hello", "is not a domain name"),
        ("ss-typed@mail.example, ss-bcc@mail.example", "not every mail server accepts"),
        ("<ss-typed@mail.example> SIZE=1", "Nothing has changed"),
        ("ss-typ\u{00e9}d@mail.example", "SMTPUTF8"),
        ("ss-typed@[127.0.0.1]", "is not a domain name"),
        ("ss-typed", "has an @"),
        ("ss-typist@ubuntu.com", "in one of the Ubuntu domains"),
        ("ss-typist@LISTS.Ubuntu.com", "in one of the Ubuntu domains"),
        ("<script>alert(1)</script>@mail.example", "not every mail server accepts"),
    ] {
        member.is_refused("destinations", &[("address", typed)], 422, why).await?;
    }
    ensure!(everything(&member, "ss-typist@ubuntu.com").await? == before, "something was stored");

    // A domain of other letters is written as DNS knows it.
    let typed = "ss-typed@b\u{00fc}cher.example";
    member.changes("destinations", &[("address", typed), ("replaces", "none")]).await?;
    let arrived = letter(&stack, "ss-typed@xn--bcher-kva.example", "/confirm?").await?;
    ensure!(arrived.recipients == ["ss-typed@xn--bcher-kva.example"], "{:?}", arrived.recipients);
    for other in ["ss-bcc@mail.example", "ss-typed@mail.example"] {
        ensure!(mails.to(other)?.is_empty(), "mail was sent to {other}");
    }
    Ok(())
}
