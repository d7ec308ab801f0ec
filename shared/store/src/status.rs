//! The samples of the public status page: one item per component and day, with counters and the newest sample of the day. The
//! newest day therefore has the newest sample of the component, and one conditional update records a sample.

use jiff::Timestamp;
use membermail_core::clock::{later, micros};
use membermail_core::status::{Component, Day, History, RETENTION, Sample, date, first_date};
use serde::Deserialize;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Consistency, Query, Store, Update, Write, path};

#[derive(Deserialize)]
struct StoredDay {
    sk: String,
    #[serde(default)]
    good: u32,
    #[serde(default)]
    failed: u32,
    is_ok: bool,
    #[serde(with = "micros")]
    at: Timestamp,
}

impl Store {
    /// Records a sample; returns whether it counted. Delivery is at least once, so each interval of a component counts once,
    /// and an older sample of the same day never replaces a newer one. A sample that a wrong clock dated to the future does
    /// not block later ones.
    pub async fn record_sample(&self, sample: Sample, now: Timestamp) -> Result<bool, StoreError> {
        let Sample { component, is_ok, at } = sample;
        let slot = component.slot(at).as_microsecond();
        let update = Update::new()
            .count(if is_ok { "good" } else { "failed" })
            .set("slot", slot)
            .set("at", at.as_microsecond())
            .set("is_ok", is_ok)
            .set("expires", later(at, RETENTION).as_second());
        let last = path("slot");
        let is_new = last.not_exists().or(last.lt(slot)).or(last.is_from_future(now));
        self.write(Write::update(&keys::status_day(component, sample.date()), update).when(is_new)).await
    }

    /// The history of a component at this time. One query; expired days are not read, even if DynamoDB still has them.
    pub async fn status_history(&self, component: Component, now: Timestamp) -> Result<History, StoreError> {
        let [first, last] = [first_date(now), date(now)].map(|date| keys::status_day(component, date).sk);
        let query = Query::partition(keys::status(component), Consistency::Eventual).between(first, last);
        let stored: Vec<StoredDay> = self.query_all(&query).await?;
        let newest = stored.last().map(|day| Sample { component, is_ok: day.is_ok, at: day.at });
        let days = stored.iter().filter_map(|day| {
            let date = keys::status_date(&day.sk)?;
            Some(Day { date, good: day.good, failed: day.failed })
        });
        Ok(History::new(component, days, newest, now))
    }
}
