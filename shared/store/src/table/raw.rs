//! Raw items and new tables, for tests.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, PutRequest, ScalarAttributeType, WriteRequest,
};

use serde::Serialize;

use super::Store;
use super::condition::path;
use super::read::{Consistency, Scan};
use super::write::Write;
use crate::error::StoreError;
use crate::keys::Key;

/// Items per page.
const PAGE: i32 = 1000;
/// Maximum items of a batch write.
const BATCH: usize = 25;

impl Store {
    /// Creates a table in DynamoDB with the keys and the index of the deployed one.
    pub async fn create(client: Client, name: &str) -> Result<Self, StoreError> {
        let index = GlobalSecondaryIndex::builder()
            .index_name("by-member")
            .key_schema(key_schema("member", KeyType::Hash)?)
            .key_schema(key_schema("address", KeyType::Range)?)
            .projection(Projection::builder().projection_type(ProjectionType::All).build())
            .build()?;
        let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        for attribute in ["pk", "sk", "member", "address"] {
            let definition = AttributeDefinition::builder().attribute_name(attribute);
            request = request.attribute_definitions(definition.attribute_type(ScalarAttributeType::S).build()?);
        }
        request = request.key_schema(key_schema("pk", KeyType::Hash)?).key_schema(key_schema("sk", KeyType::Range)?);
        request.global_secondary_indexes(index).send().await?;
        Ok(Self::new(client, name))
    }

    /// Puts raw items into a table in DynamoDB, in batches.
    pub async fn put_raw_items(client: &Client, table: &str, items: &[impl Serialize]) -> Result<(), StoreError> {
        for batch in items.chunks(BATCH) {
            let puts = batch.iter().map(|item| {
                let item = serde_dynamo::to_item(item).map_err(|cause| StoreError::corrupt("raw item", cause))?;
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                Ok(WriteRequest::builder().put_request(put).build())
            });
            let mut unprocessed = HashMap::from([(table.to_owned(), puts.collect::<Result<_, StoreError>>()?)]);
            while !unprocessed.is_empty() {
                let output = client.batch_write_item().set_request_items(Some(unprocessed)).send().await?;
                unprocessed = output.unprocessed_items.unwrap_or_default();
            }
        }
        Ok(())
    }

    /// Loads a raw item.
    pub async fn raw_item(&self, pk: &str, sk: &str) -> Result<Option<HashMap<String, AttributeValue>>, StoreError> {
        self.get_raw(&key(pk, sk), Consistency::Strong).await
    }

    /// Loads all raw items, in no order.
    pub async fn raw_items(&self) -> Result<Vec<HashMap<String, AttributeValue>>, StoreError> {
        let scan = Scan { segment: 0, total_segments: 1, limit: PAGE, filter: path("pk").exists() };
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let page = self.scan_page(&scan, next).await?;
            items.extend(page.items);
            next = page.next;
            if next.is_none() {
                return Ok(items);
            }
        }
    }

    /// Puts a raw item, which has its keys.
    pub async fn put_raw_item(&self, item: HashMap<String, AttributeValue>) -> Result<(), StoreError> {
        self.write(Write::put_raw(item)?).await.map(drop)
    }

    /// Deletes an item, if it exists.
    pub async fn delete_raw_item(&self, pk: &str, sk: &str) -> Result<(), StoreError> {
        self.delete(&key(pk, sk)).await
    }
}

fn key_schema(name: &str, kind: KeyType) -> Result<KeySchemaElement, StoreError> {
    Ok(KeySchemaElement::builder().attribute_name(name).key_type(kind).build()?)
}

fn key(pk: &str, sk: &str) -> Key {
    Key { pk: pk.to_owned(), sk: sk.to_owned() }
}
