//! Our relying party against a provider built with python3-openid: the code of the deployed functions with the stack's
//! table, queue and secret, and another provider address.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use membermail_core::eligibility::Outcome;
use membermail_core::member::MemberId;
use membermail_identity::session::SessionId;
use membermail_membership::Source;
use membermail_membership::launchpad::{Client, Settings};
use membermail_tests::browser::{Browser, Page, parameter};
use membermail_tests::gateway::{Gateway, Mapping};
use membermail_tests::stack::Stack;
use membermail_tests::wait::{TIMEOUT, until};
use url::Url;

const SITE: Mapping = Mapping::Domain("");

/// The browser's request after the provider's response: a URL and, for POST, a form.
struct Callback {
    url: Url,
    form: Option<Vec<(String, String)>>,
}

impl Callback {
    async fn open(&self, site: &mut Gateway) -> Result<Page> {
        let Some(form) = &self.form else { return site.get(&self.url).await };
        let form: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        site.post(&self.url, &form).await
    }
}

/// Signs a person in at the provider.
async fn sign_in_at_provider(site: &mut Gateway, identifier: &str, language: &str) -> Result<Callback> {
    let mut request = site.get(&SITE.url("/sign-in")?).await?.location()?;
    let email = format!("{identifier}@mail.example");
    request.query_pairs_mut().extend_pairs([("identifier", identifier), ("email", &email), ("language", language)]);
    let response = Browser::new()?.get(request).await?;
    if let Some(url) = response.redirect()? {
        return Ok(Callback { url, form: None });
    }
    ensure!(response.status == 200, "the provider answered {}", response.status);
    let names = response.attributes("form input[name][value]", "name");
    let form = names.into_iter().zip(response.attributes("form input[name][value]", "value")).collect();
    let url = response.attribute("form", "action").context("the provider's form")?.parse()?;
    Ok(Callback { url, form: Some(form) })
}

/// The member who is signed in.
async fn member(stack: &Stack, site: &Gateway) -> Result<MemberId> {
    let cookie = site.cookies.get("__Host-session").context("no session")?;
    stack.member_of_session(&SessionId::parse(cookie).context("no id of a session")?).await
}

async fn identifier_of(stack: &Stack, name: &str) -> Result<String> {
    let person = stack.control(&format!("people/{name}")).await?;
    Ok(person["openid_identifier"].as_str().context("no identifier")?.to_owned())
}

/// Expects a refusal with this heading and no session.
async fn refused(site: &mut Gateway, callback: &Callback, heading: &str) -> Result<()> {
    let page = callback.open(site).await?;
    ensure!(page.status == 400 && page.heading() == heading, "{}: {}", page.status, page.text);
    ensure!(!page.headers.contains_key("set-cookie"), "a session was opened");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn python_openid_identity_finds_its_person() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let provider = stack.python_openid().await?;
    let mut site = Gateway::with_provider(&stack, SITE, &provider.root).await?;
    let identifier = identifier_of(&stack, "pat98").await?;

    let callback = sign_in_at_provider(&mut site, &identifier, "ar").await?;
    ensure!(callback.form.is_none(), "a short answer comes by GET");
    ensure!(callback.open(&mut site).await?.location()? == SITE.url("/")?);
    let id = member(&stack, &site).await?;
    let member = stack.store().await.member(id).await?.context("no member")?;
    let address = member.sign_in_address(&stack.sealer().await?)?;
    ensure!(address.is_some_and(|address| address.expose() == format!("{identifier}@mail.example")));
    let language = member.language.as_ref().map(ToString::to_string);
    ensure!(language.as_deref() == Some("ar"), "{language:?}");

    // The assertion is valid once; a replay does not reach python3-openid.
    refused(&mut site, &callback, "This sign-in was already used").await?;

    // The fake of Launchpad knows the identifier's last segment, and is an authority on identities of this provider …
    let store = stack.store().await;
    let [own] = &store.identities_of(&member).await?[..] else { bail!("one identity was expected") };
    let mut community = membermail_communities::community("ubuntu")?;
    community.relocate(Some(&provider.root), None, Some(&stack.fakes_url))?;
    let settings = Settings::for_community(&community, Duration::from_secs(TIMEOUT)).context("another source")?;
    let person = Client::new(settings)?.person(&own.identity).await?;
    ensure!(person.is_some_and(|person| person.name.as_str() == "pat98"));
    // … which the community of the deployed functions does not have: they grant nothing for a foreign identity.
    until("the outcome", TIMEOUT, async || {
        let member = store.member(id).await?.context("no member")?;
        Ok(member.check.outcome.filter(|outcome| *outcome == Outcome::Unknown))
    })
    .await?;
    ensure!(stack.alias("pat98@ubuntu.com").await?.is_none());
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn python_openid_rejects_tampered_assertions() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let provider = stack.python_openid().await?;
    let mut site = Gateway::with_provider(&stack, SITE, &provider.root).await?;
    let identifier = identifier_of(&stack, "pat99").await?;
    let identity = format!("{}+id/mallory", provider.root);
    for (fields, value) in [
        (&["openid.sreg.email"][..], "mallory@mail.example"),
        (&["openid.claimed_id", "openid.identity"], &identity),
        (&["openid.sig"], "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ] {
        let mut callback = sign_in_at_provider(&mut site, &identifier, "ar").await?;
        ensure!(parameter(&callback.url, fields[0]).is_some(), "no {} in the answer", fields[0]);
        let mut pairs: Vec<(String, String)> = callback.url.query_pairs().into_owned().collect();
        for (_, changed) in pairs.iter_mut().filter(|(name, _)| fields.contains(&name.as_str())) {
            value.clone_into(changed);
        }
        callback.url.query_pairs_mut().clear().extend_pairs(pairs);
        let heading = "Ubuntu One did not confirm the sign-in";
        refused(&mut site, &callback, heading).await.with_context(|| fields[0].to_owned())?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn long_python_openid_assertion_uses_form() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let provider = stack.python_openid().await?;
    let mut site = Gateway::with_provider(&stack, SITE, &provider.root).await?;
    let callback = sign_in_at_provider(&mut site, &identifier_of(&stack, "pat97").await?, &"ar ".repeat(700)).await?;
    ensure!(callback.form.is_some(), "the answer came by GET: {}", callback.url.as_str().len());
    let page = callback.open(&mut site).await?;
    member(&stack, &site).await.with_context(|| format!("{}: {}", page.status, page.text))?;
    Ok(())
}
