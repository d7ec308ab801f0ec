//! Reading the audit log over months and domains, in the order of time.

use jiff::Timestamp;
use jiff::civil::Date;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Store, decode, text};

impl Store {
    /// Hands every entry from `from` on and before `to` that is wanted to `each`, oldest first. `parts` are domains, and
    /// nothing for what is done to members. Keeps what is wanted of one month at a time.
    pub async fn each_entry(
        &self,
        parts: &[Option<DomainName>],
        from: Timestamp,
        to: Timestamp,
        wanted: impl Fn(&Entry) -> bool,
        mut each: impl FnMut(Entry),
    ) -> Result<(), StoreError> {
        for month in months(from, to) {
            let mut entries = Vec::new();
            for part in parts {
                self.entries_of_month(part.as_ref(), &month, from, to, |entry| {
                    if wanted(&entry) {
                        entries.push(entry);
                    }
                })
                .await?;
            }
            // Ids tell milliseconds apart, and times tell more.
            entries.sort_by_key(|entry: &Entry| (entry.at, entry.id));
            entries.into_iter().for_each(&mut each);
        }
        Ok(())
    }

    async fn entries_of_month(
        &self,
        domain: Option<&DomainName>,
        month: &str,
        from: Timestamp,
        to: Timestamp,
        mut each: impl FnMut(Entry),
    ) -> Result<(), StoreError> {
        let key = keys::audit(domain, month, "");
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(&key.pk))
            .expression_attribute_values(":from", text(bound(from, 0)))
            .expression_attribute_values(":to", text(bound(to, u128::MAX)))
            .into_paginator()
            .items()
            .send();
        while let Some(item) = items.next().await {
            let entry: Entry = decode(item?, &key)?;
            // An id is of a millisecond, the time is exact.
            if from <= entry.at && entry.at < to {
                each(entry);
            }
        }
        Ok(())
    }
}

/// The first or the last id of a millisecond.
fn bound(at: Timestamp, random: u128) -> String {
    Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap_or_default(), random).to_string()
}

/// The months that lie between two times, in UTC, as they are in keys.
fn months(from: Timestamp, to: Timestamp) -> Vec<String> {
    let first = |at: Timestamp| jiff::tz::TimeZone::UTC.to_datetime(at).date().first_of_month();
    let (mut month, last) = (first(from), first(to));
    let mut months = Vec::new();
    while month <= last {
        months.push(month.strftime("%Y-%m").to_string());
        let Some(next) = next(month) else { break };
        month = next;
    }
    months
}

fn next(month: Date) -> Option<Date> {
    month.last_of_month().tomorrow().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z", &["2026-11"])]
    #[case("2026-11-30T23:59:59Z", "2026-12-01T00:00:00Z", &["2026-11", "2026-12"])]
    #[case("2025-12-31T00:00:00Z", "2026-02-01T00:00:00Z", &["2025-12", "2026-01", "2026-02"])]
    #[case("2026-11-24T10:00:00Z", "2026-10-01T00:00:00Z", &[])]
    fn months_between(#[case] from: &str, #[case] to: &str, #[case] expected: &[&str]) {
        assert_eq!(months(from.parse().unwrap(), to.parse().unwrap()), expected);
    }

    #[test]
    fn the_end_of_time_is_an_end() {
        assert_eq!(months(Timestamp::MAX, Timestamp::MAX).len(), 1);
    }

    #[test]
    fn ids_of_a_millisecond_lie_between_its_bounds() {
        let at: Timestamp = "2026-11-24T10:00:00.123456Z".parse().unwrap();
        let id = membermail_core::member::ulid(at, &membermail_core::random::CountingRandom::default()).to_string();
        assert!(bound(at, 0) <= id && id <= bound(at, u128::MAX));
    }
}
