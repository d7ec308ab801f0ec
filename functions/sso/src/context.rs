//! What the function holds through its life.

use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::{Community, SignIn};
use membermail_core::random::{OsRandom, Random};
use membermail_identity::openid2::{Provider, RelyingParty, http_client};
use membermail_pages::public_url::PublicUrl;
use membermail_runtime::aws::Aws;
use membermail_runtime::metrics::Metrics;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_runtime::variables::{Variables, of_process};
use membermail_store::Store;
use url::Url;

use crate::build::Build;
use crate::health::{Dependency, Health};

/// The settings, clients and sources that every request shares.
pub struct Context {
    /// Whose site this is.
    pub community: Community,
    /// The configured URL of the site; without it each request says where it came to.
    pub public_url: Option<PublicUrl>,
    /// Speaks with the sign-in provider.
    pub relying_party: RelyingParty,
    /// What keys are derived from.
    pub secret: MasterSecret,
    /// The table.
    pub store: Store,
    /// In front of `verify-member`.
    pub outbox: Queue,
    /// Which build this is, and whether what it needs answers.
    pub health: Health,
    /// Where the outcomes of sign-ins go.
    pub metrics: Metrics,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// Random bytes.
    pub random: Box<dyn Random>,
}

impl Context {
    /// Reads the settings and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_http::Error> {
        let mut variables = Variables::new(&of_process);
        let community = variables.required("COMMUNITY");
        let table = variables.required("TABLE_NAME");
        let secret = variables.required("MASTER_SECRET_ARN");
        let outbox = variables.required("VERIFY_QUEUE_URL");
        let queues = [
            ("grant-queue", "GRANT_QUEUE_URL"),
            ("write-queue", "WRITE_QUEUE_URL"),
            ("sync-queue", "SYNC_QUEUE_URL"),
            ("notify-queue", "NOTIFY_QUEUE_URL"),
        ];
        let queues = queues.map(|(name, variable)| (name, variables.required(variable)));
        let public_url = variables.optional("PUBLIC_URL");
        let sign_in_url: Option<Url> = variables.optional("SIGN_IN_URL");
        variables.finish()?;
        let community = membermail_communities::community(&community)?;
        let aws = Aws::from_env().await?;
        let provider = provider(&community, sign_in_url.as_ref())?;
        let http = http_client()?;
        let store = Store::new(aws.dynamodb(), table);
        let outbox = Queue::new(aws.sqs(), outbox);
        let mut dependencies: Vec<(_, Box<dyn Dependency>)> = vec![
            ("table", Box::new(store.clone())),
            ("secret", Box::new(MasterSecret::new(aws.secrets(), &secret))),
            ("verify-queue", Box::new(outbox.clone())),
        ];
        for (name, url) in queues {
            dependencies.push((name, Box::new(Queue::new(aws.sqs(), url))));
        }
        Ok(Self {
            community,
            public_url,
            relying_party: RelyingParty::new(provider, http),
            secret: MasterSecret::new(aws.secrets(), secret),
            store,
            outbox,
            health: Health::new(Build::of_process(), dependencies),
            metrics: Metrics::to_log(),
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        })
    }
}

/// The community's provider, or the one that stands in for it at another root with the same paths.
fn provider(community: &Community, instead: Option<&Url>) -> Result<Provider, lambda_http::Error> {
    let SignIn::OpenId2 { endpoint, identifier_root, .. } = &community.sign_in;
    let at = |url: &Url| match instead {
        Some(root) => root.join(url.path().trim_start_matches('/')),
        None => Ok(url.clone()),
    };
    Ok(Provider { endpoint: at(endpoint)?, identifier_root: at(identifier_root)? })
}
