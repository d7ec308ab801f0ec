//! The membership source of a community, as a function needs it.

use std::sync::Arc;
use std::time::Duration;

use membermail_core::clock::SystemClock;
use membermail_core::community::{Community, Members};
use membermail_membership::{SettingsError, Source, gitlab, launchpad};
use membermail_runtime::environment::Environment;
use membermail_runtime::metrics::{Measure, Metrics};
use membermail_runtime::variables::Variables;

use crate::SecretTokens;

/// Default timeout of a lookup, in seconds.
const LOOKUP_TIMEOUT: u64 = 45;

/// The environment variables that configure the client of the membership source.
pub struct SourceVariables {
    timeout_seconds: Option<u64>,
    retry_milliseconds: Option<u64>,
    secret_arn: Option<String>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The settings of the community are invalid.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The source needs a token, and there is no secret with it.
    #[error("MEMBERS_SECRET_ARN is missing: the membership source of {0} needs a token")]
    NoSecret(String),
}

impl SourceVariables {
    /// Reads the variables. `MEMBERS_SECRET_ARN` names the secret with the token, as plain text; Launchpad needs none.
    pub fn read(variables: &mut Variables<'_>) -> Self {
        Self {
            timeout_seconds: variables.optional("MEMBERS_TIMEOUT_SECONDS"),
            retry_milliseconds: variables.optional("MEMBERS_RETRY_MILLISECONDS"),
            secret_arn: variables.optional("MEMBERS_SECRET_ARN"),
        }
    }

    /// A client of the community's source that records every request in `metrics`. Fetches no token yet.
    pub fn client(self, environment: &Environment, metrics: &Metrics) -> Result<Box<dyn Source>, SourceError> {
        let Environment { community, aws, .. } = environment;
        let tokens = self.secret_arn.clone().map(|arn| SecretTokens::new(aws.secrets(), arn));
        self.client_of(community, tokens, metrics)
    }

    fn client_of(
        self,
        community: &Community,
        tokens: Option<SecretTokens>,
        metrics: &Metrics,
    ) -> Result<Box<dyn Source>, SourceError> {
        let timeout = Duration::from_secs(self.timeout_seconds.unwrap_or(LOOKUP_TIMEOUT));
        let metrics = metrics.clone();
        let observe = move |duration, failed| metrics.record(&Measure::Source { duration, failed });
        match &community.members {
            Members::Launchpad(_) => {
                let settings = launchpad::Settings::for_community(community, timeout);
                let settings = settings.ok_or(SettingsError::OtherSource)?.with_pause_unit(self.retry_milliseconds);
                Ok(Box::new(launchpad::Client::new(settings)?.observed_by(observe)))
            }
            Members::GitLab(_) => {
                let settings = gitlab::Settings::for_community(community, timeout);
                let settings = settings.ok_or(SettingsError::OtherSource)?.with_pause_unit(self.retry_milliseconds);
                let tokens = tokens.ok_or_else(|| SourceError::NoSecret(community.title.clone()))?;
                let client = gitlab::Client::new(settings, Arc::new(tokens), Arc::new(SystemClock))?;
                Ok(Box::new(client.observed_by(observe)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::member::{Identity, Subject};

    use super::*;

    fn build(community: &str, tokens: Option<SecretTokens>) -> Result<Box<dyn Source>, SourceError> {
        let community = membermail_communities::community(community).unwrap();
        let variables = SourceVariables::read(&mut Variables::new(&|_| None));
        variables.client_of(&community, tokens, &Metrics::to_sink("test", SystemClock, |_| {}))
    }

    fn tokens() -> SecretTokens {
        let config = aws_sdk_secretsmanager::Config::builder();
        let config = config.behavior_version(aws_sdk_secretsmanager::config::BehaviorVersion::latest());
        SecretTokens::new(aws_sdk_secretsmanager::Client::from_conf(config.build()), "arn")
    }

    fn identity(issuer: &str, subject: &str) -> Identity {
        Identity { issuer: issuer.to_owned(), subject: Subject::parse(subject).unwrap() }
    }

    #[test]
    fn source_follows_community() {
        let openid = identity("https://login.ubuntu.com/+openid", "https://login.ubuntu.com/+id/4Mn8bcd");
        let gitlab = identity("https://gitlab.community.example", "1001");
        let ubuntu = build("ubuntu", None).unwrap();
        assert!(ubuntu.is_authority_on(&openid) && !ubuntu.is_authority_on(&gitlab));
        let example = build("example", Some(tokens())).unwrap();
        assert!(example.is_authority_on(&gitlab) && !example.is_authority_on(&openid));
    }

    #[test]
    fn gitlab_needs_secret() {
        let error = build("example", None).err().unwrap();
        assert_eq!(
            error.to_string(),
            "MEMBERS_SECRET_ARN is missing: the membership source of Example Project needs a token"
        );
    }
}
