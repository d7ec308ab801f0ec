//! An operator at the command line: the built `membermail` against the deployed stack, as somebody would type it.

#[path = "operator/command.rs"]
mod command;
#[path = "operator/json.rs"]
mod json;
#[path = "operator/queues.rs"]
mod queues;
#[path = "operator/syncs.rs"]
mod syncs;
#[path = "operator/trial.rs"]
mod trial;

use std::io::{Seek, Write};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use command::{Said, membermail};
use membermail_core::audit::{Actor, Cause};
use membermail_core::random::OsRandom;
use membermail_tests::browser::Browser;
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::stack::Stack;
use membermail_tests::wait::until;
use serde_json::{Value, json};

/// Long enough for two functions to start on a busy machine.
const PATIENCE: u64 = 120;
/// Whose members have addresses at ubuntu.com.
const TEAM: &str = "ubuntumembers";

/// Somebody with an address at ubuntu.com, signed in.
async fn somebody(stack: &Stack, name: &str) -> Result<Browser> {
    let (browser, _) = stack.sign_in(name).await?;
    stack.page_with(&browser, &format!("{name}@ubuntu.com now forwards to"), PATIENCE).await?;
    Ok(browser)
}

/// What `alias show` says of an address: its status and the reason.
async fn state(stack: &Stack, address: &str) -> Result<(String, String)> {
    let alias = membermail(stack, &["alias", "show", address, "--json"]).await?.done()?.json()?;
    let word = |name: &str| alias[name].as_str().unwrap_or_default().to_owned();
    Ok((word("status"), word("reason")))
}

fn is(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn a_ban_ends_sessions_and_mail_at_once_and_can_be_taken_back() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "op-banned", "teams": [TEAM] })).await?;
    let browser = somebody(&stack, "op-banned").await?;
    let shown = membermail(&stack, &["member", "show", "op-banned"]).await?.done()?;
    ensure!(
        shown.out.contains("eligible at ubuntu.com") && shown.out.contains("op-banned@ubuntu.com"),
        "{}",
        shown.out
    );

    let ban = membermail(&stack, &["member", "ban", "op-banned", "--as", "kim", "--json"]).await?.done()?.json()?;
    ensure!(ban["did"] == "banned" && ban["changed"].as_array().is_some_and(|all| all.len() == 1), "{ban}");
    stack.page_with(&browser, "Sign in with Ubuntu One", PATIENCE).await?;
    ensure!(state(&stack, "op-banned@ubuntu.com").await? == is("suspended", "banned"));
    let (browser, _) = stack.sign_in("op-banned").await?;
    stack.page_with(&browser, "Your account is blocked", PATIENCE).await?;

    let again = membermail(&stack, &["member", "ban", "op-banned", "--as", "kim", "--json"]).await?.done()?.json()?;
    ensure!(again["did"] == "was-banned" && again["changed"] == Value::Array(vec![]), "{again}");

    let unban = membermail(&stack, &["member", "unban", "op-banned", "--as", "lee"]).await?.done()?;
    ensure!(unban.out.starts_with("op-banned is welcome again."), "{}", unban.out);
    ensure!(state(&stack, "op-banned@ubuntu.com").await? == is("suspended", "ban-lifted"));
    somebody(&stack, "op-banned").await?;
    ensure!(state(&stack, "op-banned@ubuntu.com").await? == is("active", "eligible"));

    let history = membermail(&stack, &["alias", "history", "op-banned@ubuntu.com"]).await?.done()?;
    let changes: Vec<_> =
        history.out.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let told = |place: usize, words: &str| changes.get(place).is_some_and(|line: &String| line.contains(words));
    ensure!(changes.len() == 4, "{}", history.out);
    ensure!(told(0, "op-banned@ubuntu.com new → active eligible member"), "{}", history.out);
    ensure!(told(1, "active → suspended banned operator kim"), "{}", history.out);
    ensure!(told(2, "suspended → suspended the ban was taken back operator lee"), "{}", history.out);
    ensure!(told(3, "suspended → active eligible member"), "{}", history.out);
    Ok(())
}

