//! The account, region and bucket of a deployment.

use anyhow::{Context, Result, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::error::SdkError;

use super::aws_error::describe;

/// A region's header in responses of S3, also of those that deny access.
const REGION_HEADER: &str = "x-amz-bucket-region";

/// Credentials that work, and their account and region.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) config: SdkConfig,
    pub(crate) id: String,
    pub(crate) region: String,
}

impl Account {
    /// Uses the standard configuration: environment, profiles, `aws login`, `aws sso login`, roles.
    pub(crate) async fn connect(region: Option<&str>, profile: Option<&str>) -> Result<Self> {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12());
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        let Some(region) = config.region().map(ToString::to_string) else {
            bail!("no AWS region is configured: add --region, set AWS_REGION, or run `aws configure`");
        };
        let identity = match aws_sdk_sts::Client::new(&config).get_caller_identity().send().await {
            Ok(identity) => identity,
            Err(error) => bail!(
                "no valid AWS credentials ({}): run `aws login` or `aws sso login`, add --profile, or set AWS_PROFILE",
                describe(&error)
            ),
        };
        let id = identity.account().context("the credentials belong to no account")?.to_owned();
        Ok(Self { config, id, region })
    }

    /// A client for S3.
    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        // Emulators do not resolve names of buckets.
        let is_emulator = self.config.endpoint_url().is_some();
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(is_emulator);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Checks that the bucket exists, belongs to this account and is in this region.
    pub(crate) async fn check_bucket(&self, s3: &aws_sdk_s3::Client, bucket: &str) -> Result<()> {
        let Self { id, region, .. } = self;
        // Who owns the bucket decides on the code of the functions.
        let head = s3.head_bucket().bucket(bucket).expected_bucket_owner(id).send().await;
        let (found, failure) = match head {
            Ok(bucket) => (bucket.bucket_region, None),
            Err(SdkError::ServiceError(error)) => {
                let response = error.raw();
                let found = response.headers().get(REGION_HEADER).map(str::to_owned);
                (found, Some(format!("HTTP status {}", response.status().as_u16())))
            }
            Err(error) => (None, Some(describe(&error))),
        };
        match (found, failure) {
            (Some(found), _) if found != *region => bail!(
                "the bucket {bucket} is in {found}, but Lambda needs its code in {region}: name a bucket in {region}, or \
                 deploy with --region {found}"
            ),
            (_, Some(failure)) => bail!(
                "cannot access the bucket {bucket} as account {id} ({failure}): create it with \
                 `aws s3 mb s3://{bucket} --region {region}`, or name another one if it belongs to another account"
            ),
            _ => Ok(()),
        }
    }

    /// The concurrency that functions without reserved concurrency share; `None` if the credentials may not ask.
    pub(crate) async fn concurrency(&self) -> Result<Option<u32>> {
        let settings = aws_sdk_lambda::Client::new(&self.config).get_account_settings().send().await;
        let settings = match settings {
            Ok(settings) => settings,
            Err(error) => {
                eprintln!(
                    "  the quota of concurrent executions was not checked ({}): allow lambda:GetAccountSettings",
                    describe(&error)
                );
                return Ok(None);
            }
        };
        let limit = settings.account_limit().context("Lambda's account settings have no limits")?;
        let available = limit.unreserved_concurrent_executions().unwrap_or(limit.concurrent_executions());
        Ok(Some(u32::try_from(available).context("Lambda's quota is negative")?))
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
