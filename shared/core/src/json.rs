//! Errors of JSON documents that hold secrets or personal data.

use serde_json::error::Category;

/// What is wrong with a document, and where. serde's own error quotes the value that it did not expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} at line {line}, column {column}", problem(*category))]
pub struct JsonError {
    category: Category,
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self { category: error.classify(), line: error.line(), column: error.column() }
    }
}

fn problem(category: Category) -> &'static str {
    match category {
        Category::Io => "the document cannot be read",
        Category::Syntax => "not JSON",
        Category::Data => "a field is missing, unknown or has the wrong type",
        Category::Eof => "the document ends too early",
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Document {
        #[expect(dead_code, reason = "only parsed")]
        number: NonZeroU8,
    }

    #[rstest::rstest]
    #[case::type_of_field(
        r#"{"number":"hunter2"}"#,
        "a field is missing, unknown or has the wrong type at line 1, column 19"
    )]
    #[case::unknown_field(r#"{"hunter2":1}"#, "a field is missing, unknown or has the wrong type at line 1, column 10")]
    #[case::other_document("\"hunter2\"", "a field is missing, unknown or has the wrong type at line 1, column 9")]
    #[case::no_json("\nhunter2", "not JSON at line 2, column 1")]
    #[case::cut_off("{\"number\":\"hunter2", "the document ends too early at line 1, column 18")]
    fn json_error_quotes_no_value(#[case] text: &str, #[case] expected: &str) {
        let error: JsonError = serde_json::from_str::<Document>(text).unwrap_err().into();
        assert_eq!(error.to_string(), expected);
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
