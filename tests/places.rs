//! The site under the stage of its API, under a custom domain, and under a base path; and its responses to unknown paths
//! and methods.

use anyhow::{Context, Result, ensure};
use membermail_tests::browser::{Browser, Page, parameter};
use membermail_tests::gateway::{Gateway, Mapping};
use membermail_tests::stack::Stack;
use serde_json::json;
use url::Url;

/// All links, forms and files of a page that belong to the site.
fn own_links(page: &Page) -> Vec<String> {
    let parts = [("a", "href"), ("link", "href"), ("script", "src"), ("img", "src"), ("form", "action")];
    let all = parts.iter().flat_map(|(element, name)| page.attributes(&format!("{element}[{name}]"), name));
    all.filter(|link| link.starts_with('/')).collect()
}

async fn links_hold(gateway: &mut Gateway, mapping: Mapping, page: &Page) -> Result<()> {
    let links = own_links(page);
    ensure!(links.iter().any(|link| link.ends_with(".css")), "no style on {}: {}", page.url, page.text);
    for link in links {
        ensure!(link.starts_with(&format!("{}/", mapping.base())), "{link} leads out of {}", mapping.base());
        if link.contains("/assets/") {
            let asset = gateway.get(&page.url.join(&link)?).await?;
            ensure!(asset.status == 200, "{link}: {}", asset.status);
        }
    }
    Ok(())
}

#[rstest::rstest]
#[case::stage(Mapping::Stage, "member0003")]
#[case::domain(Mapping::Domain(""), "member0006")]
#[case::base_path(Mapping::Domain("/mail"), "member0009")]
#[case::base_paths(Mapping::Domain("/a/mail"), "member0012")]
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn sign_in_keeps_the_base_path(#[case] mapping: Mapping, #[case] name: &str) -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut gateway = Gateway::new(&stack, mapping).await?;
    let home = mapping.url("/")?;
    let welcome = gateway.get(&home).await?;
    links_hold(&mut gateway, mapping, &welcome).await?;

    let button = welcome.attribute("a.button", "href").context("no button")?;
    let request = gateway.get(&home.join(&button)?).await?.location()?;
    ensure!(parameter(&request, "openid.realm").as_deref() == Some(home.as_str()), "{request}");
    let return_to = parameter(&request, "openid.return_to").context("no return_to")?;
    ensure!(return_to.starts_with(mapping.url("/callback?state=")?.as_str()), "{return_to}");

    let callback = stack.choose(&request, name).await?;
    let landed = gateway.get(&callback).await?;
    ensure!(landed.status == 303 && landed.location()? == home, "{}: {}", landed.status, landed.text);
    ensure!(gateway.cookies.keys().eq(["__Host-session", "__Host-sign-in"]), "{:?}", gateway.cookies.keys());
    let page = gateway.get(&home).await?;
    ensure!(!page.texts("header button").is_empty(), "not signed in: {}", page.text);
    links_hold(&mut gateway, mapping, &page).await?;

    let lost = gateway.get(&mapping.url("/no/such/page")?).await?;
    ensure!(lost.status == 404 && lost.heading() == "This page does not exist", "{}", lost.status);
    links_hold(&mut gateway, mapping, &lost).await?;

    let token = page.attribute("input[name=csrf]", "value").context("no token")?;
    let action = page.attribute("header form", "action").context("no form")?;
    let out = gateway.post(&home.join(&action)?, &[("csrf", &token)]).await?;
    ensure!(out.location()? == home && gateway.cookies.is_empty(), "{:?}", gateway.cookies);
    Ok(())
}

