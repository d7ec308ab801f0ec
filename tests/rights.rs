//! What the deployed roles may do: each what its function needs, at nothing but what is the stack's own, and none touches
//! what is in the audit log.
//!
//! The policies are those that CloudFormation made of `template.yaml`. What the functions really do in all stories is
//! held against them by `cargo dev test` itself, once the stories have ended.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Result, ensure};
use membermail_rights::{Call, LOGGING, READING, Rights};
use membermail_tests::stack::Stack;

/// Everything that IAM calls a write of items.
const ALTERING: [&str; 8] = [
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "BatchWriteItem",
    "PartiQLInsert",
    "PartiQLUpdate",
    "PartiQLDelete",
    "ImportTable",
];
/// An entry of a domain, one of members, and one among other items.
const AUDIT: [&[&str]; 3] = [
    &["AUDIT#ubuntu.com#2026-11"],
    &["AUDIT#-#2026-11"],
    &["MEMBER#1", "DOMAIN#ubuntu.com", "AUDIT#ubuntu.com#2026-11"],
];
/// The roles whose functions write entries.
const WRITERS: [&str; 4] = ["CheckDomainsRole", "SyncTeamRole", "VerifyMemberRole", "WriteAliasesRole"];
const TRANSACTION: &str = "TransactWriteItems";

struct World {
    rights: Rights,
    /// What Lambda itself does as the roles.
    of_lambda: Vec<(String, Call)>,
    table: String,
}

impl World {
    fn new() -> Result<Self> {
        let stack = Stack::of_this_run()?;
        let aws = || {
            let mut command = Command::new(stack.python.with_file_name("aws"));
            command.args(["--output", "json", "--region", "us-east-1", "--endpoint-url", stack.endpoint_url.as_str()]);
            command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").env_remove("AWS_PROFILE");
            command
        };
        let table = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}", stack.table);
        let rights = Rights::of_stack(&aws, "membermail")?;
        Ok(Self { of_lambda: rights.calls_of_lambda(&aws)?, rights, table })
    }

    fn call(&self, action: &str, keys: &[&str], enclosing: Option<&str>) -> Call {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let action = format!("dynamodb:{action}");
        Call { action, resource: self.table.clone(), keys, enclosing: enclosing.map(str::to_owned) }
    }

    /// Who has rights at all, beside the policy that takes some away.
    fn holders(&self) -> Result<Vec<&str>> {
        let holders: Vec<_> = self.rights.holders().filter(|holder| *holder != "AuditOnlyGrows").collect();
        ensure!(holders.len() >= 9 && holders.contains(&"AliasMapPolicy"), "{holders:?}");
        Ok(holders)
    }
}

#[test]
fn no_role_alters_or_deletes_what_is_in_the_audit_log() -> Result<()> {
    let world = World::new()?;
    for holder in world.holders()? {
        for (action, keys) in ALTERING.iter().flat_map(|action| AUDIT.map(|keys| (*action, keys))) {
            for enclosing in [None, Some(TRANSACTION)] {
                let call = world.call(action, keys, enclosing);
                // An entry comes in with its change, in one transaction, and in no other way.
                let adds = action == "PutItem" && enclosing.is_some() && WRITERS.contains(&holder);
                ensure!(adds || !world.rights.allow(holder, &call)?, "{holder} may {call:?}");
            }
        }
        // Neither by a request that names no key: a scan, a statement of PartiQL, the table as a whole.
        for action in ALTERING.into_iter().chain(["Scan", "DeleteTable", "UpdateTable", "UpdateTimeToLive"]) {
            ensure!(
                !world.rights.allow(holder, &world.call(action, &[], None))?,
                "{holder} may {action} without a key"
            );
        }
    }
    Ok(())
}

#[test]
fn whoever_writes_entries_adds_them_in_a_transaction_alone() -> Result<()> {
    let world = World::new()?;
    let mut writers = BTreeSet::new();
    for holder in world.holders()? {
        let put = |enclosing| world.rights.allow(holder, &world.call("PutItem", AUDIT[0], enclosing));
        if put(Some(TRANSACTION))? {
            writers.insert(holder.to_owned());
        }
        ensure!(!put(None)?, "{holder} may put an entry outside of a transaction");
    }
    ensure!(writers.iter().map(String::as_str).eq(WRITERS), "{writers:?}");
    Ok(())
}

