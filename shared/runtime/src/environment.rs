//! The part of a function's environment that all functions share: the community, the table and the AWS clients.

use membermail_communities::UnknownCommunity;
use membermail_core::clock::SystemClock;
use membermail_core::community::Community;
use membermail_core::random::OsRandom;
use membermail_store::Store;
use url::Url;

use crate::aws::Aws;
use crate::batch::Worker;
use crate::http::TlsError;
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::secret::MasterSecret;
use crate::variables::{Variables, VariablesError};

/// The community and the clients of a function.
pub struct Environment {
    /// The community that `COMMUNITY` names.
    pub community: Community,
    /// The table that `TABLE_NAME` names.
    pub store: Store,
    /// Builds further AWS clients.
    pub aws: Aws,
    namespace: String,
}

impl Environment {
    /// Reads the shared variables, checks all variables, and builds the clients. Read a function's own variables first, so
    /// that one error lists everything that is missing or malformed. `SIGN_IN_URL`, `FORMER_SIGN_IN_URL` and `MEMBERS_URL`
    /// replace scheme and host of the community's services.
    ///
    /// # Errors
    /// If a variable is missing or malformed, the build has no such community, or there are no root certificates.
    pub async fn load(mut variables: Variables<'_>) -> Result<Self, EnvironmentError> {
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let namespace = variables.required("METRICS_NAMESPACE");
        let [sign_in, former, members] = ["SIGN_IN_URL", "FORMER_SIGN_IN_URL", "MEMBERS_URL"];
        let roots = [sign_in, former, members].map(|name| variables.optional::<Url>(name));
        variables.finish()?;
        let mut community = membermail_communities::community(&community)?;
        let [sign_in, former, members] = &roots;
        community.relocate(sign_in.as_ref(), former.as_ref(), members.as_ref())?;
        let aws = Aws::from_env().await?;
        let store = Store::new(aws.dynamodb(), table);
        Ok(Self { community, store, aws, namespace })
    }

    /// The queue at `url`.
    pub fn queue(&self, url: impl Into<String>) -> Queue {
        Queue::new(self.aws.sqs(), url)
    }

    /// Metrics in the namespace that `METRICS_NAMESPACE` names.
    pub fn metrics(&self) -> Metrics {
        Metrics::to_log(&self.namespace)
    }

    /// The worker of a function, with the machine's clock and random bytes.
    pub fn worker(&self, function: &'static str, variables: WorkerVariables) -> Worker {
        Worker {
            function,
            queue: self.queue(variables.queue),
            notify_queue: self.queue(variables.notify_queue),
            max_receives: variables.max_receives,
            metrics: self.metrics(),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        }
    }

    /// The master secret with this ARN.
    pub fn master_secret(&self, arn: impl Into<String>) -> MasterSecret {
        MasterSecret::new(self.aws.secrets(), arn)
    }
}

/// The environment variables of a function with a queue.
pub struct WorkerVariables {
    queue: String,
    notify_queue: String,
    max_receives: Option<u32>,
}

impl WorkerVariables {
    /// Reads `NOTIFY_QUEUE_URL`, and `<queue>_URL` and `<queue>_TRIES` of the function's own queue. `max_receives` is the
    /// default of the latter; none for `notify`.
    pub fn read(variables: &mut Variables<'_>, queue: &str, max_receives: Option<u32>) -> Self {
        Self {
            queue: variables.required(&format!("{queue}_URL")),
            notify_queue: variables.required("NOTIFY_QUEUE_URL"),
            max_receives: variables.optional(&format!("{queue}_TRIES")).or(max_receives),
        }
    }
}

/// The function cannot start in this environment; the operator who deploys it corrects the configuration.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// A variable is missing or malformed.
    #[error(transparent)]
    Variables(#[from] VariablesError),
    /// The build has no such community.
    #[error(transparent)]
    Community(#[from] UnknownCommunity),
    /// A URL that replaces another cannot be a base URL.
    #[error("a URL for development is malformed")]
    Url(#[from] url::ParseError),
    /// There are no root certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
