//! Reads the old table in parallel segments, page by page, with a cursor in the restored table, so that an interrupted import
//! resumes.

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use membermail_core::clock::later;
use serde::{Deserialize, Serialize};

use super::members::is_profile;
use super::{Import, ImportReport};
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::table::{Cursor as TableCursor, Item, Scan, Store, Write, path};

/// Segments that are read in parallel.
const SEGMENTS: i32 = 8;
/// Items per page, of all kinds.
const PAGE: i32 = 500;
/// TTL of a cursor, which is useful during one restore.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The stored cursor of a segment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Cursor {
    /// The keys of the last imported item; absent at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<(String, String)>,
    is_done: bool,
}

impl Import<'_> {
    /// Imports what the old table has and the restored one lacks: addresses with their owners, and bans. The old table is only
    /// read. Idempotent.
    pub async fn table(&self, old: &Store, progress: &(dyn Fn(u64) + Sync)) -> Result<ImportReport, StoreError> {
        let segments = stream::iter(0..SEGMENTS).map(|segment| self.segment(old, segment, progress));
        let reports: Vec<_> = segments.buffer_unordered(usize::try_from(SEGMENTS).unwrap_or(1)).try_collect().await?;
        let mut report = ImportReport::default();
        reports.into_iter().for_each(|part| report.add(part));
        report.add(self.bans(old).await?);
        report.other_owner.sort();
        report.not_erased.sort();
        if !self.is_dry_run {
            // The next import of the same table starts from the beginning.
            for segment in 0..SEGMENTS {
                self.restored.delete(&keys::restore_cursor(old.name(), segment)).await?;
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
        let key = keys::restore_cursor(old.name(), segment);
        let is_tombstone = path("sk").eq("PROFILE").and(path("sign_in").not_exists());
        let filter = path("sk").begins_with(keys::ALIAS).or(is_tombstone);
        let scan = Scan { segment, total_segments: SEGMENTS, limit: PAGE, filter };
        let mut cursor = match self.is_dry_run {
            true => Cursor::default(),
            false => self.restored.get::<Cursor>(&key).await?.unwrap_or_default(),
        };
        let mut report = ImportReport::default();
        while !cursor.is_done {
            let from = cursor.after.map(|(pk, sk)| TableCursor::after(&Key { pk, sk }));
            let page = old.scan_page(&scan, from).await?;
            let (profiles, aliases): (Vec<Item>, Vec<Item>) = page.items.into_iter().partition(is_profile);
            let handled = aliases.len() as u64;
            report.add(self.aliases(old, aliases).await?);
            report.not_erased.extend(self.not_erased(&profiles).await?);
            let after = page.next.map(|next| next.key()).transpose()?.map(|Key { pk, sk }| (pk, sk));
            cursor = Cursor { is_done: after.is_none(), after };
            if !self.is_dry_run {
                let put = Write::put(&key, &cursor)?.expires(later(self.clock.now(), KEPT));
                self.restored.write(put).await?;
            }
            progress(handled);
        }
        Ok(report)
    }
}
