//! Signing in as somebody of the stand-ins' community, and the switches that make Launchpad fail for them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::Value;
use url::Url;

use crate::browser::{Browser, Page};
use crate::stack::Stack;
use crate::wait::until;

impl Stack {
    /// Begins a sign-in and chooses this person at the provider: the URL that the browser comes back with.
    pub async fn chosen(&self, browser: &mut Browser, name: &str) -> Result<Url> {
        let away = browser.get(self.public_url.join("sign-in")?).await?;
        let request = away.redirect()?.with_context(|| format!("the sign-in leads nowhere: {}", away.status))?;
        self.choose(&request, name).await
    }

    /// Chooses this person at the provider that a site sent its visitor to: the URL that they come back with.
    pub async fn choose(&self, request: &Url, name: &str) -> Result<Url> {
        let mut choose = self.stand_ins_url.join("+openid/sign-in-as")?;
        choose.query_pairs_mut().append_pair("name", name).extend_pairs(request.query_pairs());
        // The provider keeps no cookies.
        let back = Browser::new()?.get(choose).await?;
        back.redirect()?.with_context(|| format!("the provider answered {}: {}", back.status, back.text))
    }

    /// Signs in and lands on the page of the member.
    pub async fn sign_in(&self, name: &str) -> Result<(Browser, Page)> {
        let mut browser = Browser::new()?;
        let callback = self.chosen(&mut browser, name).await?;
        let page = browser.open(callback).await?;
        ensure!(page.status == 200, "{name} landed on {}: {}", page.status, page.text);
        Ok((browser, page))
    }

    /// Looks at the member's page until it says what is waited for.
    pub async fn page_with(&self, browser: &Browser, what: &str, seconds: u64) -> Result<Page> {
        until(&format!("{what:?} on the page"), Duration::from_secs(seconds), || {
            let mut browser = browser.clone();
            async move {
                let page = browser.get(self.public_url.clone()).await?;
                Ok(page.texts("main").concat().contains(what).then_some(page))
            }
        })
        .await
    }

    /// Makes Launchpad's answers about a person, a team or all (`*`) go wrong.
    pub async fn fault(&self, key: &str, fault: Value) -> Result<()> {
        self.switch(Method::PUT, &format!("faults/{key}"), fault).await
    }

    /// Takes the fault away.
    pub async fn mend(&self, key: &str) -> Result<()> {
        self.switch(Method::DELETE, &format!("faults/{key}"), Value::Null).await
    }

    /// Makes the provider go wrong for a person.
    pub async fn provider_fault(&self, key: &str, fault: Value) -> Result<()> {
        self.switch(Method::PUT, &format!("provider/faults/{key}"), fault).await
    }

    /// Takes the provider's fault away.
    pub async fn mend_provider(&self, key: &str) -> Result<()> {
        self.switch(Method::DELETE, &format!("provider/faults/{key}"), Value::Null).await
    }

    /// Changes what Launchpad or the provider say of a person.
    pub async fn change(&self, key: &str, change: Value) -> Result<()> {
        self.switch(Method::PATCH, &format!("people/{key}"), change).await
    }

    /// Something happens to an account: `"deactivate"`, `{"merge-into": "bob"}`, and the others of the fake.
    pub async fn event(&self, key: &str, event: Value) -> Result<()> {
        self.change(key, serde_json::json!({ "event": event })).await
    }

    /// Adds a team.
    pub async fn add_team(&self, team: Value) -> Result<()> {
        self.switch(Method::POST, "teams", team).await
    }

    /// Changes a team.
    pub async fn change_team(&self, key: &str, change: Value) -> Result<()> {
        self.switch(Method::PATCH, &format!("teams/{key}"), change).await
    }

    /// Deletes a team.
    pub async fn remove_team(&self, key: &str) -> Result<()> {
        self.switch(Method::DELETE, &format!("teams/{key}"), Value::Null).await
    }

    /// Has people change while the pages of a team are read.
    pub async fn shift_pages(&self, shift: Value) -> Result<()> {
        self.switch(Method::POST, "page-shifts", shift).await
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

    /// Adds somebody.
    pub async fn add(&self, person: Value) -> Result<()> {
        self.switch(Method::POST, "people", person).await
    }

    /// Turns a switch of the stand-ins.
    async fn switch(&self, method: Method, path: &str, body: Value) -> Result<()> {
        let url = self.stand_ins_url.join("control/")?.join(path)?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let answer = client.request(method, url).json(&body).send().await?;
        ensure!(answer.status().is_success(), "the switch {path} answered {}", answer.status());
        Ok(())
    }
}
