//! The targets of the runs of `cargo dev bench sync`.

use serde_json::{Value, json};

use super::super::figures::float;
use super::source::Source;
use super::{CHANGED, RESUMED, SKIPPED, UNCHANGED};

/// Target: CPU seconds of a run without changes.
const MAX_CPU_SECONDS: f64 = 5.0;
/// Target: peak memory in MB of a run without changes.
const MAX_PEAK_MB: f64 = 100.0;

/// The missed targets of a run.
pub(super) fn missed_targets(source: Source, people: usize, run: &str, figures: &Value) -> Vec<String> {
    let rows = figures["rows"].as_u64().unwrap_or_default();
    let pages = rows.div_ceil(source.page());
    let rolling = figures["rolling"].as_u64().unwrap_or_default();
    // The run reads the aliases of the domain once.
    let mut exact = vec![("max_in_flight", json!(1)), ("domain_readings", json!(1))];
    match run {
        UNCHANGED | SKIPPED => {
            exact.extend([("state", json!("unchanged")), ("steps", json!(0)), ("item_writes", json!(0))]);
            // A team without a total is always read.
            let is_skipped = run == SKIPPED && source.counts(rows);
            exact.push(("is_skipped", json!(is_skipped)));
            if is_skipped {
                // The team itself, its total, and one request per member of the rolling check.
                exact.push(("requests", json!(2 + rolling)));
            } else {
                // The pages, the team itself, and one request per member of the rolling check.
                exact.push(("requests", json!(pages + 1 + rolling)));
            }
        }
        // Both parts fetch the team; no page is fetched twice.
        RESUMED => {
            exact.extend([("state", json!("unchanged")), ("steps", json!(0)), ("requests", json!(pages + 2 + rolling))])
        }
        CHANGED => exact.extend([("state", json!("applied")), ("steps", json!(people / 100))]),
        _ => exact.push(("steps", json!(0))),
    }
    let mut limits = Vec::new();
    if matches!(run, UNCHANGED | SKIPPED) {
        let rolling = float(rolling);
        limits.extend([("cpu_seconds", MAX_CPU_SECONDS), ("peak_mb", MAX_PEAK_MB)]);
        limits.extend([("observations", rolling), ("names", rolling), ("cursors", 1.0)]);
    }
    let wrong = exact.into_iter().filter(|(name, wanted)| figures[*name] != *wanted);
    let wrong = wrong.map(|(name, wanted)| format!("{name} {}, not {wanted}", figures[name]));
    let exceeded =
        limits.into_iter().filter(|(name, limit)| figures[*name].as_f64().is_none_or(|found| found > *limit));
    let exceeded = exceeded.map(|(name, limit)| format!("{name} {}, maximum {limit}", figures[name]));
    wrong.chain(exceeded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAUNCHPAD: Source = Source::Launchpad;

    fn unchanged() -> Value {
        json!({
            "state": "unchanged", "steps": 0, "item_writes": 0, "rows": 901, "requests": 8, "rolling": 3,
            "max_in_flight": 1, "domain_readings": 1, "observations": 3, "names": 0, "cursors": 1,
            "is_skipped": false, "cpu_seconds": 0.1, "peak_mb": 9.0,
        })
    }

    #[rstest::rstest]
    #[case::state("state", json!("failed"))]
    #[case::steps("steps", json!(1))]
    #[case::item_writes("item_writes", json!(1))]
    #[case::one_request_more("requests", json!(9))]
    #[case::one_request_less("requests", json!(7))]
    #[case::at_once("max_in_flight", json!(2))]
    #[case::read_twice("domain_readings", json!(2))]
    #[case::never_read("domain_readings", Value::Null)]
    #[case::skipped("is_skipped", json!(true))]
    #[case::observations("observations", json!(4))]
    #[case::names("names", json!(4))]
    #[case::cursors("cursors", json!(2))]
    #[case::cpu("cpu_seconds", json!(5.1))]
    #[case::memory("peak_mb", Value::Null)]
    fn unchanged_run_misses_target(#[case] name: &str, #[case] bad: Value) {
        assert_eq!(missed_targets(LAUNCHPAD, 900, UNCHANGED, &unchanged()), [""; 0]);
        let mut figures = unchanged();
        figures[name] = bad;
        assert_eq!(missed_targets(LAUNCHPAD, 900, UNCHANGED, &figures).len(), 1);
    }

    #[test]
    fn skipped_run_reads_no_page() {
        let mut skipped = unchanged();
        (skipped["is_skipped"], skipped["requests"]) = (json!(true), json!(5));
        assert_eq!(missed_targets(LAUNCHPAD, 900, SKIPPED, &skipped), [""; 0]);
        skipped["requests"] = json!(8);
        assert_eq!(missed_targets(LAUNCHPAD, 900, SKIPPED, &skipped).len(), 1);
        skipped["is_skipped"] = json!(false);
        assert_eq!(missed_targets(LAUNCHPAD, 900, SKIPPED, &skipped).len(), 2);
    }

    #[test]
    fn changed_run_has_its_steps() {
        let changed = json!({ "state": "applied", "steps": 9, "max_in_flight": 1, "domain_readings": 1 });
        assert_eq!(missed_targets(LAUNCHPAD, 900, CHANGED, &changed), [""; 0]);
        assert_eq!(missed_targets(LAUNCHPAD, 1_000, CHANGED, &changed).len(), 1);
    }

    #[test]
    fn resumed_run_reads_no_page_twice() {
        let mut resumed = unchanged();
        (resumed["requests"], resumed["item_writes"]) = (json!(9), json!(2));
        assert_eq!(missed_targets(LAUNCHPAD, 900, RESUMED, &resumed), [""; 0]);
        resumed["requests"] = json!(10);
        assert_eq!(missed_targets(LAUNCHPAD, 900, RESUMED, &resumed).len(), 1);
    }

    /// GitLab does not count more than 10,000 rows, so a sync reads them all.
    #[rstest::rstest]
    #[case::counted(10_000, true, 5)]
    #[case::not_counted(10_001, false, 105)]
    fn uncounted_group_is_read(#[case] rows: u64, #[case] is_skipped: bool, #[case] requests: u64) {
        let mut skipped = unchanged();
        (skipped["rows"], skipped["is_skipped"]) = (json!(rows), json!(is_skipped));
        skipped["requests"] = json!(requests);
        assert_eq!(missed_targets(Source::Gitlab, 10_000, SKIPPED, &skipped), [""; 0]);
    }
}
