//! Reads the audit log across months and domains in chronological order.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use membermail_core::address::DomainName;
use membermail_core::audit::Entry;
use ulid::Ulid;

use crate::error::StoreError;
use crate::keys;
use crate::table::{Consistency, Query, Store, decode};

impl Store {
    /// Hands the `wanted` entries between `from` (included) and `to` (excluded) to `each`, oldest first. A part is a domain,
    /// or `None` for the entries about members. Keeps the entries of one month in memory.
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
                let key = keys::audit(part.as_ref(), &month, "");
                let query = Query::partition(key.pk, Consistency::Strong).between(bound(from, 0), bound(to, u128::MAX));
                self.for_each(&query, |item| {
                    let entry: Entry = decode(item)?;
                    // The bounds are exact to the millisecond only.
                    if from <= entry.at && entry.at < to && wanted(&entry) {
                        entries.push(entry);
                    }
                    Ok(())
                })
                .await?;
            }
            // Ids have milliseconds only.
            entries.sort_by_key(|entry: &Entry| (entry.at, entry.id));
            entries.into_iter().for_each(&mut each);
        }
        Ok(())
    }
}

/// The first (`random` of 0) or last ULID of a millisecond.
pub(crate) fn bound(at: Timestamp, random: u128) -> String {
    Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap_or_default(), random).to_string()
}

/// The months between two times in UTC, as `YYYY-MM`.
pub(crate) fn months(from: Timestamp, to: Timestamp) -> Vec<String> {
    let last = first_of_month(to);
    let months = std::iter::successors(Some(first_of_month(from)), |month| month.last_of_month().tomorrow().ok());
    months.take_while(|month| *month <= last).map(|month| month.strftime("%Y-%m").to_string()).collect()
}

fn first_of_month(at: Timestamp) -> Date {
    TimeZone::UTC.to_datetime(at).date().first_of_month()
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
    fn last_timestamp_ends_iteration() {
        assert_eq!(months(Timestamp::MAX, Timestamp::MAX).len(), 1);
    }

    #[test]
    fn ids_lie_between_bounds_of_millisecond() {
        let at: Timestamp = "2026-11-24T10:00:00.123456Z".parse().unwrap();
        let id = membermail_core::member::ulid(at, &membermail_core::random::CountingRandom::default()).to_string();
        assert!(bound(at, 0) <= id && id <= bound(at, u128::MAX));
    }
}