#[test]
fn a_role_that_is_given_everything_still_alters_no_entry() -> Result<()> {
    let world = World::new()?;
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}"#;
    let may = |holder: &str, call: &Call| world.rights.allow_with(holder, everything, call);
    for holder in WRITERS.into_iter().chain(["AccountRole", "NotifyRole", "SsoRole"]) {
        for action in ["UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"] {
            for (keys, enclosing) in AUDIT.iter().flat_map(|keys| [(keys, None), (keys, Some(TRANSACTION))]) {
                ensure!(!may(holder, &world.call(action, keys, enclosing))?, "{holder} may {action} {keys:?}");
            }
        }
        ensure!(!may(holder, &world.call("PutItem", AUDIT[0], None))?, "{holder} may put over an entry");
        ensure!(may(holder, &world.call("UpdateItem", &["MEMBER#1"], None))?, "the test takes too much away");
    }
    Ok(())
}

/// What each function does, as its code reads; what it has no business with, it may not.
const NEEDED: [(&str, &str, &[&str], &[&str]); 41] = [
    ("SsoRole", "GetItem", &["IDENTITY#a#b", "MEMBER#1", "SESSION#1"], &["DOMAIN#a"]),
    (
        "SsoRole",
        "PutItem",
        &["IDENTITY#a#b", "MEMBER#1", "NONCE#1", "SESSION#1", "STATE#1"],
        &["DOMAIN#a", "OUTBOX#0f"],
    ),
    ("SsoRole", "UpdateItem", &["MEMBER#1"], &["DOMAIN#a", "SESSION#1"]),
    ("SsoRole", "DeleteItem", &["SESSION#1"], &["MEMBER#1", "NONCE#1", "STATE#1"]),
    ("AccountRole", "GetItem", &["MEMBER#1", "SESSION#1"], &["IDENTITY#a#b", "DOMAIN#a"]),
    ("AccountRole", "Query", &["MEMBER#1"], &["DOMAIN#a", "BANNED"]),
    ("AccountRole", "UpdateItem", &["SESSION#1"], &["MEMBER#1", "DOMAIN#a"]),
    ("VerifyMemberRole", "GetItem", &["IDENTITY#a#b", "MEMBER#1", "NAME#a"], &["DOMAIN#a", "SESSION#1"]),
    ("VerifyMemberRole", "BatchGetItem", &["DOMAIN#a"], &["MEMBER#1", "SYNC#a"]),
    ("VerifyMemberRole", "Query", &["MEMBER#1"], &["DOMAIN#a", "BANNED"]),
    ("VerifyMemberRole", "UpdateItem", &["IDENTITY#a#b", "MEMBER#1", "NAME#a"], &["DOMAIN#a", "SESSION#1"]),
    ("VerifyMemberRole", "PutItem", &["BANNED", "MEMBER#1", "NAME#a", "OUTBOX#0f"], &["DOMAIN#a", "IDENTITY#a#b"]),
    ("VerifyMemberRole", "DeleteItem", &["MEMBER#1"], &["BANNED", "DOMAIN#a", "IDENTITY#a#b", "NAME#a"]),
    ("WriteAliasesRole", "GetItem", &["DOMAIN#a", "MEMBER#1"], &["SESSION#1"]),
    ("WriteAliasesRole", "BatchGetItem", &["DOMAIN#a", "MEMBER#1"], &["SESSION#1", "NAME#a"]),
    ("WriteAliasesRole", "ConditionCheckItem", &["DOMAIN#a#GATE#16#3", "MEMBER#1"], &["SESSION#1"]),
    ("WriteAliasesRole", "Query", &["MEMBER#1"], &["DOMAIN#a", "BANNED", "EXPIRED#a"]),
    (
        "WriteAliasesRole",
        "PutItem",
        &["DOMAIN#a", "EXPIRED#a", "MEMBER#1", "OUTBOX#0f"],
        &["NAME#a", "SESSION#1", "SYNC#a"],
    ),
    ("WriteAliasesRole", "UpdateItem", &["DOMAIN#a", "DOMAIN#a#GATE#16#3", "MEMBER#1"], &["IDENTITY#a#b", "NAME#a"]),
    ("WriteAliasesRole", "DeleteItem", &["MEMBER#1"], &["DOMAIN#a", "BANNED"]),
    ("StartSyncRole", "BatchGetItem", &["SYNC#a"], &["DOMAIN#a", "MEMBER#1", "SLOT#0"]),
    ("StartSyncRole", "Query", &["DOMAINS"], &["DOMAIN#a", "ADMINS#a"]),
    ("StartSyncRole", "Query", &["SYNC#a"], &["DOMAIN#a", "MEMBER#1", "BANNED"]),
    ("StartSyncRole", "UpdateItem", &["SYNC#a"], &["DOMAIN#a", "MEMBER#1", "OUTBOX#0f"]),
    ("SyncTeamRole", "BatchGetItem", &["NAME#a"], &["MEMBER#1", "DOMAIN#a"]),
    ("SyncTeamRole", "Query", &["BANNED", "DOMAIN#a", "EXPIRED#a", "MEMBER#1", "SYNC#a"], &["OUTBOX#0f"]),
    (
        "SyncTeamRole",
        "PutItem",
        &["BANNED", "MEMBER#1", "NAME#a", "OUTBOX#0f", "SLOT#0", "SYNC#a"],
        &["DOMAIN#a", "IDENTITY#a#b"],
    ),
    (
        "SyncTeamRole",
        "UpdateItem",
        &["DOMAIN#a", "DOMAINS", "IDENTITY#a#b", "MEMBER#1", "NAME#a", "SYNC#a"],
        &["SESSION#1"],
    ),
    ("SyncTeamRole", "UpdateItem", &["DOMAIN#a", "DOMAIN#a#GATE#16#3"], &["OUTBOX#0f"]),
    ("SyncTeamRole", "DeleteItem", &["EXPIRED#a", "MEMBER#1", "SLOT#0", "SYNC#a"], &["BANNED", "DOMAIN#a", "NAME#a"]),
    ("CheckDomainsRole", "Query", &["DOMAINS"], &["DOMAIN#a", "MEMBER#1"]),
    ("CheckDomainsRole", "UpdateItem", &["DOMAIN#a", "DOMAIN#a#GATE#16#3"], &["MEMBER#1"]),
    ("CheckDomainsRole", "UpdateItem", &["DOMAINS"], &["MEMBER#1", "OUTBOX#0f"]),
    (
        "NotifyRole",
        "GetItem",
        &["DIGEST#a", "DOMAIN#a", "MEMBER#1", "NOTICE#1", "OUTBOX", "OUTBOX#0f", "SYNC#a"],
        &["SESSION#1"],
    ),
    ("NotifyRole", "BatchGetItem", &["DIGEST#a", "DOMAIN#a", "MEMBER#1"], &["SESSION#1", "NAME#a"]),
    ("NotifyRole", "Query", &["ADMINS#a", "DIGEST#a", "OUTBOX", "OUTBOX#0f"], &["DOMAIN#a", "MEMBER#1"]),
    ("NotifyRole", "UpdateItem", &["DIGEST#a", "OUTBOX", "OUTBOX#0f"], &["DOMAIN#a", "MEMBER#1", "NOTICE#1"]),
    ("NotifyRole", "PutItem", &["DIGEST#a", "FAILURE#1", "NOTICE#1"], &["DOMAIN#a", "MEMBER#1"]),
    ("NotifyRole", "DeleteItem", &["DIGEST#a", "NOTICE#1", "OUTBOX", "OUTBOX#0f"], &["DOMAIN#a", "MEMBER#1"]),
    ("AliasMapPolicy", "GetItem", &["DOMAIN#a", "IDENTITY#a#b", "MEMBER#1"], &["NAME#a", "SESSION#1", "OUTBOX#0f"]),
    ("AliasMapPolicy", "Query", &["ADMINS#a", "DOMAINS"], &["DOMAIN#a", "MEMBER#1"]),
];

