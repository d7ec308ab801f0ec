//! After the master secret was changed: what the previous one has sealed, sealed by the current one.

use aws_sdk_dynamodb::error::SdkError;
use membermail_core::address::Address;
use membermail_core::member::MemberId;
use membermail_core::random::Random;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::members::Member;
use crate::sealing::{Field, Salt, SealError, Sealed, Sealer};
use crate::table::{Item, Store, decode, text};

/// How much of the table is sealed by which master secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedBy {
    /// The current one, as it was found.
    pub current: u64,
    /// The previous one, or the current one since just now.
    pub previous: u64,
    /// Those of the previous ones that others changed at the same moment: they need another look.
    pub busy: u64,
    /// Neither: whose it is. Nobody can read that.
    pub neither: Vec<MemberId>,
}

/// A sealed address, with all that opens it and the item that it is in.
struct Found {
    key: Key,
    attribute: &'static str,
    member: MemberId,
    salt: Salt,
    address: Option<Address>,
    sealed: Sealed,
}

impl Found {
    fn field(&self) -> Field<'_> {
        self.address.as_ref().map_or(Field::SignIn, Field::Destination)
    }
}

#[derive(Deserialize)]
struct Destination {
    address: Address,
    member: MemberId,
    destination: Sealed,
}

impl Store {
    /// Looks at every sealed address. With `random`, seals those of the previous master secret by the current one.
    pub async fn sealed_by(&self, sealer: &Sealer, random: Option<&dyn Random>) -> Result<SealedBy, StoreError> {
        // For looking alone any bytes do: what they seal is dropped.
        let bytes: &dyn Random = random.unwrap_or(&membermail_core::random::OsRandom);
        let mut by = SealedBy::default();
        let scan = self.client.scan().table_name(&self.table).consistent_read(true);
        let scan = scan.filter_expression("attribute_exists(sign_in) OR attribute_exists(destination)");
        let mut items = scan.into_paginator().items().send();
        while let Some(item) = items.next().await {
            let Some(found) = self.found(item?).await? else { continue };
            match sealer.reseal(&found.salt, found.member, found.field(), &found.sealed, bytes) {
                Ok(None) => by.current += 1,
                Ok(Some(_)) if random.is_none() => by.previous += 1,
                Ok(Some(resealed)) if self.put_resealed(&found, &resealed).await? => by.previous += 1,
                Ok(Some(_)) => by.busy += 1,
                Err(SealError) => by.neither.push(found.member),
            }
        }
        Ok(by)
    }

    async fn found(&self, item: Item) -> Result<Option<Found>, StoreError> {
        if item.contains_key("destination") {
            let Destination { address, member, destination } = read(item)?;
            // Who has nothing but retired aliases is no more, and then no destination is left.
            let Some(Member { salt, .. }) = self.member(member).await? else { return Ok(None) };
            let (key, address) = (keys::alias(&address), Some(address));
            return Ok(Some(Found { key, attribute: "destination", member, salt, address, sealed: destination }));
        }
        let Member { id: member, salt, sign_in, .. } = read(item)?;
        let key = keys::profile(member);
        Ok(sign_in.map(|sealed| Found { key, attribute: "sign_in", member, salt, address: None, sealed }))
    }

    /// Whether it was as it was found until then. No version is counted up: the address is the same.
    async fn put_resealed(&self, found: &Found, resealed: &Sealed) -> Result<bool, StoreError> {
        let value = |sealed: &Sealed| {
            serde_dynamo::to_attribute_value(sealed).map_err(|cause| StoreError::corrupt("sealed data", cause))
        };
        let Key { pk, sk } = found.key.clone();
        let request = self.client.update_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
        let updated = request
            .update_expression("SET #sealed = :new")
            .condition_expression("#sealed = :old")
            .expression_attribute_names("#sealed", found.attribute)
            .expression_attribute_values(":old", value(&found.sealed)?)
            .expression_attribute_values(":new", value(resealed)?)
            .send()
            .await;
        match updated {
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(false),
            updated => updated.map(|_| true).map_err(Into::into),
        }
    }
}

fn read<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    decode(item, &Key { pk: "sealed".to_owned(), sk: String::new() })
}
