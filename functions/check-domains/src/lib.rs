//! Looks at the domains of the community in DNS: whether they still prove themselves, and what they say about mail.

mod check;

use membermail_core::address::DomainName;
use membermail_core::audit::{Actor, Cause};
use membermail_core::clock::SystemClock;
use membermail_core::community::Community;
use membermail_core::random::OsRandom;
use membermail_dns::{Resolver, Settings};
use membermail_runtime::aws::Aws;
use membermail_runtime::batch::chain;
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::Store;
use serde::Deserialize;
use tracing::{error, info, warn};

pub use check::{Checker, DomainReport, Outcome, Report, check};

/// What the function holds through its life.
pub struct Context {
    community: Community,
    checker: Checker,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let servers = variables.optional("DNS_SERVERS");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        let checker = Checker {
            resolver: Resolver::new(&Settings { servers, ..Settings::default() })?,
            store: Store::new(aws.dynamodb(), table),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
            grace: community.rules.domain_grace(),
        };
        Ok(Self { community, checker })
    }
}

/// What a schedule or an operator asks for. Of a schedule's event nothing is needed, and so nothing is read.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Request {
    /// One domain of the community; without it, all.
    #[serde(default)]
    pub domain: Option<DomainName>,
}

/// Checks what is asked for. An error is told once all others are done, so that Lambda tries again.
pub async fn handle(context: &Context, request: Request, request_id: &str) -> Result<Report, Error> {
    let domains = &context.community.domains;
    let is_schedule = request.domain.is_none();
    let wanted: Vec<_> = match request.domain {
        None => domains.iter().collect(),
        Some(name) => {
            let domain = domains.iter().find(|domain| domain.domain == name);
            vec![domain.ok_or(Error::NotOurs(name))?]
        }
    };
    if is_schedule {
        compare_with_list(context, request_id).await;
    }
    let report = check(&context.checker, wanted, request_id).await;
    for one in &report.domains {
        log(one);
    }
    let failed = report.failed();
    if failed > 0 { Err(Error::Failed { failed, of: report.domains.len() }) } else { Ok(report) }
}

/// Lists the domains of the community file, and warns of each that the file does not have any more. A deployment with a
/// broken or older file must end no address, so nothing else follows from it: an operator decides. That the comparison
/// fails stops no check; the next schedule does it again.
async fn compare_with_list(context: &Context, request_id: &str) {
    let Context { community, checker: Checker { store, clock, random, .. } } = context;
    let configured: Vec<_> = community.domain_names().cloned().collect();
    let cause = Cause { actor: Actor::DomainCheck, by: None, request_id, now: clock.now() };
    match store.compare_with_list(&configured, cause, &**random).await {
        Ok(unlisted) => {
            for domain in unlisted {
                warn!(%domain, "{domain} is missing from the community file, and no operator retires it");
            }
        }
        Err(cause) => {
            error!(cause = chain(&cause), "the list of domains could not be compared with the community file")
        }
    }
}

fn log(report: &DomainReport) {
    let domain = &report.domain;
    match &report.outcome {
        Outcome::Checked { proof, record, event, mx, spf, dmarc } => {
            let details = (json(proof), json(record), json(mx), json(spf), json(dmarc));
            let (proof, record, mx, spf, dmarc) = details;
            info!(%domain, proof, record, mx, spf, dmarc, "domain {domain} checked");
            if let Some(event) = event {
                // It lies in the outbox, from where `notify` tells the admins.
                info!(%domain, event = json(event), "the admins of {domain} are to be told");
            }
        }
        Outcome::Superseded => info!(%domain, "domain {domain} was checked by another at the same time"),
        Outcome::NoAdmin => error!(%domain, "domain {domain} has no admin, so it is not checked"),
        Outcome::Failed { reason, .. } => error!(%domain, reason, "domain {domain} could not be checked"),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Why not everything was checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operator looks for a typing error.
    #[error("{0} is no domain of this community")]
    NotOurs(DomainName),
    /// Try again; the log tells of each.
    #[error("{failed} of {of} domains could not be checked")]
    Failed {
        /// How many.
        failed: usize,
        /// Of how many.
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
    fn requests(#[case] event: &str, #[case] domain: Option<&str>) {
        let request: Request = serde_json::from_str(event).unwrap();
        assert_eq!(request.domain.as_ref().map(DomainName::as_str), domain);
    }

    #[test]
    fn a_domain_that_is_none_is_not_taken_for_all() {
        assert!(serde_json::from_str::<Request>(r#"{"domain":"ubuntu"}"#).is_err());
    }
}
