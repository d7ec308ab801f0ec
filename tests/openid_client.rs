//! Our relying party and npm's `openid-client` against the same hostile responses and tokens. The table of the rows, with the
//! reason of every difference, is that of our own tests.

use anyhow::{Context, Result, ensure};
use membermail_core::clock::{Clock, SystemClock};
use membermail_tests::stack::Stack;
use serde_json::Value;

use provider::Provider;
use rows::{Ours, Peer};
use scene::Scene;

#[expect(dead_code, clippy::unwrap_used, reason = "shared with the tests of our relying party")]
#[path = "../shared/identity/tests/hostile_tokens/provider.rs"]
mod provider;
#[expect(dead_code, clippy::unwrap_used, reason = "shared with the tests of our relying party")]
#[path = "../shared/identity/tests/hostile_tokens/rows/mod.rs"]
mod rows;
#[expect(clippy::unwrap_used, reason = "shared with the tests of our relying party")]
#[path = "../shared/identity/tests/hostile_tokens/scene.rs"]
mod scene;

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn openid_client_differs_only_as_explained() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let provider = Provider::start().await;
    let rows = rows::all();
    for (index, row) in rows.iter().enumerate() {
        let mut scene = Scene::new(&provider.issuer(index), SystemClock.now());
        (row.change)(&mut scene);
        provider.play(row.name, &scene);
    }
    let seen: Value = serde_json::from_str(&stack.node("relying_party_oidc.mjs", &[provider.root()]).await?)?;
    let mut wrong = Vec::new();
    for row in &rows {
        let error = seen.get(row.name).with_context(|| format!("{} has no outcome", row.name))?;
        let is_same = matches!(row.ours, Ours::Accepts) == error.is_null();
        match row.peer {
            Peer::Same if !is_same => wrong.push(format!("{}: unexplained difference, {error}", row.name)),
            Peer::Differs(why) if is_same => wrong.push(format!("{}: no difference ({why}), {error}", row.name)),
            Peer::Same | Peer::Differs(_) => {}
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
