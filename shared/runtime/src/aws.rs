//! The AWS clients, each made once a process. The endpoint is the standard `AWS_ENDPOINT_URL` where it is set.
//!
//! This is for functions: Lambda tells a function everything by variables, its credentials too, so nothing else is
//! looked at. The SDK's whole chain (profiles, STS, the metadata services of EC2 and ECS) would only make every function
//! larger and its start slower. Programs that run elsewhere take `aws_config`.

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::ProvideRegion;
use aws_config::{BehaviorVersion, SdkConfig};

use crate::http::{self, NoHttps};
use crate::variables::of_process;

/// Where clients come from.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// Reads region, credentials and endpoint as Lambda gives them.
    ///
    /// # Errors
    /// Where there are no root certificates to know AWS by.
    pub async fn from_env() -> Result<Self, NoHttps> {
        let credentials =
            aws_sdk_dynamodb::config::SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(EnvironmentVariableRegionProvider::new().region().await)
            .credentials_provider(credentials)
            .http_client(http::client()?);
        config.set_endpoint_url(of_process("AWS_ENDPOINT_URL").filter(|url| !url.is_empty()));
        Ok(Self { config: config.build() })
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
