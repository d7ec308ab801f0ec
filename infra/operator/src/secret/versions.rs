//! The versions of the master secret in Secrets Manager.

use aws_sdk_secretsmanager::types::SecretVersionsListEntry;
use jiff::Timestamp;

use crate::context::Context;
use crate::failure::Failure;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The creation times of the current and the previous version, and the id of the previous one.
pub(super) struct Versions {
    pub(super) current: Timestamp,
    pub(super) previous: Option<(String, Timestamp)>,
}

impl Versions {
    pub(super) async fn fetch(context: &Context) -> Result<Self, Failure> {
        let (client, arn) = context.deployment.master_secret().await?;
        let response = client.list_secret_version_ids().secret_id(arn).send().await;
        let versions = response.map_err(Failure::secrets_manager)?.versions.unwrap_or_default();
        let current = find(&versions, CURRENT);
        let (_, current) =
            current.ok_or_else(|| Failure::NotFound("current version of the master secret".to_owned()))?;
        Ok(Self { current, previous: find(&versions, PREVIOUS) })
    }

    pub(super) async fn delete_previous(&self, context: &Context) -> Result<(), Failure> {
        let Some((id, _)) = &self.previous else { return Ok(()) };
        let (client, arn) = context.deployment.master_secret().await?;
        let request = client.update_secret_version_stage().secret_id(arn).version_stage(PREVIOUS);
        let removed = request.remove_from_version_id(id).send().await;
        removed.map(drop).map_err(Failure::secrets_manager)
    }
}

/// The id and the creation time of the version with this label.
fn find(versions: &[SecretVersionsListEntry], label: &str) -> Option<(String, Timestamp)> {
    let version = versions.iter().find(|version| version.version_stages().iter().any(|stage| stage == label))?;
    let since = Timestamp::from_second(version.created_date()?.secs()).ok()?;
    Some((version.version_id()?.to_owned(), since))
}
