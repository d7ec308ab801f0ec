//! The permissions of the deployed roles: each role may do what its function needs, only on resources of the stack, and
//! none may change the audit log.
//!
//! The policies are those that CloudFormation creates from `template.yaml`. After all tests, `cargo dev test` also checks
//! the recorded calls of all functions against them.

mod needed;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use membermail_permissions::{Call, LOG_ACTIONS, POLL_ACTIONS, Permissions};
use membermail_tests::stack::Stack;

use needed::NEEDED;

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
/// Keys of an audit entry: of a domain, of members, and one among other items.
const AUDIT: [&[&str]; 3] = [
    &["AUDIT#ubuntu.com#2026-11"],
    &["AUDIT#-#2026-11"],
    &["MEMBER#1", "DOMAIN#ubuntu.com", "AUDIT#ubuntu.com#2026-11"],
];
/// The roles whose functions write entries.
const WRITERS: [&str; 6] =
    ["AccountRole", "AdminRole", "CheckDomainsRole", "SyncTeamRole", "VerifyMemberRole", "WriteAliasesRole"];
const TRANSACTION: &str = "TransactWriteItems";

struct World {
    permissions: Permissions,
    /// Calls that the Lambda service makes with the roles.
    lambda_calls: Vec<(String, Call)>,
    table: String,
}

impl World {
    fn new() -> Result<Self> {
        let stack = Stack::of_this_run()?;
        let table = format!("arn:aws:dynamodb:us-east-1:000000000000:table/{}", stack.table);
        let permissions = Permissions::of_stack(&|| stack.aws_cli(), "membermail")?;
        Ok(Self { lambda_calls: permissions.lambda_calls(&|| stack.aws_cli())?, permissions, table })
    }

    fn call(&self, action: &str, keys: &[&str], enclosing: Option<&str>) -> Call {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let action = format!("dynamodb:{action}");
        Call { action, resource: self.table.clone(), keys, enclosing: enclosing.map(str::to_owned) }
    }

    fn allows(&self, holder: &str, action: &str, keys: &[&str], enclosing: Option<&str>) -> Result<bool> {
        self.permissions.allows(holder, &self.call(action, keys, enclosing))
    }

