//! The AWS command line, and clients for the local endpoint.

use std::process::Command;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use membermail_toolbox::{venv_program, workspace};

/// The region that local stacks are in.
const REGION: &str = "us-east-1";

/// `aws` of the locked tools: at a local endpoint with credentials that are none, else as the developer set it up.
pub(crate) fn cli(endpoint: Option<&str>) -> Command {
    let mut command = Command::new(venv_program("aws"));
    command.current_dir(workspace()).args(["--output", "json"]);
    if let Some(endpoint) = endpoint {
        keep_local(&mut command, endpoint);
    }
    command
}

/// Lets a program see no AWS but the one at this endpoint.
pub(crate) fn keep_local<'a>(command: &'a mut Command, endpoint: &str) -> &'a mut Command {
    command.env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN").envs(environment(endpoint))
}

/// What an AWS program needs to talk to a local endpoint and to nothing else.
pub(crate) fn environment(endpoint: &str) -> [(&str, &str); 7] {
    [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_REGION", REGION),
        // What is on the developer's account must be out of reach of a local run.
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
}

/// What clients of a local endpoint are made from.
pub(crate) async fn local(endpoint: &str) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(Credentials::new("test", "test", None, None, "the local stack"))
        .load()
        .await
}
