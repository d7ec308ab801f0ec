//! `--json`: each command prints one document that a program can read, with what it came to.

use anyhow::{Context, Result, ensure};
use membermail_tests::dns::{NameServer, Zone};
use membermail_tests::stack::Stack;
use serde_json::{Value, json};

use crate::command::membermail;
use crate::{TEAM, empty_table, somebody};

/// Commands whose documents other stories read: a held run, a dead letter and a mail host are much to set up. The audit
/// log is JSON Lines, and completions are a script.
const ELSEWHERE: [&str; 14] = [
    "sync plan",
    "sync run",
    "sync show",
    "sync release",
    "sync reject",
    "alias test",
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

/// A command, where the document tells what was asked about, and what is there.
type Case<'a> = (&'a [&'a str], &'a str, Value);

#[tokio::test]
async fn every_command_answers_a_program() -> Result<()> {
    let stack = Stack::of_this_run()?;
    stack.add(json!({ "name": NAME, "teams": [TEAM] })).await?;
    stack.add(json!({ "name": OTHER, "teams": [TEAM] })).await?;
    somebody(&stack, NAME).await?;
    somebody(&stack, OTHER).await?;
    // After the link the other one has no name that leads to it.
    let other = stack.store().await.member_by_name(&OTHER.parse()?).await?.context("no member")?.id.to_string();
    // What is verified there is of no concern to others.
    let table = empty_table(&stack, "json").await?;
    let elsewhere = ["--table", &table, "--as", "kim"];
    let server = NameServer::start(&stack.knotd, &[Zone::Good("lubuntu.me", "@ TXT \"v=spf1 -all\"")]).await?;
    let asked = server.address.to_string();
    let check = ["check", "lubuntu.me", "--dns-servers", &asked];
    let granted = ["--yes", "--as", "kim"];
    let doctor = ["doctor", "launchpad", "--team", "kubuntu-members", "--launchpad", stack.stand_ins_url.as_str()];
    let cases: [Case<'_>; 22] = [
        (&doctor, "/findings", Value::Null),
        (&["member", "show", NAME], "/launchpad_name", json!(NAME)),
        (&["alias", "show", ADDRESS], "/status", json!("active")),
        (&["member", "ban", NAME, "--as", "kim"], "/did", json!("banned")),
        (&["member", "unban", NAME, "--as", "kim"], "/did", json!("unbanned")),
        (&["member", "unban", NAME, "--as", "kim"], "/did", json!("was-welcome")),
        (&["alias", "history", ADDRESS], "/entries/1/by", json!("kim")),
        (&[&["member", "link", NAME, OTHER][..], &granted].concat(), "/did", json!("linked")),
        (&[&["member", "unlink", NAME, &other][..], &granted].concat(), "/did", json!("unlinked")),
        (&[&["member", "limit", NAME, "ubuntu.com", "5"][..], &granted].concat(), "/limit", json!(5)),
        (&[&["domain", "admin", "add", "lubuntu.me", NAME][..], &granted].concat(), "/did", json!("added")),
        (&["domain", "admin", "list", "lubuntu.me"], "/bindings", Value::Null),
        (&[&["domain", "admin", "remove", "lubuntu.me", NAME][..], &granted].concat(), "/did", json!("removed")),
        (&["sync", "runs", "--most", "1"], "/runs", Value::Null),
        (&["domain", "list"], "/domains/0/domain", json!("ubuntu.com")),
        (&[&["domain", "show", "lubuntu.me"][..], &elsewhere].concat(), "/domain", json!("lubuntu.me")),
        (&[&["domain", "verify", "lubuntu.me"][..], &elsewhere].concat(), "/verified", json!(true)),
        (&[&["domain", "retire", "lubuntu.me"][..], &elsewhere].concat(), "/did", json!("planned")),
        (&[&["domain", "unverify", "lubuntu.me"][..], &elsewhere].concat(), "/verified", json!(false)),
        (&[&["domain"][..], &check, &elsewhere].concat(), "/domains/0/record", json!("missing")),
        (&["queue", "list"], "/queues", Value::Null),
        (&["queue", "show", "verify", "--most", "1"], "/messages", Value::Null),
    ];
    for (arguments, place, expected) in &cases {
        let said = membermail(&stack, &[arguments, &["--json"][..]].concat()).await?.done()?;
        let document = said.json()?;
        let found = document.pointer(place).with_context(|| format!("{arguments:?} has no {place}: {document}"))?;
        ensure!(found == expected || (expected.is_null() && found.is_array()), "{arguments:?}: {document}");
    }
    let secret = membermail(&stack, &["secret", "show", "--json"]).await?.done()?.json()?;
    ensure!(secret.is_object(), "{secret}");

    // None is left out: these are all that the manual has.
    let name = |arguments: &[&str]| arguments[..if arguments[1] == "admin" { 3 } else { 2 }].join(" ");
    let tried = cases.iter().map(|(arguments, ..)| name(arguments)).chain(["secret show".to_owned()]);
    let mut known: Vec<_> = tried.chain(ELSEWHERE.map(str::to_owned)).collect();
    known.sort_unstable();
    known.dedup();
    let listed =
        MANUAL.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |").map(|(command, _)| command));
    let words = |command: &str| {
        let words = command.split(' ').take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
        words.collect::<Vec<_>>().join(" ")
    };
    let mut listed: Vec<_> = listed.map(words).filter(|command| !command.is_empty()).collect();
    listed.sort_unstable();
    ensure!(listed == known, "{listed:?} and {known:?}");
    stack.dynamodb().await.delete_table().table_name(table).send().await?;
    Ok(())
}
