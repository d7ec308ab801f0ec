//! Chromium driven by WebDriver. Console errors and failed requests are collected.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use membermail_toolbox::net::free_port;
use membermail_toolbox::process::Process;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use url::Url;

use crate::stack::Stack;
use crate::wait::until;

/// Browser settings.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Whether pages may run scripts.
    pub scripts: bool,
}

/// One browser with its own profile; dropped with this value.
pub struct Chromium {
    /// The page in it.
    pub page: Client,
    driver: Process,
    screens: PathBuf,
    _profile: TempDir,
}

impl Chromium {
    /// Starts a driver on a free port, and a browser by it.
    pub async fn start(stack: &Stack, settings: Settings) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        // With `--port=0` it takes a port that is free on 127.0.0.1, and ends if that port is in use on ::1.
        let port = free_port()?;
        let mut command = Command::new(&stack.chromedriver);
        command.arg(format!("--port={port}")).env("TMPDIR", profile.path()).env("HOME", profile.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start chromedriver")?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let driver = pid.and_then(Process::find).context("chromedriver ended at once")?;
        let mut lines = BufReader::new(child.stdout.take().context("no output of chromedriver")?).lines();
        let mut last = String::new();
        while !last.contains("started successfully") {
            let line = lines.next_line().await?;
            last = line.with_context(|| format!("chromedriver ended before it listened: {last}"))?;
        }
        // Read to the end, so that the driver never blocks on a full pipe; and reap the child.
        tokio::spawn(async move {
            while let Ok(Some(_)) = lines.next_line().await {}
            child.wait().await
        });
        let capabilities = capabilities(stack, &profile, settings);
        let page = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .context("cannot start Chromium")?;
        let screens = stack.logs.parent().unwrap_or(&stack.logs).join("screens");
        std::fs::create_dir_all(&screens)?;
        Ok(Self { page, driver, screens, _profile: profile })
    }

    /// Opens a page.
    pub async fn open(&self, url: &Url) -> Result<()> {
        self.page.goto(url.as_str()).await.with_context(|| format!("opening {url}"))
    }

    /// The element that a selector finds.
    pub async fn find(&self, selector: &str) -> Result<Element> {
        self.page.find(Locator::Css(selector)).await.with_context(|| format!("no {selector} on the page"))
    }

    /// Confirms the destination of the member who is signed in, as the code from a mail would.
    pub async fn confirm_destination(&self, stack: &Stack) -> Result<()> {
        let cookie = self.page.get_named_cookie("session").await.context("no session")?;
        stack.confirm_destination_of_session(cookie.value()).await
    }

    /// Clicks on the link or button of that text.
    pub async fn click(&self, text: &str) -> Result<()> {
        let path = format!("//a[normalize-space()='{text}'] | //button[normalize-space()='{text}']");
        let found = self.page.find(Locator::XPath(&path)).await;
        let url = self.page.current_url().await?;
        found.with_context(|| format!("no {text:?} on {url}"))?.click().await?;
        Ok(())
    }

    /// Waits until the page contains a text, without reloading it.
    pub async fn wait_for(&self, words: &str, seconds: u64) -> Result<()> {
        until(&format!("{words:?} in the browser"), seconds, async || {
            // A page that is being replaced has no text.
            let Ok(main) = self.page.find(Locator::Css("main")).await else { return Ok(None) };
            Ok(main.text().await.ok().filter(|text| text.contains(words)).map(drop))
        })
        .await
    }

    /// The main heading.
    pub async fn heading(&self) -> Result<String> {
        Ok(self.find("h1").await?.text().await?)
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        Ok(self.page.active_element().await?.send_keys(keys).await?)
    }

    /// The text of what has the focus.
    pub async fn focused(&self) -> Result<String> {
        Ok(self.page.active_element().await?.text().await?)
    }

