//! `GET /health`: which build this is, and whether all that it needs answers. Launchpad is not asked: it is somebody
//! else's, and must be asked kindly. Why something does not answer stands in the log; whoever asks here may be anybody.

use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Response};
use membermail_core::clock::Clock;
use membermail_pages::answer;
use membermail_runtime::batch::chain;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_store::Store;
use serde::Serialize;
use tokio::time::{Instant, timeout};
use tracing::error;

use crate::build::Build;

/// For how long an answer is good: however many ask, nothing is asked more often than that of one process.
pub const KEPT: SignedDuration = SignedDuration::from_secs(5);
/// The longest that one dependency is waited for. All are asked at the same time.
const PATIENCE: Duration = Duration::from_secs(3);

/// Something that the service needs.
#[async_trait]
pub trait Dependency: Send + Sync {
    /// Whether it answers just now.
    async fn ask(&self) -> Result<(), Box<dyn Error + Send + Sync>>;
}

#[async_trait]
impl Dependency for Store {
    async fn ask(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.reach().await?)
    }
}

#[async_trait]
impl Dependency for Queue {
    async fn ask(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.reach().await?)
    }
}

#[async_trait]
impl Dependency for MasterSecret {
    async fn ask(&self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(self.reach().await?)
    }
}

/// The build, all dependencies by name, and what they last said.
pub struct Health {
    build: Build,
    dependencies: Vec<(&'static str, Box<dyn Dependency>)>,
    last: Mutex<Option<Report>>,
}

/// What is answered.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `ok`, or `failing` where anything is not.
    pub status: &'static str,
    /// Which build answers.
    pub build: Build,
    /// Each, by name.
    pub dependencies: Vec<Answer>,
    /// When they were asked.
    pub checked: Timestamp,
}

/// What one dependency said.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// Which.
    pub name: &'static str,
    /// Whether it answered as it must.
    pub ok: bool,
    /// How long that took.
    pub milliseconds: u64,
}

impl Health {
    /// Asks nothing yet.
    pub fn new(build: Build, dependencies: Vec<(&'static str, Box<dyn Dependency>)>) -> Self {
        Self { build, dependencies, last: Mutex::new(None) }
    }

    /// What was said a moment ago, or else what is said now.
    pub async fn report(&self, clock: &dyn Clock) -> Report {
        let now = clock.now();
        let fresh = |report: &Report| (SignedDuration::ZERO..KEPT).contains(&now.duration_since(report.checked));
        if let Some(report) = self.last().clone().filter(fresh) {
            return report;
        }
        let asking = self.dependencies.iter().map(|(name, dependency)| ask(name, dependency.as_ref()));
        let dependencies = join_all(asking).await;
        let status = if dependencies.iter().all(|answer| answer.ok) { "ok" } else { "failing" };
        let report = Report { status, build: self.build.clone(), dependencies, checked: now };
        *self.last() = Some(report.clone());
        report
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Report>> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn ask(name: &'static str, dependency: &dyn Dependency) -> Answer {
    let start = Instant::now();
    let ok = match timeout(PATIENCE, dependency.ask()).await {
        Ok(Ok(())) => true,
        Ok(Err(cause)) => {
            error!(dependency = name, cause = chain(&*cause), "a dependency does not answer as it must");
            false
        }
        Err(_) => {
            error!(dependency = name, "a dependency does not answer in time");
            false
        }
    };
    Answer { name, ok, milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX) }
}

/// 200 where all is well, else 503.
pub(crate) async fn answer(health: &Health, clock: &dyn Clock) -> Response<Body> {
    let report = health.report(clock).await;
    let status = if report.status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer::json(status, &report)
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
