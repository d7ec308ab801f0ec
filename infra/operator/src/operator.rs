//! The operator's name, the request id and the time, for the audit log.

use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::member;
use membermail_core::random::{OsRandom, Random};

use crate::failure::Failure;

/// Flags that identify the operator.
#[derive(Debug, clap::Args)]
pub(crate) struct OperatorArgs {
    /// Your name for the audit log
    #[arg(id = "as", long = "as", global = true, value_name = "NAME", env = "USER", hide_env_values = true)]
    name: Option<String>,
}

/// The operator of this command.
pub(crate) struct Operator {
    name: Option<String>,
    request_id: String,
    /// The system clock.
    pub(crate) clock: SystemClock,
    /// The system's random number generator.
    pub(crate) random: OsRandom,
}

impl Operator {
    pub(crate) fn new(flags: OperatorArgs) -> Self {
        let clock = SystemClock;
        let random = OsRandom;
        let request_id = format!("operator-{}", member::ulid(clock.now(), &random));
        let name = flags.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Self { name, request_id, clock, random }
    }

    /// The request id of this command, in the audit log, in messages and in the functions' logs.
    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The random number generator as a trait object.
    pub(crate) fn random(&self) -> &dyn Random {
        &self.random
    }

    /// The cause of a change. It requires the operator's name.
    pub(crate) fn cause(&self) -> Result<Cause<'_>, Failure> {
        let name = self.name.as_deref();
        let by = name.ok_or_else(|| Failure::Usage("the audit log needs your name: add --as NAME".to_owned()))?;
        if by.contains('@') || by.chars().any(char::is_control) {
            return Err(Failure::Usage("--as must be a name without '@' and control characters".to_owned()));
        }
        Ok(Cause { actor: Actor::Operator, by: Some(by), request_id: &self.request_id, now: self.clock.now() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case(Some("kim"), true)]
    #[case(Some(" kim "), true)]
    #[case(Some("  "), false)]
    #[case(Some("kim@mail.example"), false)]
    #[case(Some("k\nim"), false)]
    #[case(None, false)]
    fn change_requires_plain_name(#[case] name: Option<&str>, #[case] good: bool) {
        let operator = Operator::new(OperatorArgs { name: name.map(str::to_owned) });
        assert_eq!(operator.cause().map(|cause| cause.by == Some("kim")).unwrap_or(false), good);
    }
}