#[tokio::test]
async fn a_ban_that_broke_off_is_finished_by_the_same_command() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "op-broken-off", "teams": [TEAM] })).await?;
    somebody(&stack, "op-broken-off").await?;
    let (store, name) = (stack.store().await, "op-broken-off".parse()?);
    let member = store.member_by_name(&name).await?.context("nobody")?;
    // As far as the command had come when the connection broke.
    let now = member.check.requested_at;
    store
        .ban(member.id, Cause { actor: Actor::Operator, by: Some("kim"), request_id: "broken-off", now }, &OsRandom)
        .await?;
    ensure!(state(&stack, "op-broken-off@ubuntu.com").await? == is("active", "eligible"));
    let rest =
        membermail(&stack, &["member", "ban", "op-broken-off", "--as", "kim", "--json"]).await?.done()?.json()?;
    ensure!(rest["did"] == "was-banned" && rest["changed"][0]["address"] == "op-broken-off@ubuntu.com", "{rest}");
    ensure!(state(&stack, "op-broken-off@ubuntu.com").await? == is("suspended", "banned"));
    Ok(())
}

#[tokio::test]
async fn linked_members_share_page_and_ban() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for name in ["op-linked", "op-linked-other"] {
        stack.add(json!({ "name": name, "teams": [TEAM] })).await?;
    }
    somebody(&stack, "op-linked").await?;
    let browser = somebody(&stack, "op-linked-other").await?;
    let (store, name) = (stack.store().await, "op-linked-other".parse()?);
    let other = store.member_by_name(&name).await?.context("no member")?.id.to_string();
    let member = async |arguments: &[&str]| -> Result<Said> {
        membermail(&stack, &[&["member"], arguments, &["--as", "kim"]].concat()).await
    };

    // A name finds a member, and grants nothing where no terminal can be asked.
    let asked = member(&["link", "op-linked", &other]).await?.ended_with(2)?;
    ensure!(asked.err.contains("op-linked is member ") && asked.err.contains("--yes"), "{}", asked.err);
    member(&["link", "op-linked", &other, "--yes"]).await?.done()?;
    member(&["link", "op-linked", &other, "--yes"]).await?.ended_with(4)?;
    let shown = member(&["show", "op-linked", "--json"]).await?.done()?.json()?;
    ensure!(shown["merged"] == json!([other]) && shown["identities"][1].is_object(), "{shown}");
    ensure!(shown["aliases"].as_array().is_some_and(|all| all.len() == 2), "{shown}");
    let page = stack.page_with(&browser, "op-linked@ubuntu.com now forwards to", PATIENCE).await?;
    ensure!(page.text.contains("op-linked-other@ubuntu.com now forwards to"), "{}", page.text);

    // The ban of one is the ban of both, whichever id is given.
    member(&["ban", &other]).await?.done()?;
    ensure!(state(&stack, "op-linked@ubuntu.com").await? == is("suspended", "banned"));
    ensure!(state(&stack, "op-linked-other@ubuntu.com").await? == is("suspended", "banned"));
    stack.page_with(&browser, "Sign in with Ubuntu One", PATIENCE).await?;
    let refused = member(&["unlink", "op-linked", &other, "--yes"]).await?.ended_with(4)?;
    ensure!(refused.err.contains("unban first"), "{}", refused.err);
    member(&["unban", "op-linked"]).await?.done()?;
    member(&["unlink", "op-linked", &other, "--yes"]).await?.done()?;
    member(&["unlink", "op-linked", &other, "--yes"]).await?.ended_with(3).map(drop)
}

#[tokio::test]
async fn admins_are_bound_by_id() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "op-admin", "teams": [TEAM] })).await?;
    somebody(&stack, "op-admin").await?;
    let id = stack.store().await.member_by_name(&"op-admin".parse()?).await?.context("no member")?.id.to_string();
    let admin = async |arguments: &[&str]| -> Result<Said> {
        membermail(&stack, &[&["domain", "admin"], arguments, &["--as", "kim"]].concat()).await
    };
    admin(&["add", "edubuntu.org", "op-admin"]).await?.ended_with(2)?;
    let added = admin(&["add", "edubuntu.org", &id]).await?.done()?;
    ensure!(added.out.contains("is an admin of edubuntu.org"), "{}", added.out);
    let list = admin(&["list", "edubuntu.org", "--json"]).await?.done()?.json()?;
    let bound = list["bindings"].as_array().context("no list")?.iter().find(|one| one["member"] == id.as_str());
    ensure!(bound.is_some_and(|bound| bound["can_act"] == true && bound["by"] == "kim"), "{list}");
    let removed = admin(&["remove", "edubuntu.org", &id]).await?.done()?;
    ensure!(removed.out.contains("is no longer an admin of edubuntu.org"), "{}", removed.out);
    Ok(())
}

