//! The configuration and clients of the function.

use std::time::Duration;

use membermail_core::clock::{Clock, SystemClock};
use membermail_core::community::Community;
use membermail_core::random::{OsRandom, Random};
use membermail_domains::Settings;
use membermail_pages::configured_url::ConfiguredUrl;
use membermail_runtime::environment::Environment;
use membermail_runtime::queue::Queue;
use membermail_runtime::variables::Variables;
use membermail_store::Store;
use membermail_texts::{Part, Texts, parts};

/// Timeout of the queries of a DNS check, which run at the same time: an admin waits for them, and so does Lambda (10 s).
const DNS_TIMEOUT: Duration = Duration::from_secs(4);

/// Shared by all requests.
pub struct Context {
    /// The community of the site.
    pub community: Community,
    /// The translated texts of the pages.
    pub texts: Texts,
    /// The configured public URL; without one, it is derived from each request.
    pub configured_url: Option<ConfiguredUrl>,
    /// The table.
    pub store: Store,
    /// The queue of `sync-team`.
    pub sync_queue: Queue,
    /// The queue of `verify-member`.
    pub verify_queue: Queue,
    /// The queue of `notify`.
    pub notify_queue: Queue,
    /// Name servers and timeout of DNS checks. The client is built when it is needed: most requests need none.
    pub dns: Settings,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// Random bytes.
    pub random: Box<dyn Random>,
}

impl Context {
    /// Reads the environment variables and builds the clients.
    pub async fn from_env() -> Result<Self, lambda_http::Error> {
        let mut variables = Variables::of_process();
        let sync_queue = variables.required("SYNC_QUEUE_URL");
        let verify_queue = variables.required("VERIFY_QUEUE_URL");
        let notify_queue = variables.required("NOTIFY_QUEUE_URL");
        let configured_url = variables.optional("PUBLIC_URL");
        let servers = variables.optional("DNS_SERVERS");
        let environment = Environment::load(variables).await?;
        Ok(Self {
            texts: Self::texts()?,
            configured_url,
            sync_queue: environment.queue(sync_queue),
            verify_queue: environment.queue(verify_queue),
            notify_queue: environment.queue(notify_queue),
            community: environment.community,
            store: environment.store,
            dns: Settings { servers, timeout: DNS_TIMEOUT },
            clock: Box::new(SystemClock),
            random: Box::new(OsRandom),
        })
    }

    /// The texts of all pages of the console.
    pub fn texts() -> Result<Texts, membermail_texts::TextsError> {
        const PARTS: [Part; 7] =
            [parts::ADMIN, parts::ADMINS, parts::AUDIT, parts::DOMAINS, parts::MEMBERS, parts::PLANS, parts::RESERVED];
        Texts::with_parts(&PARTS)
    }
}
