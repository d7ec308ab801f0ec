//! Reading a team's pages: resumable, and settled about what the source hides.

use std::time::Duration;

use membermail_core::community::Domain;
use membermail_core::roster::{Roster, RosterEntry};
use membermail_membership::PageCursor;
use membermail_store::{Checkpoint, Run, SyncState};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{Engine, SyncError};

/// Readings of one run at most: two that agree settle it.
const READINGS: u32 = 3;

/// Where a reading is: in the table while a run is paused.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Position {
    /// The next page; none once the last one was read and the hidden rows are settled.
    next: Option<PageCursor>,
    /// Whether the reading is complete.
    #[serde(default)]
    is_complete: bool,
    /// Which reading it is, from 0.
    #[serde(default)]
    reading: u32,
    /// Entries that this reading has seen.
    #[serde(default)]
    shown: u64,
    /// Entries that it skipped.
    #[serde(default)]
    malformed: u64,
    /// Rows beyond the entries, as the readings before this one counted them.
    #[serde(default)]
    hidden_before: Vec<u64>,
    /// The settled number of them.
    #[serde(default)]
    hidden: u64,
}

/// A team as it was read.
pub(crate) struct Read {
    pub(crate) roster: Roster,
    /// Rows that the source counts.
    pub(crate) total: u64,
    /// Rows that the source counts and does not show.
    pub(crate) hidden: u64,
    /// Entries that could not be read.
    pub(crate) malformed: u64,
}

/// How far a reading came in this invocation.
pub(crate) enum Reading {
    /// To its end.
    Complete(Read),
    /// The invocation's time is over; the checkpoint has all of it.
    Paused,
}

/// Told how many people have been read so far, and how many rows there are.
pub(crate) type Progress<'a> = &'a (dyn Fn(u64, u64) + Sync);

impl Engine<'_> {
    /// Reads the roster for a run, from its checkpoint on, until `deadline`. Every reading is saved as time passes, so that
    /// a run that dies goes on where it was.
    pub(crate) async fn read_for(
        &self,
        run: &mut Run,
        domain: &Domain,
        state: &SyncState,
        deadline: Instant,
    ) -> Result<Reading, SyncError> {
        let saved = match run.checkpoints {
            0 => None,
            parts => self.store.checkpoint(&run.domain, run.id, parts).await?,
        };
        let saved =
            saved.and_then(|saved| Some((serde_json::from_str::<Position>(&saved.position).ok()?, saved.people)));
        if saved.is_none() {
            run.checkpoints = 0;
        }
        let (mut position, mut people) = saved.unwrap_or_else(|| (Position::begin(), Vec::new()));
        let (mut last, mut saved_people) = (Instant::now(), people.len());
        let (mut has_read, mut is_saved) = (false, true);
        while !position.is_complete {
            let page = self.page(domain, &mut position, state, &mut people, &|_, _| {}).await;
            if page.is_ok() {
                (has_read, is_saved) = (true, false);
            }
            let is_due = last.elapsed() >= self.limits.checkpoint || page.is_err() || Instant::now() >= deadline;
            // What was read before a failure is kept too: the retry goes on from there. A page without people counts.
            if is_due && !is_saved {
                self.save(run, &position, &people[saved_people..]).await?;
                (last, saved_people, is_saved) = (Instant::now(), people.len(), true);
            }
            page?;
            if !position.is_complete && Instant::now() >= deadline {
                return Ok(Reading::Paused);
            }
        }
        // Look-ups need their share of the time: with all pages saved, another invocation has all of it.
        let left = deadline.saturating_duration_since(Instant::now());
        if has_read && left <= self.invocation() / 2 && run.saved.is_some() {
            if !is_saved {
                self.save(run, &position, &people[saved_people..]).await?;
            }
            return Ok(Reading::Paused);
        }
        Ok(Reading::Complete(position.read(people)))
    }

    /// Reads the roster for a dry run, which saves nothing.
    pub(crate) async fn read_once(
        &self,
        domain: &Domain,
        state: &SyncState,
        progress: Progress<'_>,
    ) -> Result<Read, SyncError> {
        let (mut position, mut people) = (Position::begin(), Vec::new());
        while !position.is_complete {
            self.page(domain, &mut position, state, &mut people, progress).await?;
        }
        Ok(position.read(people))
    }

    /// Reads one page, and settles the reading after the last one.
    async fn page(
        &self,
        domain: &Domain,
        position: &mut Position,
        state: &SyncState,
        people: &mut Vec<RosterEntry>,
        progress: Progress<'_>,
    ) -> Result<(), SyncError> {
        let page = self.source.roster_page(&domain.team, position.next.unwrap_or_default()).await?;
        position.shown += page.shown;
        position.malformed += page.malformed;
        people.extend(page.people);
        progress(people.len() as u64, page.total);
        if page.next.is_some() {
            position.next = page.next;
            return Ok(());
        }
        let hidden = page.total.checked_sub(position.shown);
        match hidden.filter(|hidden| *hidden == state.hidden || position.hidden_before.contains(hidden)) {
            Some(hidden) => {
                if hidden != state.hidden {
                    info!(domain = %domain.domain, hidden, before = state.hidden, "hidden rows of the team changed");
                }
                (position.hidden, position.is_complete) = (hidden, true);
                Ok(())
            }
            None if position.reading + 1 == READINGS => Err(SyncError::Unsettled(domain.domain.clone())),
            None => {
                warn!(domain = %domain.domain, reading = position.reading, "the team is read once more");
                let mut hidden_before = std::mem::take(&mut position.hidden_before);
                hidden_before.extend(hidden);
                *position = Position { reading: position.reading + 1, hidden_before, ..Position::begin() };
                Ok(())
            }
        }
    }

    async fn save(&self, run: &mut Run, position: &Position, people: &[RosterEntry]) -> Result<(), SyncError> {
        let position = serde_json::to_string(position).unwrap_or_default();
        let saved_at = self.clock.now();
        let checkpoint = Checkpoint { saved_at, position, people: people.to_vec() };
        run.checkpoints = self.store.save_checkpoint(&run.domain, run.id, run.checkpoints, &checkpoint).await?;
        run.saved = Some(saved_at);
        self.store.note_checkpoint(run).await?;
        Ok(())
    }

    /// The end of this invocation's time.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.invocation()
    }

    /// The time of an invocation, where there is no limit too.
    fn invocation(&self) -> Duration {
        self.limits.invocation.min(Duration::from_secs(24 * 60 * 60))
    }
}

impl Position {
    fn begin() -> Self {
        Self { next: Some(PageCursor::default()), ..Self::default() }
    }

    fn read(self, people: Vec<RosterEntry>) -> Read {
        let total = self.shown + self.hidden;
        Read { roster: Roster::new(people), total, hidden: self.hidden, malformed: self.malformed }
    }
}
