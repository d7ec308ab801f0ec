//! Reads settings from environment variables. One error lists everything that is missing or malformed, so that one
//! deployment reveals all of it.

use std::fmt::Display;
use std::str::FromStr;

/// Reads variables and collects the faults until [`finish`](Self::finish).
pub struct Variables<'a> {
    get: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl<'a> Variables<'a> {
    /// Reads with `get`. An empty variable counts as missing, because a template cannot omit one.
    pub fn new(get: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { get, faults: Vec::new() }
    }

    /// Reads a mandatory variable.
    pub fn required(&mut self, name: &str) -> String {
        self.read(name).unwrap_or_else(|| {
            self.faults.push(format!("{name} is missing"));
            String::new()
        })
    }

    /// Reads a variable that may be missing, but not malformed.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.read(name)?;
        let value = text.parse();
        value.map_err(|cause| self.faults.push(format!("{name} is malformed: {text:?}: {cause}"))).ok()
    }

    /// Reads the variables of this process.
    pub fn of_process() -> Self {
        Self::new(&process_variable)
    }

    /// Fails if any variable was missing or malformed.
    pub fn finish(self) -> Result<(), VariablesError> {
        if self.faults.is_empty() { Ok(()) } else { Err(VariablesError(self.faults.join("; "))) }
    }

    fn read(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }
}

/// An environment variable of this process.
pub fn process_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The missing and malformed variables, for the operator who deploys the function.
#[derive(Debug, thiserror::Error)]
#[error("invalid environment variables: {0}")]
pub struct VariablesError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_error_lists_all_faults() {
        let mut variables = Variables::new(&|name| match name {
            "EMPTY" => Some(String::new()),
            "NUMBER" => Some("many".to_owned()),
            _ => None,
        });
        variables.required("ABSENT");
        variables.required("EMPTY");
        assert_eq!(variables.optional::<u32>("NUMBER"), None);
        assert_eq!(variables.optional::<u32>("ABSENT"), None);
        assert_eq!(
            variables.finish().unwrap_err().to_string(),
            "invalid environment variables: ABSENT is missing; EMPTY is missing; \
             NUMBER is malformed: \"many\": invalid digit found in string"
        );
    }
}
