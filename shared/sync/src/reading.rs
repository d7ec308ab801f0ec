//! Reads a team's pages. A reading is resumable, and is repeated until two readings agree on the number of hidden rows.

use std::time::Duration;

use membermail_core::community::Domain;
use membermail_core::eligibility::Group;
use membermail_core::member::Fingerprint;
use membermail_core::roster::{Roster, RosterEntry};
use membermail_membership::PageCursor;
use membermail_store::{Checkpoint, Run, SyncState};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::{Engine, SyncError};

/// Maximum readings per run; two that agree are enough.
const MAX_READINGS: u32 = 3;

/// The position of a reading, saved in the table with each checkpoint.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct ReadPosition {
    /// The cursor of the next page; `None` after the last page.
    next: Option<PageCursor>,
    /// Whether the reading is complete.
    is_complete: bool,
    /// The number of the reading, from 0.
    reading: u32,
    /// Entries that this reading has shown so far.
    shown: u64,
    /// Entries that could not be parsed.
    malformed: u64,
    /// Hidden rows (total minus shown) of the earlier readings.
    hidden_before: Vec<u64>,
    /// Hidden rows that two readings agree on.
    hidden: u64,
    /// Whether the source counted the rows.
    #[serde(default)]
    is_counted: bool,
}

/// A complete reading of a team.
pub(crate) struct TeamReading {
    pub(crate) roster: Roster,
    /// Rows that the source counts; none if it does not count them.
    pub(crate) total: Option<u64>,
    /// Rows that the source counts but does not show.
    pub(crate) hidden: u64,
    /// Entries that could not be parsed.
    pub(crate) malformed: u64,
}

/// The outcome of a reading in this invocation.
pub(crate) enum ReadOutcome {
    /// The reading is complete.
    Complete(TeamReading),
    /// The deadline passed; the checkpoint has all pages read so far.
    Paused,
}

/// Called with the number of people read so far and the number of rows, if the source counts them.
pub(crate) type OnProgress<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

