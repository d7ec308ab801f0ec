//! The mail page of `cargo dev up --mail`: sign in, send a mail to the new address, and see it arrive.

use anyhow::{Result, ensure};
use membermail_test_mail_host::page;
use membermail_tests::chromium::{Chromium, Settings};
use membermail_tests::stack::Stack;
use membermail_tests::wait::TIMEOUT;
use tokio::net::TcpListener;

use super::host;

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn page_shows_delivered_mail() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let host = host(&stack, "page", "").await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mailbox = format!("http://{}/", listener.local_addr()?).parse()?;
    page::serve(listener, &host.rig);

    let chromium = Chromium::start(&stack, Settings { scripts: true }).await?;
    chromium.open(&stack.public_url).await?;
    chromium.click("Sign in with Ubuntu One").await?;
    chromium.click("alice").await?;
    chromium.wait_for("alice@ubuntu.com now forwards to alice@mail.example", TIMEOUT).await?;

    chromium.open(&mailbox).await?;
    chromium.wait_for("No mail yet.", 10).await?;
    chromium.find("input[name=to]").await?.send_keys("alice@ubuntu.com").await?;
    chromium.click("Send").await?;
    chromium.wait_for("sent to alice@mail.example: 250", 60).await?;
    chromium.click("Refresh").await?;
    chromium.wait_for("Test of alice@ubuntu.com", 10).await?;
    let shown = chromium.find("article dl").await?.text().await?;
    ensure!(shown.contains("alice@mail.example"), "{shown}");
    chromium.find("input[name=to]").await?.send_keys("nobody-of-that-name@ubuntu.com").await?;
    chromium.click("Send").await?;
    chromium.wait_for("rejected: 550", 60).await?;
    chromium.close().await
}
