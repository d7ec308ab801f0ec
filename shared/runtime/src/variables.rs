//! Settings from environment variables. All that is missing or wrong is reported at once, not one a deploy.

use std::fmt::Display;
use std::str::FromStr;

/// Reads variables and gathers what is wrong with them until [`finish`](Self::finish).
pub struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl<'a> Variables<'a> {
    /// Reads by `get`; an empty variable counts as missing, since a template can leave one empty only.
    pub fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { get, faults: Vec::new() }
    }

    /// A variable that must be there.
    pub fn required(&mut self, name: &str) -> String {
        self.read(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} is missing"));
            String::new()
        })
    }

    /// A variable that may be absent, but must be readable where it is there.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.read(name)?;
        let value =
            text.parse().map_err(|cause| self.faults.push(format!("{name} is not readable: {text:?}: {cause}")));
        value.ok()
    }

    /// Whether everything was as it must be.
    pub fn finish(self) -> Result<(), VariablesError> {
        if self.faults.is_empty() { Ok(()) } else { Err(VariablesError(self.faults.join("; "))) }
    }

    fn read(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }
}

/// A variable of this process.
pub fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The environment is not as the function needs it: for the operator who deploys.
#[derive(Debug, thiserror::Error)]
#[error("the environment variables of this function: {0}")]
pub struct VariablesError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_told_at_once() {
        let get = |name: &str| match name {
            "EMPTY" => Some(String::new()),
            "NUMBER" => Some("many".to_owned()),
            _ => None,
        };
        let mut variables = Variables::new(&get);
        variables.required("ABSENT");
        variables.required("EMPTY");
        assert_eq!(variables.optional::<u32>("NUMBER"), None);
        assert_eq!(variables.optional::<u32>("ABSENT"), None);
        assert_eq!(
            variables.finish().unwrap_err().to_string(),
            "the environment variables of this function: ABSENT is missing; EMPTY is missing; \
             NUMBER is not readable: \"many\": invalid digit found in string"
        );
    }
}