#[test]
fn each_role_may_what_its_function_needs_and_no_more() -> Result<()> {
    let world = World::new()?;
    for (holder, action, needed, others) in NEEDED {
        ensure!(world.rights.allow(holder, &world.call(action, needed, None))?, "{holder} may not {action} {needed:?}");
        for key in others {
            ensure!(!world.rights.allow(holder, &world.call(action, &[key], None))?, "{holder} may {action} {key}");
        }
    }
    let index = Call { resource: format!("{}/index/by-member", world.table), ..world.call("Query", &["1"], None) };
    for (holder, may) in [("AccountRole", true), ("WriteAliasesRole", true), ("SsoRole", false), ("NotifyRole", true)] {
        ensure!(world.rights.allow(holder, &index)? == may, "{holder} at the index");
    }
    Ok(())
}

/// Whoever has the mail host's key can neither list members nor change anything, nor read what `notify` signs in with.
#[test]
fn alias_map_reads_single_items_and_one_secret() -> Result<()> {
    let world = World::new()?;
    let may = |call: &Call| world.rights.allow("AliasMapPolicy", call);
    for action in ["Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem"] {
        for keys in [&["DOMAIN#a"][..], &[]] {
            ensure!(!may(&world.call(action, keys, None))?, "it may {action} {keys:?}");
        }
    }
    ensure!(may(&world.call("GetItem", &["DOMAIN#a"], None))? && !may(&world.call("GetItem", &[], None))?);
    // The addresses of one member, whose id it knows: those of a bound admin.
    let index =
        |action| Call { resource: format!("{}/index/by-member", world.table), ..world.call(action, &["1"], None) };
    ensure!(may(&index("Query"))? && !may(&index("Scan"))?, "the index tells of one member at a time");
    let stack = Stack::of_this_run()?;
    let secrets = stack.cli(&["secretsmanager", "list-secrets"])?;
    let arns = secrets["SecretList"].as_array().into_iter().flatten().filter_map(|secret| secret["ARN"].as_str());
    let arns: Vec<_> = arns.collect();
    ensure!(arns.contains(&stack.master_secret_arn.as_str()) && arns.len() > 1, "{arns:?}");
    for arn in arns {
        for action in ["GetSecretValue", "PutSecretValue", "ListSecretVersionIds"] {
            let action = format!("secretsmanager:{action}");
            let reads = action.ends_with(":GetSecretValue") && arn == stack.master_secret_arn;
            let call = Call { action, resource: arn.to_owned(), keys: Vec::new(), enclosing: None };
            ensure!(may(&call)? == reads, "{call:?}");
        }
    }
    Ok(())
}

