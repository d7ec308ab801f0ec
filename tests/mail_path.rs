//! Mail to a member: from a stranger's server, through a real Postfix that asks our table, to the member's own mailbox.
//! `cargo dev test mail_` runs these stories alone.

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use membermail_core::address::Address;
use membermail_postfix::follow::{Said, Step};
use membermail_tests::mail::{MailHost, WIDE};
use membermail_tests::stack::Stack;

#[path = "mail_path/back.rs"]
mod mail_back;
#[path = "mail_path/door.rs"]
mod mail_door;
#[path = "mail_path/load.rs"]
mod mail_load;
#[path = "mail_path/outage.rs"]
mod mail_outage;
#[path = "mail_path/page.rs"]
mod mail_page;
#[path = "mail_path/signed.rs"]
mod mail_signed;
#[path = "mail_path/submission.rs"]
mod mail_submission;

use mail_signed as signed;

/// Long enough for the functions behind the queues.
const PATIENCE: u64 = 120;

/// Signs in and waits for the address at ubuntu.com; its destination is `NAME@mail.example`.
async fn member(stack: &Stack, name: &str) -> Result<String> {
    let (browser, _) = stack.sign_in(name).await?;
    stack.page_with(&browser, &format!("{name}@ubuntu.com now forwards to"), PATIENCE).await?;
    Ok(format!("{name}@mail.example"))
}

/// Writes a status into the table, as the sync does when somebody is no longer a member.
async fn set_status(stack: &Stack, address: &str, status: &str, reason: &str) -> Result<()> {
    let address = Address::try_from(address.to_owned())?;
    let text = |value: &str| AttributeValue::S(value.to_owned());
    let update = stack.dynamodb().await.update_item().table_name(&stack.table);
    update
        .key("pk", text(&format!("DOMAIN#{}", address.domain)))
        .key("sk", text(&format!("ALIAS#{}", address.local_part)))
        .update_expression("SET #status = :status, reason = :reason")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":status", text(status))
        .expression_attribute_values(":reason", text(reason))
        .send()
        .await?;
    Ok(())
}

async fn host(stack: &Stack, name: &str, settings: &str) -> Result<MailHost> {
    MailHost::start(stack, name, &stack.endpoint_url, settings, WIDE).await
}

fn refused(said: &Said, code: &str, words: &str) -> bool {
    matches!(said, Said::Refused(Step::Recipient, text) if text.starts_with("550") && text.contains(code) && text.contains(words))
}
