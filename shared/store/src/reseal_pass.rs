//! One pass over all sealed addresses: in parallel segments, and resumable, since the table can hold millions of members.
//!
//! A pass that seals anew saves after each page how far every segment is. A command that is stopped, or that loses its
//! connection, goes on there when it is given again, by any operator on any machine.

use std::time::Duration;

use jiff::Timestamp;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::keys;
use crate::resealing::{Position, SealedBy, Segment};
use crate::sealing::Sealer;
use crate::table::{Store, encode};

/// Segments that are scanned at once.
const SEGMENTS: i32 = 4;
/// Items of a page, sealed or not.
const PAGE: i32 = 500;
/// The pauses before a page is asked for again when the table does not answer.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// Told how many more sealed addresses were looked at.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// A pass that seals anew.
#[derive(Clone, Copy)]
pub struct Reseal<'a> {
    /// What it seals with.
    pub sealer: &'a Sealer,
    /// The current master secret, by a name that no other one has. A pass of another secret is not gone on with.
    pub secret: &'a str,
    /// Items of a page; see [`Reseal::new`].
    pub page: i32,
    /// The time.
    pub now: Timestamp,
    /// Random bytes.
    pub random: &'a dyn Random,
}

impl<'a> Reseal<'a> {
    /// With pages of the usual size.
    pub fn new(sealer: &'a Sealer, secret: &'a str, now: Timestamp, random: &'a dyn Random) -> Self {
        Self { sealer, secret, page: PAGE, now, random }
    }
}

/// What a pass came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    /// What it found, with the part that an earlier command did.
    pub by: SealedBy,
    /// When it began.
    pub started: Timestamp,
    /// Whether an earlier command began it.
    pub is_resumed: bool,
}

/// How far a segment is, as the table has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    secret: String,
    started: Timestamp,
    segment: Segment,
    position: Position,
    by: SealedBy,
}

impl Store {
    /// Looks at every sealed address, and changes none.
    pub async fn sealed_by(&self, sealer: &Sealer, progress: Progress<'_>) -> Result<SealedBy, StoreError> {
        let part = |index| async move {
            let (segment, mut position, mut all) = (segment(index), Position::Start, SealedBy::default());
            while position != Position::End {
                let (by, next) = self.patient_page(sealer, None, segment, &position, PAGE).await?;
                progress(by.total());
                all.add(by);
                position = next;
            }
            Ok::<_, StoreError>(all)
        };
        let (mut by, two, three, four) = tokio::try_join!(part(0), part(1), part(2), part(3))?;
        [two, three, four].into_iter().for_each(|part| by.add(part));
        Ok(by)
    }

    /// Seals by the current master secret what the previous one has sealed. Goes on with a pass of the same secret that
    /// was stopped.
    pub async fn reseal(&self, pass: Reseal<'_>, progress: Progress<'_>) -> Result<Resealed, StoreError> {
        let saved: Vec<Saved> = self.list(keys::RESEAL, "").await?;
        let saved: Vec<_> = saved.into_iter().filter(|saved| saved.secret == pass.secret).collect();
        let started = saved.iter().map(|saved| saved.started).min().unwrap_or(pass.now);
        let part = |index| {
            let segment = segment(index);
            let saved = saved.iter().find(|saved| saved.segment == segment).cloned();
            let begin = || Saved {
                secret: pass.secret.to_owned(),
                started,
                segment,
                position: Position::Start,
                by: SealedBy::default(),
            };
            self.reseal_segment(pass, saved.unwrap_or_else(begin), progress)
        };
        let (mut by, two, three, four) = tokio::try_join!(part(0), part(1), part(2), part(3))?;
        [two, three, four].into_iter().for_each(|part| by.add(part));
        for index in 0..SEGMENTS {
            self.delete(&keys::reseal(index)).await?;
        }
        Ok(Resealed { by, started, is_resumed: !saved.is_empty() })
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
            let (by, next) = self.patient_page(sealer, Some(random), saved.segment, &saved.position, page).await?;
            progress(by.total());
            saved.by.add(by);
            saved.position = next;
            let item = encode(&keys::reseal(saved.segment.index), &saved)?;
            self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        }
        Ok(saved.by)
    }

    /// A page, asked for again for half a minute while the table does not answer.
    async fn patient_page(
        &self,
        sealer: &Sealer,
        random: Option<&dyn Random>,
        segment: Segment,
        from: &Position,
        most: i32,
    ) -> Result<(SealedBy, Position), StoreError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            match self.sealed_page(sealer, random, segment, from, most).await {
                Err(error) if error.is_retryable() => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Err(error),
                },
                done => return done,
            }
        }
    }
}

fn segment(index: i32) -> Segment {
    Segment { index, of: SEGMENTS }
}
