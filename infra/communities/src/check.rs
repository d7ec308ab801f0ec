//! Reads a community file, or says on which line it is wrong and why. Used by the build script and its tests.

use std::collections::BTreeMap;

use membermail_core::community::{Community, Place};

/// What a mistake looks like to whoever made it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Counted from 1.
    pub(crate) line: usize,
    /// In words.
    pub(crate) reason: String,
}

/// The same file read for where its rules and its tables of domains are.
#[derive(Default, serde::Deserialize)]
struct Places {
    #[serde(default)]
    rules: BTreeMap<String, toml::Spanned<toml::Value>>,
    #[serde(default)]
    domains: Vec<toml::Spanned<toml::Table>>,
}

/// Parses and checks the text of a community file.
pub(crate) fn read(text: &str) -> Result<Community, Vec<Mistake>> {
    let line_at = |offset: usize| text.get(..offset).map_or(1, |before| before.matches('\n').count() + 1);
    let community: Community = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_at(span.start));
        vec![Mistake { line, reason: error.message().to_owned() }]
    })?;
    let faults = community.faults();
    if faults.is_empty() {
        return Ok(community);
    }
    let places = toml::from_str::<Places>(text).unwrap_or_default();
    let line_of = |place: Place| {
        let span = match place {
            Place::Rule(key) => places.rules.get(key).map(toml::Spanned::span),
            Place::Domain(index) => places.domains.get(index).map(toml::Spanned::span),
        };
        span.map_or(1, |span| line_at(span.start))
    };
    Err(faults.into_iter().map(|(place, reason)| Mistake { line: line_of(place), reason }).collect())
}