    /// A command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        Ok(self.page.issue_cmd(Extension { path: "goog/cdp/execute", body }).await?)
    }

    /// Shows pages as a phone would, 360 pixels wide.
    pub async fn show_as_phone(&self) -> Result<()> {
        let screen = json!({ "width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await.map(drop)
    }

    /// Shows pages on a desktop of this size.
    pub async fn show_as_desktop(&self, width: u32, height: u32) -> Result<()> {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", screen).await.map(drop)
    }

    /// Prefers `light` or `dark`.
    pub async fn prefer(&self, scheme: &str) -> Result<()> {
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await.map(drop)
    }

    /// Keeps a picture of the page beside the logs of the run.
    pub async fn save_screenshot(&self, name: &str) -> Result<()> {
        let file = self.screens.join(format!("{name}.png"));
        std::fs::write(&file, self.page.screenshot().await?).with_context(|| format!("writing {}", file.display()))
    }

    /// New console messages and violations of the content security policy.
    pub async fn console(&self) -> Result<Vec<String>> {
        let log = self.log("browser").await?;
        // The browser's start page can still be loading when a test leaves it.
        let ours = log.iter().filter(|entry| !text(&entry["message"]).starts_with("chrome://"));
        Ok(ours.map(|entry| format!("{}: {}", text(&entry["level"]), text(&entry["message"]))).collect())
    }

    /// Resources loaded since the last call.
    pub async fn loads(&self) -> Result<Vec<Load>> {
        let mut loads = Vec::new();
        let mut requested = BTreeMap::new();
        for entry in self.log("performance").await? {
            let event: Value = serde_json::from_str(text(&entry["message"]))?;
            let parameters = &event["message"]["params"];
            match text(&event["message"]["method"]) {
                "Network.responseReceived" => {
                    let response = &parameters["response"];
                    let failed = response["status"].as_i64().is_none_or(|status| status >= 400);
                    loads.push(Load { resource: text(&response["url"]).to_owned(), failed });
                }
                "Network.requestWillBeSent" => {
                    let url = text(&parameters["request"]["url"]).to_owned();
                    requested.insert(parameters["requestId"].to_string(), url);
                }
                // Leaving a page cancels the requests of its scripts.
                "Network.loadingFailed" if !(parameters["canceled"] == true && parameters["type"] == "Fetch") => {
                    // A response without a request is the browser's first page, from before logging began.
                    if let Some(url) = requested.get(&parameters["requestId"].to_string()) {
                        let error = text(&parameters["errorText"]);
                        let reason = text(&parameters["blockedReason"]);
                        loads.push(Load { resource: format!("{url}: {error} {reason}"), failed: true });
                    }
                }
                _ => {}
            }
        }
        Ok(loads)
    }

    /// Fails on console errors and failed requests; returns the loaded resources.
    pub async fn check_no_errors(&self) -> Result<Vec<Load>> {
        let console = self.console().await?;
        let loads = self.loads().await?;
        ensure!(console.is_empty(), "the console says {console:#?}");
        let failed: Vec<_> = loads.iter().filter(|load| load.failed).collect();
        ensure!(failed.is_empty(), "these requests failed: {failed:#?}");
        Ok(loads)
    }

    /// Ends the browser and its driver.
    pub async fn close(self) -> Result<()> {
        Ok(self.page.clone().close().await?)
    }

    async fn log(&self, kind: &str) -> Result<Vec<Value>> {
        match self.page.issue_cmd(Extension { path: "se/log", body: json!({ "type": kind }) }).await? {
            Value::Array(entries) => Ok(entries),
            other => bail!("the log is {other}"),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver ends its browser; kill both if it does not.
        let _ = self.driver.stop(Duration::from_secs(5));
    }
}

/// A resource that a page loaded.
#[derive(Clone, Debug)]
pub struct Load {
    /// Its URL, or why there was no answer.
    pub resource: String,
    /// Whether there was no response, or one with an error status.
    pub failed: bool,
}

fn capabilities(stack: &Stack, profile: &TempDir, settings: Settings) -> Capabilities {
    let arguments = [
        "--headless",
        // Chromium refuses to sandbox itself for root, and only our own pages are opened.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--window-size=900,700",
        // Resolve no host but this machine.
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ];
    let profile = format!("--user-data-dir={}", profile.path().join("profile").display());
    let arguments: Vec<_> = arguments.into_iter().chain([profile.as_str()]).collect();
    let mut preferences = json!({});
    if !settings.scripts {
        // 2 is "block".
        preferences["profile.managed_default_content_settings.javascript"] = json!(2);
    }
    let options = json!({
        "binary": stack.chromium,
        "args": arguments,
        "prefs": preferences,
        "perfLoggingPrefs": { "enableNetwork": true },
    });
    Capabilities::from_iter([
        ("goog:chromeOptions".to_owned(), options),
        ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL", "performance": "ALL" })),
    ])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A vendor command of the driver.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}
