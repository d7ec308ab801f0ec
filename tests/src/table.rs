//! What stands in the table, and what a test changes there by hand: nobody waits for half a year to pass.

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use jiff::Timestamp;
use membermail_core::address::Address;
use membermail_core::alias::{Alias, Reason, Status};
use membermail_core::audit::{Actor, Cause, Change, Entry};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::member::MemberId;
use membermail_identity::session::SessionId;
use membermail_store::StoredAlias;

use crate::browser::Browser;
use crate::stack::Stack;
use crate::wait::until;

/// Reads an address of ours.
pub fn address(text: &str) -> Result<Address> {
    Ok(Address::try_from(text.to_owned())?)
}

/// By an operator at that time.
pub fn operator(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "a-test", now }
}

impl Stack {
    /// The alias of that address, if there is one.
    pub async fn alias(&self, text: &str) -> Result<Option<StoredAlias>> {
        Ok(self.store().await.alias(&address(text)?).await?)
    }

    /// Waits until the alias has this state, and returns it.
    pub async fn alias_that_is(&self, text: &str, status: Status, reason: Reason) -> Result<Alias> {
        let what = format!("{text} {} as {}", status.as_str(), reason.as_str());
        let found = until(&what, std::time::Duration::from_secs(60), async || {
            let alias = self.alias(text).await?.map(|stored| stored.alias);
            Ok(alias.filter(|alias| (alias.status, alias.reason) == (status, reason)))
        })
        .await;
        let now = self.alias(text).await?.map(|stored| stored.alias);
        found.with_context(|| format!("it is {now:?}"))
    }

    /// All audit entries of an address, oldest first.
    pub async fn audit_of(&self, text: &str) -> Result<Vec<Entry>> {
        let wanted = address(text)?;
        let client = self.dynamodb().await;
        let query = client.scan().table_name(&self.table).filter_expression("begins_with(pk, :pk)");
        let query = query.expression_attribute_values(":pk", AttributeValue::S(format!("AUDIT#{}#", wanted.domain)));
        let mut items = query.into_paginator().items().send();
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(item) = items.next().await {
            entries.push(serde_dynamo::from_item(item?)?);
        }
        entries.retain(|entry| matches!(&entry.change, Change::Alias { address, .. } if *address == wanted));
        entries.sort_by_key(|entry| entry.id);
        Ok(entries)
    }

    /// Moves a time of an alias, as if so much had passed.
    pub async fn set_time(&self, text: &str, attribute: &str, time: &str) -> Result<()> {
        let address = address(text)?;
        let update = self.dynamodb().await.update_item().table_name(&self.table);
        update
            .key("pk", AttributeValue::S(format!("DOMAIN#{}", address.domain)))
            .key("sk", AttributeValue::S(format!("ALIAS#{}", address.local_part)))
            .update_expression("SET #time = :time")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#time", attribute)
            .expression_attribute_values(":time", AttributeValue::S(time.to_owned()))
            .send()
            .await?;
        Ok(())
    }

    /// Moves the time of a member's last sign-in or check, as if so much had passed.
    pub async fn set_request_time(&self, member: MemberId, time: &str) -> Result<()> {
        let update = self.dynamodb().await.update_item().table_name(&self.table);
        update
            .key("pk", AttributeValue::S(format!("MEMBER#{member}")))
            .key("sk", AttributeValue::S("PROFILE".to_owned()))
            .update_expression("SET requested_at = :time")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":time", AttributeValue::S(time.to_owned()))
            .send()
            .await?;
        Ok(())
    }

    /// An empty table of keys like the one of the stack; gone with the stack.
    pub async fn table_apart(&self, name: &str) -> Result<String> {
        let mut create = self.dynamodb().await.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        for (key, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            let attribute = AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
            let element = KeySchemaElement::builder().attribute_name(key).key_type(kind);
            create = create.attribute_definitions(attribute.build()?).key_schema(element.build()?);
        }
        create.send().await?;
        Ok(name.to_owned())
    }

    /// The member whose session a browser has.
    pub async fn member_of(&self, browser: &Browser) -> Result<MemberId> {
        let id = browser.cookie(&self.public_url, "session").and_then(SessionId::parse).context("no session")?;
        let session = self.store().await.session(id.hash().as_str(), SystemClock.now()).await?;
        Ok(session.context("no session in the table")?.member)
    }

    /// Whose address it is.
    pub async fn owner_of(&self, text: &str) -> Result<MemberId> {
        Ok(self.alias(text).await?.with_context(|| format!("no {text}"))?.alias.member)
    }
}
