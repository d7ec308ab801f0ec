//! Link scanners of mail providers open every link of a mail, execute scripts and submit forms. They confirm nothing, and they
//! revert nothing: the one needs the member's session, the other a code that has to be typed.

use std::collections::{BTreeSet, VecDeque};

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_tests::browser::{Browser, Page, parameter};
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until_true;
use scraper::{ElementRef, Html, Selector};
use ulid::Ulid;
use url::Url;

use super::{Visitor, code_in, letter, link_in};

const HOME: &str = "ss-scanned@mail.example";
const OFFICE: &str = "ss-scanned-office@mail.example";
const FAMILY: &str = "ss-scanned-family@mail.example";
/// Pages that one scan opens at most.
const PAGES: usize = 20;

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn link_scanner_confirms_and_reverts_nothing() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let owner = Visitor::resident(&stack, "ss-scanned").await?;
    let (office, mail) = owner.request_code(OFFICE, "none").await?;
    owner.changes("confirm", &[("destination", &office), ("code", &code_in(&mail)?)]).await?;
    let confirmed = letter(&stack, HOME, "/undo?change=").await?;
    let (family, requested) = owner.request_code(FAMILY, "none").await?;
    let links = [link_in(&stack, &requested, "confirm")?, link_in(&stack, &confirmed, "undo")?];

    let stranger = Browser::new()?;
    let other = Visitor::resident(&stack, "ss-scanner").await?;
    for (who, browser) in [("a stranger", &stranger), ("another member", &other.browser)] {
        let submitted = scan(&stack, browser, &links).await?;
        let paths: BTreeSet<_> =
            submitted.iter().map(|url| url.path().rsplit('/').next().unwrap_or_default()).collect();
        ensure!(paths.contains("undo") && paths.contains("language"), "{who} submitted only {paths:?}");
        ensure_nothing_happened(&owner, (&office, &family), &links[1]).await.context(who)?;
    }
    execute(&stack, &links).await?;
    ensure_nothing_happened(&owner, (&office, &family), &links[1]).await.context("a stranger with scripts")?;

    // What they all had would have been enough for the member, and for the owner of the mailbox.
    owner.changes("confirm", &[("destination", &family), ("code", &code_in(&requested)?)]).await?;
    ensure!(owner.mailbox(&family).await?.0, "the code was used up");
    let change = parameter(&links[1], "change").context("no change")?;
    let fields = [("change", change.as_str()), ("code", &code_in(&confirmed)?)];
    let page = Browser::new()?.post(stack.public_url.join("undo")?, &fields).await?;
    ensure!(page.status == 200 && page.heading() == "The change is reverted", "{}: {}", page.status, page.heading());
    ensure!(!owner.mailbox(&office).await?.0, "the mailbox is still in use");
    Ok(())
}

/// The pending mailbox is not confirmed, the change is not reverted, and no attempt was counted. The session still works.
async fn ensure_nothing_happened(owner: &Visitor, (office, family): (&str, &str), undo: &Url) -> Result<()> {
    ensure!(owner.mailbox(family).await? == (false, 0), "the mailbox was confirmed, or a code was tried");
    ensure!(owner.mailbox(office).await?.0, "the change was reverted");
    ensure!(owner.is_signed_in().await?, "the sessions ended");
    let change = parameter(undo, "change").context("no change")?;
    let change = Ulid::from_string(change.split_once('.').context("no member")?.1)?;
    let view = owner.stack.store().await.undo(owner.member, change, SystemClock.now()).await?;
    ensure!(view.is_some_and(|view| !view.is_reverted), "{view:?}");
    Ok(())
}

/// Opens links and everything on the site that they lead to, and submits each form with all fields as they are, with each of its
/// buttons; returns where forms were submitted to.
async fn scan(stack: &Stack, browser: &Browser, links: &[Url]) -> Result<Vec<Url>> {
    let mut queue: VecDeque<Url> = links.iter().cloned().collect();
    let mut seen = BTreeSet::new();
    let mut submitted = Vec::new();
    while let Some(url) = queue.pop_front() {
        let is_here = url.as_str().starts_with(stack.public_url.as_str());
        if !is_here || seen.len() == PAGES || !seen.insert(url.clone()) {
            continue;
        }
        let page = browser.clone().get(url.clone()).await?;
        queue.extend(page.redirect()?);
        let (links, forms) = contents(&page)?;
        queue.extend(links);
        for (action, fields) in forms {
            // The scanner keeps its own session.
            if action.path().ends_with("/sign-out") || action.path().contains("/sessions/") {
                continue;
            }
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = browser.clone().post(action.clone(), &fields).await?;
            ensure!(!answer.status.is_server_error(), "{action} was answered by {}", answer.status);
            queue.extend(answer.redirect()?);
            submitted.push(action);
        }
        // Some submit the parameters of the link itself, with a token of the page if there is one.
        let token = page.attribute("input[name=csrf]", "value");
        let mut fields: Vec<_> = url.query_pairs().into_owned().collect();
        fields.extend(token.map(|token| ("csrf".to_owned(), token)));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if url.query().is_some() {
            browser.clone().post(url.clone(), &fields).await?;
        }
    }
    Ok(submitted)
}

type Form = (Url, Vec<(String, String)>);

/// The links and forms of a page; a form once for each of its buttons.
fn contents(page: &Page) -> Result<(Vec<Url>, Vec<Form>)> {
    let document = Html::parse_document(&page.text);
    let selector = |text: &str| Selector::parse(text).map_err(|cause| anyhow::anyhow!("{cause}"));
    let (field, button) = (selector("input, button[name]")?, selector("button")?);
    let links = page.attributes("a[href]", "href");
    let links = links.iter().map(|link| page.url.join(link)).collect::<Result<_, _>>()?;
    let mut forms = Vec::new();
    for form in document.select(&selector("form")?) {
        let action = page.url.join(form.value().attr("action").unwrap_or_default())?;
        let fields: Vec<_> = form.select(&field).filter(|field| field.value().name() == "input").map(pair).collect();
        for pressed in form.select(&button) {
            let pressed = pressed.value().attr("name").map(|_| pair(pressed));
            forms.push((action.clone(), fields.iter().cloned().chain(pressed).collect()));
        }
    }
    Ok((links, forms))
}

fn pair(field: ElementRef<'_>) -> (String, String) {
    let [name, value] = ["name", "value"].map(|name| field.value().attr(name).unwrap_or_default().to_owned());
    (name, value)
}

/// Opens the links in Chromium without cookies, and lets scripts submit each form on them, also an incomplete one.
async fn execute(stack: &Stack, links: &[Url]) -> Result<()> {
    let chromium = Chromium::start(stack, Settings { scripts: true }).await?;
    for link in links {
        chromium.open(link).await?;
        let forms = chromium.page.execute("return document.forms.length", vec![]).await?;
        let forms = forms.as_u64().filter(|forms| *forms > 0).context("a page without a form")?;
        for form in 0..forms {
            chromium.open(link).await?;
            let submit = format!("window.isOld = true; HTMLFormElement.prototype.submit.call(document.forms[{form}]);");
            chromium.page.execute(&submit, vec![]).await?;
            until_true("the answer to a form", 20, async || {
                let is_old = chromium.page.execute("return window.isOld === true", vec![]).await;
                Ok(is_old.is_ok_and(|is_old| is_old == false))
            })
            .await?;
        }
    }
    chromium.close().await
}
