//! While the sign-in provider fails, sign-ins fail with advice on the page; afterwards they work again.

use anyhow::{Context, Result, ensure};
use membermail_tests::browser::Browser;
use membermail_tests::stack::Stack;
use serde_json::json;

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn each_provider_failure_has_its_page() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let failures = [
        (json!({ "kind": "denied" }), 400, "Ubuntu One did not confirm the sign-in"),
        (json!({ "kind": "status", "status": 400 }), 400, "Ubuntu One could not check the sign-in"),
        (json!({ "kind": "malformed" }), 502, "Ubuntu One is not available"),
        (json!({ "kind": "status", "status": 503 }), 502, "Ubuntu One is not available"),
        (json!({ "kind": "status", "status": 404 }), 502, "Ubuntu One is not available"),
        (json!({ "kind": "slow", "millis": 20_000 }), 504, "Ubuntu One did not answer in time"),
        (json!({ "kind": "cancel" }), 200, "You cancelled the sign-in"),
        (json!({ "kind": "error" }), 400, "Ubuntu One reports an error"),
        (json!({ "kind": "setup-needed" }), 400, "Please confirm the sign-in at Ubuntu One"),
    ];
    for (fault, status, heading) in failures {
        stack.set_provider_fault("pat54", fault.clone()).await?;
        let mut browser = Browser::new()?;
        let callback = stack.start_sign_in(&mut browser, "pat54").await?;
        let page = browser.open(callback).await?;
        ensure!((page.status.as_u16(), page.heading().as_str()) == (status, heading), "{fault}: {}", page.text);
        let says_what_to_do = ["sign in again", "sign in at any time"].iter().any(|words| page.text.contains(words));
        ensure!(says_what_to_do, "{fault}: {}", page.text);
        ensure!(browser.cookie(&stack.public_url, "session").is_none(), "{fault}: a session was opened");
    }
    stack.clear_provider_fault("pat54").await?;
    stack.sign_in_at("ubuntu.com", "pat54").await.context("after all failures").map(drop)
}
