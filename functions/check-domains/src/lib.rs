//! Checks the community's domains in DNS: their proof of ownership and their mail records.

use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::SystemClock;
use membermail_core::community::Community;
use membermail_core::random::OsRandom;
use membermail_domains::{Checker, DomainReport, Outcome, Report, Resolver, Settings, check};
use membermail_runtime::batch::chain;
use membermail_runtime::environment::Environment;
use membermail_runtime::variables::Variables;
use serde::Deserialize;
use tracing::{error, info, warn};

/// Settings and clients, built once per instance.
pub struct Context {
    community: Community,
    checker: Checker,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::of_process();
        let servers = variables.optional("DNS_SERVERS");
        let Environment { community, store, .. } = Environment::load(variables).await?;
        let checker = Checker {
            resolver: Resolver::new(&Settings { servers, ..Settings::default() })?,
            store,
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
            grace: community.rules.domain_grace(),
        };
        Ok(Self { community, checker })
    }
}

/// A request from the schedule or an operator. The fields of a schedule's event are ignored.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Request {
    /// The domain to check; all domains of the community if absent.
    #[serde(default)]
    pub domain: Option<DomainName>,
}

/// Checks the requested domains. A failure is returned only after all checks are done, so that Lambda retries.
pub async fn handle(context: &Context, request: Request, request_id: &str) -> Result<Report, Error> {
    let domains = &context.community.domains;
    let is_schedule = request.domain.is_none();
    let requested: Vec<_> = match request.domain {
        None => domains.iter().collect(),
        Some(name) => {
            let domain = domains.iter().find(|domain| domain.domain == name);
            vec![domain.ok_or(Error::UnknownDomain(name))?]
        }
    };
    if is_schedule {
        update_domain_list(context, request_id).await;
    }
    let report = check(&context.checker, requested, request_id).await;
    for domain in &report.domains {
        log(domain);
    }
    let failed = report.failed();
    if failed > 0 { Err(Error::Failed { failed, of: report.domains.len() }) } else { Ok(report) }
}

/// Records the domains of the community file, and warns of each domain in the table that the file no longer has. That is only
/// a warning: a deployment with a broken or older file must end no address, so an operator decides. A failure stops no check;
/// the next scheduled run compares again.
async fn update_domain_list(context: &Context, request_id: &str) {
    let Context { community, checker: Checker { store, clock, random, .. } } = context;
    let configured: Vec<_> = community.domain_names().cloned().collect();
    let cause = Cause { actor: Actor::DomainCheck, by: None, request_id, now: clock.now() };
    match store.update_domain_list(&configured, cause, &**random).await {
        Ok(unlisted) => {
            for domain in unlisted {
                warn!(%domain, "{domain} is missing from the community file and is not being retired");
            }
        }
        Err(cause) => {
            error!(cause = chain(&cause), "comparing the table's domains with the community file failed")
        }
    }
}

fn log(report: &DomainReport) {
    let domain = &report.domain;
    match &report.outcome {
        Outcome::Checked { proof, record, event, mx, spf, dmarc } => {
            info!(
                %domain,
                proof = json(proof),
                record = json(record),
                mx = json(mx),
                spf = json(spf),
                dmarc = json(dmarc),
                "domain {domain} checked"
            );
            if let Some(event) = event {
                // The change is in the outbox; `notify` delivers it.
                info!(%domain, event = json(event), "admins of {domain} will be notified");
            }
        }
        Outcome::Superseded => info!(%domain, "domain {domain} was checked concurrently, result dropped"),
        Outcome::NoAdmin => error!(%domain, "domain {domain} has no admin and is not checked"),
        Outcome::Failed { reason, .. } => error!(%domain, reason, "check of domain {domain} failed"),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An operator must correct the name.
    #[error("{0} is not a domain of this community")]
    UnknownDomain(DomainName),
    /// Retry; the log has each error.
    #[error("{failed} of {of} domains could not be checked; see the log")]
    Failed {
        /// The number of failed checks.
        failed: usize,
        /// The number of checks.
        of: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case::schedule(
        r#"{"version":"0","id":"1","detail-type":"Scheduled Event","source":"aws.events","account":"1",
            "time":"2026-11-24T10:00:00Z","region":"eu-west-1","resources":["arn"],"detail":{}}"#,
        None
    )]
    #[case::everything("{}", None)]
    #[case::one(r#"{"domain":"ubuntu.com"}"#, Some("ubuntu.com"))]
    fn request_is_parsed(#[case] event: &str, #[case] domain: Option<&str>) {
        let request: Request = serde_json::from_str(event).unwrap();
        assert_eq!(request.domain.as_ref().map(DomainName::as_str), domain);
    }

    #[test]
    fn invalid_domain_is_rejected() {
        assert!(serde_json::from_str::<Request>(r#"{"domain":"ubuntu"}"#).is_err());
    }
}
