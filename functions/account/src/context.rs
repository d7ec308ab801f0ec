//! The configuration and clients of the function.

use std::time::Duration;

use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::destination::OwnDomains;
use membermail_core::random::{OsRandom, Random};
use membermail_domains::{Resolver, Settings};
use membermail_pages::configured_url::ConfiguredUrl;
use membermail_runtime::environment::Environment;
use membermail_runtime::queue::Queue;
use membermail_runtime::secret::MasterSecret;
use membermail_runtime::variables::Variables;
use membermail_store::Store;
use membermail_texts::{Texts, TextsError, parts};

use crate::mail_domains::MailDomains;
use crate::status::StatusCache;

/// Timeout of the question whether a domain accepts mail: a member waits for the answer, and no answer counts as yes.
const DNS_TIMEOUT: Duration = Duration::from_secs(2);

/// Shared by all requests.
pub struct Context {
    /// The community of the site.
    pub community: Community,
    /// The translated texts of the pages.
    pub texts: Texts,
    /// The configured public URL; without one, it is derived from each request.
    pub configured_url: Option<ConfiguredUrl>,
    /// The master secret, from which all keys are derived.
    pub secret: MasterSecret,
    /// The table.
    pub store: Store,
    /// Domains in which no destination can be.
    pub own_domains: OwnDomains,
    /// The mail servers of other domains.
    pub mail_domains: Box<dyn MailDomains>,
    /// The queue of `notify`.
    pub notify_queue: Queue,
    /// The queue of `verify-member`.
    pub verify_queue: Queue,
    /// The last read of the status page.
    pub status: StatusCache,
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
        let notify_queue = variables.required("NOTIFY_QUEUE_URL");
        let verify_queue = variables.required("VERIFY_QUEUE_URL");
        let configured_url = variables.optional("PUBLIC_URL");
        let servers = variables.optional("DNS_SERVERS");
        let environment = Environment::load(variables).await?;
        Ok(Self {
            texts: Self::texts()?,
            status: StatusCache::default(),
            configured_url,
            secret: environment.master_secret(secret),
            own_domains: OwnDomains::of(&environment.community),
            mail_domains: Box::new(Resolver::new(&Settings { servers, timeout: DNS_TIMEOUT })?),
            notify_queue: environment.queue(notify_queue),
            verify_queue: environment.queue(verify_queue),
            community: environment.community,
            store: environment.store,
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        })
    }
    /// The texts of all pages of this function.
    pub fn texts() -> Result<Texts, TextsError> {
        Texts::with_parts(&[parts::STATUS])
    }
}