impl Engine<'_> {
    /// Reads the roster for a run from its checkpoint until `deadline`, and saves checkpoints, so that a run that dies can be
    /// resumed.
    pub(crate) async fn read_or_resume(
        &self,
        run: &mut Run,
        domain: &Domain,
        team: Fingerprint,
        state: &SyncState,
        deadline: Instant,
    ) -> Result<ReadOutcome, SyncError> {
        let saved = match run.checkpoints {
            0 => None,
            parts => self.store.checkpoint(&run.domain, run.id, parts).await?,
        };
        let saved =
            saved.and_then(|saved| Some((serde_json::from_str::<ReadPosition>(&saved.position).ok()?, saved.people)));
        if saved.is_none() {
            run.checkpoints = 0;
        }
        let (mut position, mut people) = saved.unwrap_or_else(|| (ReadPosition::start(), Vec::new()));
        let mut last_saved = Instant::now();
        let mut saved_people = people.len();
        let mut has_read = false;
        let mut is_saved = true;
        while !position.is_complete {
            let page = self.read_page(domain, team, &mut position, state, &mut people, &|_, _| {}).await;
            if page.is_ok() {
                has_read = true;
                is_saved = false;
            }
            let is_due = last_saved.elapsed() >= self.limits.checkpoint || page.is_err() || Instant::now() >= deadline;
            // Pages before a failure are saved too, even pages without people, so that the retry resumes there.
            if is_due && !is_saved {
                self.save(run, &position, &people[saved_people..]).await?;
                last_saved = Instant::now();
                saved_people = people.len();
                is_saved = true;
            }
            page?;
            if !position.is_complete && Instant::now() >= deadline {
                return Ok(ReadOutcome::Paused);
            }
        }
        // If little time is left for look-ups, they run in another invocation, which resumes with all pages saved.
        let left = deadline.saturating_duration_since(Instant::now());
        if has_read && left <= self.invocation() / 2 && run.saved.is_some() {
            if !is_saved {
                self.save(run, &position, &people[saved_people..]).await?;
            }
            return Ok(ReadOutcome::Paused);
        }
        Ok(ReadOutcome::Complete(position.complete(people)))
    }

    /// Reads the roster for a dry run, without checkpoints. Fails if `deadline` passes before the last page.
    pub(crate) async fn read_once(
        &self,
        domain: &Domain,
        team: Fingerprint,
        state: &SyncState,
        deadline: Instant,
        on_progress: OnProgress<'_>,
    ) -> Result<TeamReading, SyncError> {
        let mut position = ReadPosition::start();
        let mut people = Vec::new();
        while !position.is_complete {
            if Instant::now() >= deadline {
                return Err(SyncError::OutOfTime(domain.domain.clone()));
            }
            self.read_page(domain, team, &mut position, state, &mut people, on_progress).await?;
        }
        Ok(position.complete(people))
    }

    /// Reads one page. After the last one, completes the reading or starts another.
    async fn read_page(
        &self,
        domain: &Domain,
        team: Fingerprint,
        position: &mut ReadPosition,
        state: &SyncState,
        people: &mut Vec<RosterEntry>,
        on_progress: OnProgress<'_>,
    ) -> Result<(), SyncError> {
        let group = Group { name: domain.team.clone(), fingerprint: team };
        let page = self.source.roster_page(&group, position.next.unwrap_or_default()).await?;
        position.shown += page.shown;
        position.malformed += page.malformed;
        people.extend(page.people);
        on_progress(people.len() as u64, page.total);
        if page.next.is_some() {
            position.next = page.next;
            return Ok(());
        }
        let Some(total) = page.total else {
            // Without a total there is nothing to compare with. A roster is only a filter: a person who was missed because
            // the list shifted is looked up by identity before anything is removed.
            position.hidden = 0;
            position.is_counted = false;
            position.is_complete = true;
            return Ok(());
        };
        let hidden = total.checked_sub(position.shown);
        match hidden.filter(|hidden| *hidden == state.hidden || position.hidden_before.contains(hidden)) {
            Some(hidden) => {
                if hidden != state.hidden {
                    info!(domain = %domain.domain, hidden, before = state.hidden, "number of hidden rows changed");
                }
                position.hidden = hidden;
                position.is_counted = true;
                position.is_complete = true;
                Ok(())
            }
            None if position.reading + 1 == MAX_READINGS => Err(SyncError::Unsettled(domain.domain.clone())),
            None => {
                warn!(domain = %domain.domain, reading = position.reading, "number of hidden rows changed, reading the team again");
                let mut hidden_before = std::mem::take(&mut position.hidden_before);
                hidden_before.extend(hidden);
                *position = ReadPosition { reading: position.reading + 1, hidden_before, ..ReadPosition::start() };
                Ok(())
            }
        }
    }

    async fn save(&self, run: &mut Run, position: &ReadPosition, people: &[RosterEntry]) -> Result<(), SyncError> {
        let position = serde_json::to_string(position).unwrap_or_default();
        let saved_at = self.clock.now();
        let checkpoint = Checkpoint { saved_at, position, people: people.to_vec() };
        run.checkpoints = self.store.save_checkpoint(&run.domain, run.id, run.checkpoints, &checkpoint).await?;
        run.saved = Some(saved_at);
        self.store.note_checkpoint(run).await?;
        Ok(())
    }

    /// The deadline of an invocation that starts now.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.invocation()
    }

    /// The time of an invocation; a day if it is unlimited.
    fn invocation(&self) -> Duration {
        self.limits.invocation.min(Duration::from_secs(24 * 60 * 60))
    }
}

impl ReadPosition {
    fn start() -> Self {
        Self { next: Some(PageCursor::default()), ..Self::default() }
    }

    fn complete(self, people: Vec<RosterEntry>) -> TeamReading {
        let total = self.is_counted.then_some(self.shown + self.hidden);
        TeamReading { roster: Roster::new(people), total, hidden: self.hidden, malformed: self.malformed }
    }
}
