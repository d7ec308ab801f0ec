//! Stored runs and their steps, and the decision of an operator or an admin on a held run.

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::{Cause, Change, Comment, Entry, RunChange};
use membermail_core::lifecycle::Step;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::audit;
use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::outbox;
use crate::runs::{Run, RunState, kept_until};
use crate::table::{Consistency, Cursor, Query, Slot, Store, Update, Write, decode, path};

/// Steps in one item: some 60 kB.
const STEPS: usize = 250;

/// The outcome of a decision on a held run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// The decision is recorded.
    Done,
    /// The run is not held: it is in this state.
    NotHeld(RunState),
    /// The run does not exist.
    NoRun,
}

/// A page of the steps of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPage {
    /// Its steps, in the order of the plan.
    pub steps: Vec<Step>,
    /// The number of the last page; the first one is 0.
    pub last: usize,
}

#[derive(Serialize, Deserialize)]
struct Part {
    steps: Vec<Step>,
}

impl Store {
    /// Stores the steps of a run, before the first of them is sent.
    pub async fn save_steps(&self, run: &Run, steps: &[Step]) -> Result<(), StoreError> {
        self.put_steps(&run.domain, run.id, steps, kept_until(run.started, true)).await
    }

    pub(crate) async fn put_steps(
        &self,
        domain: &DomainName,
        id: Ulid,
        steps: &[Step],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        for (part, steps) in steps.chunks(STEPS).enumerate() {
            let put = Write::put(&keys::steps(domain, id, part), &Part { steps: steps.to_vec() })?;
            self.write(put.expires(until)).await?;
        }
        Ok(())
    }

    /// Loads the planned steps of a run.
    pub async fn steps_of(&self, domain: &DomainName, run: Ulid) -> Result<Vec<Step>, StoreError> {
        let first = keys::steps(domain, run, 0);
        let begins = first.sk.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let parts: Vec<Part> = self.list(&first.pk, begins).await?;
        Ok(parts.into_iter().flat_map(|part| part.steps).collect())
    }

    /// Loads one page of the steps of a run or a dry run; `None` beyond the last one. A plan without steps has no page.
    pub async fn step_page(&self, domain: &DomainName, id: Ulid, page: usize) -> Result<Option<StepPage>, StoreError> {
        let key = keys::steps(domain, id, page);
        let Some(Part { steps }) = self.get(&key).await? else { return Ok(None) };
        let prefix = key.sk.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let query = Query::partition(&key.pk, Consistency::Strong).begins_with(prefix).descending().limit(1);
        let last = self.query_page(&query.attributes(&["pk", "sk"]), None).await?.items.into_iter().next();
        let last = last.map(|item| Key::of_item(&item)).transpose()?;
        let last = last.and_then(|last| last.sk.strip_prefix(prefix)?.parse().ok());
        Ok(Some(StepPage { steps, last: last.unwrap_or(page) }))
    }

    /// Loads one run.
    pub async fn run(&self, domain: &DomainName, run: Ulid) -> Result<Option<Run>, StoreError> {
        self.get(&keys::run(domain, run)).await
    }

    /// At most `limit` runs of a domain, newest first.
    pub async fn runs(&self, domain: &DomainName, limit: i32) -> Result<Vec<Run>, StoreError> {
        let key = keys::lease(domain);
        let query = Query::partition(&key.pk, Consistency::Strong).begins_with(keys::RUN).descending().limit(limit);
        self.first_page(&query).await
    }

    /// At most `limit` runs of a domain that are older than `before`, newest first, and whether there are more.
    pub async fn runs_before(
        &self,
        domain: &DomainName,
        before: Option<Ulid>,
        limit: i32,
    ) -> Result<(Vec<Run>, bool), StoreError> {
        let key = keys::lease(domain);
        let query = Query::partition(&key.pk, Consistency::Strong).begins_with(keys::RUN).descending().limit(limit);
        let from = before.map(|before| Cursor::after(&keys::run(domain, before)));
        let page = self.query_page(&query, from).await?;
        let runs = page.items.into_iter().map(decode).collect::<Result<_, _>>()?;
        Ok((runs, page.next.is_some()))
    }

    /// The runs of a domain that started at this time or later, newest first.
    pub async fn runs_since(&self, domain: &DomainName, since: Timestamp) -> Result<Vec<Run>, StoreError> {
        let key = keys::lease(domain);
        let milliseconds = u64::try_from(since.as_millisecond()).unwrap_or_default();
        let first = keys::run(domain, Ulid::from_parts(milliseconds, 0)).sk;
        let last = format!("{}~", keys::RUN);
        self.query_all(&Query::partition(key.pk, Consistency::Strong).between(first, last).descending()).await
    }

    /// Releases or rejects a held run, once, with an entry in the audit log. The comment is in both.
    pub async fn decide_run(
        &self,
        domain: &DomainName,
        run: Ulid,
        did: RunChange,
        comment: Option<&Comment>,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Decided, StoreError> {
        let state = if did == RunChange::Released { RunState::Released } else { RunState::Rejected };
        let mut update = Update::new()
            .set("state", state.as_ref())
            .set("decided_by", cause.by.unwrap_or("-"))
            .set("decided_as", cause.actor.as_ref())
            .set("decided_at", cause.now.to_string())
            .set("finished", cause.now.to_string());
        if let Some(comment) = comment {
            update = update.set("comment", comment.as_str());
        }
        let is_held = path("state").eq(RunState::Held.as_ref());
        let update = Write::update(&keys::run(domain, run), update).when(is_held).slot(Slot::Run);
        let change = Change::Run { domain: domain.clone(), run, did };
        let entry = Entry::new(change, cause, random).with_comment(comment);
        let mut writes = vec![update];
        writes.extend(audit::record(&entry)?);
        if self.commit(writes).await?.committed_unless_failed(Slot::Run)? {
            return Ok(Decided::Done);
        }
        Ok(self.run(domain, run).await?.map_or(Decided::NoRun, |run| Decided::NotHeld(run.state)))
    }

    /// Records that the message of a release was lost and is sent again, once for each former `resent` time. The first time, an
    /// entry in the audit log and the outbox reports it. Returns `None` if the run is no longer released, or another sync
    /// recorded it first.
    pub async fn resend_release(
        &self,
        run: &Run,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Resent>, StoreError> {
        let is_as_read = path("resent").eq_option(run.resent.map(|before| before.to_string()));
        let condition = path("state").eq(RunState::Released.as_ref()).and(is_as_read);
        let update = Update::new().set("resent", cause.now.to_string());
        let update = Write::update(&keys::run(&run.domain, run.id), update).when(condition);
        let mut writes = vec![update.slot(Slot::Run)];
        let mut notice = None;
        if run.resent.is_none() {
            let change = Change::Run { domain: run.domain.clone(), run: run.id, did: RunChange::Resent };
            let entry = Entry::new(change, cause, random);
            writes.extend(outbox::announce(&entry)?);
            notice = Some(entry.id);
        }
        let is_recorded = self.commit(writes).await?.committed_unless_failed(Slot::Run)?;
        Ok(is_recorded.then_some(Resent { run: run.id, notice }))
    }
}

/// A release whose message has to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resent {
    /// The released run.
    pub run: Ulid,
    /// The outbox entry of the first time.
    pub notice: Option<Ulid>,
}