    /// All roles and managed policies except the one that only denies.
    fn holders(&self) -> Result<Vec<&str>> {
        let holders: Vec<_> = self.permissions.holders().filter(|holder| *holder != "AuditAppendOnlyPolicy").collect();
        ensure!(
            holders.len() >= 10
                && ["AliasMapPolicy", "BouncePolicy", "CanaryPolicy"].iter().all(|one| holders.contains(one)),
            "{holders:?}"
        );
        Ok(holders)
    }
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn no_role_changes_audit_entries() -> Result<()> {
    let world = World::new()?;
    for holder in world.holders()? {
        for (action, keys) in ALTERING.iter().flat_map(|action| AUDIT.map(|keys| (*action, keys))) {
            for enclosing in [None, Some(TRANSACTION)] {
                let call = world.call(action, keys, enclosing);
                // Audit entries are only ever added in the transaction of the change that they describe.
                let adds = action == "PutItem" && enclosing.is_some() && WRITERS.contains(&holder);
                ensure!(adds || !world.permissions.allows(holder, &call)?, "{holder} may {call:?}");
            }
        }
        // Requests without a key: scans, PartiQL statements, operations on the whole table.
        for action in ALTERING.into_iter().chain(["Scan", "DeleteTable", "UpdateTable", "UpdateTimeToLive"]) {
            ensure!(!world.allows(holder, action, &[], None)?, "{holder} may {action} without a key");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn audit_entries_are_added_in_transactions() -> Result<()> {
    let world = World::new()?;
    let mut writers = BTreeSet::new();
    for holder in world.holders()? {
        if world.allows(holder, "PutItem", AUDIT[0], Some(TRANSACTION))? {
            writers.insert(holder.to_owned());
        }
        let puts = world.allows(holder, "PutItem", AUDIT[0], None)?;
        ensure!(!puts, "{holder} may put an entry outside of a transaction");
    }
    ensure!(writers.iter().map(String::as_str).eq(WRITERS), "{writers:?}");
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn audit_deny_overrides_full_access() -> Result<()> {
    let world = World::new()?;
    let everything =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}"#;
    let may = |holder: &str, call: &Call| world.permissions.allows_with(holder, everything, call);
    for holder in WRITERS.into_iter().chain(["NotifyRole", "SsoRole"]) {
        for action in ["UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLUpdate", "PartiQLDelete"] {
            for (keys, enclosing) in AUDIT.iter().flat_map(|keys| [(keys, None), (keys, Some(TRANSACTION))]) {
                ensure!(!may(holder, &world.call(action, keys, enclosing))?, "{holder} may {action} {keys:?}");
            }
        }
        ensure!(!may(holder, &world.call("PutItem", AUDIT[0], None))?, "{holder} may overwrite an entry");
        ensure!(may(holder, &world.call("UpdateItem", &["MEMBER#1"], None))?, "the deny statement is too broad");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn roles_have_least_privilege() -> Result<()> {
    let world = World::new()?;
    for (holder, action, needed, others) in NEEDED {
        ensure!(world.allows(holder, action, needed, None)?, "{holder} may not {action} {needed:?}");
        for key in others {
            ensure!(!world.allows(holder, action, &[key], None)?, "{holder} may {action} {key}");
        }
    }
    let index = Call { resource: format!("{}/index/by-member", world.table), ..world.call("Query", &["1"], None) };
    for (holder, may) in [
        ("AccountRole", true),
        ("AdminRole", true),
        ("WriteAliasesRole", true),
        ("SsoRole", false),
        ("NotifyRole", true),
    ] {
        ensure!(world.permissions.allows(holder, &index)? == may, "{holder} at the index");
    }
    Ok(())
}

/// A stolen key of the mail host must not list members, change anything, or read the relay credentials of `notify`.
#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn alias_map_has_least_privilege() -> Result<()> {
    let world = World::new()?;
    let holder = "AliasMapPolicy";
    for action in ["Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem"] {
        for keys in [&["DOMAIN#a"][..], &[]] {
            ensure!(!world.allows(holder, action, keys, None)?, "it may {action} {keys:?}");
        }
    }
    ensure!(world.allows(holder, "GetItem", &["DOMAIN#a"], None)? && !world.allows(holder, "GetItem", &[], None)?);
    // The index lists the addresses of one member by id; alias-map needs it for the admins of a domain.
    for (action, allowed) in [("Query", true), ("Scan", false)] {
        let index = Call { resource: format!("{}/index/by-member", world.table), ..world.call(action, &["1"], None) };
        ensure!(world.permissions.allows(holder, &index)? == allowed, "the index is for queries by member only");
    }
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
            ensure!(world.permissions.allows(holder, &call)? == reads, "{call:?}");
        }
    }
    Ok(())
}

/// The bounce processor handles mail of strangers: whoever takes it over can only report failures.
#[tokio::test]
#[ignore = "needs the local stack (cargo dev test)"]
async fn bounce_processor_only_reports_failures() -> Result<()> {
    let world = World::new()?;
    let holder = "BouncePolicy";
    for action in ["GetItem", "Query", "Scan", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem"] {
        for keys in [&["DOMAIN#a"][..], &["FAILING#a"], &["MEMBER#1"], &[]] {
            ensure!(!world.allows(holder, action, keys, None)?, "it may {action} {keys:?}");
        }
    }
    let stack = Stack::of_this_run()?;
    let urls = stack.sqs().await.list_queues().send().await?.queue_urls.unwrap_or_default();
    let names: Vec<_> = urls.iter().filter_map(|url| url.rsplit('/').next()).collect();
    let own = stack.physical_id("DeliveryFailureQueue")?;
    let own = own.rsplit('/').next().unwrap_or_default();
    ensure!(names.contains(&own) && names.len() > 10, "{names:?}");
    for name in names {
        for action in ["SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue", "GetQueueAttributes"] {
            let resource = format!("arn:aws:sqs:us-east-1:000000000000:{name}");
            let call = Call { action: format!("sqs:{action}"), resource, keys: Vec::new(), enclosing: None };
            let reports = action == "SendMessage" && name == own;
            ensure!(world.permissions.allows(holder, &call)? == reports, "{call:?}");
        }
    }
    for action in ["secretsmanager:GetSecretValue", "lambda:InvokeFunction"] {
        let call = Call {
            action: action.to_owned(),
            resource: stack.master_secret_arn.clone(),
            keys: Vec::new(),
            enclosing: None,
        };
        ensure!(!world.permissions.allows(holder, &call)?, "{call:?}");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn every_role_denies_plain_audit_writes() -> Result<()> {
    let world = World::new()?;
    // This extra policy would let a role without AuditAppendOnlyPolicy write an entry outside of a transaction.
    let put = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:PutItem","Resource":"*"}]}"#;
    let call = world.call("PutItem", AUDIT[0], None);
    for holder in world.holders()?.into_iter().filter(|holder| holder.ends_with("Role")) {
        ensure!(!world.permissions.allows_with(holder, put, &call)?, "{holder} lacks AuditAppendOnlyPolicy");
    }
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn permissions_end_at_the_stack() -> Result<()> {
    let World { permissions, .. } = World::new()?;
    // AWSLambdaSQSQueueExecutionRole, for example, may read and delete the messages of every queue of the account.
    ensure!(permissions.aws_managed_policies().is_empty(), "{:?}", permissions.aws_managed_policies());
    // X-Ray's two actions have no resource; tracing is off here (infra/dev/cargo-dev/tests/integration/deploy.rs turns it on).
    ensure!(permissions.wildcard_grants().is_empty(), "{:?}", permissions.wildcard_grants());
    Ok(())
}

#[test]
#[ignore = "needs the local stack (cargo dev test)"]
fn lambda_calls_stay_within_own_function() -> Result<()> {
    let World { permissions, lambda_calls, .. } = World::new()?;
    let roles: BTreeSet<_> = lambda_calls.iter().map(|(role, _)| role.as_str()).collect();
    let queues = lambda_calls.iter().filter(|(_, call)| call.action == POLL_ACTIONS[0]).count();
    ensure!(roles.len() == 10 && queues == 6, "{lambda_calls:?}");
    for (owner, call) in &lambda_calls {
        ensure!(permissions.allows(owner, call)?, "{owner} may not {call:?}");
        let resource = match call.resource.split_once(":log-stream") {
            Some((group, stream)) => format!("{group}-of-others:log-stream{stream}"),
            None => format!("{}-of-others", call.resource),
        };
        let foreign = Call { resource, ..call.clone() };
        for role in &roles {
            ensure!(!permissions.allows(role, &foreign)?, "{role} may {foreign:?}");
            // `GET /health` reads the attributes of every queue; only the owner may receive or delete messages.
            let asks = *role == "SsoRole" && call.action == "sqs:GetQueueAttributes";
            ensure!(role == owner || asks || !permissions.allows(role, call)?, "{role} may {call:?} of {owner}");
        }
    }
    for action in POLL_ACTIONS.iter().chain(&LOG_ACTIONS) {
        ensure!(lambda_calls.iter().any(|(_, call)| call.action == *action), "no role was checked for {action}");
    }
    Ok(())
}
