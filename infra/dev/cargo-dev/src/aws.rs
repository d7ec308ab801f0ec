//! The AWS command line, and clients for the local endpoint.

use std::process::Command;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use membermail_toolbox::{venv_program, workspace};

/// Region of local stacks.
const REGION: &str = "us-east-1";

/// The locked AWS command line: at a local endpoint with dummy credentials, or else with the developer's configuration.
pub(crate) fn cli(endpoint: Option<&str>) -> Command {
    let mut command = Command::new(venv_program("aws"));
    command.current_dir(workspace()).args(["--output", "json"]);
    if let Some(endpoint) = endpoint {
        keep_local(&mut command, endpoint);
    }
    command
}

/// Confines a program to the AWS at this endpoint.
pub(crate) fn keep_local<'a>(command: &'a mut Command, endpoint: &str) -> &'a mut Command {
    command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN").envs(environment(endpoint))
}

/// Environment variables of an AWS client for a local endpoint.
pub(crate) fn environment(endpoint: &str) -> [(&str, &str); 7] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_REGION", REGION),
        // Keep the developer's AWS account out of reach.
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
}

/// SDK configuration for a local endpoint.
pub(crate) async fn local(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
        .load()
        .await
}
