//! What the browser brings back, read strictly: each parameter once, each encoding whole, all of it bounded.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::Refusal;

/// Bytes of a query at most. Providers send more than 2 KiB by POST.
const QUERY_LIMIT: usize = 8 * 1024;
/// Bytes of a form at most.
const FORM_LIMIT: usize = 64 * 1024;
/// Parameters at most.
const PARAMETER_LIMIT: usize = 100;

/// The parameters of an indirect response (5.2), not yet believed in any way.
#[derive(Clone)]
pub struct Answer {
    parameters: BTreeMap<String, String>,
}

impl Answer {
    /// Reads an answer that came by GET (5.2.1).
    pub fn from_query(query: &str) -> Result<Self, Refusal> {
        let mut parameters = BTreeMap::new();
        read(query, QUERY_LIMIT, &mut parameters)?;
        Ok(Self { parameters })
    }

    /// Reads an answer that came by POST (5.2.2): the protocol's fields in the form, our own in the URL.
    pub fn from_form(query: &str, content_type: Option<&str>, body: &[u8]) -> Result<Self, Refusal> {
        let media_type = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::ContentType);
        }
        if body.len() > FORM_LIMIT {
            return Err(Refusal::Oversized);
        }
        let mut parameters = BTreeMap::new();
        read(query, QUERY_LIMIT, &mut parameters)?;
        if parameters.keys().any(|name| name.starts_with("openid.")) {
            return Err(Refusal::SplitAnswer);
        }
        let in_url = parameters.len();
        read(std::str::from_utf8(body).map_err(|_| Refusal::Encoding)?, FORM_LIMIT, &mut parameters)?;
        // What return_to carries must stand in the URL itself (11.1).
        let answer = Self { parameters };
        if answer.ours().len() == in_url { Ok(answer) } else { Err(Refusal::SplitAnswer) }
    }

    /// A parameter by its whole name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// A field of the protocol, by its name without `openid.`.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.parameter(&format!("openid.{name}"))
    }

    /// A field that must be there and hold something.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        self.field(name).filter(|value| !value.is_empty()).ok_or(Refusal::Missing(name))
    }

    /// The fields of the protocol, without `openid.`.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.parameters.iter();
        fields.filter_map(|(name, value)| Some((name.strip_prefix("openid.")?, value.as_str())))
    }

    /// The parameters that are our own.
    pub(super) fn ours(&self) -> BTreeMap<&str, &str> {
        let ours = self.parameters.iter().filter(|(name, _)| !name.starts_with("openid."));
        ours.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

fn read(text: &str, limit: usize, parameters: &mut BTreeMap<String, String>) -> Result<(), Refusal> {
    if text.len() > limit {
        return Err(Refusal::Oversized);
    }
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if parameters.insert(decode(name)?, decode(value)?).is_some() {
            return Err(Refusal::Duplicate);
        }
        if parameters.len() > PARAMETER_LIMIT {
            return Err(Refusal::Oversized);
        }
    }
    Ok(())
}

/// Broken escapes and bytes that are no text are refused, not passed on as they are.
fn decode(text: &str) -> Result<String, Refusal> {
    let mut escapes = text.split('%').skip(1);
    let is_whole = |escape: &str| escape.len() >= 2 && escape.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if !escapes.all(is_whole) {
        return Err(Refusal::Encoding);
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| Refusal::Encoding)?;
    // A line break would put further lines into the signed text (4.1.1).
    if decoded.contains(['\n', '\r', '\0']) { Err(Refusal::Encoding) } else { Ok(decoded.into_owned()) }
}
