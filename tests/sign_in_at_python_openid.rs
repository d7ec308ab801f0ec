//! Our relying party at a provider that nobody here wrote, made of python3-openid: the same code as the deployed
//! function's, with the stack's own table, queue and secret, but for the address of the provider.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lambda_http::http::{HeaderMap, Method, Response, header};
use lambda_http::{Body, Request, RequestExt};
use membermail_core::address::Address;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use membermail_identity::openid2::{Provider, RelyingParty};
use membermail_identity::session;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::{Member, Sealer};
use membermail_tests::peers::PythonProvider;
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use reqwest::redirect::Policy;
use sso::build::Build;
use sso::health::Health;
use sso::{Context, handle};
use url::Url;

/// Nothing listens there: what the browser would bring to it is handed to the function.
const SITE: &str = "http://localhost:1/";

async fn context(stack: &Stack, provider: &PythonProvider) -> Result<Context> {
    let community = membermail_communities::community("ubuntu")?;
    let endpoint = provider.root.join("+openid")?;
    let provider = Provider { endpoint, identifier_root: provider.root.join("+id/")? };
    let http =
        reqwest::Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(5)).no_proxy().build()?;
    Ok(Context {
        community,
        public_url: Some(SITE.parse()?),
        relying_party: RelyingParty::new(provider, http),
        secret: MasterSecret::new(stack.secrets().await, &stack.master_secret_arn),
        store: stack.store().await,
        outbox: Queue::new(stack.sqs().await, &stack.verify_queue_url),
        health: Health::new(Build::of_process(), Vec::new()),
        metrics: Metrics::to(SystemClock, |_| {}),
        clock: Box::new(SystemClock),
        random: Box::new(OsRandom),
    })
}

/// Asks the function as API Gateway does.
async fn ask(
    context: &Context,
    method: Method,
    url: &Url,
    cookies: &str,
    form: Option<&str>,
) -> Result<Response<Body>> {
    let request =
        lambda_http::http::Request::builder().method(method).uri(url.as_str()).header(header::COOKIE, cookies);
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request: Request = request.body(form.map_or(Body::Empty, |form| Body::Text(form.to_owned())))?;
    Ok(handle(context, &request.with_raw_http_path(url.path())).await)
}

fn location(response: &Response<Body>) -> Result<Url> {
    ensure!(response.status().is_redirection(), "{}: {:?}", response.status(), response.body());
    Ok(response.headers().get(header::LOCATION).context("no location")?.to_str()?.parse()?)
}

/// The names and values of the cookies that an answer sets.
fn cookies(response: &Response<Body>) -> Vec<String> {
    let all = response.headers().get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.map(|cookie| cookie.split(';').next().unwrap_or_default().to_owned()).collect()
}

/// What the browser brings back from the provider, and by which method: its cookie, the URL and perhaps a form.
struct Returned {
    cookie: String,
    url: Url,
    form: Option<String>,
}

impl Returned {
    async fn to(&self, context: &Context) -> Result<Response<Body>> {
        let method = if self.form.is_some() { Method::POST } else { Method::GET };
        ask(context, method, &self.url, &self.cookie, self.form.as_deref()).await
    }
}

/// Goes to the provider and signs in there as somebody.
async fn sign_in_at_provider(context: &Context, word: &str, language: &str) -> Result<Returned> {
    let away = ask(context, Method::GET, &Url::parse(SITE)?.join("sign-in")?, "", None).await?;
    let cookie = cookies(&away).join("; ");
    let mut request = location(&away)?;
    let email = format!("{word}@mail.example");
    let person = [("word", word), ("email", &email), ("language", language)];
    request.query_pairs_mut().extend_pairs(person);
    let browser = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let answer = browser.get(request.clone()).send().await?;
    if let Some(back) = answer.headers().get(header::LOCATION) {
        return Ok(Returned { cookie, url: back.to_str()?.parse()?, form: None });
    }
    ensure!(answer.status() == 200, "the provider answered {}", answer.status());
    let (url, form) = form(&answer.text().await?).context("the provider's form")?;
    Ok(Returned { cookie, url, form: Some(form) })
}

/// The form of a page, as a browser would send it.
fn form(page: &str) -> Option<(Url, String)> {
    let selector = |text| scraper::Selector::parse(text).ok();
    let page = scraper::Html::parse_document(page);
    let form = page.select(&selector("form")?).next()?;
    let inputs = selector("input[name]")?;
    let pairs = form.select(&inputs).filter_map(|input| Some((input.attr("name")?, input.attr("value")?)));
    let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    Some((form.attr("action")?.parse().ok()?, text))
}

