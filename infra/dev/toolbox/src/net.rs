//! Ports for services that cannot choose their own, and a client of servers on loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use anyhow::{Result, bail};
use reqwest::redirect::Policy;

/// How long a connection waits for another request. LocalStack's server (hypercorn) closes one after 5 idle seconds, and a
/// request that is sent at that moment fails.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// A free loopback port below the ephemeral range: the kernel could give an ephemeral port to a client before the service
/// binds it.
pub fn free_port() -> Result<u16> {
    for _ in 0..200 {
        let port = fastrand::u16(20_000..32_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("found no free port between 20000 and 32000")
}

/// An HTTP client of servers on loopback. It follows no redirect and uses no proxy.
pub fn http_client() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().pool_idle_timeout(POOL_IDLE_TIMEOUT).build()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A server that closes each connection as its second request arrives.
    async fn serve(listener: TcpListener) {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 1000];
                if connection.read(&mut request).await? > 0 {
                    connection.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
                }
                connection.read(&mut request).await
            });
        }
    }

    #[tokio::test]
    async fn idle_connection_is_not_reused() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(serve(listener));
        let client = http_client().unwrap();
        assert_eq!(client.get(&url).send().await.unwrap().status(), 204);
        tokio::time::sleep(POOL_IDLE_TIMEOUT + Duration::from_millis(100)).await;
        assert_eq!(client.get(&url).send().await.unwrap().status(), 204);
    }
}
