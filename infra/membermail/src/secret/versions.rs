//! The versions of the master secret, as Secrets Manager has them.

use jiff::Timestamp;

use crate::Context;
use crate::failure::Failure;

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// Since when each is; of the one before the current one also its id.
pub(super) struct Versions {
    pub(super) current: Timestamp,
    pub(super) previous: Option<(String, Timestamp)>,
}

impl Versions {
    pub(super) async fn read(context: &Context) -> Result<Self, Failure> {
        let (client, arn) = context.place.master_secret().await?;
        let answer = client.list_secret_version_ids().secret_id(arn).send().await;
        let versions = answer.map_err(|error| Failure::aws("Secrets Manager", &error))?.versions.unwrap_or_default();
        let of = |stage: &str| {
            let version = versions.iter().find(|one| one.version_stages().iter().any(|label| label == stage))?;
            let since = Timestamp::from_second(version.created_date()?.secs()).ok()?;
            Some((version.version_id()?.to_owned(), since))
        };
        let missing = || Failure::NotFound("current version of the master secret".to_owned());
        Ok(Self { current: of(CURRENT).ok_or_else(missing)?.1, previous: of(PREVIOUS) })
    }

    pub(super) async fn forget_previous(&self, context: &Context) -> Result<(), Failure> {
        let Some((id, _)) = &self.previous else { return Ok(()) };
        let (client, arn) = context.place.master_secret().await?;
        let request = client.update_secret_version_stage().secret_id(arn).version_stage(PREVIOUS);
        let removed = request.remove_from_version_id(id).send().await;
        removed.map(drop).map_err(|error| Failure::aws("Secrets Manager", &error))
    }
}
