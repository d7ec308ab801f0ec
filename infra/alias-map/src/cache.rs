//! Answers that were given a moment ago. Bounded in memory; one question to the table for all who ask the same at once;
//! and while the table is out of reach, what was known of an address is good for longer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use metrics::{Counter, Histogram, counter, histogram};
use moka::Expiry;
use moka::future::Cache as Entries;
use moka::ops::compute::{CompResult, Op};
use tokio::time::Instant;

use crate::settings::Patience;
use crate::source::{Answer, Question, Source, SourceError};

/// What an entry costs beside its names and addresses: its own fields, the cache's books and the allocator's. An
/// estimate, on the high side; `cargo dev bench mail` shows the memory that comes of it.
const OVERHEAD: usize = 450;

/// How long the table is left alone after it could not be reached, time after time.
const REST: Duration = Duration::from_secs(1);

/// Failures in a row from which on it is: one slow answer is nobody else's trouble.
const PATTERN: u32 = 2;

/// Answers by question.
pub struct Cache {
    entries: Entries<Question, Entry>,
    source: Arc<dyn Source>,
    patience: Arc<ArcSwap<Patience>>,
    trouble: Mutex<Trouble>,
    counts: Counts,
}

/// How the table has done of late.
#[derive(Default)]
struct Trouble {
    /// Failures since it last answered.
    in_a_row: u32,
    /// Until when it is left alone.
    rests_until: Option<Instant>,
    /// When a question last had no answer.
    failed: Option<Instant>,
}

/// Metrics, each found once.
struct Counts {
    hit: Counter,
    shared: Counter,
    miss: Counter,
    stale: Counter,
    unanswered: Counter,
    table_errors: Counter,
    table_seconds: Histogram,
}

impl Counts {
    fn new() -> Self {
        let count = |outcome: &'static str| counter!("membermail_alias_map_cache_total", "outcome" => outcome);
        Self {
            hit: count("hit"),
            shared: count("shared"),
            miss: count("miss"),
            stale: count("stale"),
            unanswered: count("unanswered"),
            table_errors: counter!("membermail_alias_map_table_errors_total"),
            table_seconds: histogram!("membermail_alias_map_table_seconds"),
        }
    }
}

#[derive(Clone)]
struct Entry {
    answer: Arc<Answer>,
    at: Instant,
}

/// When an entry is of no more use to anybody.
struct Keeps(Arc<ArcSwap<Patience>>);

impl Expiry<Question, Entry> for Keeps {
    fn expire_after_create(&self, _: &Question, entry: &Entry, _: std::time::Instant) -> Option<Duration> {
        let patience = self.0.load();
        Some(if *entry.answer == Answer::Nothing { patience.misses } else { patience.stale.max(patience.hits) })
    }

    fn expire_after_update(
        &self,
        question: &Question,
        entry: &Entry,
        now: std::time::Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        self.expire_after_create(question, entry, now)
    }
}

impl Cache {
    /// An empty one of `megabytes` at most. Its metrics go to the recorder of this moment.
    pub fn new(source: Arc<dyn Source>, megabytes: u32, patience: Arc<ArcSwap<Patience>>) -> Self {
        let entries = Entries::builder()
            .max_capacity(u64::from(megabytes) * 1024 * 1024)
            .weigher(|question: &Question, entry: &Entry| {
                u32::try_from(OVERHEAD + question.octets() + entry.answer.octets()).unwrap_or(u32::MAX)
            })
            .expire_after(Keeps(Arc::clone(&patience)))
            .build();
        Self { entries, source, patience, trouble: Mutex::default(), counts: Counts::new() }
    }

