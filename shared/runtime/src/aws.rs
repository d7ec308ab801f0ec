//! The AWS clients, each made once a process. The endpoint is the standard `AWS_ENDPOINT_URL` where it is set.

use aws_config::{BehaviorVersion, SdkConfig};

/// Where clients come from.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// Reads region, credentials and endpoint as every AWS program does.
    pub async fn from_env() -> Self {
        Self { config: aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await }
    }

    /// A client of the table.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// A client of the queues.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of the secrets.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.config)
    }
}
