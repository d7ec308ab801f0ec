//! Usage by unit, with sums, differences and multiples.

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Mul, Sub};

use serde::Serialize;

/// Amounts by unit, with the names of `prices.rs`. Missing units are zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Usage(pub(crate) BTreeMap<String, f64>);

impl Usage {
    /// An amount of a single unit.
    pub(crate) fn of(unit: &str, amount: f64) -> Self {
        Self(BTreeMap::from([(unit.to_owned(), amount)]))
    }

    pub(crate) fn get(&self, unit: &str) -> f64 {
        self.0.get(unit).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, unit: &str, amount: f64) {
        *self.0.entry(unit.to_owned()).or_default() += amount;
    }

    /// Replaces negative amounts by zero: a difference of two measurements may be off by one.
    pub(crate) fn floored(mut self) -> Self {
        for amount in self.0.values_mut() {
            *amount = amount.max(0.0);
        }
        self
    }
}

impl AddAssign<&Usage> for Usage {
    fn add_assign(&mut self, other: &Usage) {
        for (unit, amount) in &other.0 {
            self.add(unit, *amount);
        }
    }
}

impl Add<&Usage> for Usage {
    type Output = Usage;

    fn add(mut self, other: &Usage) -> Usage {
        self += other;
        self
    }
}

impl Sub for &Usage {
    type Output = Usage;

    fn sub(self, other: &Usage) -> Usage {
        self.clone() + &(other * -1.0)
    }
}

impl Mul<f64> for &Usage {
    type Output = Usage;

    fn mul(self, times: f64) -> Usage {
        Usage(self.0.iter().map(|(unit, amount)| (unit.clone(), amount * times)).collect())
    }
}

/// Linear growth: `base + each × count`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Line {
    pub(crate) base: Usage,
    #[serde(rename = "each_alias")]
    pub(crate) each: Usage,
}

impl Line {
    /// The line through two measurements.
    pub(crate) fn through((few, at_few): (f64, &Usage), (many, at_many): (f64, &Usage)) -> Self {
        let each = &(at_many - at_few) * (1.0 / (many - few));
        Self { base: at_few - &(&each * few), each }
    }

    pub(crate) fn at(&self, count: f64) -> Usage {
        self.base.clone() + &(&self.each * count)
    }

    /// Units in which a third measurement deviates by more than `tolerance`, and by more than rounding explains.
    pub(crate) fn contradicted(&self, count: f64, found: &Usage, units: &[&str], tolerance: f64) -> Vec<String> {
        const ROUNDING: f64 = 3.0;
        let line = self.at(count);
        let mut deviations = Vec::new();
        for unit in units {
            let expected = line.get(unit);
            let found = found.get(unit);
            if (found - expected).abs() > (expected * tolerance).max(ROUNDING) {
                deviations.push(format!("{found:.1} {unit} at {count}, not {expected:.1}"));
            }
        }
        deviations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(amount: f64) -> Usage {
        Usage::of("read units", amount)
    }

    #[test]
    fn line_matches_its_measurements() {
        let line = Line::through((100.0, &reads(20.0)), (300.0, &reads(40.0)));
        assert_eq!((line.base.get("read units"), line.each.get("read units")), (10.0, 0.1));
        assert_eq!(line.at(1_000.0), reads(110.0));
    }

    #[rstest::rstest]
    #[case::exact(110.0, 0)]
    #[case::rounded(112.9, 0)]
    #[case::within(115.4, 0)]
    #[case::above(116.0, 1)]
    #[case::below(104.0, 1)]
    #[case::none(0.0, 1)]
    fn third_measurement_contradicts_the_line(#[case] found: f64, #[case] count: usize) {
        let line = Line::through((100.0, &reads(20.0)), (300.0, &reads(40.0)));
        assert_eq!(line.contradicted(1_000.0, &reads(found), &["read units", "write units"], 0.05).len(), count);
    }
}
