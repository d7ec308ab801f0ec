//! Compares the deployment's concurrency with the account's quota.

use std::fmt::Write;

use thiserror::Error;

/// Executions that the queues leave to the site and the schedules.
const RESERVE: u32 = 2;
/// AWS's default quota. New accounts have less, and AWS grants no request below it.
const DEFAULT_QUOTA: u32 = 1_000;
/// The quota "Concurrent executions" in Service Quotas.
const QUOTA_CODE: &str = "L-B99A9384";

/// The account cannot run all functions at the same time.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub(crate) struct QuotaError(String);

/// Checks the unreserved concurrency of an account. `parameters` limit the `queues`.
pub(crate) fn check(available: u32, queues: u32, parameters: &[&str], region: &str) -> Result<(), QuotaError> {
    let needed = queues + RESERVE;
    if needed <= available {
        return Ok(());
    }
    let wanted = needed.max(DEFAULT_QUOTA);
    let mut text = format!(
        "this account may run {available} Lambda functions at the same time in {region}, but the deployment needs \
         {needed}: {queues} for the queues, {RESERVE} for the site. With less, the site responds with errors while the \
         queues are busy. Request {wanted} at Service Quotas, AWS Lambda, Concurrent executions ({QUOTA_CODE}):\n  \
         aws service-quotas request-service-quota-increase --service-code lambda --quota-code {QUOTA_CODE} \
         --desired-value {wanted} --region {region}"
    );
    if !parameters.is_empty() {
        let _ = write!(text, "\nUntil then, deploy with less concurrency: {}", parameters.join(", "));
    }
    Err(QuotaError(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::new_account(10, 8, true)]
    #[case::one_missing(10, 9, false)]
    #[case::default_quota(1_000, 24, true)]
    #[case::everything_reserved(0, 8, false)]
    fn queues_leave_a_reserve(#[case] available: u32, #[case] queues: u32, #[case] fits: bool) {
        assert_eq!(check(available, queues, &[], "eu-west-1").is_ok(), fits);
    }

    #[test]
    fn error_says_what_to_request() {
        let error = check(10, 24, &["NotifyConcurrency", "WriteConcurrency"], "eu-west-1").unwrap_err();
        insta::assert_snapshot!(error);
    }

    #[test]
    fn large_deployment_requests_what_it_needs() {
        let error = check(1_000, 1_500, &[], "eu-west-1").unwrap_err().to_string();
        assert!(error.contains("Request 1502 at") && !error.contains("Until then"), "{error}");
    }
}