#[tokio::test]
async fn the_audit_log_is_found_by_address_member_domain_and_time() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": "op-audited", "teams": [TEAM] })).await?;
    somebody(&stack, "op-audited").await?;
    membermail(&stack, &["member", "ban", "op-audited", "--as", "kim"]).await?.done()?;
    let lines = |said: Said| -> Result<Vec<Value>> {
        said.out.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
    };
    let audit = async |options: &[&str]| -> Result<Vec<Value>> {
        lines(membermail(&stack, &[&["audit", "--json"], options].concat()).await?.done()?)
    };
    let of_member = audit(&["--member", "op-audited"]).await?;
    let subjects: Vec<_> = of_member.iter().map(|entry| entry["subject"].as_str().unwrap_or_default()).collect();
    ensure!(subjects == ["alias", "member", "alias"], "{of_member:?}");
    ensure!(of_member[1]["did"] == "banned" && of_member[1]["by"] == "kim", "{of_member:?}");
    ensure!(of_member[1]["request_id"] == of_member[2]["request_id"], "one command, one request id: {of_member:?}");

    let of_address = audit(&["--address", "OP-Audited@ubuntu.com"]).await?;
    ensure!(of_address == [of_member[0].clone(), of_member[2].clone()], "{of_address:?}");
    ensure!(audit(&["--address", "op-audited@ubuntu.com", "--domain", "kubuntu.org"]).await?.is_empty());
    ensure!(audit(&["--member", "op-audited", "--domain", "ubuntu.com"]).await?.len() == 2);
    ensure!(audit(&["--domain", "ubuntu.com", "--from", "1h"]).await?.contains(&of_member[2]));

    let banned_at = of_member[1]["at"].as_str().context("no time")?.to_owned();
    ensure!(audit(&["--member", "op-audited", "--to", &banned_at]).await?.len() == 1, "an end is not within");
    ensure!(audit(&["--member", "op-audited", "--from", &banned_at]).await?.len() == 2, "a beginning is within");
    ensure!(audit(&["--member", "op-audited", "--to", "2020-01-01"]).await?.is_empty());

    let folder = tempfile::tempdir()?;
    let file = folder.path().join("audit.jsonl");
    let path = file.to_str().context("no path")?;
    let exported = membermail(&stack, &["audit", "--member", "op-audited", "--export", path]).await?.done()?;
    ensure!(exported.out.is_empty() && exported.err.contains("3 entries"), "{} {}", exported.out, exported.err);
    let text = std::fs::read_to_string(&file)?;
    ensure!(text == membermail(&stack, &["audit", "--member", "op-audited", "--export", "-"]).await?.done()?.out);
    ensure!(text.lines().count() == 3);
    Ok(())
}

