//! Items of the table, and edits of their times, so that a test need not wait for a grace period.

use std::collections::HashMap;

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
use membermail_store::{Member, StoredAlias};

use crate::browser::Browser;
use crate::stack::Stack;
use crate::wait::until;

/// Parses an alias address.
pub fn address(text: &str) -> Result<Address> {
    Ok(Address::try_from(text.to_owned())?)
}

/// A text attribute.
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// The keys of an alias.
pub fn alias_keys(address: &Address) -> [AttributeValue; 2] {
    [text(format!("DOMAIN#{}", address.domain)), text(format!("ALIAS#{}", address.local_part))]
}

/// An element of a key schema.
pub fn key_element(name: &str, kind: KeyType) -> Result<KeySchemaElement> {
    Ok(KeySchemaElement::builder().attribute_name(name).key_type(kind).build()?)
}

/// The definition of a text attribute that is part of a key.
pub fn key_attribute(name: &str) -> Result<AttributeDefinition> {
    Ok(AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build()?)
}

/// The cause of a change by an operator at that time.
pub fn operator(now: Timestamp) -> Cause<'static> {
    Cause { actor: Actor::Operator, by: Some("olivia"), request_id: "a-test", now }
}

impl Stack {
    /// The alias of that address, if any.
    pub async fn alias(&self, text: &str) -> Result<Option<StoredAlias>> {
        Ok(self.store().await.alias(&address(text)?).await?)
    }

    /// The alias of that address, which must exist.
    pub async fn existing_alias(&self, text: &str) -> Result<Alias> {
        Ok(self.alias(text).await?.with_context(|| format!("no {text}"))?.alias)
    }

    /// Waits until the alias has this state, and returns it.
    pub async fn wait_for_alias(&self, text: &str, status: Status, reason: Reason) -> Result<Alias> {
        let what = format!("{text} {status} as {reason}");
        let found = until(&what, 60, async || {
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
        let query = query.expression_attribute_values(":pk", self::text(format!("AUDIT#{}#", wanted.domain)));
        let mut items = query.into_paginator().items().send();
        let mut entries: Vec<Entry> = Vec::new();
        while let Some(item) = items.next().await {
            entries.push(serde_dynamo::from_item(item?)?);
        }
        entries.retain(|entry| matches!(&entry.change, Change::Alias { address, .. } if *address == wanted));
        entries.sort_by_key(|entry| entry.id);
        Ok(entries)
    }

    /// Sets one attribute of an existing item.
    pub async fn set(&self, [pk, sk]: [AttributeValue; 2], name: &str, value: AttributeValue) -> Result<()> {
        let update = self.dynamodb().await.update_item().table_name(&self.table).key("pk", pk).key("sk", sk);
        let update = update.update_expression("SET #name = :value").condition_expression("attribute_exists(pk)");
        update.expression_attribute_names("#name", name).expression_attribute_values(":value", value).send().await?;
        Ok(())
    }

    /// Sets an attribute of an alias, such as a time, as if time had passed.
    pub async fn set_in_alias(&self, alias: &str, name: &str, value: &str) -> Result<()> {
        self.set(alias_keys(&address(alias)?), name, text(value)).await
    }

    /// Sets an attribute of a member, such as the time of the last sign-in or check.
    pub async fn set_in_member(&self, member: MemberId, name: &str, value: &str) -> Result<()> {
        self.set([text(format!("MEMBER#{member}")), text("PROFILE")], name, text(value)).await
    }

    /// Confirms the default destination of a browser's member, as the code from a mail would, and without its notices.
    pub async fn confirm_destination(&self, browser: &Browser) -> Result<()> {
        let Ok(member) = self.member_of(browser).await else { return Ok(()) };
        self.confirm_destination_of(member).await
    }

    /// The same for the member of a session, given the value of its cookie.
    pub async fn confirm_destination_of_session(&self, cookie: &str) -> Result<()> {
        let id = SessionId::parse(cookie).context("no session id")?;
        self.confirm_destination_of(self.member_of_session(&id).await?).await
    }

    /// The same for a member.
    pub async fn confirm_destination_of(&self, member: MemberId) -> Result<()> {
        let destination = self.store().await.member(member).await?.and_then(|member| member.destination);
        let Some(destination) = destination else { return Ok(()) };
        let keys = [text(format!("MEMBER#{member}")), text(format!("DESTINATION#{destination}"))];
        let at = text(SystemClock.now().to_string());
        let confirmed = HashMap::from([("at".to_owned(), at), ("by".to_owned(), text("code"))]);
        self.set(keys, "confirmed", AttributeValue::M(confirmed)).await
    }

    /// Creates an empty table with the stack's key schema; it is deleted with the stack.
    pub async fn create_empty_table(&self, name: &str) -> Result<String> {
        let mut create = self.dynamodb().await.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        for (key, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
            create = create.attribute_definitions(key_attribute(key)?).key_schema(key_element(key, kind)?);
        }
        create.send().await?;
        Ok(name.to_owned())
    }

    /// The member of a browser's session.
    pub async fn member_of(&self, browser: &Browser) -> Result<MemberId> {
        let id = browser.cookie(&self.public_url, "session").and_then(SessionId::parse).context("no session")?;
        self.member_of_session(&id).await
    }

    /// The member of a session.
    pub async fn member_of_session(&self, id: &SessionId) -> Result<MemberId> {
        let session = self.store().await.session(id.hash().as_str(), SystemClock.now()).await?;
        Ok(session.context("no session in the table")?.member)
    }

    /// The owner of an address.
    pub async fn owner_of(&self, text: &str) -> Result<MemberId> {
        Ok(self.existing_alias(text).await?.member)
    }

    /// The member who had this Launchpad name at the last look-up.
    pub async fn member_named(&self, name: &str) -> Result<Member> {
        self.store().await.member_by_name(&name.parse()?).await?.with_context(|| format!("no member {name}"))
    }
}
