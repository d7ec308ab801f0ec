//! Chromium on a narrow screen: what a member does on a page, and what every page has to be.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fantoccini::Locator;
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until_true;
use serde_json::json;

use crate::chromium::check_accessibility;

/// The narrowest screen that has to show a page without scrolling sideways (WCAG 2.2, 1.4.10), in CSS pixels.
const NARROW: u32 = 320;

/// A browser as wide as a small phone. It is no phone to Chromium, which would zoom out instead of scrolling.
pub(crate) struct Screen {
    pub(crate) chromium: Chromium,
    stack: Stack,
}

impl Screen {
    pub(crate) async fn start(stack: &Stack, settings: Settings) -> Result<Self> {
        let chromium = Chromium::start(stack, settings).await?;
        chromium.show_as_desktop(NARROW, 740).await?;
        Ok(Self { chromium, stack: stack.clone() })
    }

    /// Starts at the welcome page in this language, and signs in.
    pub(crate) async fn sign_in(&self, language: &str, name: &str) -> Result<()> {
        self.chromium.open(&self.stack.public_url).await?;
        self.speak(language).await?;
        self.chromium.find("main a.button").await?.click().await?;
        // The provider's page lists only some of the people.
        let request = self.chromium.page.current_url().await?;
        ensure!(!request.as_str().starts_with(self.stack.public_url.as_str()), "still at {request}");
        let callback = self.stack.choose(&request, name).await?;
        self.chromium.open(&callback).await
    }

    /// Presses the button of a language, and waits for the page in it.
    pub(crate) async fn speak(&self, language: &str) -> Result<()> {
        let before = self.chromium.find("html").await?;
        self.chromium.find(&format!("footer button[value={language}]")).await?.click().await?;
        until_true(&format!("a page in {language}"), 20, async || {
            // An element of a page that was left is stale.
            if before.attr("lang").await.is_ok() {
                return Ok(false);
            }
            let Ok(html) = self.chromium.find("html").await else { return Ok(false) };
            Ok(html.attr("lang").await.is_ok_and(|lang| lang.as_deref() == Some(language)))
        })
        .await
    }

    /// Waits until the page shows a text. The marks around variables of right-to-left texts do not count.
    pub(crate) async fn shows(&self, text: &str, seconds: u64) -> Result<()> {
        let wanted = plain(text);
        until_true(&format!("{wanted:?} in the browser"), seconds, async || {
            // A page that is being replaced has no text.
            let Ok(main) = self.chromium.find("main").await else { return Ok(false) };
            Ok(main.text().await.is_ok_and(|text| plain(&text).contains(&wanted)))
        })
        .await
    }

    /// Opens a section with forms, if it is closed.
    pub(crate) async fn unfold(&self, id: &str) -> Result<()> {
        let closed = format!("#{id}:not([open]) > summary");
        if let Ok(summary) = self.chromium.page.find(Locator::Css(&closed)).await {
            summary.click().await?;
        }
        self.chromium.find(&format!("#{id}[open]")).await.map(drop)
    }

    /// Presses a button in the forms of the member's only address.
    pub(crate) async fn manage(&self, button: &str) -> Result<()> {
        self.unfold("manage-1").await?;
        self.chromium.click(button).await
    }

    /// Requests a code for the first mailbox without one.
    pub(crate) async fn request_code(&self) -> Result<()> {
        Ok(self.chromium.find("form[action$='/destinations/resend'] button").await?.click().await?)
    }

    /// Types into a field, once there is one.
    pub(crate) async fn enter(&self, selector: &str, text: &str) -> Result<()> {
        let wait = self.chromium.page.wait().at_most(Duration::from_secs(20));
        let field = wait.for_element(Locator::Css(selector)).await.with_context(|| format!("no {selector}"))?;
        Ok(field.send_keys(text).await?)
    }

    /// Checks the open page of a member; see [`inspect_as`](Self::inspect_as).
    pub(crate) async fn inspect(&self, name: &str) -> Result<()> {
        self.inspect_as(&format!("self-service-{name}")).await
    }

    /// Checks the open page with all of its sections open: axe-core finds nothing, and nothing is wider than the screen. The
    /// screenshot has this name.
    pub(crate) async fn inspect_as(&self, name: &str) -> Result<()> {
        self.chromium.page.execute(UNFOLD, vec![]).await?;
        let wide = self.chromium.page.execute("return document.documentElement.scrollWidth", vec![]).await?;
        ensure!(wide.as_u64().is_some_and(|wide| wide <= u64::from(NARROW)), "{name} is {wide} pixels wide");
        self.chromium.save_screenshot(name).await?;
        check_accessibility(&self.stack, &self.chromium).await.with_context(|| name.to_owned())
    }

    /// Opens a page of the site by its link on the open page.
    pub(crate) async fn follow(&self, path: &str) -> Result<()> {
        let link = self.chromium.find(&format!("main a[href$='/{path}']")).await?;
        link.click().await?;
        let url = self.chromium.page.current_url().await?;
        ensure!(url.path().ends_with(&format!("/{path}")), "the link leads to {url}");
        Ok(())
    }

    /// Opens the member's page.
    pub(crate) async fn home(&self) -> Result<()> {
        self.chromium.open(&self.stack.public_url).await
    }

    /// The language and direction of the open page.
    pub(crate) async fn language(&self) -> Result<serde_json::Value> {
        let html = self.chromium.find("html").await?;
        Ok(json!([html.attr("lang").await?, html.attr("dir").await?]))
    }
}

const UNFOLD: &str = "document.querySelectorAll('details').forEach((details) => { details.open = true; });";

/// A text without the isolation marks of right-to-left text.
pub(crate) fn plain(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}
