//! Slots: how many runs of all domains together may ask the membership source at the same time. A slot is a lease; an
//! invocation that dies leaves it until the lease ends.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::clock::micros;
use membermail_core::random::{self, Random};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, encode, expires, number, text};

/// A slot that one invocation holds.
#[derive(Debug)]
#[must_use = "a slot that is not given back is taken until its lease ends"]
pub struct Slot {
    place: u32,
    holder: String,
}

#[derive(Deserialize)]
struct Lease {
    run: Ulid,
    until: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Held {
    holder: String,
    #[serde(with = "micros")]
    until: Timestamp,
}

impl Store {
    /// Takes one of so many slots until that time, if one is free. Each call is a holder of its own: a message that is
    /// delivered twice does not share a slot.
    pub async fn take_slot(
        &self,
        slots: u32,
        now: Timestamp,
        until: Timestamp,
        random: &dyn Random,
    ) -> Result<Option<Slot>, StoreError> {
        let holder = format!("{:032x}", u128::from_be_bytes(random::bytes(random)));
        for place in 0..slots {
            let key = keys::slot(place);
            let mut item = encode(&key, &Held { holder: holder.clone(), until })?;
            item.insert("expires".into(), expires(until));
            let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
            let put = put
                .condition_expression("attribute_not_exists(pk) OR #until <= :now")
                .expression_attribute_names("#until", "until")
                .expression_attribute_values(":now", number(now.as_microsecond()));
            match put.send().await {
                Ok(_) => return Ok(Some(Slot { place, holder })),
                Err(error)
                    if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// The run of a domain that holds the domain's lease. A message for the domain needs no slot then.
    pub async fn run_in_progress(&self, domain: &DomainName, now: Timestamp) -> Result<Option<Ulid>, StoreError> {
        let lease: Option<Lease> = self.get(&keys::lease(domain)).await?;
        Ok(lease.filter(|lease| lease.until > now).map(|lease| lease.run))
    }

    /// Gives a slot back. One whose lease ended may be another's by now, and stays theirs.
    pub async fn give_back_slot(&self, slot: Slot) -> Result<(), StoreError> {
        let key = keys::slot(slot.place);
        let delete = self.client.delete_item().table_name(&self.table).key("pk", text(key.pk)).key("sk", text(key.sk));
        let delete = delete.condition_expression("holder = :me").expression_attribute_values(":me", text(slot.holder));
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
