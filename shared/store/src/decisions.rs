//! Runs as they are read again, their steps, and what an operator decides on a held one.

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::audit::{Cause, Change, Entry, RunChange};
use membermail_core::lifecycle::Step;
use membermail_core::random::Random;
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::runs::{Run, RunState, kept_until};
use crate::table::{Store, Written, decode, encode, expires, text};

/// Steps in one item: some 60 kB.
const STEPS: usize = 250;

/// What became of a decision on a held run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decided {
    /// It is done.
    Done,
    /// The run is in this state and not held.
    NotHeld(RunState),
    /// There is no such run.
    NoRun,
}

#[derive(Serialize, Deserialize)]
struct Part {
    steps: Vec<Step>,
}

impl Store {
    /// Keeps the steps of a run, before it hands on the first of them.
    pub async fn keep_steps(&self, run: &Run, steps: &[Step]) -> Result<(), StoreError> {
        let until = expires(kept_until(run.started, true));
        for (part, steps) in steps.chunks(STEPS).enumerate() {
            let part = keys::steps(&run.domain, run.id, part);
            let mut item = encode(&part, &Part { steps: steps.to_vec() })?;
            item.insert("expires".into(), until.clone());
            self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        }
        Ok(())
    }

    /// The steps of a run, as they were planned.
    pub async fn steps_of(&self, domain: &DomainName, run: Ulid) -> Result<Vec<Step>, StoreError> {
        let first = keys::steps(domain, run, 0);
        let begins = first.sk.trim_end_matches(|digit: char| digit.is_ascii_digit());
        let parts: Vec<Part> = self.list(&first.pk, begins).await?;
        Ok(parts.into_iter().flat_map(|part| part.steps).collect())
    }

    /// One run.
    pub async fn run(&self, domain: &DomainName, run: Ulid) -> Result<Option<Run>, StoreError> {
        self.get(&keys::run(domain, run)).await
    }

    /// The latest runs of a domain, newest first.
    pub async fn runs(&self, domain: &DomainName, most: i32) -> Result<Vec<Run>, StoreError> {
        let key = keys::lease(domain);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :sk)")
            .expression_attribute_values(":pk", text(&key.pk))
            .expression_attribute_values(":sk", text(keys::RUN))
            .scan_index_forward(false)
            .limit(most)
            .send()
            .await?;
        answer.items.unwrap_or_default().into_iter().map(|item| decode(item, &key)).collect()
    }

    /// The runs of a domain that began at this time or later, newest first.
    pub async fn runs_since(&self, domain: &DomainName, since: Timestamp) -> Result<Vec<Run>, StoreError> {
        let key = keys::lease(domain);
        let milliseconds = u64::try_from(since.as_millisecond()).unwrap_or_default();
        let first = keys::run(domain, Ulid::from_parts(milliseconds, 0));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(&key.pk))
            .expression_attribute_values(":first", text(first.sk))
            .expression_attribute_values(":last", text(format!("{}~", keys::RUN)))
            .scan_index_forward(false);
        let mut items = query.into_paginator().items().send();
        let mut runs = Vec::new();
        while let Some(item) = items.next().await {
            runs.push(decode(item?, &key)?);
        }
        Ok(runs)
    }

    /// Releases or rejects a held run, once, with an entry in the audit log.
    pub async fn decide_run(
        &self,
        domain: &DomainName,
        run: Ulid,
        did: RunChange,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Decided, StoreError> {
        let state = if did == RunChange::Released { RunState::Released } else { RunState::Rejected };
        let update = self
            .update(&keys::run(domain, run))
            .update_expression("SET #state = :state, decided_by = :by, finished = :now")
            .condition_expression("#state = :held")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":state", text(state.as_str()))
            .expression_attribute_values(":by", text(cause.by.unwrap_or("-")))
            .expression_attribute_values(":now", text(cause.now.to_string()))
            .expression_attribute_values(":held", text(RunState::Held.as_str()));
        let entry = Entry::new(Change::Run { domain: domain.clone(), run, did }, cause, random);
        let writes = vec![TransactWriteItem::builder().update(update.build()?).build(), self.audit_write(&entry)?];
        match self.transact(writes).await? {
            Written::All => Ok(Decided::Done),
            Written::Failed(places) if places.contains(&0) => {
                Ok(self.run(domain, run).await?.map_or(Decided::NoRun, |run| Decided::NotHeld(run.state)))
            }
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }

    /// Records that the release of a run is sent again, since its message was lost; once for each `before`, the time that it
    /// was sent again last. The first time, an entry in the audit log and the outbox tells so; its id comes back. Nothing
    /// comes back where the run is no longer released, or another sync was faster.
    pub async fn resend_release(
        &self,
        run: &Run,
        cause: Cause<'_>,
        random: &dyn Random,
    ) -> Result<Option<Resent>, StoreError> {
        let update = self
            .update(&keys::run(&run.domain, run.id))
            .update_expression("SET resent = :now")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":now", text(cause.now.to_string()))
            .expression_attribute_values(":released", text(RunState::Released.as_str()));
        let update = match run.resent {
            None => update.condition_expression("#state = :released AND attribute_not_exists(resent)"),
            Some(before) => update
                .condition_expression("#state = :released AND resent = :before")
                .expression_attribute_values(":before", text(before.to_string())),
        };
        let mut writes = vec![TransactWriteItem::builder().update(update.build()?).build()];
        let mut notice = None;
        if run.resent.is_none() {
            let change = Change::Run { domain: run.domain.clone(), run: run.id, did: RunChange::Resent };
            let entry = Entry::new(change, cause, random);
            writes.extend([self.audit_write(&entry)?, self.outbox_write(&entry)?]);
            notice = Some(entry.id);
        }
        match self.transact(writes).await? {
            Written::All => Ok(Some(Resent { run: run.id, notice })),
            Written::Failed(places) if places.contains(&0) => Ok(None),
            Written::Failed(_) => Err(StoreError::Conflict),
        }
    }
}

/// A release that has to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resent {
    /// Of this run.
    pub run: Ulid,
    /// Its entry in the outbox, the first time.
    pub notice: Option<Ulid>,
}
