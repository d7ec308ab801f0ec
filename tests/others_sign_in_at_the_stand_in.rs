//! The stand-in for Ubuntu One, tried by relying parties that nobody here wrote: node-openid, and passport-ubuntu,
//! which the existing service signs in with.

use anyhow::{Context, Result, ensure};
use membermail_tests::peers::OwnStandIns;
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

#[tokio::test]
async fn relying_parties_of_npm_find_associate_and_verify() -> Result<()> {
    let (stack, stand_ins) = (Stack::of_this_run()?, OwnStandIns::start("").await?);
    let alice = stand_ins.control("people/alice").await?;
    let word = alice["word"].as_str().context("alice has no word")?;
    let root = stand_ins.root.as_str().trim_end_matches('/');
    let seen: Value = serde_json::from_str(&stack.node("relying_party.mjs", &[root, word]).await?)?;

    let identifier = format!("{root}/+id/{word}");
    for (way, associated) in [("smart", true), ("stateless", false), ("byIdentifier", true)] {
        let expected = json!({
            "associated": associated,
            "authenticated": true,
            "claimedIdentifier": identifier,
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
        let expected = json!({ "identifier": identifier, "email": "alice@mail.example", "nickname": "alice" });
        ensure!(seen[way] == expected, "{way}: {}", seen[way]);
    }

    // Three with an association, four kinds by themselves; two who ask, once about what is right and once about what
    // was tampered with by one of them. Those with an association ask nothing.
    let asked = stand_ins.control("counts").await?["provider_kinds"].clone();
    ensure!(asked["associate"] == 7 && asked["check_authentication"] == 3, "{asked}");
    Ok(())
}
