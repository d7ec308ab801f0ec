//! Samples the components of the public status page: sign-in, syncs and DNS checks. A canary on the mail host samples mail.
//!
//! A component that fails is a result, not an error of this function. The probes are independent: each one that ends is
//! recorded, whatever happens to the others.

mod site;
mod table;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use membermail_core::address::DomainName;
use membermail_core::clock::{Clock, SystemClock};
use membermail_core::schedule::Period;
use membermail_core::status::Component;
use membermail_core::status::probes::{Verdict, sign_in};
use membermail_pages::configured_url::ConfiguredUrl;
use membermail_runtime::batch::chain;
use membermail_runtime::environment::Environment;
use membermail_runtime::variables::Variables;
use membermail_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use tracing::{error, info, warn};

pub use self::site::Site;

/// The period of the schedule in the template.
pub const PERIOD: SignedDuration = SignedDuration::from_mins(5);

/// An event of the schedule, or `{}` by an operator.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Event {
    /// The scheduled time. Each delivery of an event has the same one, so its samples count once.
    #[serde(default)]
    pub time: Option<Timestamp>,
}

/// The settings and clients of the function.
pub struct Context {
    /// The domains of the community.
    pub domains: Vec<DomainName>,
    /// The site and the sign-in provider.
    pub site: Site,
    /// The interval of the syncs; none if they are not scheduled: then no sync can be late.
    pub sync_period: Option<SignedDuration>,
    /// The interval of the DNS checks; none if they are not scheduled.
    pub domain_checks_period: Option<SignedDuration>,
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Box<dyn Clock>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_runtime::Error> {
        let mut variables = Variables::of_process();
        let sync_period = variables.optional("SYNC_SCHEDULE_SECONDS").map(SignedDuration::from_secs);
        let domain_checks = variables.optional("DOMAIN_CHECKS").map(|Period(period)| period);
        let public_url: Option<ConfiguredUrl> = variables.optional("PUBLIC_URL");
        let Environment { community, store, .. } = Environment::load(variables).await?;
        let public_url = public_url.ok_or("PUBLIC_URL is missing")?;
        Ok(Self {
            domains: community.domain_names().cloned().collect(),
            site: Site::new(public_url.as_url(), community.sign_in.probe_url())?,
            sync_period,
            domain_checks_period: domain_checks,
            store,
            clock: Box::new(SystemClock),
        })
    }
}

/// The result of sampling a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The component.
    pub component: Component,
    /// Whether it works; none if there is nothing to judge by.
    pub is_ok: Option<bool>,
    /// Whether the sample counts. A second one in the same interval does not.
    pub counted: bool,
}

/// Samples each component that is due, or all without a scheduled time. Idempotent: an interval of a component has one sample.
/// A failure to read or write the table is returned after everything else is done.
pub async fn handle(context: &Context, event: Event) -> Result<Vec<Outcome>, Error> {
    let now = context.clock.now();
    let at = event.time.map_or(now, |time| time.min(now));
    let sampled = [Component::SignIn, Component::Syncs, Component::DomainChecks];
    let due = sampled.into_iter().filter(|component| event.time.is_none() || component.is_due(at, PERIOD));
    let due: Vec<_> = due.collect();
    let results =
        futures_util::future::join_all(due.iter().map(|component| sample(context, *component, at, now))).await;
    let of = results.len();
    let outcomes: Vec<_> = results.into_iter().flatten().collect();
    let failed = of - outcomes.len();
    if failed > 0 { Err(Error::Failed { failed, of }) } else { Ok(outcomes) }
}

/// None if the table failed, which is logged.
async fn sample(context: &Context, component: Component, at: Timestamp, now: Timestamp) -> Option<Outcome> {
    let result = probe_and_record(context, component, at, now).await;
    result.inspect_err(|cause| error!(%component, cause = chain(cause), "sampling {component} failed")).ok()
}

async fn probe_and_record(
    context: &Context,
    component: Component,
    at: Timestamp,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let verdict = match component {
        Component::SignIn => sign_in(&context.site.answers().await),
        Component::Syncs => table::syncs(context, now).await?,
        Component::DomainChecks => table::domain_checks(context, now).await?,
        Component::Mail => Verdict::NoEvidence,
    };
    match verdict {
        Verdict::Works => info!(%component, "{component} works"),
        Verdict::Fails(problem) => warn!(%component, %problem, "{component} fails: {problem}"),
        Verdict::NoEvidence => info!(%component, "nothing to judge {component} by"),
    }
    let sample = verdict.sample(component, at);
    let counted = match sample {
        Some(sample) => context.store.record_sample(sample, now).await?,
        None => false,
    };
    Ok(Outcome { component, is_ok: sample.map(|sample| sample.is_ok), counted })
}

/// Why an invocation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The next event of the schedule tries again; the log has each error.
    #[error("{failed} of {of} components could not be sampled; see the log")]
    Failed {
        /// The number of components without a sample.
        failed: usize,
        /// The number of components that were due.
        of: usize,
    },
}
