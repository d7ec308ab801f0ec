//! Sign-ins as people of the fake community, and the controls that make Launchpad fail for them.

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::random::OsRandom;
use reqwest::Method;
use serde_json::Value;
use url::Url;

use crate::browser::{Browser, Page};
use crate::stack::Stack;
use crate::table::operator;
use crate::wait::{TIMEOUT, until};

impl Stack {
    /// Starts a sign-in and chooses this person at the provider; returns the callback URL.
    pub async fn start_sign_in(&self, browser: &mut Browser, name: &str) -> Result<Url> {
        let away = browser.get(self.public_url.join("sign-in")?).await?;
        self.choose(&away.location()?, name).await
    }

    /// Chooses this person at the provider that a site redirected to; returns the callback URL.
    pub async fn choose(&self, request: &Url, name: &str) -> Result<Url> {
        let mut choose = self.fakes_url.join("+openid/sign-in-as")?;
        choose.query_pairs_mut().append_pair("name", name).extend_pairs(request.query_pairs());
        // The provider keeps no cookies.
        Browser::new()?.get(choose).await?.location()
    }

    /// Signs in, lands on the page of the member, and confirms their destination.
    pub async fn sign_in(&self, name: &str) -> Result<Browser> {
        let mut browser = Browser::new()?;
        let callback = self.start_sign_in(&mut browser, name).await?;
        let page = browser.open(callback).await?;
        ensure!(page.status == 200, "{name} landed on {}: {}", page.status, page.text);
        self.confirm_destination(&browser).await?;
        Ok(browser)
    }

    /// Signs in and waits until the member's page contains the text.
    pub async fn sign_in_until(&self, name: &str, what: &str) -> Result<Browser> {
        let browser = self.sign_in(name).await?;
        self.page_with(&browser, what).await.with_context(|| name.to_owned())?;
        Ok(browser)
    }

    /// Signs in and waits for the member's address at this domain.
    pub async fn sign_in_at(&self, domain: &str, name: &str) -> Result<Browser> {
        self.sign_in_until(name, &format!("{name}@{domain} now forwards to")).await
    }

    /// Adds a person to the team, signs them in, and waits for their address at its domain.
    pub async fn resident(&self, domain: &str, team: &str, name: &str) -> Result<Browser> {
        self.add_person(serde_json::json!({ "name": name, "teams": [team] })).await?;
        self.sign_in_at(domain, name).await
    }

    /// Reloads the member's page until it contains the text.
    pub async fn page_with(&self, browser: &Browser, what: &str) -> Result<Page> {
        self.page_within(browser, what, TIMEOUT).await
    }

    /// Like [`Self::page_with`], with another timeout.
    pub async fn page_within(&self, browser: &Browser, what: &str, seconds: u64) -> Result<Page> {
        until(&format!("{what:?} on the page"), seconds, || {
            let mut browser = browser.clone();
            async move {
                let page = browser.get(self.public_url.clone()).await?;
                Ok(page.texts("main").concat().contains(what).then_some(page))
            }
        })
        .await
    }

    /// Injects a fault into Launchpad's responses about a person, a team or all (`*`).
    pub async fn set_fault(&self, key: &str, fault: Value) -> Result<()> {
        self.send_control(Method::PUT, &format!("faults/{key}"), fault).await
    }

    /// Removes the fault.
    pub async fn clear_fault(&self, key: &str) -> Result<()> {
        self.send_control(Method::DELETE, &format!("faults/{key}"), Value::Null).await
    }

    /// Injects a fault into the provider for a person.
    pub async fn set_provider_fault(&self, key: &str, fault: Value) -> Result<()> {
        self.send_control(Method::PUT, &format!("provider/faults/{key}"), fault).await
    }

    /// Removes the provider's fault.
    pub async fn clear_provider_fault(&self, key: &str) -> Result<()> {
        self.send_control(Method::DELETE, &format!("provider/faults/{key}"), Value::Null).await
    }

    /// Changes a person at Launchpad or the provider.
    pub async fn change_person(&self, key: &str, change: Value) -> Result<()> {
        self.send_control(Method::PATCH, &format!("people/{key}"), change).await
    }

    /// Applies an event to an account: `"deactivate"`, `{"merge-into": "bob"}`, and the others of the fake.
    pub async fn apply_event(&self, key: &str, event: Value) -> Result<()> {
        self.change_person(key, serde_json::json!({ "event": event })).await
    }

    /// Adds a team.
    pub async fn add_team(&self, team: Value) -> Result<()> {
        self.send_control(Method::POST, "teams", team).await
    }

    /// Changes a team.
    pub async fn change_team(&self, key: &str, change: Value) -> Result<()> {
        self.send_control(Method::PATCH, &format!("teams/{key}"), change).await
    }

    /// Deletes a team.
    pub async fn remove_team(&self, key: &str) -> Result<()> {
        self.send_control(Method::DELETE, &format!("teams/{key}"), Value::Null).await
    }

    /// Changes people while the pages of a team are read.
    pub async fn shift_pages(&self, shift: Value) -> Result<()> {
        self.send_control(Method::POST, "page-shifts", shift).await
    }

    /// Presses "Check again" on the member's page.
    pub async fn check_again(&self, browser: &Browser) -> Result<()> {
        let mut browser = browser.clone();
        let page = browser.get(self.public_url.clone()).await?;
        let token = page.attribute("form[action$='/check'] input[name=csrf]", "value").context("no such button")?;
        let home = browser.post(self.public_url.join("check")?, &[("csrf", &token)]).await?;
        ensure!(home.status == 303, "the check was answered by {}", home.status);
        Ok(())
    }

    /// Adds a person. A test that is repeated finds the person of its first attempt, and lifts the ban that it can have left.
    pub async fn add_person(&self, person: Value) -> Result<()> {
        let added = self.send_control(Method::POST, "people", person.clone()).await;
        match person["name"].as_str() {
            Some(name) if added.is_err() && is_repeated() => {
                self.control(&format!("people/{name}")).await?;
                self.lift_ban(name).await
            }
            _ => added,
        }
    }

    async fn lift_ban(&self, name: &str) -> Result<()> {
        let store = self.store().await;
        if let Some(member) = store.member_by_name(&name.parse()?).await? {
            store.unban_and_lift(&member, operator(SystemClock.now()), &OsRandom).await?;
        }
        Ok(())
    }

    /// The state of the fakes below this path of their controls.
    pub async fn control(&self, path: &str) -> Result<Value> {
        control(&self.fakes_url, path).await
    }

    /// Sends a request to the controls of the fakes.
    pub(crate) async fn send_control(&self, method: Method, path: &str, body: Value) -> Result<()> {
        let url = self.fakes_url.join("control/")?.join(path)?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let answer = client.request(method, url).json(&body).send().await?;
        ensure!(answer.status().is_success(), "control/{path} answered {}", answer.status());
        Ok(())
    }
}

/// Whether the first attempt of this test failed, which leaves people and addresses behind.
pub fn is_repeated() -> bool {
    std::env::var("NEXTEST_ATTEMPT").is_ok_and(|attempt| attempt != "1")
}

/// The state of the fakes at this address, below this path of their controls.
pub async fn control(fakes: &Url, path: &str) -> Result<Value> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    Ok(client.get(fakes.join("control/")?.join(path)?).send().await?.error_for_status()?.json().await?)
}
