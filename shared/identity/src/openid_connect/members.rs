//! Strict reading of the members of a JSON object that we need, and tolerance for all others.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::Refusal;

/// Members of a JSON object. `null` counts as missing.
pub(super) struct Members(BTreeMap<&'static str, Value>);

/// Why an object is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum MembersError {
    /// Not a JSON object.
    Malformed,
    /// A member occurs twice.
    Duplicate(&'static str),
}

impl Members {
    /// Reads the members with these names.
    pub(super) fn read(json: &[u8], names: &'static [&'static str]) -> Result<Self, MembersError> {
        let mut reader = Reader { names, members: BTreeMap::new(), duplicate: None };
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        reader.deserialize(&mut deserializer).map_err(|_| MembersError::Malformed)?;
        deserializer.end().map_err(|_| MembersError::Malformed)?;
        match reader.duplicate {
            Some(name) => Err(MembersError::Duplicate(name)),
            None => Ok(Self(reader.members)),
        }
    }

    /// Reads claims.
    pub(super) fn read_claims(json: &[u8], names: &'static [&'static str]) -> Result<Self, Refusal> {
        Self::read(json, names).map_err(|error| match error {
            MembersError::Malformed => Refusal::Claims,
            MembersError::Duplicate(name) => Refusal::DuplicateClaim(name),
        })
    }

    /// Whether there is such a member, even `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A string.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Refusal> {
        self.get(name).map(|value| value.as_str().ok_or(Refusal::MalformedClaim(name))).transpose()
    }

    /// A mandatory string.
    pub(super) fn required_text(&self, name: &'static str) -> Result<&str, Refusal> {
        self.text(name)?.ok_or(Refusal::MissingClaim(name))
    }

    /// A NumericDate (RFC 7519, section 2), which may have a fraction.
    pub(super) fn time(&self, name: &'static str) -> Result<Option<Timestamp>, Refusal> {
        let Some(value) = self.get(name) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and the limits are no valid time")]
        let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
        let time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        time.map(Some).ok_or(Refusal::MalformedClaim(name))
    }

    /// A mandatory NumericDate.
    pub(super) fn required_time(&self, name: &'static str) -> Result<Timestamp, Refusal> {
        self.time(name)?.ok_or(Refusal::MissingClaim(name))
    }
}

struct Reader {
    names: &'static [&'static str],
    members: BTreeMap<&'static str, Value>,
    duplicate: Option<&'static str>,
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match self.names.iter().find(|known| **known == name) {
                Some(known) => {
                    if self.members.insert(known, map.next_value()?).is_some() {
                        self.duplicate = Some(known);
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[&str] = &["sub", "iat"];

    #[rstest::rstest]
    #[case::twice(br#"{"sub":"1","sub":"1"}"#, MembersError::Duplicate("sub"))]
    #[case::twice_with_an_escape(br#"{"sub":"1","s\u0075b":"2"}"#, MembersError::Duplicate("sub"))]
    #[case::null_and_a_value(br#"{"sub":null,"sub":"2"}"#, MembersError::Duplicate("sub"))]
    #[case::array(br#"["sub"]"#, MembersError::Malformed)]
    #[case::text_behind(br#"{"sub":"1"}{}"#, MembersError::Malformed)]
    #[case::invalid_utf8(b"{\"sub\":\"\xff\"}", MembersError::Malformed)]
    #[case::nothing(b"", MembersError::Malformed)]
    fn unclear_objects_are_refused(#[case] json: &[u8], #[case] expected: MembersError) {
        assert_eq!(Members::read(json, NAMES).err(), Some(expected));
    }

    #[test]
    fn other_members_do_not_matter() {
        let members = Members::read(br#"{"groups":1,"sub":"1","groups":{"a":[]},"iat":null}"#, NAMES).unwrap();
        assert_eq!(members.text("sub"), Ok(Some("1")));
        assert_eq!(members.time("iat"), Ok(None));
        assert!(members.has("iat") && !members.has("groups"));
    }

    #[rstest::rstest]
    #[case("1764410000", Some(1_764_410_000))]
    #[case("1764410000.75", Some(1_764_410_000))]
    #[case("1.76441e9", Some(1_764_410_000))]
    #[case("-1", Some(-1))]
    #[case("1e300", None)]
    #[case("-1e300", None)]
    #[case("18446744073709551615", None)]
    #[case("\"1764410000\"", None)]
    #[case("true", None)]
    fn times_are_numbers_in_range(#[case] iat: &str, #[case] expected: Option<i64>) {
        let members = Members::read(format!(r#"{{"iat":{iat}}}"#).as_bytes(), NAMES).unwrap();
        let expected = expected.ok_or(Refusal::MalformedClaim("iat"));
        assert_eq!(members.required_time("iat").map(Timestamp::as_second), expected);
    }
}
