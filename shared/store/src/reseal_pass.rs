//! Key rotation: one pass over all sealed addresses, in parallel segments, and resumable, since the table can hold millions
//! of members.
//!
//! A pass that reseals saves a cursor for each segment after every page. An interrupted command resumes there when it is run
//! again, by any operator on any machine.

use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::resealing::{Position, SealedBy, Segment};
use crate::sealing::Sealer;
use crate::table::{Store, Write};

/// Segments that are scanned in parallel.
const SEGMENTS: i32 = 4;
/// Items per page, sealed or not.
const PAGE: i32 = 500;
/// The backoff before each retry of a page, in seconds.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 16];

/// Called with the number of sealed addresses of each page.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// A pass that reseals.
#[derive(Clone, Copy)]
pub struct Reseal<'a> {
    /// The sealer with both master secrets.
    pub sealer: &'a Sealer,
    /// The unique name of the current master secret. A pass of another secret is not resumed.
    pub secret: &'a str,
    /// Items per page; see [`Reseal::new`].
    pub page: i32,
    /// The current time.
    pub now: Timestamp,
    /// The source of nonces.
    pub random: &'a dyn Random,
}

impl<'a> Reseal<'a> {
    /// A pass with the default page size.
    pub fn new(sealer: &'a Sealer, secret: &'a str, now: Timestamp, random: &'a dyn Random) -> Self {
        Self { sealer, secret, page: PAGE, now, random }
    }
}

/// The result of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    /// The counts, including those of an interrupted command.
    pub by: SealedBy,
    /// When the pass started.
    pub started: Timestamp,
    /// Whether an interrupted command had started the pass.
    pub is_resumed: bool,
}

/// The stored cursor of a segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    secret: String,
    started: Timestamp,
    segment: Segment,
    position: Position,
    by: SealedBy,
}

impl Store {
    /// Counts the sealed addresses by master secret, and changes none.
    pub async fn sealed_by(&self, sealer: &Sealer, progress: Progress<'_>) -> Result<SealedBy, StoreError> {
        sum(stream::iter(segments()).map(|segment| self.count_segment(sealer, segment, progress))).await
    }

    async fn count_segment(
        &self,
        sealer: &Sealer,
        segment: Segment,
        progress: Progress<'_>,
    ) -> Result<SealedBy, StoreError> {
        let mut all = SealedBy::default();
        let mut position = Position::Start;
        while position != Position::End {
            let (by, next) = self.sealed_page_with_retries(sealer, None, segment, &position, PAGE).await?;
            progress(by.total());
            all.add(by);
            position = next;
        }
        Ok(all)
    }

    /// Reseals with the current master secret all addresses that the previous one has sealed. Resumes an interrupted pass of
    /// the same secret.
    pub async fn reseal(&self, pass: Reseal<'_>, progress: Progress<'_>) -> Result<Resealed, StoreError> {
        let saved: Vec<Saved> = self.list(keys::RESEAL, "").await?;
        let saved: Vec<_> = saved.into_iter().filter(|saved| saved.secret == pass.secret).collect();
        let started = saved.iter().map(|saved| saved.started).min().unwrap_or(pass.now);
        let is_resumed = !saved.is_empty();
        let parts = stream::iter(segments()).map(|segment| {
            let saved = saved.iter().find(|saved| saved.segment == segment).cloned();
            let saved = saved.unwrap_or_else(|| Saved {
                secret: pass.secret.to_owned(),
                started,
                segment,
                position: Position::Start,
                by: SealedBy::default(),
            });
            self.reseal_segment(pass, saved, progress)
        });
        let by = sum(parts).await?;
        for segment in segments() {
            self.delete(&keys::reseal(segment.index)).await?;
        }
        Ok(Resealed { by, started, is_resumed })
    }

    async fn reseal_segment(
        &self,
        pass: Reseal<'_>,
        mut saved: Saved,
        progress: Progress<'_>,
    ) -> Result<SealedBy, StoreError> {
        progress(saved.by.total());
        while saved.position != Position::End {
            let Reseal { sealer, random, page, .. } = pass;
            let (by, next) =
                self.sealed_page_with_retries(sealer, Some(random), saved.segment, &saved.position, page).await?;
            progress(by.total());
            saved.by.add(by);
            saved.position = next;
            self.write(Write::put(&keys::reseal(saved.segment.index), &saved)?).await?;
        }
        Ok(saved.by)
    }

    /// Processes a page, and retries for half a minute while the table does not answer.
    async fn sealed_page_with_retries(
        &self,
        sealer: &Sealer,
        random: Option<&dyn Random>,
        segment: Segment,
        from: &Position,
        limit: i32,
    ) -> Result<(SealedBy, Position), StoreError> {
        for pause in PAUSES {
            match self.sealed_page(sealer, random, segment, from, limit).await {
                Err(error) if error.is_transient() => tokio::time::sleep(Duration::from_secs(pause)).await,
                done => return done,
            }
        }
        self.sealed_page(sealer, random, segment, from, limit).await
    }
}

fn segments() -> impl Iterator<Item = Segment> {
    (0..SEGMENTS).map(|index| Segment { index, of: SEGMENTS })
}

/// Runs the parts in parallel, and adds up their counts.
async fn sum(parts: impl Stream<Item: Future<Output = Result<SealedBy, StoreError>>>) -> Result<SealedBy, StoreError> {
    let parts: Vec<_> = parts.buffer_unordered(segments().count()).try_collect().await?;
    let mut all = SealedBy::default();
    parts.into_iter().for_each(|part| all.add(part));
    Ok(all)
}
