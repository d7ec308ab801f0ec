//! The directory of people: which member each Launchpad person is, in the order of Launchpad's ids, in one partition so
//! that a sync reads it as a stream. An item is also what makes a person belong to one member only.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use jiff::Timestamp;
use membermail_core::member::{LaunchpadId, LaunchpadName, MemberId};
use membermail_core::plan::Known;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::members::Member;
use crate::table::{Store, Written, decode, number, text};

#[derive(Serialize, Deserialize)]
struct Stored {
    person: LaunchpadId,
    owner: MemberId,
    #[serde(default)]
    banned: bool,
    #[serde(default)]
    shredded: bool,
}

#[derive(Serialize, Deserialize)]
struct Named {
    owner: MemberId,
    /// When Launchpad said so, in microseconds since 1970: a number, which compares as time does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    named_at: Option<i64>,
}

/// What is known of a name is of an earlier look at Launchpad than `:read_at`.
const IS_OLDER: &str = "attribute_not_exists(named_at) OR named_at < :read_at";

/// As `named_at` has it.
pub(crate) fn instant(at: Timestamp) -> AttributeValue {
    number(at.as_microsecond())
}

impl Store {
    /// Hands everybody to `each`, in the order of Launchpad's ids, and keeps nobody. Eventually consistent.
    pub async fn each_person(&self, mut each: impl FnMut(Known)) -> Result<(), StoreError> {
        let query = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let mut items = query.expression_attribute_values(":pk", text(keys::PEOPLE)).into_paginator().items().send();
        let key = keys::launchpad(LaunchpadId(0));
        while let Some(item) = items.next().await {
            let Stored { person, owner, banned, shredded } = decode(item?, &key)?;
            each(Known { person, member: owner, banned, shredded });
        }
        Ok(())
    }

    /// The member whom Launchpad called so at the last check.
    pub async fn member_by_name(&self, name: &LaunchpadName) -> Result<Option<Member>, StoreError> {
        let Some(Named { owner, .. }) = self.get(&keys::name(name)).await? else { return Ok(None) };
        let member = self.member(owner).await?;
        // Whoever was renamed leaves the old name behind, and it is not theirs any more.
        Ok(member.filter(|member| member.launchpad_name.as_ref() == Some(name)))
    }

    /// Launchpad called a member so at that time. Whoever comes late with an older name, or again with the same one, changes
    /// nothing; whether it was the latest word.
    pub async fn rename_member(
        &self,
        member: MemberId,
        name: &LaunchpadName,
        read_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let profile = self
            .update(&keys::profile(member))
            .update_expression("SET launchpad_name = :name, named_at = :read_at")
            .condition_expression(format!("attribute_exists(pk) AND ({IS_OLDER})"))
            .expression_attribute_values(":name", text(name.as_str()))
            .expression_attribute_values(":read_at", instant(read_at));
        let found = self
            .name_put(name, member, read_at)?
            // Somebody else can have the name by now, and be found by it.
            .condition_expression(IS_OLDER)
            .expression_attribute_values(":read_at", instant(read_at));
        let writes = vec![
            TransactWriteItem::builder().update(profile.build()?).build(),
            TransactWriteItem::builder().put(found.build()?).build(),
        ];
        match self.transact(writes).await? {
            Written::All => Ok(true),
            Written::Failed(places) if places.is_empty() => Err(StoreError::Conflict),
            Written::Failed(_) => Ok(false),
        }
    }

    /// A person belongs to this member from now on, whose data is not shredded (any more).
    pub(crate) fn claim_write(&self, person: LaunchpadId, owner: MemberId) -> Result<TransactWriteItem, StoreError> {
        let claim = self
            .update(&keys::launchpad(person))
            .update_expression("SET #owner = :me, person = :person REMOVE shredded")
            .condition_expression("attribute_not_exists(pk) OR #owner = :me")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":me", text(owner.to_string()))
            .expression_attribute_values(":person", number(person));
        Ok(TransactWriteItem::builder().update(claim.build()?).build())
    }

    /// The member is found by this name from now on.
    pub(crate) fn name_write(
        &self,
        name: &LaunchpadName,
        owner: MemberId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        Ok(TransactWriteItem::builder().put(self.name_put(name, owner, now)?.build()?).build())
    }

    fn name_put(&self, name: &LaunchpadName, owner: MemberId, at: Timestamp) -> Result<PutBuilder, StoreError> {
        self.put(&keys::name(name), &Named { owner, named_at: Some(at.as_microsecond()) })
    }

    /// Marks a person that is there.
    pub(crate) fn mark_person(
        &self,
        person: LaunchpadId,
        mark: &str,
        on: bool,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = self
            .update(&keys::launchpad(person))
            .update_expression("SET #mark = :on")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#mark", mark)
            .expression_attribute_values(":on", AttributeValue::Bool(on));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }
}
