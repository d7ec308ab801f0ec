//! Who operates: the name that the audit log gets, with the time and an id for what is done.

use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::member;
use membermail_core::random::{OsRandom, Random};

use crate::failure::Failure;

/// Who it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Who {
    /// Your name for the audit log
    #[arg(id = "as", long = "as", global = true, value_name = "NAME", env = "USER", hide_env_values = true)]
    name: Option<String>,
}

/// Somebody at the command line.
pub(crate) struct Operator {
    name: Option<String>,
    request_id: String,
    /// The time.
    pub(crate) clock: SystemClock,
    /// Random bytes.
    pub(crate) random: OsRandom,
}

impl Operator {
    pub(crate) fn new(flags: Who) -> Self {
        let (clock, random) = (SystemClock, OsRandom);
        let request_id = format!("operator-{}", member::ulid(clock.now(), &random));
        let name = flags.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Self { name, request_id, clock, random }
    }

    /// The id that all this command does goes by: in the audit log, on the queues and in the functions' logs.
    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Random bytes, as rules take them.
    pub(crate) fn random(&self) -> &dyn Random {
        &self.random
    }

    /// The cause of a change. Whoever makes one says who they are.
    pub(crate) fn cause(&self) -> Result<Cause<'_>, Failure> {
        let name = self.name.as_deref();
        let by = name.ok_or_else(|| Failure::Usage("say who you are, for the audit log: --as NAME".to_owned()))?;
        if by.contains('@') || by.chars().any(char::is_control) {
            return Err(Failure::Usage("the audit log holds no e-mail address: --as a name".to_owned()));
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
    fn a_change_has_a_name(#[case] name: Option<&str>, #[case] good: bool) {
        let operator = Operator::new(Who { name: name.map(str::to_owned) });
        assert_eq!(operator.cause().map(|cause| cause.by == Some("kim")).unwrap_or(false), good);
    }
}
