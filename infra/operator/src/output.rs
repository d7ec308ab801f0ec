//! Output as text or JSON. It never contains a destination.

use std::fmt::Display;
use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use membermail_core::member::{MemberId, PersonName};
use serde::Serialize;
use serde_json::json;

use crate::failure::Failure;

/// The output format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether the format is JSON.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints the result of a command.
    pub(crate) fn show<T: Serialize + Display>(self, value: &T) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
            writeln!(out)?;
        } else {
            let text = value.to_string();
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(out.flush()?)
    }

    /// Prints a step of a long operation. JSON output has all steps in its result.
    pub(crate) fn step(self, text: impl Display) -> Result<(), Failure> {
        if !self.json {
            let mut out = std::io::stdout().lock();
            writeln!(out, "{text}")?;
            out.flush()?;
        }
        Ok(())
    }

    /// Prints a remark to standard error, unless the format is JSON.
    pub(crate) fn note(self, text: impl Display) {
        if !self.json {
            eprintln!("{text}");
        }
    }

    /// Prints a failure to standard error.
    pub(crate) fn fail(self, failure: &Failure) {
        if failure.is_closed_pipe() {
            return;
        }
        if self.json {
            eprintln!("{}", json!({ "error": failure.kind(), "message": failure.to_string() }));
        } else {
            eprintln!("membermail: {failure}");
        }
    }
}

/// An aligned table.
pub(crate) fn table<const N: usize>(head: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.map(str::to_uppercase));
    table.add_rows(rows);
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

/// Aligned lines of names and values. Lines without a value are omitted.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, Option<String>)>) -> String {
    let facts: Vec<_> = facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines: Vec<_> = facts.iter().map(|(name, value)| format!("{name:width$}  {value}")).collect();
    lines.join("\n")
}

/// A number of addresses.
pub(crate) fn addresses(count: u64) -> String {
    if count == 1 { "1 address".to_owned() } else { format!("{count} addresses") }
}

/// A value, or `-` if there is none.
pub(crate) fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A member with the name, if it is known.
pub(crate) fn id_and_name(id: MemberId, name: Option<&PersonName>) -> String {
    name.map_or_else(|| id.to_string(), |name| format!("{id} ({name})"))
}

/// A time in UTC, to the second.
pub(crate) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The serialized name of an enum variant, such as `code-of-conduct-unsigned`.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(_) => "-".to_owned(),
    }
}
