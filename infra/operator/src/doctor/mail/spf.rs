//! Evaluates SPF for the host's address (RFC 7208, 4 and 5): `ip4`, `ip6`, `a`, `mx`, `include`, `all` and `redirect`.

use std::net::IpAddr;

use membermail_core::domain_mail::SPF_LOOKUPS;
use membermail_core::domain_proof::DnsAnswer;

use super::queries::Dns;

/// The result for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SpfResult {
    Pass,
    /// The address does not match a mechanism with `+`; the qualifier that it has.
    NotPermitted(char),
    /// No SPF record, or more than one.
    Records(usize),
    /// The record is invalid, or needs too many look-ups.
    Invalid,
    /// DNS did not answer, or the record has a macro, `exists` or `ptr`.
    Unknown,
}

/// A mechanism with its qualifier (4.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Directive<'a> {
    qualifier: char,
    name: &'a str,
    /// Behind the colon.
    value: &'a str,
    /// The prefix lengths for IPv4 and IPv6.
    prefixes: (u8, u8),
}

/// Whether the record of a domain permits the address. `lookups` counts down from [`SPF_LOOKUPS`].
pub(super) async fn check_host(dns: &impl Dns, domain: &str, address: IpAddr) -> SpfResult {
    let mut lookups = SPF_LOOKUPS;
    evaluate(dns, domain, address, &mut lookups).await
}

async fn evaluate(dns: &impl Dns, domain: &str, address: IpAddr, lookups: &mut u32) -> SpfResult {
    let texts = match dns.txt(domain).await {
        DnsAnswer::Records(texts) => texts,
        DnsAnswer::Missing => return SpfResult::Records(0),
        DnsAnswer::Unanswered(_) => return SpfResult::Unknown,
    };
    let records: Vec<_> = texts.iter().filter_map(|text| terms_of(text)).collect();
    let [terms] = records[..] else { return SpfResult::Records(records.len()) };
    let mut redirect = None;
    for term in terms.split(' ').filter(|term| !term.is_empty()) {
        if let Some((name, value)) = modifier(term) {
            if name.eq_ignore_ascii_case("redirect") {
                redirect = Some(value);
            }
            continue;
        }
        if term.contains('%') {
            return SpfResult::Unknown;
        }
        let Some(directive) = Directive::parse(term) else { return SpfResult::Invalid };
        match directive.matches(dns, domain, address, lookups).await {
            Ok(false) => {}
            Ok(true) if directive.qualifier == '+' => return SpfResult::Pass,
            Ok(true) => return SpfResult::NotPermitted(directive.qualifier),
            Err(result) => return result,
        }
    }
    match redirect {
        None => SpfResult::NotPermitted('?'),
        Some(other) if other.contains('%') => SpfResult::Unknown,
        Some(_) if !spend(lookups) => SpfResult::Invalid,
        Some(other) => match Box::pin(evaluate(dns, other, address, lookups)).await {
            SpfResult::Records(_) => SpfResult::Invalid,
            result => result,
        },
    }
}

/// The terms of an SPF record; the version ends at a space or with the record (4.5).
fn terms_of(text: &str) -> Option<&str> {
    let (version, terms) = text.split_once(' ').unwrap_or((text, ""));
    version.eq_ignore_ascii_case("v=spf1").then_some(terms)
}

/// `name=value`, where a mechanism has a colon or nothing (4.6.1).
fn modifier(term: &str) -> Option<(&str, &str)> {
    term.split_once('=')
        .filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)))
}

/// Counts a look-up; whether it is allowed (4.6.4).
fn spend(lookups: &mut u32) -> bool {
    let is_allowed = *lookups > 0;
    *lookups = lookups.saturating_sub(1);
    is_allowed
}

