//! The description of a running site for tests and other programs: `stack.json`.

use std::path::Path;

use anyhow::Result;
use membermail_toolbox::{find_program, folder, venv_program};
use serde_json::{Value, json};

use crate::site::Site;
use crate::{emulator, mail, stack, tools};

/// URLs, ARNs and paths of a site.
pub(crate) fn describe(site: &Site, state: &Path) -> Result<Value> {
    let peers = tools::peers();
    Ok(json!({
        "endpoint_url": site.emulator.url,
        "dynamodb_url": site.emulator.url,
        "code_bucket": stack::BUCKET,
        "template_url": stack::template_url(),
        "public_url": site.url,
        "fakes_url": site.fakes.url,
        "table": site.output("TableName")?,
        "verify_queue_url": site.output("VerifyQueueUrl")?,
        "write_queue_url": site.output("WriteQueueUrl")?,
        "verify_dead_letters_url": site.output("VerifyDeadLettersUrl")?,
        "write_dead_letters_url": site.output("WriteDeadLettersUrl")?,
        "sync_queue_url": site.output("SyncQueueUrl")?,
        "master_secret_arn": site.output("MasterSecretArn")?,
        "api_url": format!("{}/", site.api_url()?),
        // All processes of this run are descendants of this one.
        "pid": std::process::id(),
        "check_domains_function": site.output("CheckDomainsFunction")?,
        "check_status_function": site.output("CheckStatusFunction")?,
        "start_sync_function": site.output("StartSyncFunction")?,
        "alarm_topic_arn": site.output("AlarmTopicArn")?,
        "dashboard": site.output("DashboardName")?,
        "peers": { "python": peers.python, "canaille": peers.canaille, "node_modules": peers.node_modules },
        "knotd": find_program(&["knotd"]),
        "mail": mail::describe(state),
        "mailbox": site.mail_sink.mailbox.folder(),
        "notify_queue_url": site.output("NotifyQueueUrl")?,
        "logs": emulator::logs(state),
        "python": venv_program("python"),
        "node_modules": folder().join("browser/node_modules"),
        "chromium": find_program(&tools::CHROMIUM),
        "chromedriver": find_program(&["chromedriver"]),
    }))
}
