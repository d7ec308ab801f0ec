//! Reading the table from before: in segments side by side, page by page, with a cursor in the restored table, so that an
//! import that died goes on where it was.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use membermail_core::clock::later;
use serde::{Deserialize, Serialize};

use super::members::is_profile;
use super::{Import, ImportReport};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Item, Store, encode, expires, text};

/// Parts of the table that are read side by side.
const SEGMENTS: i32 = 8;
/// Items that one request looks at.
const PAGE: i32 = 500;
/// A cursor is of use while the same restore goes on.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far a segment has been read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The keys of the last item that was handled; absent at the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<(String, String)>,
    #[serde(default)]
    is_done: bool,
}

impl Import<'_> {
    /// Imports what the table from before has and the restored one does not: addresses with their owners, and bans. It only
    /// reads that table. Done again, it finds everything in place.
    pub async fn table(&self, old: &Store, progress: &(dyn Fn(u64) + Sync)) -> Result<ImportReport, StoreError> {
        let segments = stream::iter(0..SEGMENTS).map(|segment| self.segment(old, segment, progress));
        let reports: Vec<_> = segments.buffer_unordered(usize::try_from(SEGMENTS).unwrap_or(1)).try_collect().await?;
        let mut report = ImportReport::default();
        reports.into_iter().for_each(|part| report.add(part));
        report.add(self.bans(old).await?);
        report.other_owner.sort();
        report.not_erased.sort();
        if !self.is_dry_run {
            // The next import of the same table looks at everything again.
            for segment in 0..SEGMENTS {
                self.restored.delete(&keys::restore_cursor(&old.table, segment)).await?;
            }
        }
        Ok(report)
    }

    async fn segment(
        &self,
        old: &Store,
        segment: i32,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<ImportReport, StoreError> {
        let key = keys::restore_cursor(&old.table, segment);
        let mut cursor = match self.is_dry_run {
            true => Cursor::default(),
            false => self.restored.get::<Cursor>(&key).await?.unwrap_or_default(),
        };
        let mut report = ImportReport::default();
        while !cursor.is_done {
            let page = old
                .client
                .scan()
                .table_name(&old.table)
                .consistent_read(true)
                .segment(segment)
                .total_segments(SEGMENTS)
                .limit(PAGE)
                .filter_expression("begins_with(sk, :alias) OR (sk = :profile AND attribute_not_exists(sign_in))")
                .expression_attribute_values(":alias", text(keys::ALIAS))
                .expression_attribute_values(":profile", text("PROFILE"))
                .set_exclusive_start_key(cursor.after.as_ref().map(start))
                .send()
                .await?;
            let (profiles, aliases): (Vec<Item>, Vec<Item>) =
                page.items.unwrap_or_default().into_iter().partition(is_profile);
            let handled = aliases.len() as u64;
            report.add(self.aliases(old, aliases).await?);
            report.not_erased.extend(self.not_erased(&profiles).await?);
            let after = page.last_evaluated_key.as_ref().and_then(|key| Some((word(key, "pk")?, word(key, "sk")?)));
            cursor = Cursor { is_done: after.is_none(), after };
            if !self.is_dry_run {
                self.save_cursor(&key, &cursor).await?;
            }
            progress(handled);
        }
        Ok(report)
    }

    async fn save_cursor(&self, key: &Key, cursor: &Cursor) -> Result<(), StoreError> {
        let mut item = encode(key, cursor)?;
        item.insert("expires".into(), expires(later(self.clock.now(), KEPT)));
        let Store { client, table, .. } = self.restored;
        client.put_item().table_name(table).set_item(Some(item)).send().await?;
        Ok(())
    }
}

fn start((pk, sk): &(String, String)) -> HashMap<String, AttributeValue> {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

fn word(key: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    key.get(name)?.as_s().ok().cloned()
}
