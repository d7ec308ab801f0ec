//! The operator's command line: the built `membermail` against the deployed stack.

#[path = "operator/command.rs"]
mod command;
#[path = "operator/delivery_test.rs"]
mod delivery_test;
#[path = "operator/erasure.rs"]
mod erasure;
#[path = "operator/json.rs"]
mod json;
#[path = "operator/mail_host.rs"]
mod mail_host;
mod operations;
#[path = "operator/queues.rs"]
mod queues;
#[path = "operator/syncs.rs"]
mod syncs;

use std::io::{Seek, Write};

use anyhow::{Context, Result, ensure};
use command::{CommandOutput, membermail, membermail_json};
use membermail_core::alias::{Reason, Status};
use membermail_core::random::OsRandom;
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::stack::Stack;
use membermail_tests::table::operator;
use membermail_tests::wait::{TIMEOUT, until};
use serde_json::{Value, json};

/// The team of ubuntu.com.
const TEAM: &str = "ubuntumembers";

/// Runs a command as the operator Kim.
async fn as_kim(stack: &Stack, arguments: &[&str]) -> Result<CommandOutput> {
    membermail(stack, &[arguments, &["--as", "kim"]].concat()).await
}

/// The entries of the audit log that match these options.
async fn audit(stack: &Stack, options: &[&str]) -> Result<Vec<Value>> {
    let output = membermail(stack, &[&["audit", "--json"], options].concat()).await?.succeeds()?;
    output.out.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// The status of an address and its reason, from `alias show`.
async fn state(stack: &Stack, address: &str) -> Result<(Status, Reason)> {
    let alias = membermail_json(stack, &["alias", "show", address]).await?;
    Ok((serde_json::from_value(alias["status"].clone())?, serde_json::from_value(alias["reason"].clone())?))
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn ban_suspends_until_it_is_lifted() -> Result<()> {
    let stack = Stack::of_this_run()?;
    let browser = stack.resident("ubuntu.com", TEAM, "op-banned").await?;
    let shown = membermail(&stack, &["member", "show", "op-banned"]).await?.succeeds()?;
    shown.contains_output("eligible at ubuntu.com")?;
    shown.contains_output("op-banned@ubuntu.com")?;

    let ban = membermail_json(&stack, &["member", "ban", "op-banned", "--as", "kim"]).await?;
    ensure!(ban["did"] == "banned" && ban["changed"].as_array().is_some_and(|all| all.len() == 1), "{ban}");
    stack.page_with(&browser, "Sign in with Ubuntu One").await?;
    ensure!(state(&stack, "op-banned@ubuntu.com").await? == (Status::Suspended, Reason::Banned));
    stack.sign_in_until("op-banned", "Your account is blocked").await?;

    let again = membermail_json(&stack, &["member", "ban", "op-banned", "--as", "kim"]).await?;
    ensure!(again["did"] == "was-banned" && again["changed"] == Value::Array(vec![]), "{again}");

    let unban = membermail(&stack, &["member", "unban", "op-banned", "--as", "lee"]).await?.succeeds()?;
    ensure!(unban.out.starts_with("op-banned is no longer banned."), "{}", unban.out);
    ensure!(state(&stack, "op-banned@ubuntu.com").await? == (Status::Suspended, Reason::BanLifted));
    stack.sign_in_at("ubuntu.com", "op-banned").await?;
    ensure!(state(&stack, "op-banned@ubuntu.com").await? == (Status::Active, Reason::Eligible));

    let history = membermail(&stack, &["alias", "history", "op-banned@ubuntu.com"]).await?.succeeds()?;
    let changes = history.out.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let expected = [
        "op-banned@ubuntu.com new → active eligible member".to_owned(),
        "active → suspended banned operator kim".to_owned(),
        format!("suspended → suspended {} operator lee", Reason::BanLifted.in_words()),
        "suspended → active eligible member".to_owned(),
    ];
    ensure!(changes.clone().count() == expected.len(), "{}", history.out);
    ensure!(changes.zip(&expected).all(|(line, words)| line.contains(words)), "{}", history.out);
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn interrupted_ban_is_completed_by_retry() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-broken-off").await?;
    let member = stack.member_named("op-broken-off").await?;
    // The state after the command was interrupted.
    stack.store().await.ban(member.id, operator(member.check.requested_at), &OsRandom).await?;
    ensure!(state(&stack, "op-broken-off@ubuntu.com").await? == (Status::Active, Reason::Eligible));
    let rest = membermail_json(&stack, &["member", "ban", "op-broken-off", "--as", "kim"]).await?;
    ensure!(rest["did"] == "was-banned" && rest["changed"][0]["address"] == "op-broken-off@ubuntu.com", "{rest}");
    ensure!(state(&stack, "op-broken-off@ubuntu.com").await? == (Status::Suspended, Reason::Banned));
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn linked_members_share_page_and_ban() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-linked").await?;
    let browser = stack.resident("ubuntu.com", TEAM, "op-linked-other").await?;
    let other = stack.member_named("op-linked-other").await?.id.to_string();

    // A name needs a confirmation, which is not possible without a terminal.
    let unconfirmed = as_kim(&stack, &["member", "link", "op-linked", &other]).await?.exits_with(2)?;
    let reason = &unconfirmed.err;
    ensure!(reason.contains("op-linked is member ") && reason.contains("--yes"), "{reason}");
    as_kim(&stack, &["member", "link", "op-linked", &other, "--yes"]).await?.succeeds()?;
    as_kim(&stack, &["member", "link", "op-linked", &other, "--yes"]).await?.exits_with(4)?;
    let shown = as_kim(&stack, &["member", "show", "op-linked", "--json"]).await?.succeeds()?.json()?;
    ensure!(shown["merged"] == json!([other]) && shown["identities"][1].is_object(), "{shown}");
    ensure!(shown["aliases"].as_array().is_some_and(|all| all.len() == 2), "{shown}");
    let page = stack.page_with(&browser, "op-linked@ubuntu.com now forwards to").await?;
    ensure!(page.text.contains("op-linked-other@ubuntu.com now forwards to"), "{}", page.text);

    // A ban applies to both linked members.
    as_kim(&stack, &["member", "ban", &other]).await?.succeeds()?;
    ensure!(state(&stack, "op-linked@ubuntu.com").await? == (Status::Suspended, Reason::Banned));
    ensure!(state(&stack, "op-linked-other@ubuntu.com").await? == (Status::Suspended, Reason::Banned));
    stack.page_with(&browser, "Sign in with Ubuntu One").await?;
    let refused = as_kim(&stack, &["member", "unlink", "op-linked", &other, "--yes"]).await?.exits_with(4)?;
    ensure!(refused.err.contains("unban first"), "{}", refused.err);
    as_kim(&stack, &["member", "unban", "op-linked"]).await?.succeeds()?;
    as_kim(&stack, &["member", "unlink", "op-linked", &other, "--yes"]).await?.succeeds()?;
    as_kim(&stack, &["member", "unlink", "op-linked", &other, "--yes"]).await?.exits_with(3).map(drop)
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn admins_are_bound_by_id() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-admin").await?;
    let id = stack.member_named("op-admin").await?.id.to_string();
    as_kim(&stack, &["domain", "admin", "add", "edubuntu.org", "op-admin"]).await?.exits_with(2)?;
    let added = as_kim(&stack, &["domain", "admin", "add", "edubuntu.org", &id]).await?.succeeds()?;
    added.contains_output("is an admin of edubuntu.org")?;
    let list = as_kim(&stack, &["domain", "admin", "list", "edubuntu.org", "--json"]).await?.succeeds()?.json()?;
    let bound = list["bindings"].as_array().context("no list")?.iter().find(|one| one["member"] == id.as_str());
    ensure!(bound.is_some_and(|bound| bound["can_act"] == true && bound["by"] == "kim"), "{list}");
    let removed = as_kim(&stack, &["domain", "admin", "remove", "edubuntu.org", &id]).await?.succeeds()?;
    removed.contains_output("is no longer an admin of edubuntu.org")
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn audit_filters_can_be_combined() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, "op-audited").await?;
    membermail(&stack, &["member", "ban", "op-audited", "--as", "kim"]).await?.succeeds()?;
    let of_member = audit(&stack, &["--member", "op-audited"]).await?;
    let subjects: Vec<_> = of_member.iter().map(|entry| entry["subject"].as_str().unwrap_or_default()).collect();
    ensure!(subjects == ["alias", "member", "alias"], "{of_member:?}");
    ensure!(of_member[1]["did"] == "banned" && of_member[1]["by"] == "kim", "{of_member:?}");
    ensure!(of_member[1]["request_id"] == of_member[2]["request_id"], "one command, one request id: {of_member:?}");

    let of_address = audit(&stack, &["--address", "OP-Audited@ubuntu.com"]).await?;
    ensure!(of_address == [of_member[0].clone(), of_member[2].clone()], "{of_address:?}");
    ensure!(audit(&stack, &["--address", "op-audited@ubuntu.com", "--domain", "kubuntu.org"]).await?.is_empty());
    ensure!(audit(&stack, &["--member", "op-audited", "--domain", "ubuntu.com"]).await?.len() == 2);
    ensure!(audit(&stack, &["--domain", "ubuntu.com", "--from", "1h"]).await?.contains(&of_member[2]));

    let banned_at = of_member[1]["at"].as_str().context("no time")?.to_owned();
    ensure!(audit(&stack, &["--member", "op-audited", "--to", &banned_at]).await?.len() == 1, "`--to` is exclusive");
    ensure!(
        audit(&stack, &["--member", "op-audited", "--from", &banned_at]).await?.len() == 2,
        "`--from` is inclusive"
    );
    ensure!(audit(&stack, &["--member", "op-audited", "--to", "2020-01-01"]).await?.is_empty());

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("audit.jsonl");
    let path = file.to_str().context("no path")?;
    let exported = membermail(&stack, &["audit", "--member", "op-audited", "--export", path]).await?.succeeds()?;
    ensure!(exported.out.is_empty() && exported.err.contains("3 entries"), "{} {}", exported.out, exported.err);
    let text = std::fs::read_to_string(&file)?;
    ensure!(text == membermail(&stack, &["audit", "--member", "op-audited", "--export", "-"]).await?.succeeds()?.out);
    ensure!(text.lines().count() == 3);
    Ok(())
}

/// Whether `domain list` shows all domains, and ubuntustudio.com as verified.
async fn is_verified(stack: &Stack, table: &str) -> Result<bool> {
    let list = membermail_json(stack, &["domain", "list", "--table", table]).await?;
    let domains = list["domains"].as_array().context("no list")?;
    let ubuntu = membermail_communities::community("ubuntu")?;
    ensure!(domains.iter().map(|one| &one["domain"]).eq(ubuntu.domain_names().map(|name| name.as_str())), "{list}");
    let studio = domains.iter().find(|domain| domain["domain"] == "ubuntustudio.com").context("not listed")?;
    studio["verified"].as_bool().context("not yes or no")
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn operator_or_record_verifies_domain() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // In a separate table, so that other tests are not affected.
    let table = empty_table(&stack, "domains").await?;
    let domain = async |arguments: &[&str]| -> Result<CommandOutput> {
        as_kim(&stack, &[&["domain"], arguments, &["--table", &table]].concat()).await
    };
    ensure!(!is_verified(&stack, &table).await?);
    domain(&["verify", "ubuntustudio.com"]).await?.succeeds()?;
    ensure!(is_verified(&stack, &table).await?);
    domain(&["unverify", "ubuntustudio.com"]).await?.succeeds()?;
    ensure!(!is_verified(&stack, &table).await?);
    domain(&["verify", "example.org"]).await?.exits_with(3)?;
    let audit = membermail(&stack, &["audit", "--domain", "ubuntustudio.com", "--table", &table]).await?.succeeds()?;
    ensure!(audit.out.lines().filter(|line| line.contains("operator kim")).count() == 2, "{}", audit.out);

    // `check` finds the record that `show` prints.
    let shown = domain(&["show", "ubuntustudio.com", "--json"]).await?.succeeds()?.json()?;
    let record = shown["record"]["value"].as_str().context("no record")?;
    ensure!(record.starts_with("membermail-site-verification=") && shown["verified"].is_null(), "{shown}");
    let line = format!("ubuntustudio.com. IN TXT \"{record}\"");
    domain(&["show", "ubuntustudio.com"]).await?.succeeds()?.contains_output(&line)?;
    let check = async |lines: &str| -> Result<CommandOutput> {
        let server = NameServer::start(&stack.knotd, &[Zone::Good("ubuntustudio.com", lines)]).await?;
        domain(&["check", "ubuntustudio.com", "--dns-servers", &server.address.to_string()]).await?.succeeds()
    };
    let missing = check("@ TXT \"v=spf1 -all\"").await?;
    missing.contains_output("record  missing")?;
    missing.contains_output("SPF     present")?;
    ensure!(!is_verified(&stack, &table).await?);
    let found = check(&format!("@ TXT \"{record}\"\n@ MX 10 mx\nmx A 192.0.2.1")).await?;
    found.contains_output("record  found")?;
    found.contains_output("the domain gives addresses now")?;
    ensure!(is_verified(&stack, &table).await?);
    let shown = domain(&["show", "ubuntustudio.com"]).await?.succeeds()?;
    shown.contains_output("proof     DNS record, since ")?;
    shown.contains_output("MX        1 server")?;
    let list = membermail(&stack, &["domain", "list"]).await?.succeeds()?;
    ensure!(list.out.lines().next().is_some_and(|head| head.starts_with("DOMAIN")), "{}", list.out);
    stack.dynamodb().await.delete_table().table_name(table).send().await?;
    Ok(())
}

async fn empty_table(stack: &Stack, of: &str) -> Result<String> {
    stack.create_empty_table(&format!("operator-{of}-{}", std::process::id())).await
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn failures_have_exit_codes() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for (arguments, code) in [
        (&["member", "show", "nobody-at-all"][..], 3),
        (&["member", "show", "01KATW4Y00ZZZZZZZZZZZZZZZZ"], 3),
        (&["member", "show", "No Name"], 2),
        (&["alias", "show", "nobody-at-all@ubuntu.com"], 3),
        (&["alias", "show", "nobody"], 2),
        (&["sync", "show", "01KATW4Y00ZZZZZZZZZZZZZZZZ"], 3),
        (&["sync", "plan", "example.org"], 3),
        (&["queue", "show", "nothing"], 3),
        (&["domain", "list", "--stack", "elsewhere"], 3),
        (&["domain", "list", "--table", "elsewhere"], 1),
        (&["audit", "--from", "yesterday"], 2),
        (&["member", "ban", "op-banned", "--as", "kim@mail.example.org"], 2),
        (&["dance"], 2),
    ] {
        let output = membermail(&stack, arguments).await?.exits_with(code)?;
        ensure!(output.out.is_empty() && !output.err.is_empty(), "{arguments:?}: {} {}", output.out, output.err);
    }
    let failed = membermail(&stack, &["alias", "show", "nobody-at-all@ubuntu.com", "--json"]).await?.exits_with(3)?;
    let error: Value = serde_json::from_str(&failed.err)?;
    ensure!(error["error"] == "not-found", "{error}");
    Ok(())
}

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn completions_work_in_bash() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for shell in ["bash", "zsh", "fish"] {
        let script = membermail(&stack, &["completions", shell]).await?.succeeds()?.out;
        ensure!(script.contains("membermail") && script.contains("redrive"), "{shell}: {script}");
    }
    // Bash loads the script and completes a command.
    let script = membermail(&stack, &["completions", "bash"]).await?.succeeds()?.out;
    let typed =
        "COMP_WORDS=(membermail sync re); COMP_CWORD=2; _membermail membermail re sync; echo \"${COMPREPLY[@]}\"";
    let mut file = tempfile::tempfile()?;
    file.write_all(format!("{script}\n{typed}").as_bytes())?;
    file.rewind()?;
    let bash = tokio::process::Command::new("bash").arg("-s").stdin(file).output().await?;
    let output = String::from_utf8_lossy(&bash.stdout);
    ensure!(output.trim() == "release reject", "{output} {}", String::from_utf8_lossy(&bash.stderr));
    Ok(())
}

/// Repeats a command until the JSON that it prints matches.
async fn until_output(stack: &Stack, arguments: &[&str], matches: impl Fn(&Value) -> bool) -> Result<Value> {
    until(&format!("{arguments:?}"), TIMEOUT, async || {
        Ok(Some(membermail_json(stack, arguments).await?).filter(&matches))
    })
    .await
}
