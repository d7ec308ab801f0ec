//! The HTTP client of the relying parties.

use std::time::Duration;

use reqwest::Client;

/// Idle timeout of pooled connections: long enough to save TLS handshakes when many people sign in, shorter than the idle
/// timeouts of servers (5 seconds by default in Apache HTTP Server and Node.js). A server that closes a connection just as a
/// request arrives would fail a sign-in.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// The HTTP client for requests to sign-in providers. It follows no redirect, which would make a provider's word that of
/// another server. It never retries, because a provider confirms an assertion, and exchanges a code, only once. If the
/// provider has closed a pooled connection, only a request that was not sent at all goes to another connection.
///
/// # Errors
/// If TLS cannot be set up.
pub fn http_client() -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(concat!("membermail/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .timeout(Duration::from_secs(5))
        .build()
}