/// The member whose session the answer opened.
async fn member(context: &Context, response: &Response<Body>) -> Result<Option<Member>> {
    let cookies = cookies(response);
    let sent = HeaderMap::from_iter([(header::COOKIE, cookies.join("; ").parse()?)]);
    let Some(id) = session::read_cookie(&sent, false) else { return Ok(None) };
    let session = context.store.session(id.hash().as_str(), SystemClock.now()).await?.context("no session")?;
    Ok(context.store.member(session.member).await?)
}

async fn word_of(stack: &Stack, key: &str) -> Result<String> {
    let url = stack.stand_ins_url.join(&format!("control/people/{key}"))?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let person: serde_json::Value = client.get(url).send().await?.error_for_status()?.json().await?;
    Ok(person["word"].as_str().context("no word")?.to_owned())
}

/// It came to nothing: refused with this heading, and no session.
async fn refused(context: &Context, returned: &Returned, heading: &str) -> Result<()> {
    let answer = returned.to(context).await?;
    let Body::Text(page) = answer.body() else { anyhow::bail!("no page") };
    ensure!(answer.status() == 400 && page.contains(heading), "{}: {page}", answer.status());
    ensure!(member(context, &answer).await?.is_none(), "a session was opened");
    Ok(())
}

#[tokio::test]
async fn a_sign_in_at_python_openid_opens_a_session_and_gives_an_address() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let provider = stack.python_openid().await?;
    let context = context(&stack, &provider).await?;
    let word = word_of(&stack, "pat98").await?;

    let returned = sign_in_at_provider(&context, &word, "ar").await?;
    ensure!(returned.form.is_none(), "a short answer comes by GET");
    let answer = returned.to(&context).await?;
    ensure!(location(&answer)?.as_str() == SITE);
    let member = member(&context, &answer).await?.context("no member")?;
    let sealer = Sealer::of(&context.secret.keys().await?);
    let address = member.sign_in_address(&sealer)?;
    ensure!(address.is_some_and(|address| address.expose() == format!("{word}@mail.example")));

    let language = member.language.as_ref().map(ToString::to_string);
    ensure!(language.as_deref() == Some("ar"), "{language:?}");

    // The answer is good once, and python3-openid is not even asked again.
    refused(&context, &returned, "This sign-in was used already").await?;

    // The deployed functions go on from the queue: Launchpad knows the word, whichever provider stands before it.
    let address = Address::try_from("pat98@ubuntu.com".to_owned())?;
    let store = stack.store().await;
    let alias = until("the alias", Duration::from_secs(120), || async { Ok(store.alias(&address).await?) }).await?;
    ensure!(alias.alias.member == member.id);
    Ok(())
}

#[tokio::test]
async fn what_was_tampered_with_is_denied_by_python_openid() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let provider = stack.python_openid().await?;
    let context = context(&stack, &provider).await?;
    let word = word_of(&stack, "pat99").await?;
    for (field, value) in [
        ("openid.sreg.email", "mallory@mail.example".to_owned()),
        ("openid.claimed_id", format!("{}+id/mallory", provider.root)),
        ("openid.sig", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned()),
    ] {
        let mut returned = sign_in_at_provider(&context, &word, "ar").await?;
        let pairs: Vec<(String, String)> = returned.url.query_pairs().into_owned().collect();
        ensure!(pairs.iter().any(|(name, _)| name == field), "no {field} in the answer");
        let is_identity = |name: &str| field == "openid.claimed_id" && name == "openid.identity";
        let changed = pairs.into_iter().map(|(name, old)| {
            let new = if name == field || is_identity(&name) { value.clone() } else { old };
            (name, new)
        });
        let changed: Vec<_> = changed.collect();
        returned.url.query_pairs_mut().clear().extend_pairs(changed);
        refused(&context, &returned, "Ubuntu One did not confirm the sign-in")
            .await
            .with_context(|| field.to_owned())?;
    }
    Ok(())
}

#[tokio::test]
async fn a_long_answer_of_python_openid_comes_by_a_form() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let provider = stack.python_openid().await?;
    let context = context(&stack, &provider).await?;
    let returned = sign_in_at_provider(&context, &word_of(&stack, "pat97").await?, &"ar ".repeat(700)).await?;
    ensure!(returned.form.is_some(), "the answer came by GET: {}", returned.url.as_str().len());
    let answer = returned.to(&context).await?;
    ensure!(member(&context, &answer).await?.is_some(), "{}: {:?}", answer.status(), answer.body());
    Ok(())
}
