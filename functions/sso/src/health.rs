//! `GET /health`: the build and a health check of all dependencies. The membership source is not checked, to save it requests.
//! The endpoint is public, so causes of failures only go to the log.

use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::clock::Clock;
use membermail_pages::response;
use membermail_runtime::batch::chain;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::Store;
use serde::Serialize;
use tokio::time::{Instant, timeout};
use tracing::error;

use crate::build::Build;

/// Cache lifetime of a report, which limits how often a process checks its dependencies.
pub const REPORT_TTL: SignedDuration = SignedDuration::from_secs(5);
/// Timeout of each dependency; all are checked concurrently.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A service that the function depends on.
#[async_trait]
pub trait Dependency: Send + Sync {
    /// Fails if the dependency does not work now.
    async fn check(&self) -> Result<(), Box<dyn Error + Send + Sync>>;
}

#[async_trait]
impl Dependency for Store {
    async fn check(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.check_health().await?)
    }
}

#[async_trait]
impl Dependency for Queue {
    async fn check(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.check_access().await?)
    }
}

#[async_trait]
impl Dependency for MasterSecret {
    async fn check(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.check_access().await?)
    }
}

/// Checks all dependencies and caches the last report.
pub struct HealthCheck {
    build: Build,
    dependencies: Vec<(&'static str, Box<dyn Dependency>)>,
    last: Mutex<Option<HealthReport>>,
}

/// The result of a health check.
#[derive(Clone, Debug, Serialize)]
pub struct HealthReport {
    /// `ok`, or `failing` if any dependency fails.
    pub status: &'static str,
    /// The running build.
    pub build: Build,
    /// All dependencies.
    pub dependencies: Vec<DependencyReport>,
    /// Time of the check.
    pub checked: Timestamp,
}

/// The result of checking one dependency.
#[derive(Clone, Debug, Serialize)]
pub struct DependencyReport {
    /// Name of the dependency.
    pub name: &'static str,
    /// Whether it works.
    pub ok: bool,
    /// Duration of the check.
    pub milliseconds: u64,
}

impl HealthCheck {
    /// Sends no requests yet.
    pub fn new(build: Build, dependencies: Vec<(&'static str, Box<dyn Dependency>)>) -> Self {
        Self { build, dependencies, last: Mutex::new(None) }
    }

    /// The cached report, or a new one if that is older than [`REPORT_TTL`].
    pub async fn report(&self, clock: &dyn Clock) -> HealthReport {
        let now = clock.now();
        if let Some(report) = self.last().clone()
            && (SignedDuration::ZERO..REPORT_TTL).contains(&now.duration_since(report.checked))
        {
            return report;
        }
        let checks = self.dependencies.iter().map(|(name, dependency)| check(name, dependency.as_ref()));
        let dependencies = join_all(checks).await;
        let status = if dependencies.iter().all(|dependency| dependency.ok) { "ok" } else { "failing" };
        let report = HealthReport { status, build: self.build.clone(), dependencies, checked: now };
        *self.last() = Some(report.clone());
        report
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<HealthReport>> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn check(name: &'static str, dependency: &dyn Dependency) -> DependencyReport {
    let start = Instant::now();
    let ok = match timeout(TIMEOUT, dependency.check()).await {
        Ok(Ok(())) => true,
        Ok(Err(cause)) => {
            error!(dependency = name, cause = chain(&*cause), "health check failed");
            false
        }
        Err(_) => {
            error!(dependency = name, "health check timed out");
            false
        }
    };
    DependencyReport { name, ok, milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

/// Responds with 200 if all dependencies work, else with 503.
pub(crate) async fn respond(health: &HealthCheck, clock: &dyn Clock) -> Response<Body> {
    let report = health.report(clock).await;
    let status = if report.status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    response::json(status, &report)
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