#[test]
fn every_function_that_writes_has_the_policy_that_keeps_the_log() -> Result<()> {
    let world = World::new()?;
    // With the right to write an entry by itself, a role without that policy would have it.
    let put = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}]}"#;
    let call = world.call("PutItem", AUDIT[0], None);
    for holder in world.holders()?.into_iter().filter(|holder| holder.ends_with("Role")) {
        ensure!(!world.rights.allow_with(holder, put, &call)?, "{holder} lacks AuditOnlyGrows");
    }
    Ok(())
}

#[test]
fn no_right_reaches_beyond_the_stack() -> Result<()> {
    let World { rights, .. } = World::new()?;
    // Such as AWSLambdaSQSQueueExecutionRole, which reads and empties every queue of the account.
    ensure!(rights.policies_of_aws().is_empty(), "{:?}", rights.policies_of_aws());
    // X-Ray's two actions know no resource; this stack does not trace (infra/dev/tests/deploy.rs has one that does).
    ensure!(rights.allowed_anywhere().is_empty(), "{:?}", rights.allowed_anywhere());
    Ok(())
}

#[test]
fn lambda_reads_a_functions_own_queue_and_writes_to_its_own_log() -> Result<()> {
    let World { rights, of_lambda, .. } = World::new()?;
    let roles: BTreeSet<_> = of_lambda.iter().map(|(role, _)| role.as_str()).collect();
    let queues = of_lambda.iter().filter(|(_, call)| call.action == READING[0]).count();
    ensure!(roles.len() == 8 && queues == 5, "{of_lambda:?}");
    for (owner, call) in &of_lambda {
        ensure!(rights.allow(owner, call)?, "{owner} may not {call:?}");
        let resource = match call.resource.split_once(":log-stream") {
            Some((group, stream)) => format!("{group}-of-others:log-stream{stream}"),
            None => format!("{}-of-others", call.resource),
        };
        let foreign = Call { resource, ..call.clone() };
        for role in &roles {
            ensure!(!rights.allow(role, &foreign)?, "{role} may {foreign:?}");
            // `GET /health` asks every queue whether it is there; what is in it nobody else reads or takes.
            let asks = *role == "SsoRole" && call.action == "sqs:GetQueueAttributes";
            ensure!(role == owner || asks || !rights.allow(role, call)?, "{role} may {call:?} of {owner}");
        }
    }
    for action in READING.iter().chain(&LOGGING) {
        ensure!(of_lambda.iter().any(|(_, call)| call.action == *action), "nobody is asked about {action}");
    }
    Ok(())
}
