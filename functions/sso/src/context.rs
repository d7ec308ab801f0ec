//! The configuration and clients of the function.

use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::random::{OsRandom, Random};
use membermail_identity::openid_connect::http_client;
use membermail_pages::configured_url::ConfiguredUrl;
use membermail_runtime::environment::Environment;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::rotating_secret::RotatingSecret;
use membermail_runtime::secret::MasterSecret;
use membermail_runtime::variables::Variables;
use membermail_store::Store;
use membermail_texts::Texts;

use crate::build::Build;
use crate::health::{Dependency, HealthCheck};
use crate::providers::Providers;

/// Shared by all requests.
pub struct Context {
    /// The community of the site.
    pub community: Community,
    /// The translated texts of the pages.
    pub texts: Texts,
    /// The configured public URL; without one, it is derived from each request.
    pub configured_url: Option<ConfiguredUrl>,
    /// The sign-in providers.
    pub providers: Providers,
    /// The master secret, from which all keys are derived.
    pub secret: MasterSecret,
    /// The table.
    pub store: Store,
    /// The queue of `verify-member`.
    pub verify_queue: Queue,
    /// The health check of the deployment.
    pub health: HealthCheck,
    /// Records the outcomes of sign-ins.
    pub metrics: Metrics,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// Random bytes.
    pub random: Box<dyn Random>,
}

impl Context {
    /// Reads the environment variables and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_http::Error> {
        let mut variables = Variables::of_process();
        let secret = variables.required("MASTER_SECRET_ARN");
        let verify_queue = variables.required("VERIFY_QUEUE_URL");
        let queues = [
            ("grant-queue", "GRANT_QUEUE_URL"),
            ("write-queue", "WRITE_QUEUE_URL"),
            ("sync-queue", "SYNC_QUEUE_URL"),
            ("notify-queue", "NOTIFY_QUEUE_URL"),
        ];
        let queues = queues.map(|(name, variable)| (name, variables.required(variable)));
        let configured_url = variables.optional("PUBLIC_URL");
        let sign_in_secret = variables.optional::<String>("SIGN_IN_SECRET_ARN");
        let environment = Environment::load(variables).await?;
        let mut client_secret = || Some(RotatingSecret::new(environment.aws.secrets(), sign_in_secret.clone()?));
        let providers = Providers::new(&environment.community, &http_client()?, &mut client_secret)?;
        let verify_queue = environment.queue(verify_queue);
        let mut dependencies: Vec<(_, Box<dyn Dependency>)> = vec![
            ("table", Box::new(environment.store.clone())),
            ("secret", Box::new(environment.master_secret(&secret))),
            ("verify-queue", Box::new(verify_queue.clone())),
        ];
        for (name, url) in queues {
            dependencies.push((name, Box::new(environment.queue(url))));
        }
        Ok(Self {
            texts: Texts::load()?,
            configured_url,
            providers,
            secret: environment.master_secret(secret),
            verify_queue,
            health: HealthCheck::new(Build::of_process(), dependencies),
            metrics: environment.metrics(),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
            community: environment.community,
            store: environment.store,
        })
    }
}
