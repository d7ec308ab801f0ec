//! Records in memory.

use membermail_core::domain_proof::Unanswered;

use super::*;

/// Names with their records, such as `MX mx.example` or `SERVFAIL`.
pub(in super::super) struct Zone(Vec<(String, String)>);

impl Zone {
    pub(in super::super) fn new(records: &[(&str, &str)]) -> Self {
        Self(records.iter().map(|(name, record)| ((*name).to_owned(), (*record).to_owned())).collect())
    }

    pub(in super::super) fn add(&mut self, name: &str, record: &str) {
        self.0.push((name.to_owned(), record.to_owned()));
    }

    fn find(&self, name: &str, kind: &str) -> DnsAnswer<String> {
        let of_name = || self.0.iter().filter(|(owner, _)| owner == name).map(|(_, record)| record);
        if of_name().any(|record| record == "SERVFAIL") {
            return DnsAnswer::Unanswered(Unanswered::ServerFailure);
        }
        let found = of_name().filter_map(|record| Some(record.strip_prefix(kind)?.strip_prefix(' ')?.to_owned()));
        let found: Vec<_> = found.collect();
        if found.is_empty() { DnsAnswer::Missing } else { DnsAnswer::Records(found) }
    }
}

impl Dns for Zone {
    async fn txt(&self, name: &str) -> DnsAnswer<String> {
        self.find(name, "TXT")
    }

    async fn mx(&self, name: &str) -> DnsAnswer<String> {
        self.find(name, "MX")
    }

    async fn addresses(&self, name: &str, ipv6: bool) -> DnsAnswer<IpAddr> {
        match self.find(name, if ipv6 { "AAAA" } else { "A" }) {
            DnsAnswer::Records(found) => DnsAnswer::Records(found.iter().map(|ip| ip.parse().unwrap()).collect()),
            DnsAnswer::Missing => DnsAnswer::Missing,
            DnsAnswer::Unanswered(why) => DnsAnswer::Unanswered(why),
        }
    }

    async fn names(&self, address: IpAddr) -> DnsAnswer<String> {
        self.find(&address.to_string(), "PTR")
    }
}
