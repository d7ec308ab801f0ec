//! Self-service: members manage their mailboxes, addresses, sessions and data on the deployed stack, and others try to.
//! Mailboxes are confirmed as a member confirms them: with the code, or by the link, from the mail that really arrived.

mod arabic;
mod english;
mod guesses;
mod hostile;
mod scanner;
pub(crate) mod screen;

use anyhow::{Context, Result, ensure};
use membermail_core::code::Code;
use membermail_core::destination::DestinationId;
use membermail_core::member::MemberId;
use membermail_test_mail_host::mailbox::ReceivedMail;
use membermail_tests::browser::{Browser, Page, parameter};
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until};
use serde_json::json;
use url::Url;

/// The team of ubuntu.com.
const TEAM: &str = "ubuntumembers";

/// A member in an HTTP client, with the token of the session.
#[derive(Clone)]
struct Visitor {
    stack: Stack,
    browser: Browser,
    csrf: String,
    member: MemberId,
}

impl Visitor {
    /// A new session of a person, whose destinations stay as they are.
    async fn sign_in(stack: &Stack, name: &str) -> Result<Self> {
        let mut browser = Browser::new()?;
        let callback = stack.start_sign_in(&mut browser, name).await?;
        let page = browser.open(callback).await?;
        let csrf = page.attribute("input[name=csrf]", "value").with_context(|| format!("{name} has no page"))?;
        let member = stack.member_of(&browser).await?;
        Ok(Self { stack: stack.clone(), browser, csrf, member })
    }

    /// A new person of the team, whose address forwards to the mailbox that they signed in with.
    async fn resident(stack: &Stack, name: &str) -> Result<Self> {
        stack.add_person(json!({ "name": name, "teams": [TEAM] })).await?;
        let visitor = Self::sign_in(stack, name).await?;
        stack.page_with(&visitor.browser, "waits until you confirm a mailbox").await?;
        let page = visitor.get("").await?;
        let id = page.attribute("form[action$='/destinations/resend'] input[name=id]", "value");
        let id = id.with_context(|| format!("{name} cannot request a code"))?;
        visitor.changes("destinations/resend", &[("id", &id)]).await?;
        let mail = letter(stack, &format!("{name}@mail.example"), "/confirm?").await?;
        let code = code_in(&mail)?;
        visitor.changes("confirm", &[("destination", &id), ("code", &code)]).await?;
        stack.page_with(&visitor.browser, &format!("{name}@ubuntu.com now forwards to")).await?;
        Ok(visitor)
    }

    async fn get(&self, path: &str) -> Result<Page> {
        self.browser.clone().get(self.stack.public_url.join(path)?).await
    }

    /// Submits a form of the member's page.
    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Result<Page> {
        let fields = [&[("csrf", self.csrf.as_str())], fields].concat();
        self.browser.clone().post(self.stack.public_url.join(path)?, &fields).await
    }

    /// Submits a form that has to be accepted.
    async fn changes(&self, path: &str, fields: &[(&str, &str)]) -> Result<()> {
        let page = self.submit(path, fields).await?;
        ensure!(page.status == 303, "{path} was answered by {}: {}", page.status, page.heading());
        Ok(())
    }

    /// Submits a form that has to be refused by a page with this status, which contains these words.
    async fn is_refused(&self, path: &str, fields: &[(&str, &str)], status: u16, words: &str) -> Result<()> {
        let page = self.submit(path, fields).await?;
        let text = page.texts("main").concat();
        ensure!(page.status == status && text.contains(words), "{path} {fields:?}: {} {text}", page.status);
        ensure!(page.header("cache-control") == Some("no-store"), "{path}: the answer can be stored");
        Ok(())
    }

    /// Requests a code for a new mailbox; returns its id and the mail with the code.
    async fn request_code(&self, address: &str, replaces: &str) -> Result<(String, ReceivedMail)> {
        self.changes("destinations", &[("address", address), ("replaces", replaces)]).await?;
        let mail = letter(&self.stack, address, "/confirm?").await?;
        let link = link_in(&self.stack, &mail, "confirm")?;
        Ok((parameter(&link, "destination").context("a link without a destination")?, mail))
    }

    /// Whether the session still shows a page of the member.
    async fn is_signed_in(&self) -> Result<bool> {
        let page = self.get("").await?;
        ensure!(page.status == 200, "{}: {}", page.status, page.heading());
        Ok(!page.texts("header button").is_empty())
    }

    /// Whether a mailbox of the member is confirmed, and how many codes were tried since the last request.
    async fn mailbox(&self, id: &str) -> Result<(bool, u32)> {
        let id = DestinationId::parse(id).context("no id of a mailbox")?;
        let stored = self.stack.store().await.destination(self.member, id).await?.context("no such mailbox")?;
        let destination = stored.destination;
        Ok((destination.is_usable(), destination.pending.map_or(0, |pending| pending.attempts)))
    }
}

/// Waits for a mail to this mailbox that contains a text, such as the path of a link.
async fn letter(stack: &Stack, to: &str, text: &str) -> Result<ReceivedMail> {
    until(&format!("a mail to {to} with {text}"), TIMEOUT, async || {
        let has_text =
            |mail: &ReceivedMail| mail.text().split_whitespace().collect::<Vec<_>>().join(" ").contains(text);
        Ok(stack.mailbox().to(to)?.into_iter().rev().find(has_text))
    })
    .await
}

/// The code in a mail.
fn code_in(mail: &ReceivedMail) -> Result<String> {
    let text = mail.text();
    let mut words = text.split(|letter: char| letter.is_whitespace() || matches!(letter, '\u{2068}' | '\u{2069}'));
    let code = words.find(|word| word.len() == 9 && word.contains('-') && Code::parse(word).is_some());
    code.map(str::to_owned).with_context(|| format!("no code in {}", mail.subject()))
}

/// Another code of the same form.
fn wrong(code: &str) -> &'static str {
    if code == "BCDF-2345" { "BCDF-2346" } else { "BCDF-2345" }
}

/// The link to this page of the site in a mail.
fn link_in(stack: &Stack, mail: &ReceivedMail, path: &str) -> Result<Url> {
    let text = mail.text();
    let link = text.split_whitespace().find(|word| word.contains(&format!("/{path}?")));
    let link = Url::parse(link.with_context(|| format!("no link to {path} in {}", mail.subject()))?)?;
    let mut page = stack.public_url.join(path)?;
    page.set_query(link.query());
    Ok(page)
}
