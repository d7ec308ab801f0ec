//! What is made of many measurements, and how it is shown.

/// The middle, and what nine of ten keep below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// Half are no more than this.
    pub(crate) p50: f64,
    /// Nine of ten are no more than this.
    pub(crate) p90: f64,
}

/// By nearest rank: every figure was really measured. Nothing at all is as bad as can be.
pub(crate) fn spread(mut values: Vec<f64>) -> Spread {
    values.sort_unstable_by(f64::total_cmp);
    let rank = |of_ten: usize| {
        let rank = (values.len() * of_ten).div_ceil(10).saturating_sub(1);
        values.get(rank).copied().unwrap_or(f64::INFINITY)
    };
    Spread { p50: rank(5), p90: rank(9) }
}

/// Two digits after the point, as JSON and tables have them.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A table; the first row is its head.
pub(crate) fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column| rows.iter().filter_map(|row| row.get(column)).map(|cell: &String| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default().max(3)).collect();
    let line = |row: &[String]| {
        let cells = widths.iter().zip(row).map(|(width, cell)| format!("{cell:<width$}"));
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let mut lines: Vec<_> = rows.iter().map(|row| line(row)).collect();
    let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
    lines.insert(1.min(lines.len()), line(&rule));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_ranks_of_what_was_measured() {
        let values = (1..=20).rev().map(f64::from).collect();
        assert_eq!(spread(values), Spread { p50: 10.0, p90: 18.0 });
        assert_eq!(spread(vec![3.0]), Spread { p50: 3.0, p90: 3.0 });
        assert_eq!(spread(vec![]).p50, f64::INFINITY);
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [["function", "ms"], ["sso", "10.25"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(markdown(&rows), "| function | ms    |\n| -------- | ----- |\n| sso      | 10.25 |");
    }
}