    /// The answer, from here if it is fresh, else from the table; and if that is out of reach, what is known from before.
    ///
    /// That there is *nothing* is never an old answer: who got an address meanwhile would lose mail.
    pub async fn answer(&self, question: &Question) -> Result<Arc<Answer>, SourceError> {
        if let Some(entry) = self.entries.get(question).await.filter(|entry| self.is_fresh(entry)) {
            self.counts.hit.increment(1);
            return Ok(entry.answer);
        }
        let begin = Instant::now();
        let entry = self.entries.entry_by_ref(question);
        let error = match entry.and_try_compute_with(|known| self.ask(question, known, begin)).await {
            Ok(CompResult::Unchanged(entry) | CompResult::Inserted(entry) | CompResult::ReplacedWith(entry)) => {
                return Ok(entry.into_value().answer);
            }
            Ok(CompResult::Removed(_) | CompResult::StillNone(_)) => {
                SourceError::Broken("the cache kept no answer".to_owned())
            }
            Err(error) => error,
        };
        let stale = self.patience.load().stale;
        let known = self.entries.get(question).await;
        match known.filter(|entry| *entry.answer != Answer::Nothing && entry.at.elapsed() < stale) {
            Some(entry) => {
                self.counts.stale.increment(1);
                Ok(entry.answer)
            }
            None => {
                self.counts.unanswered.increment(1);
                Err(error)
            }
        }
    }

    /// Asks the table, unless who asked the same before has an answer by now, or none. `since` is when this asker came.
    async fn ask(
        &self,
        question: &Question,
        known: Option<moka::Entry<Question, Entry>>,
        since: Instant,
    ) -> Result<Op<Entry>, SourceError> {
        if known.is_some_and(|entry| self.is_fresh(entry.value())) {
            self.counts.shared.increment(1);
            return Ok(Op::Nop);
        }
        let patience = self.patience.load().table;
        if !self.may_ask(since, patience) {
            return Err(SourceError::Unreachable("it did not answer a moment ago".to_owned()));
        }
        self.counts.miss.increment(1);
        let begin = Instant::now();
        let answer = tokio::time::timeout(patience, self.source.answer(question)).await;
        self.counts.table_seconds.record(begin.elapsed().as_secs_f64());
        let answer = answer.unwrap_or_else(|_| Err(SourceError::Unreachable(format!("no answer in {patience:?}"))));
        self.learn(answer.as_ref().err());
        match answer {
            Ok(answer) => Ok(Op::Put(Entry { answer: Arc::new(answer), at: Instant::now() })),
            Err(error) => {
                self.counts.table_errors.increment(1);
                tracing::warn!(%error, "no answer from the table");
                Err(error)
            }
        }
    }

    /// Whether the table is to be asked now. While it is out of reach, one question at a time finds out whether it still
    /// is; all others would only wait as long for the answer that is known already.
    fn may_ask(&self, since: Instant, patience: Duration) -> bool {
        let (mut trouble, now) = (self.trouble(), Instant::now());
        // Whoever waited for the same question of somebody else would wait as long again.
        if trouble.failed.is_some_and(|failed| failed > since) {
            return false;
        }
        match trouble.rests_until {
            Some(until) if now < until => false,
            Some(_) => {
                trouble.rests_until = Some(now + patience);
                true
            }
            None => true,
        }
    }

    /// Takes from an answer, or the lack of one, how the table does.
    fn learn(&self, error: Option<&SourceError>) {
        let mut trouble = self.trouble();
        if let Some(SourceError::Unreachable(_)) = error {
            let now = Instant::now();
            trouble.in_a_row += 1;
            trouble.failed = Some(now);
            if trouble.in_a_row >= PATTERN {
                trouble.rests_until = Some(now + REST);
            }
            return;
        }
        // Whatever else there is, the table has answered.
        if trouble.rests_until.is_some() {
            tracing::info!("the table answers again");
        }
        let failed = matches!(error, Some(SourceError::Secret(_))).then(Instant::now);
        *trouble = Trouble { failed, ..Trouble::default() };
    }

    /// Entries and what they weigh, for the metrics.
    pub async fn size(&self) -> (u64, u64) {
        self.entries.run_pending_tasks().await;
        (self.entries.entry_count(), self.entries.weighted_size())
    }

    fn is_fresh(&self, entry: &Entry) -> bool {
        let patience = self.patience.load();
        let limit = if *entry.answer == Answer::Nothing { patience.misses } else { patience.hits };
        entry.at.elapsed() < limit
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