#[tokio::test]
async fn domains_are_listed_and_counted_as_verified_on_an_operators_word() -> Result<()> {
    let stack = Stack::of_this_run()?;
    // In a table of its own: what is verified here is of no concern to others.
    let table = empty_table(&stack, "domains").await?;
    let domain = async |arguments: &[&str]| -> Result<Said> {
        membermail(&stack, &[&["domain"], arguments, &["--table", &table, "--as", "kim"]].concat()).await
    };
    let verified = async || -> Result<Value> {
        let list = domain(&["list", "--json"]).await?.done()?.json()?;
        let domains = list["domains"].as_array().context("no list")?.clone();
        let listed: Vec<_> = domains.iter().map(|domain| &domain["domain"]).collect();
        let ubuntu = membermail_communities::community("ubuntu")?;
        ensure!(listed == ubuntu.domain_names().map(|name| name.as_str()).collect::<Vec<_>>(), "{list}");
        let studio = domains.into_iter().find(|domain| domain["domain"] == "ubuntustudio.com");
        Ok(studio.context("not listed")?["verified"].clone())
    };
    ensure!(verified().await? == false);
    domain(&["verify", "ubuntustudio.com"]).await?.done()?;
    ensure!(verified().await? == true);
    domain(&["unverify", "ubuntustudio.com"]).await?.done()?;
    ensure!(verified().await? == false);
    domain(&["verify", "example.org"]).await?.ended_with(3)?;
    let audit = membermail(&stack, &["audit", "--domain", "ubuntustudio.com", "--table", &table]).await?.done()?;
    ensure!(audit.out.lines().filter(|line| line.contains("operator kim")).count() == 2, "{}", audit.out);

    // What `show` says to add is what `check` looks for.
    let shown = domain(&["show", "ubuntustudio.com", "--json"]).await?.done()?.json()?;
    let record = shown["record"]["value"].as_str().context("no record")?;
    ensure!(record.starts_with("membermail-site-verification=") && shown["verified"].is_null(), "{shown}");
    let people = domain(&["show", "ubuntustudio.com"]).await?.done()?;
    ensure!(people.out.contains(&format!("ubuntustudio.com. IN TXT \"{record}\"")), "{}", people.out);
    let check = async |lines: &str| -> Result<Said> {
        let server = NameServer::start(&stack.knotd, &[Zone::Good("ubuntustudio.com", lines)]).await?;
        domain(&["check", "ubuntustudio.com", "--dns-servers", &server.address.to_string()]).await?.done()
    };
    let missing = check("@ TXT \"v=spf1 -all\"").await?;
    ensure!(missing.out.contains("record  missing") && missing.out.contains("SPF     there is one"), "{}", missing.out);
    ensure!(verified().await? == false);
    let found = check(&format!("@ TXT \"{record}\"\n@ MX 10 mx\nmx A 192.0.2.1")).await?;
    ensure!(
        found.out.contains("record  found") && found.out.contains("it gives addresses from now on"),
        "{}",
        found.out
    );
    ensure!(verified().await? == true);
    let people = domain(&["show", "ubuntustudio.com"]).await?.done()?;
    ensure!(
        people.out.contains("proof     its record, since ") && people.out.contains("MX        1 server"),
        "{}",
        people.out
    );
    let list = membermail(&stack, &["domain", "list"]).await?.done()?;
    ensure!(list.out.lines().next().is_some_and(|head| head.starts_with("DOMAIN")), "{}", list.out);
    stack.dynamodb().await.delete_table().table_name(table).send().await?;
    Ok(())
}

async fn empty_table(stack: &Stack, of: &str) -> Result<String> {
    let name = format!("operator-{of}-{}", std::process::id());
    let request = stack.dynamodb().await.create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
    let mut request = request;
    for (key, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let attribute = AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
        request = request.attribute_definitions(attribute.build()?);
        request = request.key_schema(KeySchemaElement::builder().attribute_name(key).key_type(kind).build()?);
    }
    request.send().await?;
    Ok(name)
}

#[tokio::test]
async fn whatever_goes_wrong_has_its_exit_code() -> Result<()> {
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
        let said = membermail(&stack, arguments).await?.ended_with(code)?;
        ensure!(said.out.is_empty() && !said.err.is_empty(), "{arguments:?}: {} {}", said.out, said.err);
    }
    let failed = membermail(&stack, &["alias", "show", "nobody-at-all@ubuntu.com", "--json"]).await?.ended_with(3)?;
    let error: Value = serde_json::from_str(&failed.err)?;
    ensure!(error["error"] == "not-found", "{error}");
    Ok(())
}

#[tokio::test]
async fn shells_complete_what_is_typed() -> Result<()> {
    let stack = Stack::of_this_run()?;
    for shell in ["bash", "zsh", "fish"] {
        let script = membermail(&stack, &["completions", shell]).await?.done()?.out;
        ensure!(script.contains("membermail") && script.contains("redrive"), "{shell}: {script}");
    }
    // Bash itself reads it and completes by it.
    let script = membermail(&stack, &["completions", "bash"]).await?.done()?.out;
    let typed =
        "COMP_WORDS=(membermail sync re); COMP_CWORD=2; _membermail membermail re sync; echo \"${COMPREPLY[@]}\"";
    let mut file = tempfile::tempfile()?;
    file.write_all(format!("{script}\n{typed}").as_bytes())?;
    file.rewind()?;
    let bash = tokio::process::Command::new("bash").arg("-s").stdin(file).output().await?;
    let said = String::from_utf8_lossy(&bash.stdout);
    ensure!(said.trim() == "release reject", "{said} {}", String::from_utf8_lossy(&bash.stderr));
    Ok(())
}

/// Looks again until a command says what is waited for.
async fn until_said(stack: &Stack, arguments: &[&str], what: impl Fn(&Value) -> bool) -> Result<Value> {
    until(&format!("{arguments:?}"), Duration::from_secs(PATIENCE), || async {
        let value = membermail(stack, arguments).await?.done()?.json()?;
        Ok(what(&value).then_some(value))
    })
    .await
}
