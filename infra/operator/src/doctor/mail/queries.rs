//! The DNS queries of the checks.

use std::net::IpAddr;

use membermail_core::domain_proof::DnsAnswer;
use membermail_domains::Resolver;

/// The queries of the checks.
pub(super) trait Dns {
    async fn txt(&self, name: &str) -> DnsAnswer<String>;
    async fn mx(&self, name: &str) -> DnsAnswer<String>;
    async fn addresses(&self, name: &str, ipv6: bool) -> DnsAnswer<IpAddr>;
    async fn names(&self, address: IpAddr) -> DnsAnswer<String>;
}

impl Dns for Resolver {
    async fn txt(&self, name: &str) -> DnsAnswer<String> {
        self.txt(name).await
    }

    async fn mx(&self, name: &str) -> DnsAnswer<String> {
        self.mx(name).await
    }

    async fn addresses(&self, name: &str, ipv6: bool) -> DnsAnswer<IpAddr> {
        if ipv6 { self.ipv6(name).await } else { self.ipv4(name).await }
    }

    async fn names(&self, address: IpAddr) -> DnsAnswer<String> {
        self.names(address).await
    }
}

#[cfg(test)]
pub(super) mod testing;
