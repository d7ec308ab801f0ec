//! Strict parsing of an indirect response: unique parameters, valid encodings, bounded sizes.

use std::collections::BTreeMap;

use super::Refusal;
use crate::parameters::parse;

/// Maximum bytes of a query. Providers use POST for more than 2 KiB.
const QUERY_LIMIT: usize = 8 * 1024;
/// Maximum bytes of a form.
const FORM_LIMIT: usize = 64 * 1024;

/// The unverified parameters of an indirect response (5.2).
#[derive(Clone)]
pub struct IndirectResponse {
    parameters: BTreeMap<String, String>,
}

impl IndirectResponse {
    /// Parses a response by GET (5.2.1).
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut parameters = BTreeMap::new();
        parse(query, QUERY_LIMIT, &mut parameters)?;
        Ok(Self { parameters })
    }

    /// Parses a response by POST (5.2.2): protocol fields in the form, our own parameters in the URL.
    pub fn from_form(query: &str, content_type: Option<&str>, body: &[u8]) -> Result<Self, Refusal> {
        let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::ContentType);
        }
        if body.len() > FORM_LIMIT {
            return Err(Refusal::Oversized);
        }
        let mut parameters = BTreeMap::new();
        parse(query, QUERY_LIMIT, &mut parameters)?;
        if parameters.keys().any(|name| name.starts_with("openid.")) {
            return Err(Refusal::SplitResponse);
        }
        let in_url = parameters.len();
        parse(std::str::from_utf8(body).map_err(|_| Refusal::Encoding)?, FORM_LIMIT, &mut parameters)?;
        // The parameters of return_to must be in the URL itself (11.1).
        let response = Self { parameters };
        if response.own_parameters().len() == in_url { Ok(response) } else { Err(Refusal::SplitResponse) }
    }

    /// A parameter by its full name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A protocol field, by its name without `openid.`.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.parameter(&format!("openid.{name}"))
    }

    /// A mandatory, non-empty protocol field.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        self.field(name).filter(|value| !value.is_empty()).ok_or(Refusal::Missing(name))
    }

    /// All protocol fields, by their names without `openid.`.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.parameters.iter();
        fields.filter_map(|(name, value)| Some((name.strip_prefix("openid.")?, value.as_str())))
    }

    /// The parameters that are not protocol fields.
    pub(super) fn own_parameters(&self) -> BTreeMap<&str, &str> {
        let own = self.parameters.iter().filter(|(name, _)| !name.starts_with("openid."));
        own.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}
