//! Merges the parameters of a deployment: given values, then those of the deployed stack, then the template's defaults.

use std::collections::BTreeMap;

use thiserror::Error;

use super::template::Declared;

/// Values of parameters by their names.
pub(crate) type Values = BTreeMap<String, String>;

/// Why parameters cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ParameterError {
    #[error("{0:?} is not NAME=VALUE")]
    NoPair(String),
    #[error("{0} is given twice")]
    Twice(String),
    #[error("template.yaml has no parameter {name}; it has {known}")]
    Unknown { name: String, known: String },
    #[error("{name} cannot be {value:?}; allowed are {allowed}")]
    NotAllowed { name: String, value: String, allowed: String },
    #[error("{0} has no default: add `--parameter {0}=VALUE`")]
    Missing(String),
}

/// How CloudFormation gets a parameter. Those that take the template's default are not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Given(String),
    /// The value of the deployed stack.
    Previous,
}

/// The merged parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// What CloudFormation gets.
    pub(crate) sent: BTreeMap<String, Source>,
    /// All values, including defaults.
    pub(crate) effective: Values,
}

impl Parameters {
    /// The same parameters with another value for one of them.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.sent.insert(name.to_owned(), Source::Given(value.to_owned()));
        self.effective.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Whether a parameter is `true`.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.effective.get(name).is_some_and(|value| value == "true")
    }
}

/// Parses `NAME=VALUE` arguments. A value may contain `=` and may be empty.
pub(crate) fn parse(arguments: &[String]) -> Result<Values, ParameterError> {
    let mut values = Values::new();
    for argument in arguments {
        let pair = argument.split_once('=').filter(|(name, _)| !name.is_empty());
        let (name, value) = pair.ok_or_else(|| ParameterError::NoPair(argument.clone()))?;
        if values.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(ParameterError::Twice(name.to_owned()));
        }
    }
    Ok(values)
}

/// Checks given values against the template.
pub(crate) fn check(declared: &[Declared], given: &Values) -> Result<(), ParameterError> {
    for (name, value) in given {
        let Some(Declared { allowed, .. }) = declared.iter().find(|declared| declared.name == *name) else {
            let known: Vec<_> = declared.iter().map(|declared| declared.name.as_str()).collect();
            return Err(ParameterError::Unknown { name: name.clone(), known: known.join(", ") });
        };
        if !allowed.is_empty() && !allowed.contains(value) {
            let (name, value, allowed) = (name.clone(), value.clone(), allowed.join(", "));
            return Err(ParameterError::NotAllowed { name, value, allowed });
        }
    }
    Ok(())
}

/// Merges checked values with those of the deployed stack. Parameters that the template no longer has are dropped.
pub(crate) fn merge(declared: &[Declared], given: &Values, deployed: &Values) -> Result<Parameters, ParameterError> {
    let mut merged = Parameters::default();
    for Declared { name, default, .. } in declared {
        let value = if let Some(value) = given.get(name) {
            merged.sent.insert(name.clone(), Source::Given(value.clone()));
            value
        } else if let Some(value) = deployed.get(name) {
            merged.sent.insert(name.clone(), Source::Previous);
            value
        } else {
            default.as_ref().ok_or_else(|| ParameterError::Missing(name.clone()))?
        };
        merged.effective.insert(name.clone(), value.clone());
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> [Declared; 3] {
        let of = |name: &str, default: Option<&str>, allowed: &[&str]| Declared {
            name: name.to_owned(),
            default: default.map(str::to_owned),
            allowed: allowed.iter().map(|value| (*value).to_owned()).collect(),
        };
        [
            of("Community", Some("ubuntu"), &[]),
            of("Production", Some("false"), &["true", "false"]),
            of("Zone", None, &[]),
        ]
    }

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn given_value_wins_over_deployed() {
        let (given, deployed) = (values(&[("Zone", "b")]), values(&[("Zone", "a"), ("Community", "debian")]));
        let merged = merge(&declared(), &given, &deployed).unwrap();
        let sent = [("Community", Source::Previous), ("Zone", Source::Given("b".to_owned()))];
        assert_eq!(merged.sent, sent.map(|(name, source)| (name.to_owned(), source)).into());
        assert_eq!(merged.effective, values(&[("Community", "debian"), ("Production", "false"), ("Zone", "b")]));
    }

    #[test]
    fn removed_parameter_is_dropped() {
        let deployed = values(&[("Zone", "a"), ("Removed", "x")]);
        let merged = merge(&declared(), &values(&[]), &deployed).unwrap();
        assert_eq!(merged.sent.into_keys().collect::<Vec<_>>(), ["Zone"]);
    }

    #[test]
    fn parameter_without_value_is_reported() {
        let error = merge(&declared(), &values(&[]), &values(&[])).unwrap_err().to_string();
        assert_eq!(error, "Zone has no default: add `--parameter Zone=VALUE`");
    }

    #[test]
    fn replaced_value_is_sent() {
        let merged = merge(&declared(), &values(&[("Zone", "a")]), &values(&[])).unwrap();
        assert!(!merged.is_true("Production"));
        let protected = merged.with("Production", "true");
        assert_eq!(protected.sent["Production"], Source::Given("true".to_owned()));
        assert!(protected.is_true("Production"));
    }

    #[rstest::rstest]
    #[case::unknown("Comunity=ubuntu", "template.yaml has no parameter Comunity; it has Community, Production, Zone")]
    #[case::other_case("zone=a", "template.yaml has no parameter zone; it has Community, Production, Zone")]
    #[case::not_allowed("Production=yes", "Production cannot be \"yes\"; allowed are true, false")]
    #[case::no_pair("Production", "\"Production\" is not NAME=VALUE")]
    #[case::no_name("=true", "\"=true\" is not NAME=VALUE")]
    fn wrong_parameter_is_reported(#[case] argument: &str, #[case] expected: &str) {
        let given = parse(&[argument.to_owned()]);
        let error = given.and_then(|given| check(&declared(), &given)).unwrap_err().to_string();
        assert_eq!(error, expected);
    }

    #[test]
    fn repeated_parameter_is_reported() {
        let twice = ["Zone=a", "Zone=b"].map(str::to_owned);
        assert_eq!(parse(&twice), Err(ParameterError::Twice("Zone".to_owned())));
    }

    #[test]
    fn value_may_contain_equals_sign() {
        let parsed = parse(&["Zone=a=b".to_owned(), "Community=".to_owned()]).unwrap();
        assert_eq!(parsed, values(&[("Zone", "a=b"), ("Community", "")]));
    }
}
