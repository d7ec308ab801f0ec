//! Strict parsing of query strings and forms: unique parameters, valid encodings, bounded sizes.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// Maximum number of parameters.
const LIMIT: usize = 100;

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterError {
    /// Too many bytes or parameters.
    Oversized,
    /// Two parameters with one name.
    Duplicate,
    /// A malformed escape, invalid UTF-8, or a control character.
    Encoding,
}

/// Adds the parameters of a text of at most `limit` bytes.
pub(crate) fn parse(text: &str, limit: usize, parameters: &mut BTreeMap<String, String>) -> Result<(), ParameterError> {
    if text.len() > limit {
        return Err(ParameterError::Oversized);
    }
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if parameters.insert(decode(name)?, decode(value)?).is_some() {
            return Err(ParameterError::Duplicate);
        }
        if parameters.len() > LIMIT {
            return Err(ParameterError::Oversized);
        }
    }
    Ok(())
}

/// Refuses malformed escapes and invalid UTF-8 instead of passing them through.
fn decode(text: &str) -> Result<String, ParameterError> {
    let mut escapes = text.split('%').skip(1).map(str::as_bytes);
    if !escapes.all(|escape| escape.get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))) {
        return Err(ParameterError::Encoding);
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| ParameterError::Encoding)?;
    // A line break would add lines to the signed text of OpenID 2.0 (4.1.1).
    if decoded.contains(['\n', '\r', '\0']) { Err(ParameterError::Encoding) } else { Ok(decoded.into_owned()) }
}
