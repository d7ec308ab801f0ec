//! Percentiles and tables.

use serde_json::{Value, json};

/// Median and 90th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) p50: f64,
    /// The 90th percentile.
    pub(crate) p90: f64,
}

impl Spread {
    /// Computes both percentiles.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        Self { p50: percentile(&values, 50), p90: percentile(&values, 90) }
    }

    /// The figures as JSON.
    pub(crate) fn json(&self) -> Value {
        json!({ "p50": rounded(self.p50), "p90": rounded(self.p90) })
    }
}

/// A percentile of sorted values by nearest rank, so that it is a measured value. Infinity without any value, to miss every
/// target.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or(f64::INFINITY)
}

/// Rounds to two decimals.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A count as a floating-point number.
pub(crate) fn float(count: impl TryInto<u32>) -> f64 {
    count.try_into().map_or(f64::MAX, f64::from)
}

/// A Markdown table; the first row is the header.
pub(crate) fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let mut widths = vec![3; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut lines: Vec<_> = rows.iter().map(|row| table_line(&widths, row)).collect();
    let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1.min(lines.len()), table_line(&widths, &rule));
    lines.join("\n")
}

fn table_line(widths: &[usize], row: &[String]) -> String {
    let cells = widths.iter().zip(row).map(|(width, cell)| format!("{cell:<width$}"));
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        assert_eq!(Spread::of((1..=20).rev().map(f64::from)), Spread { p50: 10.0, p90: 18.0 });
        assert_eq!(Spread::of([3.0]), Spread { p50: 3.0, p90: 3.0 });
        assert_eq!(Spread::of([]).p50, f64::INFINITY);
    }

    #[test]
    fn percentile_is_a_measured_value() {
        let values: Vec<_> = (1..=200).map(f64::from).collect();
        assert_eq!((percentile(&values, 50), percentile(&values, 99)), (100.0, 198.0));
        assert_eq!(percentile(&[], 99), f64::INFINITY);
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [["function", "ms"], ["sso", "10.25"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(markdown(&rows), "| function | ms    |\n| -------- | ----- |\n| sso      | 10.25 |");
    }
}