impl<'a> Directive<'a> {
    fn parse(term: &'a str) -> Option<Self> {
        let qualifier = term.chars().next().filter(|c| "+-~?".contains(*c));
        let term = term.strip_prefix(['+', '-', '~', '?']).unwrap_or(term);
        let (name, rest) = match term.find([':', '/']) {
            Some(end) if term[end..].starts_with(':') => (&term[..end], &term[end + 1..]),
            Some(end) => (&term[..end], &term[end..]),
            None => (term, ""),
        };
        let is_ip6 = name.eq_ignore_ascii_case("ip6");
        let (value, lengths) = rest.split_once('/').unwrap_or((rest, ""));
        // `/24//64`, `/24` or `//64`; the one of an address is alone.
        let (v4, v6) = match lengths.split_once('/') {
            _ if is_ip6 => ("", lengths),
            Some((v4, v6)) => (v4.trim_end_matches('/'), v6.trim_start_matches('/')),
            None => (lengths, ""),
        };
        let prefixes = (prefix(v4, 32)?, prefix(v6, 128)?);
        Some(Self { qualifier: qualifier.unwrap_or('+'), name, value, prefixes })
    }

    /// Whether the mechanism matches, or the result of the whole check.
    async fn matches(
        &self,
        dns: &impl Dns,
        domain: &str,
        address: IpAddr,
        lookups: &mut u32,
    ) -> Result<bool, SpfResult> {
        let target = if self.value.is_empty() { domain } else { self.value };
        match self.name.to_ascii_lowercase().as_str() {
            "all" => Ok(true),
            "ip4" | "ip6" => {
                let network = self.value.parse().map_err(|_| SpfResult::Invalid)?;
                Ok(self.covers(network, address))
            }
            "a" if spend(lookups) => self.covers_host(dns, target, address).await,
            "mx" if spend(lookups) => {
                let hosts = match dns.mx(target).await {
                    DnsAnswer::Records(hosts) => hosts,
                    DnsAnswer::Missing => return Ok(false),
                    DnsAnswer::Unanswered(_) => return Err(SpfResult::Unknown),
                };
                for host in hosts.iter().filter(|host| !host.is_empty()) {
                    if self.covers_host(dns, host, address).await? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            "include" if spend(lookups) => match Box::pin(evaluate(dns, self.value, address, lookups)).await {
                SpfResult::Pass => Ok(true),
                SpfResult::NotPermitted(_) => Ok(false),
                SpfResult::Records(_) => Err(SpfResult::Invalid),
                other => Err(other),
            },
            "exists" | "ptr" => Err(SpfResult::Unknown),
            _ => Err(SpfResult::Invalid),
        }
    }

    async fn covers_host(&self, dns: &impl Dns, host: &str, address: IpAddr) -> Result<bool, SpfResult> {
        match dns.addresses(host, address.is_ipv6()).await {
            DnsAnswer::Records(networks) => Ok(networks.into_iter().any(|network| self.covers(network, address))),
            DnsAnswer::Missing => Ok(false),
            DnsAnswer::Unanswered(_) => Err(SpfResult::Unknown),
        }
    }

    /// Whether the address is in the network with our prefix length.
    fn covers(&self, network: IpAddr, address: IpAddr) -> bool {
        let (v4, v6) = self.prefixes;
        match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(v4);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(v6);
                network.to_bits().checked_shr(shift) == address.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// A prefix length of at most `max`, which is also the default.
fn prefix(text: &str, max: u8) -> Option<u8> {
    if text.is_empty() { Some(max) } else { text.parse().ok().filter(|length| *length <= max) }
}

#[cfg(test)]
mod tests {
    use super::super::queries::testing::Zone;
    use super::*;

    fn zone() -> Zone {
        Zone::new(&[
            ("mx.forwards.example", "A 192.0.2.25"),
            ("mx.forwards.example", "AAAA 2001:db8::25"),
            ("ubuntu.com", "MX mx.forwards.example"),
            ("included.example", "TXT v=spf1 ip4:192.0.2.0/24 -all"),
            ("refusing.example", "TXT v=spf1 -all"),
            ("circle.example", "TXT v=spf1 include:circle.example -all"),
            ("broken.example", "SERVFAIL"),
        ])
    }

    async fn result(record: &str, address: &str) -> SpfResult {
        let mut zone = zone();
        zone.add("ubuntu.com", &format!("TXT {record}"));
        check_host(&zone, "ubuntu.com", address.parse().unwrap()).await
    }

    #[rstest::rstest]
    #[case::mx("v=spf1 mx -all")]
    #[case::upper_case("V=SPF1 MX -ALL")]
    #[case::plus("v=spf1 +mx ~all")]
    #[case::a("v=spf1 a:mx.forwards.example -all")]
    #[case::network("v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.0/28 ip4:192.0.2.16/28 -all")]
    #[case::prefix_of_a("v=spf1 a:mx.forwards.example/16//64 -all")]
    #[case::include("v=spf1 include:refusing.example include:included.example -all")]
    #[case::redirect("v=spf1 redirect=included.example")]
    #[case::all("v=spf1 all")]
    #[case::explanation("v=spf1 mx exp=why.%{d} -all")]
    #[case::spaces("v=spf1  mx  -all ")]
    #[tokio::test]
    async fn record_permits_host(#[case] record: &str) {
        assert_eq!(result(record, "192.0.2.25").await, SpfResult::Pass);
    }

    #[rstest::rstest]
    #[case::none("v=spf1 -all", SpfResult::NotPermitted('-'))]
    #[case::softly("v=spf1 ~all", SpfResult::NotPermitted('~'))]
    #[case::no_all("v=spf1", SpfResult::NotPermitted('?'))]
    #[case::excluded("v=spf1 -mx all", SpfResult::NotPermitted('-'))]
    #[case::other_network("v=spf1 ip4:192.0.3.0/24 ip6:2001:db8::/32 -all", SpfResult::NotPermitted('-'))]
    #[case::no_addresses("v=spf1 a -all", SpfResult::NotPermitted('-'))]
    #[case::no_record("v=spf10 mx -all", SpfResult::Records(0))]
    #[case::unknown_mechanism("v=spf1 mxx -all", SpfResult::Invalid)]
    #[case::no_address("v=spf1 ip4:mx -all", SpfResult::Invalid)]
    #[case::long_prefix("v=spf1 ip4:192.0.2.0/33 -all", SpfResult::Invalid)]
    #[case::include_of_nothing("v=spf1 include:nobody.example -all", SpfResult::Invalid)]
    #[case::circle("v=spf1 include:circle.example -all", SpfResult::Invalid)]
    #[case::redirect_to_nothing("v=spf1 redirect=nobody.example", SpfResult::Invalid)]
    #[case::macros("v=spf1 include:%{d}.example -all", SpfResult::Unknown)]
    #[case::exists("v=spf1 exists:x.example -all", SpfResult::Unknown)]
    #[case::unanswered("v=spf1 include:broken.example -all", SpfResult::Unknown)]
    #[tokio::test]
    async fn record_does_not_permit_host(#[case] record: &str, #[case] expected: SpfResult) {
        assert_eq!(result(record, "192.0.2.25").await, expected);
    }

    #[rstest::rstest]
    #[case::mx("v=spf1 mx -all")]
    #[case::network("v=spf1 ip6:2001:db8::/32 -all")]
    #[case::prefix_of_mx("v=spf1 mx//64 -all")]
    #[tokio::test]
    async fn record_permits_ipv6(#[case] record: &str) {
        assert_eq!(result(record, "2001:db8::25").await, SpfResult::Pass);
    }

    #[tokio::test]
    async fn eleventh_lookup_is_invalid() {
        let ten = "a:x.example ".repeat(9) + "mx";
        assert_eq!(result(&format!("v=spf1 {ten} -all"), "192.0.2.25").await, SpfResult::Pass);
        assert_eq!(result(&format!("v=spf1 a {ten} -all"), "192.0.2.25").await, SpfResult::Invalid);
    }

    #[tokio::test]
    async fn second_record_is_ambiguous() {
        let mut zone = zone();
        zone.add("included.example", "TXT v=spf1 mx -all");
        let result = check_host(&zone, "included.example", "192.0.2.25".parse().unwrap()).await;
        assert_eq!(result, SpfResult::Records(2));
    }
}
