//! The AWS clients of a function, each built once per process. `AWS_ENDPOINT_URL` overrides the endpoint.
//!
//! Lambda passes region and credentials in environment variables, so only those are read. The SDK's default credential
//! chain (profiles, STS, the metadata services of EC2 and ECS) would make every function larger and its cold start slower.
//! Programs outside Lambda use `aws_config`.

use std::time::Duration;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::ProvideRegion;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

use crate::http::{self, TlsError};
use crate::variables::process_variable;

/// Timeout of one attempt. Even a full page of a query takes a fraction of it, and no function long-polls for longer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Timeout of a call with its retries and their backoff: less than the shortest timeout of a function (10 seconds), so that
/// it can log the cause and respond. A message whose call timed out is retried by its queue.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);

/// The settings of all clients, including those of tests.
pub(crate) fn defaults() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12()).timeout_config(timeouts).build()
}

/// Builds AWS clients that share one configuration and one HTTP client.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// Reads region, credentials and endpoint from the environment variables that Lambda sets.
    ///
    /// # Errors
    /// If the machine has no root certificates.
    pub async fn from_env() -> Result<Self, TlsError> {
        let credentials =
            aws_sdk_dynamodb::config::SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
        let mut config = defaults()
            .into_builder()
            .region(EnvironmentVariableRegionProvider::new().region().await)
            .credentials_provider(credentials)
            .http_client(http::client()?);
        config.set_endpoint_url(process_variable("AWS_ENDPOINT_URL").filter(|url| !url.is_empty()));
        Ok(Self { config: config.build() })
    }

    /// A DynamoDB client.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// An SQS client.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A Secrets Manager client.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::testing::{FakeAws, Response};

    /// By tokio's paused clock.
    async fn duration_of_failing_call(response: fn() -> Response) -> Duration {
        let aws = FakeAws::new(move |_, _| response());
        let start = Instant::now();
        let results = tokio::join!(
            async { aws.secrets().get_secret_value().secret_id("a").send().await.is_err() },
            async { aws.dynamodb().get_item().table_name("t").set_key(Some([].into())).send().await.is_err() },
            async { aws.queue("q").check_access().await.is_err() },
        );
        assert_eq!(results, (true, true, true));
        start.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_call_ends_before_function() {
        let took = duration_of_failing_call(|| Response::Never).await;
        // More than one attempt, all within the shortest timeout of a function.
        assert!(ATTEMPT_TIMEOUT < took && took <= OPERATION_TIMEOUT, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retries_fit_into_the_timeout() {
        let took = duration_of_failing_call(|| Response::error("ThrottlingException")).await;
        assert!(took < OPERATION_TIMEOUT, "{took:?}");
    }
}
