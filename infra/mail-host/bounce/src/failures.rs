//! Reports of failed deliveries to the functions, by an SQS queue.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::BehaviorVersion;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use membermail_core::message::DeliveryFailure;
use membermail_runtime::queue::{Queue, QueueError};

/// Where failures are reported.
#[async_trait]
pub trait FailureQueue: Send + Sync {
    /// Sends a failure.
    async fn send(&self, failure: &DeliveryFailure) -> Result<(), QueueError>;
}

#[async_trait]
impl FailureQueue for Queue {
    async fn send(&self, failure: &DeliveryFailure) -> Result<(), QueueError> {
        Queue::send(self, failure).await
    }
}

/// The queue at `url`, with the region and credentials of a profile file, or else of this host's role.
pub async fn open(url: &str, profile: Option<&Path>) -> Queue {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    let mut config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(2));
    if let Some(path) = profile {
        // Only this file: pipe(8) has no home folder whose files would count.
        let files = EnvConfigFiles::builder().with_file(EnvConfigFileKind::Config, path).build();
        config = config.profile_files(files);
    }
    Queue::new(aws_sdk_sqs::Client::new(&config.load().await), url)
}
