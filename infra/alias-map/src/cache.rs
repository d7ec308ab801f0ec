//! Answers that were given a moment ago. Bounded in memory; one question to the table for all who ask the same at once;
//! and while the table is out of reach, what was known of an address is good for longer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use moka::Expiry;
use moka::future::Cache as Entries;
use moka::ops::compute::{CompResult, Op};
use tokio::time::Instant;

use crate::settings::Patience;
use crate::source::{Answer, Question, Source, SourceError};

/// What an entry costs beside its names and addresses: its own fields, the cache's books and the allocator's. An
/// estimate, on the high side; `cargo dev bench mail` shows the memory that comes of it.
const OVERHEAD: usize = 450;

/// How long the table is left alone after it could not be reached.
const REST: Duration = Duration::from_secs(1);

/// Answers by question.
pub struct Cache {
    entries: Entries<Question, Entry>,
    source: Arc<dyn Source>,
    patience: Arc<ArcSwap<Patience>>,
    rests_until: Mutex<Option<Instant>>,
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
    /// An empty one of `megabytes` at most.
    pub fn new(source: Arc<dyn Source>, megabytes: u32, patience: Arc<ArcSwap<Patience>>) -> Self {
        let entries = Entries::builder()
            .max_capacity(u64::from(megabytes) * 1024 * 1024)
            .weigher(|question: &Question, entry: &Entry| {
                u32::try_from(OVERHEAD + question.octets() + entry.answer.octets()).unwrap_or(u32::MAX)
            })
            .expire_after(Keeps(Arc::clone(&patience)))
            .build();
        Self { entries, source, patience, rests_until: Mutex::new(None) }
    }

    /// The answer, from here if it is fresh, else from the table; and if that is out of reach, what is known from before.
    ///
    /// That there is *nothing* is never an old answer: who got an address meanwhile would lose mail.
    pub async fn answer(&self, question: &Question) -> Result<Arc<Answer>, SourceError> {
        if let Some(entry) = self.entries.get(question).await.filter(|entry| self.is_fresh(entry)) {
            count("hit");
            return Ok(entry.answer);
        }
        let error =
            match self.entries.entry_by_ref(question).and_try_compute_with(|known| self.ask(question, known)).await {
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
                count("stale");
                Ok(entry.answer)
            }
            None => {
                count("unanswered");
                Err(error)
            }
        }
    }

    /// Asks the table, unless who asked the same before has an answer by now.
    async fn ask(
        &self,
        question: &Question,
        known: Option<moka::Entry<Question, Entry>>,
    ) -> Result<Op<Entry>, SourceError> {
        if known.is_some_and(|entry| self.is_fresh(entry.value())) {
            count("shared");
            return Ok(Op::Nop);
        }
        if self.rests_until().is_some_and(|until| Instant::now() < until) {
            return Err(SourceError::Unreachable("it did not answer a moment ago".to_owned()));
        }
        count("miss");
        let (begin, patience) = (Instant::now(), self.patience.load().table);
        let answer = tokio::time::timeout(patience, self.source.answer(question)).await;
        metrics::histogram!("membermail_alias_map_table_seconds").record(begin.elapsed().as_secs_f64());
        match answer.unwrap_or_else(|_| Err(SourceError::Unreachable(format!("no answer in {patience:?}")))) {
            Ok(answer) => {
                if self.rests_until().take().is_some() {
                    tracing::info!("the table answers again");
                }
                Ok(Op::Put(Entry { answer: Arc::new(answer), at: Instant::now() }))
            }
            Err(error) => {
                metrics::counter!("membermail_alias_map_table_errors_total").increment(1);
                tracing::warn!(%error, "no answer from the table");
                if matches!(error, SourceError::Unreachable(_)) {
                    *self.rests_until() = Some(Instant::now() + REST);
                }
                Err(error)
            }
        }
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

    fn rests_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.rests_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(outcome: &'static str) {
    metrics::counter!("membermail_alias_map_cache_total", "outcome" => outcome).increment(1);
}
