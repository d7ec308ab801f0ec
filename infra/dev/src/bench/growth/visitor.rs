//! A browser as far as a sign-in goes, by the events that API Gateway hands to functions.

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use serde_json::{Value, json};

use super::usage::Usage;
use super::world::World;
use crate::bench::start;

/// What one sign-in takes.
pub(crate) struct SignedIn {
    /// From `/sign-in` to the last notice.
    pub(crate) usage: Usage,
    /// The page of the member, once.
    pub(crate) page: Usage,
}

/// Signs somebody in, delivers all messages, and looks at the page.
pub(crate) async fn sign_in(world: &World, name: &str) -> Result<SignedIn> {
    let (away, mut usage, _) = world.invoke("sso", &request("/sign-in", &[], None)?).await?;
    let cookie = cookies(&away).into_iter().next().context("no cookie of the sign-in")?;
    let mut choose: Url = format!("{}/+openid/sign-in-as", world.launchpad.url).parse()?;
    let location: Url = header(&away, "location")?.parse()?;
    choose.query_pairs_mut().append_pair("name", name).extend_pairs(location.query_pairs());
    let back = world.client.get(choose).send().await?;
    let back = back.headers().get("location").with_context(|| format!("no redirect but {}", back.status()))?;
    let back: Url = back.to_str()?.parse()?;
    let query: Vec<_> = back.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let (home, spent, sent) = world.invoke("sso", &request("/callback", &query, Some(&cookie))?).await?;
    usage += &spent;
    let session = cookies(&home).into_iter().find(|cookie| cookie.contains("session="));
    ensure!(home["statusCode"] == 303, "{name} is not signed in: {home}");
    let session = session.with_context(|| format!("no session in {home}"))?;
    usage += &world.deliver(sent).await?;
    let (shown, page, _) = world.invoke("account", &request("/", &[], Some(&session))?).await?;
    ensure!(shown["statusCode"] == 200, "{name} sees no page: {shown}");
    let body = shown["body"].as_str().unwrap_or_default();
    ensure!(body.contains(&format!("{name}@")), "{name} has no address: {body}");
    Ok(SignedIn { usage, page })
}

fn request(path: &str, query: &[(String, String)], cookie: Option<&str>) -> Result<Value> {
    let mut event: Value = serde_json::from_str(&start::event("sso")?)?;
    for place in ["/resource", "/path", "/requestContext/path", "/requestContext/resourcePath"] {
        *event.pointer_mut(place).with_context(|| format!("the event has no {place}"))? = json!(path);
    }
    let one: serde_json::Map<_, _> = query.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let many: serde_json::Map<_, _> = query.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    event["queryStringParameters"] = one.into();
    event["multiValueQueryStringParameters"] = many.into();
    if let Some(cookie) = cookie {
        event["headers"]["Cookie"] = json!(cookie);
        event["multiValueHeaders"]["Cookie"] = json!([cookie]);
    }
    Ok(event)
}

fn header(answer: &Value, name: &str) -> Result<String> {
    let value = answer["multiValueHeaders"][name][0].as_str();
    Ok(value.with_context(|| format!("no {name} in {answer}"))?.to_owned())
}

fn cookies(answer: &Value) -> Vec<String> {
    let all = answer["multiValueHeaders"]["set-cookie"].as_array().into_iter().flatten().filter_map(Value::as_str);
    all.filter_map(|cookie| cookie.split(';').next()).map(str::to_owned).collect()
}
