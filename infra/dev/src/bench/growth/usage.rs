//! How much of each unit something takes: sums, differences and multiples.

use std::collections::BTreeMap;
use std::ops::{Add, AddAssign, Mul, Sub};

/// Amounts by unit, as `prices.rs` names them. A unit that is not there is zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Usage(pub(crate) BTreeMap<String, f64>);

impl Usage {
    /// One amount.
    pub(crate) fn of(unit: &str, amount: f64) -> Self {
        Self(BTreeMap::from([(unit.to_owned(), amount)]))
    }

    pub(crate) fn get(&self, unit: &str) -> f64 {
        self.0.get(unit).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, unit: &str, amount: f64) {
        *self.0.entry(unit.to_owned()).or_default() += amount;
    }

    /// Without negative amounts: a difference of two measurements may be one less by chance.
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

/// Something that grows: `base + each × count`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    pub(crate) base: Usage,
    pub(crate) each: Usage,
}

impl Line {
    /// Through two measurements.
    pub(crate) fn through((few, at_few): (f64, &Usage), (many, at_many): (f64, &Usage)) -> Self {
        let each = &(at_many - at_few) * (1.0 / (many - few));
        Self { base: at_few - &(&each * few), each }
    }

    pub(crate) fn at(&self, count: f64) -> Usage {
        self.base.clone() + &(&self.each * count)
    }

    /// Why a third measurement contradicts the line: it is off by more than the part `tolerance`, and by more than a few
    /// units, which is what rounding to whole units makes.
    pub(crate) fn contradicted(&self, count: f64, found: &Usage, units: &[&str], tolerance: f64) -> Vec<String> {
        const ROUNDING: f64 = 3.0;
        let expected = self.at(count);
        let off = |unit: &str| {
            let (expected, found) = (expected.get(unit), found.get(unit));
            let most = (expected * tolerance).max(ROUNDING);
            ((found - expected).abs() > most).then(|| format!("{found:.1} {unit} at {count}, not {expected:.1}"))
        };
        units.iter().filter_map(|unit| off(unit)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(amount: f64) -> Usage {
        Usage::of("read units", amount)
    }

    #[test]
    fn line_goes_through_its_measurements() {
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
