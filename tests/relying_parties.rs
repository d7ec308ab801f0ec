//! The fake of Ubuntu One against third-party relying parties: node-openid, and passport-ubuntu, which the existing
//! service uses.

use anyhow::{Context, Result, ensure};
use membermail_tests::peers::OwnFakes;
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn npm_relying_parties_verify_the_fake() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let fakes = OwnFakes::start("").await?;
    let alice = fakes.control("people/alice").await?;
    let identifier = alice["openid_identifier"].as_str().context("alice has no identifier")?;
    let root = fakes.root.as_str().trim_end_matches('/');
    let seen: Value = serde_json::from_str(&stack.node("relying_party.mjs", &[root, identifier]).await?)?;

    let claimed_id = format!("{root}/+id/{identifier}");
    for (way, associated) in [("smart", true), ("stateless", false), ("byIdentifier", true)] {
        let expected = json!({
            "associated": associated,
            "authenticated": true,
            "claimedIdentifier": claimed_id,
            "email": "alice@mail.example",
            "nickname": "alice",
            "replayed": "Invalid or replayed nonce",
            "tampered": "Invalid signature",
        });
        ensure!(seen[way] == expected, "{way}: {}", seen[way]);
    }
    let associations = [
        "HMAC-SHA256 by DH-SHA256",
        "HMAC-SHA1 by DH-SHA1",
        "HMAC-SHA256 by no-encryption",
        "HMAC-SHA1 by no-encryption",
    ];
    ensure!(seen["associations"] == json!(associations), "{}", seen["associations"]);
    for way in ["passport", "passportStateless"] {
        let expected = json!({ "identifier": claimed_id, "email": "alice@mail.example", "nickname": "alice" });
        ensure!(seen[way] == expected, "{way}: {}", seen[way]);
    }

    // Three associations in four modes; two stateless parties verify a genuine assertion, and one of them a tampered one.
    // Parties with an association send no verification request.
    let requests = fakes.control("counts").await?["provider_kinds"].clone();
    ensure!(requests["associate"] == 7 && requests["check_authentication"] == 3, "{requests}");
    Ok(())
}
