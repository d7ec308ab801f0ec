//! Parses and validates a community file, with line numbers for errors. The build script and the tests use it.

use std::ops::Range;

use membermail_core::community::{Community, ConfigLocation};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// An error in a community file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FileError {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The reason, for the author of the file.
    pub(crate) reason: String,
}

/// Parses and validates the text of a community file.
pub(crate) fn parse(text: &str) -> Result<Community, Vec<FileError>> {
    let community: Community = toml::from_str(text)
        .map_err(|error| vec![FileError { line: line_of(error.span(), text), reason: error.message().to_owned() }])?;
    let faults = community.faults();
    if faults.is_empty() {
        return Ok(community);
    }
    let table = DeTable::parse(text).ok().map(Spanned::into_inner).unwrap_or_default();
    let errors =
        faults.into_iter().map(|(place, reason)| FileError { line: line_of(span_of(place, &table), text), reason });
    Err(errors.collect())
}

/// The span of a key, or else of its table.
fn span_of(place: ConfigLocation, table: &DeTable<'_>) -> Option<Range<usize>> {
    match place {
        ConfigLocation::Top(key) => find(table, key).map(|(span, _)| span),
        ConfigLocation::Key(name, key) => {
            let (span, value) = find(table, name)?;
            let found = value.as_table().and_then(|table| find(table, key));
            Some(found.map_or(span, |(span, _)| span))
        }
        ConfigLocation::Domain(index) => {
            let (_, domains) = find(table, "domains")?;
            domains.as_array()?.get(index).map(Spanned::span)
        }
    }
}

fn find<'a, 'b>(table: &'a DeTable<'b>, name: &str) -> Option<(Range<usize>, &'a DeValue<'b>)> {
    let (key, value) = table.iter().find(|(key, _)| key.get_ref() == name)?;
    Some((key.span(), value.get_ref()))
}

/// The line where a span starts; the first one without a span.
fn line_of(span: Option<Range<usize>>, text: &str) -> usize {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or(1, |before| before.matches('\n').count() + 1)
}
