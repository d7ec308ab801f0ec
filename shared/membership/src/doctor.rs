//! What the checks of both sources have in common.

use serde::{Deserialize, Serialize};

/// The result of checking an assumption `C`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding<C> {
    /// The checked assumption.
    pub check: C,
    /// Whether it holds.
    pub verdict: Verdict,
    /// The evidence.
    pub detail: String,
}

impl<C> Finding<C> {
    /// A finding with the verdict `Holds` or `Broken`.
    pub(crate) fn new(check: C, holds: bool, detail: impl Into<String>) -> Self {
        Self { check, verdict: if holds { Verdict::Holds } else { Verdict::Broken }, detail: detail.into() }
    }

    /// A finding of a check that had no data.
    pub(crate) fn skipped(check: C, detail: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Skipped, detail: detail.into() }
    }
}

/// Whether an assumption holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    /// The responses confirm it.
    Holds,
    /// A response contradicts it.
    Broken,
    /// There was no data to check it.
    Skipped,
}