/// The callback URL, split as a provider sends a long assertion: the protocol's fields in a form, ours in the URL.
fn as_form(callback: &Url) -> (Url, Vec<(String, String)>) {
    let (fields, ours): (Vec<_>, Vec<_>) =
        callback.query_pairs().into_owned().partition(|(name, _)| name.starts_with("openid."));
    let mut url = callback.clone();
    url.query_pairs_mut().clear().extend_pairs(ours);
    (url, fields)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn long_assertion_arrives_by_form() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // The provider would confirm it again, so only our table can refuse it.
    stack.set_provider_fault("member0015", json!({ "kind": "confirms-again" })).await?;
    let mut browser = Browser::new()?;
    let mut callback = stack.start_sign_in(&mut browser, "member0015").await?;
    // An unsigned extension that was not requested.
    callback
        .query_pairs_mut()
        .append_pair("openid.ns.x", "http://example.org/x")
        .append_pair("openid.x.long", &"long ".repeat(2000));
    let refused = browser.get(callback.clone()).await?;
    ensure!(refused.status == 400, "{} for {} bytes", refused.status, callback.as_str().len());

    let (url, fields) = as_form(&callback);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let landed = browser.post(url.clone(), &fields).await?;
    ensure!(landed.status == 303, "{}: {}", landed.status, landed.text);
    ensure!(!browser.open(landed.location()?).await?.texts("header button").is_empty());
    stack.confirm_destination(&browser).await?;
    stack.page_with(&browser, "member0015@ubuntu.com now forwards to").await?;

    let again = browser.post(url, &fields).await?;
    ensure!(
        again.status == 400 && again.heading() == "This sign-in was already used",
        "{}: {}",
        again.status,
        again.text
    );
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn malformed_form_is_refused() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let mut browser = Browser::new()?;
    let callback = stack.start_sign_in(&mut browser, "member0018").await?;
    let (url, fields) = as_form(&callback);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let split = browser.post(callback.clone(), &fields[..3]).await?;
    ensure!(split.status == 400, "some fields in the URL and some in the form came to {}", split.status);
    let other = browser.request("POST", url).await?;
    ensure!(other.status == 400, "no form at all came to {}", other.status);
    ensure!(browser.cookie(&stack.public_url, "session").is_none());
    // None of these consumed the assertion.
    ensure!(browser.get(callback).await?.status == 303);
    Ok(())
}

#[rstest::rstest]
#[case("GET", "", 200, "Your Ubuntu e-mail address", None)]
#[case("HEAD", "", 200, "", None)]
#[case("POST", "", 405, "This page is read-only", Some("GET, HEAD"))]
#[case("DELETE", "", 405, "This page is read-only", Some("GET, HEAD"))]
#[case("GET", "nothing", 404, "This page does not exist", None)]
#[case("HEAD", "nothing", 404, "", None)]
#[case("POST", "nothing", 404, "This page does not exist", None)]
#[case("GET", "a/b%20c/%C3%A4", 404, "This page does not exist", None)]
#[case("GET", "assets/style-0.css", 404, "This page does not exist", None)]
#[case("GET", "sign-in/x", 404, "This page does not exist", None)]
#[case("HEAD", "sign-in", 303, "", None)]
#[case("POST", "sign-in", 405, "Please use the button", Some("GET, HEAD"))]
#[case("HEAD", "callback", 405, "", Some("GET, POST"))]
#[case("PUT", "callback", 405, "Please use the button", Some("GET, POST"))]
#[case("GET", "callback", 400, "This sign-in did not start in this browser", None)]
#[case("GET", "sign-out", 405, "Please use the button", Some("POST"))]
#[case("GET", "check", 405, "Please use the button", Some("POST"))]
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn every_path_and_method_is_answered(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
    #[case] heading: &str,
    #[case] allow: Option<&str>,
) -> Result<()> {
    let stack = Stack::of_this_run()?;
    // Through the front, and at the API under its stage.
    for base in [&stack.public_url, &stack.api_url] {
        let page = Browser::new()?.request(method, base.join(path)?).await?;
        ensure!(page.status == status, "{method} {} came to {}: {}", page.url, page.status, page.text);
        ensure!(page.heading() == heading, "{method} {}: {}", page.url, page.text);
        ensure!(page.header("allow") == allow, "{method} {} allows {:?}", page.url, page.header("allow"));
        ensure!(page.header("content-security-policy").is_some(), "{method} {} is not from us", page.url);
    }
    Ok(())
}
