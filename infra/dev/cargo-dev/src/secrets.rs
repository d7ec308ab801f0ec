//! Secrets that an operator would create before the stack.

use anyhow::Result;
use membermail_core::community::{Community, Members, SignIn};
use membermail_fakes::gitlab::{CLIENT_SECRET, TOKEN};
use membermail_toolbox::step;

use crate::aws;

/// Creates a secret and returns its ARN.
pub(crate) fn create_one(endpoint: &str, name: &str, value: &str) -> Result<String> {
    let mut create = aws::cli(Some(endpoint));
    create.args(["secretsmanager", "create-secret", "--name", name, "--query", "ARN"]);
    let arn = step::capture(create.args(["--secret-string", value]))?;
    Ok(arn.trim().trim_matches('"').to_owned())
}

/// Creates the secrets of the community's services with the values of the fakes, and returns the parameters with their ARNs.
pub(crate) fn create(community: &Community, endpoint: &str) -> Result<Vec<(&'static str, String)>> {
    let mut parameters = Vec::new();
    if matches!(community.sign_in, SignIn::OpenIdConnect(_)) {
        parameters.push(("SignInSecretArn", create_one(endpoint, "membermail-sign-in", CLIENT_SECRET)?));
    }
    if matches!(community.members, Members::GitLab(_)) {
        parameters.push(("MembersSecretArn", create_one(endpoint, "membermail-members", TOKEN)?));
    }
    Ok(parameters)
}
