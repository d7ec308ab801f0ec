//! The admin console in Chromium: what the admins of a domain do there, by keyboard and on a narrow screen.

mod addresses;
mod domains;
mod members;
mod plans;

use anyhow::{Context, Result, bail, ensure};
use membermail_core::admin::{Permission, Permissions};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::StoreError;
use membermail_tests::chromium::Settings;
use membermail_tests::people::is_repeated;
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use serde_json::json;

use crate::self_service::screen::Screen;

/// The team of ubuntu.com.
const TEAM: &str = "ubuntumembers";
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// A new resident of ubuntu.com, bound by an operator as an admin of these domains.
async fn new_admin(stack: &Stack, name: &str, domains: &[&str], permissions: &[Permission]) -> Result<MemberId> {
    stack.resident("ubuntu.com", TEAM, name).await?;
    let member = stack.member_named(name).await?.id;
    let permissions: Permissions = permissions.iter().copied().collect();
    let store = stack.store().await;
    for domain in domains {
        let domain = domain.parse()?;
        for _ in 0..5 {
            match store.bind_admin(&domain, member, permissions, operator(SystemClock.now()), &OsRandom).await {
                // Another test binds an admin at the same moment.
                Err(StoreError::Conflict) => {}
                bound => {
                    ensure!(bound?.is_some() || is_repeated(), "{name} was an admin before");
                    break;
                }
            }
        }
    }
    Ok(member)
}

/// A person in a browser on a narrow screen, in which no script runs. After the sign-in, only keys are used.
struct Desk {
    stack: Stack,
    screen: Screen,
}

impl Desk {
    /// Signs in.
    async fn start(stack: &Stack, name: &str) -> Result<Self> {
        let screen = Screen::start(stack, Settings { scripts: true }).await?;
        let desk = Self { stack: stack.clone(), screen };
        desk.run_scripts(false).await?;
        desk.screen.sign_in("en", name).await?;
        Ok(desk)
    }

    /// Whether scripts run. The preference of [`Settings`] would also stop the timers of axe-core.
    async fn run_scripts(&self, run: bool) -> Result<()> {
        let value = json!({ "value": !run });
        self.screen.chromium.devtools("Emulation.setScriptExecutionDisabled", value).await.map(drop)
    }

    /// Opens a page of the console, such as `domains/ubuntu.com/plans`.
    async fn open(&self, path: &str) -> Result<()> {
        let console = self.stack.public_url.join("admin/")?;
        self.screen
            .chromium
            .open(&if path.is_empty() { self.stack.public_url.join("admin")? } else { console.join(path)? })
            .await
    }

    /// Waits until the page shows a text.
    async fn shows(&self, text: &str) -> Result<()> {
        self.screen.shows(text, 20).await
    }

    /// Presses Tab until the focus is on what the selector finds.
    async fn tab_to(&self, selector: &str) -> Result<()> {
        const IS_FOCUSED: &str = "return document.activeElement.matches(arguments[0]);";
        self.screen.chromium.find(selector).await?;
        for _ in 0..200 {
            self.screen.chromium.press(TAB).await?;
            if self.screen.chromium.page.execute(IS_FOCUSED, vec![json!(selector)]).await? == json!(true) {
                return Ok(());
            }
        }
        bail!("no number of Tabs leads to {selector}")
    }

    /// Presses Enter on a link or button, or in a field.
    async fn press(&self, selector: &str) -> Result<()> {
        self.tab_to(selector).await?;
        self.screen.chromium.press(ENTER).await
    }

    /// Types into a field.
    async fn enter(&self, selector: &str, text: &str) -> Result<()> {
        self.tab_to(selector).await?;
        self.screen.chromium.press(text).await.with_context(|| selector.to_owned())
    }

    /// The value of a field.
    async fn value(&self, selector: &str) -> Result<String> {
        let value = self.screen.chromium.find(selector).await?.prop("value").await?;
        value.with_context(|| format!("{selector} has no value"))
    }

    /// Checks the open page: axe-core finds nothing, and nothing is wider than 320 pixels. Its screenshot is
    /// `admin-<name>.png`.
    async fn inspect(&self, name: &str) -> Result<()> {
        self.run_scripts(true).await?;
        self.screen.inspect_as(&format!("admin-{name}")).await?;
        self.run_scripts(false).await
    }
}
