//! `--json`: each command prints one JSON document with its result.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

use crate::command::membermail_json;
use crate::{TEAM, empty_table};

/// Commands that other tests cover, because they need a held run, dead letters or a mail host. The audit log is JSON Lines,
/// and completions are a script.
const COVERED_ELSEWHERE: [&str; 15] = [
    "sync plan",
    "sync run",
    "sync show",
    "sync release",
    "sync reject",
    "alias test",
    "doctor mail",
    "queue redrive",
    "secret rotate",
    "secret reseal",
    "secret retire",
    "restore import",
    "restore assign",
    "audit",
    "completions",
];

const MANUAL: &str = include_str!("../../docs/membermail.md");
const NAME: &str = "op-json";
const ADDRESS: &str = "op-json@ubuntu.com";
/// The second sign-in of the same person.
const OTHER: &str = "op-json-other";

/// A command, a JSON pointer into its document, and the expected value.
type Case<'a> = (&'a [&'a str], &'a str, Value);

#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn every_command_prints_json() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.resident("ubuntu.com", TEAM, NAME).await?;
    stack.resident("ubuntu.com", TEAM, OTHER).await?;
    // After the link, the name no longer finds the other member.
    let other = stack.member_named(OTHER).await?.id.to_string();
    // A separate table, so that other tests are not affected.
    let table = empty_table(&stack, "json").await?;
    let elsewhere = ["--table", &table, "--as", "kim"];
    let server = NameServer::start(&stack.knotd, &[Zone::Good("lubuntu.me", "@ TXT \"v=spf1 -all\"")]).await?;
    let servers = server.address.to_string();
    let check = ["check", "lubuntu.me", "--dns-servers", &servers];
    let granted = ["--yes", "--as", "kim"];
    let doctor = ["doctor", "members", "--team", "kubuntu-members", "--members-url", stack.fakes_url.as_str()];
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("export.json");
    let export = ["member", "export", NAME, "--as", "kim", "--output", file.to_str().context("not UTF-8")?];
    let cases: [Case<'_>; 29] = [
        (&doctor, "/findings", Value::Null),
        (&["member", "show", NAME], "/source_name", json!(NAME)),
        (&["alias", "show", ADDRESS], "/status", json!("active")),
        (&["member", "ban", NAME, "--as", "kim"], "/did", json!("banned")),
        (&["member", "unban", NAME, "--as", "kim"], "/did", json!("unbanned")),
        (&["member", "unban", NAME, "--as", "kim"], "/did", json!("was-welcome")),
        (&["alias", "history", ADDRESS], "/entries/1/by", json!("kim")),
        (&[&["member", "link", NAME, OTHER][..], &granted].concat(), "/did", json!("linked")),
        (&[&["member", "unlink", NAME, &other][..], &granted].concat(), "/did", json!("unlinked")),
        (&[&["member", "limit", NAME, "ubuntu.com", "5"][..], &granted].concat(), "/limit", json!(5)),
        (&["member", "destinations", NAME], "/destinations", Value::Null),
        (&["member", "pause", NAME, ADDRESS, "--as", "kim"], "/did", json!("paused-temporarily")),
        (&export, "/members", json!(1)),
        (&["member", "erase", NAME, "--as", "kim"], "/did", json!("planned")),
        (&[&["domain", "admin", "add", "lubuntu.me", NAME][..], &granted].concat(), "/did", json!("added")),
        (&["domain", "admin", "list", "lubuntu.me"], "/bindings", Value::Null),
        (&[&["domain", "admin", "remove", "lubuntu.me", NAME][..], &granted].concat(), "/did", json!("removed")),
        (
            &[&["domain", "name", "reserve", "lubuntu.me", "council"][..], &elsewhere].concat(),
            "/did",
            json!("reserved"),
        ),
        (&[&["domain", "name", "list", "lubuntu.me"][..], &elsewhere].concat(), "/names/0/by", json!("kim")),
        (
            &[&["domain", "name", "release", "lubuntu.me", "council"][..], &elsewhere].concat(),
            "/did",
            json!("released"),
        ),
        (&["sync", "runs", "--limit", "1"], "/runs", Value::Null),
        (&["domain", "list"], "/domains/0/domain", json!("ubuntu.com")),
        (&[&["domain", "show", "lubuntu.me"][..], &elsewhere].concat(), "/domain", json!("lubuntu.me")),
        (&[&["domain", "verify", "lubuntu.me"][..], &elsewhere].concat(), "/verified", json!(true)),
        (&[&["domain", "retire", "lubuntu.me"][..], &elsewhere].concat(), "/did", json!("planned")),
        (&[&["domain", "unverify", "lubuntu.me"][..], &elsewhere].concat(), "/verified", json!(false)),
        (&[&["domain"][..], &check, &elsewhere].concat(), "/domains/0/record", json!("missing")),
        (&["queue", "list"], "/queues", Value::Null),
        (&["queue", "show", "verify", "--limit", "1"], "/messages", Value::Null),
    ];
    for (arguments, pointer, expected) in &cases {
        let document = membermail_json(&stack, arguments).await?;
        let found = document.pointer(pointer).with_context(|| format!("{arguments:?} has no {pointer}: {document}"))?;
        ensure!(found == expected || (expected.is_null() && found.is_array()), "{arguments:?}: {document}");
    }
    let secret = membermail_json(&stack, &["secret", "show"]).await?;
    ensure!(secret.is_object(), "{secret}");

    // The manual lists the same commands.
    let mut known: BTreeSet<_> = COVERED_ELSEWHERE.map(str::to_owned).into();
    known.insert("secret show".to_owned());
    for (arguments, ..) in &cases {
        let words = if ["admin", "name"].contains(&arguments[1]) { 3 } else { 2 };
        known.insert(arguments[..words].join(" "));
    }
    let listed = MANUAL.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once("` |")?.0));
    let listed = listed.map(|command| {
        let words = command.split(' ').take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
        words.collect::<Vec<_>>().join(" ")
    });
    let mut listed: Vec<_> = listed.filter(|command| !command.is_empty()).collect();
    listed.sort_unstable();
    ensure!(listed.iter().eq(&known), "{listed:?} and {known:?}");
    stack.dynamodb().await.delete_table().table_name(table).send().await?;
    Ok(())
}
